# SPDX-License-Identifier: GPL-2.0-only
#
# vm, for x86. Only the guests that need it have it.
#
# Outside of a kernel tree: make -f vm.mk OUT=directory TREE=kernel-tree directory/vm

include Makefile

# <linux/compiler.h> defines attributes.
CFLAGS += -idirafter $(TREE)/tools/include

# The guest's program has no operating system below it, and interrupts use its registers.
VM_GUEST_FLAGS := -std=gnu11 -O2 -Wall -Wextra -ffreestanding -ffunction-sections \
		  -fno-pic -no-pie -nostdlib -static -mno-red-zone -mgeneral-regs-only -fcf-protection=none -fno-stack-protector \
		  -fno-asynchronous-unwind-tables -Wl,-T,vm_guest.lds -Wl,--build-id=none

VM_SOURCES := vm.c vm_machine.c vm_check.c session.c
VM_HEADERS := vm.h vm_state.h vm_guest.h session.h ../kho/clock.h

$(OUT)/vm_guest.bin: vm_guest.c vm_guest.h vm_guest.lds
	$(CC) $(VM_GUEST_FLAGS) -idirafter $(TREE)/tools/include -o $@.elf $<
	$(CROSS_COMPILE)objcopy -O binary $@.elf $@
	rm $@.elf

$(OUT)/vm: $(VM_SOURCES) $(VM_HEADERS) $(OUT)/vm_guest.bin
	$(CC) $(CFLAGS) -D_GNU_SOURCE -include string.h -include sys/ioctl.h \
		-DVM_GUEST='"$(OUT)/vm_guest.bin"' -pthread -o $@ $(VM_SOURCES)
