/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm_state.h - the format in which vm.c leaves the state of a virtual machine
 *
 * One file has everything but the guest's memory: a header, then sections one after the
 * other. The layouts are those that KVM has for its ioctls (<asm/kvm.h>, <linux/kvm.h>),
 * except struct vm_tsc and struct vm_clock. Numbers are in the CPU's byte order, which is
 * little endian.
 */
#ifndef VM_STATE_H
#define VM_STATE_H

#include <assert.h>
#include <linux/kvm.h>
#include <linux/types.h>

#define VM_STATE_MAGIC		0x746174736d76756cULL	/* "luvmstat" */
#define VM_STATE_VERSION	1

/*
 * @magic:	VM_STATE_MAGIC
 * @version:	VM_STATE_VERSION
 * @sections:	number of sections that follow
 * @size:	size of header and sections in bytes
 * @checksum:	FNV-1a over all words of 8 bytes of these, with this one counted as 0
 * @memory:	size of the guest's memory in bytes
 * @vcpus:	number of vCPUs
 * @stopped:	the host's TSC when the last vCPU was out of the guest
 * @saved:	the host's TSC when all sections had been written
 */
struct vm_state {
	__u64 magic;
	__u32 version;
	__u32 sections;
	__u64 size;
	__u64 checksum;
	__u64 memory;
	__u32 vcpus;
	__u32 reserved;
	__u64 stopped;
	__u64 saved;
};

static_assert(sizeof(struct vm_state) == 64);

#define VM_ALL_VCPUS	0xffffffff

/*
 * @type:	enum vm_section_type
 * @vcpu:	the vCPU that it belongs to, or VM_ALL_VCPUS
 * @size:	bytes of content. The next section begins at the next multiple of 8.
 */
struct vm_section {
	__u32 type;
	__u32 vcpu;
	__u64 size;
};

static_assert(sizeof(struct vm_section) == 16);

enum vm_section_type {
	/* Of each vCPU */
	VM_CPUID = 1,		/* struct kvm_cpuid2 */
	VM_SREGS,		/* struct kvm_sregs2 */
	VM_XCRS,		/* struct kvm_xcrs */
	VM_XSAVE,		/* struct kvm_xsave */
	VM_DEBUGREGS,		/* struct kvm_debugregs */
	VM_REGS,		/* struct kvm_regs */
	VM_LAPIC,		/* struct kvm_lapic_state */
	VM_TSC,			/* struct vm_tsc */
	VM_MSRS,		/* struct kvm_msrs */
	VM_EVENTS,		/* struct kvm_vcpu_events */
	VM_MP_STATE,		/* struct kvm_mp_state */
	/* Of the machine */
	VM_PIC,			/* struct kvm_irqchip */
	VM_PIC2,
	VM_IOAPIC,
	VM_PIT,			/* struct kvm_pit_state2 */
	VM_CLOCK,		/* struct vm_clock */
};

/*
 * The guest's TSC is the host's, which kexec does not reset, plus an offset.
 *
 * @offset:	this offset
 * @khz:	the frequency of the TSC that the previous kernel measured
 */
struct vm_tsc {
	__u64 offset;
	__u64 khz;
};

/*
 * @ns:		kvmclock
 * @host_tsc:	the host's TSC at the same moment
 */
struct vm_clock {
	__u64 ns;
	__u64 host_tsc;
};

static_assert(sizeof(struct vm_tsc) == 16);
static_assert(sizeof(struct vm_clock) == 16);

/* The file of the state has this size at once, because a preserved file keeps its size. */
#define VM_STATE_SIZE	(256 * 1024)

/* ---------------------------------------------------------------- what the guest says */

#define VM_HANDOVERS_MAX	127

/*
 * A second file has all that the guest wrote to its serial port, so that vm_check.c reads
 * the output under all kernels as one text.
 *
 * @len:	number of bytes in @text
 * @handovers:	how often the machine was restored in another kernel
 * @offset:	the guest's TSC is the host's plus this offset
 * @khz:	the frequency of the TSC
 * @at:		for each handover, the host's TSC when the guest was stopped and went on
 */
struct vm_console {
	__u64 len;
	__u64 handovers;
	__u64 offset;
	__u64 khz;
	struct {
		__u64 stopped, resumed;
	} at[VM_HANDOVERS_MAX];
	char text[];
};

#define VM_CONSOLE_SIZE		(1024 * 1024)
#define VM_CONSOLE_TEXT		(VM_CONSOLE_SIZE - sizeof(struct vm_console))

#endif
