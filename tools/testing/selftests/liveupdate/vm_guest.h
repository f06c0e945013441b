/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm_guest.h - the layout of the guest's memory, and its work
 *
 * vm_guest.c, vm_machine.c and vm_check.c agree about these. A vCPU walks over its share of
 * the work pages again and again. At each page it reads all words, compares them with what
 * it wrote there one round before, adds them to its sum, and writes those of this round. A
 * beat is a fixed number of pages, so the sum at a beat depends only on the number of the
 * beat, and vm_check.c can compute it with these functions.
 */
#ifndef VM_GUEST_H
#define VM_GUEST_H

#include <linux/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define VM_CPUS_MAX		4
#define VM_PAGE			4096ULL
#define VM_PAGE_WORDS		512

/* Guest physical addresses. The VMM fills the first three before the guest starts. */
#define VM_PML4			0x1000ULL
#define VM_PDPT			0x2000ULL	/* 512 pages of 1 GiB, all identical */
#define VM_GDT			0x3000ULL
#define VM_PARAMS		0x4000ULL
#define VM_CLOCKS		0x5000ULL	/* a struct pvclock of 64 bytes a vCPU */
#define VM_STACKS		0x10000ULL	/* 64 KiB a vCPU */
#define VM_STACK		0x10000ULL
#define VM_CODE			0x100000ULL
#define VM_WORK			0x200000ULL
/* Memory that has no room below this address continues at 4 GiB, as on a PC. */
#define VM_LOW_END		0xc0000000ULL
#define VM_HIGH			0x100000000ULL

/* Selectors */
#define VM_CS			0x08
#define VM_DS			0x10
#define VM_TR			0x18

/* The VMM tells the guest these at VM_PARAMS. */
struct vm_params {
	__u64 cpus;
	__u64 pages;		/* work pages of each vCPU */
	__u64 step;		/* only each step-th page of memory is a work page */
	__u64 beat;		/* pages to walk from one beat to the next */
};

/* The guest physical address of a page of memory, by its offset in memory. */
static inline __u64 vm_address(__u64 offset)
{
	return offset < VM_LOW_END ? offset : offset - VM_LOW_END + VM_HIGH;
}

/* The offset in memory of work page @page of vCPU @cpu. */
static inline __u64 vm_work_offset(const struct vm_params *it, __u64 cpu, __u64 page)
{
	return VM_WORK + (cpu * it->pages + page) * it->step * VM_PAGE;
}

/* Scatters the bits of a number (the finaliser of MurmurHash3). */
static inline __u64 vm_scatter(__u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

#define VM_WORD_STEP	0x9e3779b97f4a7c15ULL

/* The first word of a page after round @round; the following ones add VM_WORD_STEP each. */
static inline __u64 vm_first_word(__u64 cpu, __u64 page, __u64 round)
{
	return vm_scatter(cpu << 56 | round << 32 | page);
}

/* The sum after a page whose words have the sum @page. */
static inline __u64 vm_sum(__u64 sum, __u64 page)
{
	return (sum << 7 | sum >> 57) * 0x100000001b3ULL + page;
}

/* The sum of the words of a page after round @round. Nothing was written before round 1. */
static inline __u64 vm_page_sum(__u64 cpu, __u64 page, __u64 round)
{
	if (!round)
		return 0;
	return VM_PAGE_WORDS * vm_first_word(cpu, page, round) +
	       VM_WORD_STEP * (VM_PAGE_WORDS * (VM_PAGE_WORDS - 1) / 2);
}

#endif
