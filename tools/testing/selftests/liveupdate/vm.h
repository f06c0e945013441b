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
 * A virtual machine. All is set before the first vCPU runs, and not changed from then on.
 *
 * @fd:		of KVM's virtual machine
 * @vcpus:	how many it has
 * @vcpu_fds:	one each
 * @runs:	what each shares with the kernel
 * @memory:	the guest's memory, as it is mapped here
 * @size:	of it, in bytes
 */
struct machine {
	int fd;
	unsigned int vcpus;
	int vcpu_fds[VM_CPUS_MAX];
	struct kvm_run *runs[VM_CPUS_MAX];
	char *memory;
	__u64 size;
};

/* Prints why this program cannot go on, and ends it. With errno if that is not 0. */
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
