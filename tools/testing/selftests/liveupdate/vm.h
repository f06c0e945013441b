/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm.h - the parts of the VMM
 */
#ifndef VM_H
#define VM_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <stddef.h>

#include "../kho/clock.h"
#include "vm_guest.h"
#include "vm_state.h"

/*
 * A virtual machine. All members are set before the first vCPU runs, and do not change
 * afterwards.
 *
 * @fd:		file descriptor of KVM's virtual machine
 * @vcpus:	number of vCPUs
 * @vcpu_fds:	file descriptors of the vCPUs
 * @runs:	the struct that each vCPU shares with the kernel
 * @memory:	the guest's memory, as it is mapped here
 * @size:	size of the guest's memory in bytes
 */
struct machine {
	int fd;
	unsigned int vcpus;
	int vcpu_fds[VM_CPUS_MAX];
	struct kvm_run *runs[VM_CPUS_MAX];
	char *memory;
	__u64 size;
};

/* Prints why this program cannot go on, with errno if that is not 0, and ends it. */
void __printf(1, 2) __noreturn fail(const char *format, ...);

/* vm_machine.c */
void machine_create(struct machine *it, unsigned int vcpus, int memory, __u64 size);
void machine_begin(struct machine *it, const struct vm_params *params);
void machine_save(struct machine *it, struct vm_state *to, __u64 stopped);
void machine_check(const struct vm_state *from, __u64 memory);
void machine_restore(struct machine *it, const struct vm_state *from);
const struct vm_tsc *state_tsc(const struct vm_state *from);

/* vm_check.c */
int check_beats(const char *console, const char *memory, unsigned int beats);

#endif
