/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scratch regions, see scratch.c and scratch_reserve.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_SCRATCH_H
#define _KHO_SCRATCH_H

#include <linux/kho/abi/kexec_handover.h>
#include <linux/minmax.h>
#include <linux/mmzone.h>
#include <linux/types.h>

/* A region for low memory and one for any memory come before those of the nodes. */
#define KHO_SCRATCH_LOW		0
#define KHO_SCRATCH_GLOBAL	1
#define KHO_SCRATCH_NODES	2
#define KHO_SCRATCH_MAX		(KHO_SCRATCH_NODES + MAX_NUMNODES)

/*
 * Scratch consists of whole blocks of the size that the buddy allocator merges
 * pages up to: the buddy of a free page of scratch is never outside of scratch.
 */
#define KHO_SCRATCH_ALIGN	\
	(max_t(phys_addr_t, MAX_ORDER_NR_PAGES, pageblock_nr_pages) << PAGE_SHIFT)

/*
 * The array of scratch regions and the number of its entries, 0 if KHO is off.
 * scratch.c sets them, at boot and before the page allocator starts; both are
 * constant from then on, but for where the array is: kho_scratch_move_array()
 * changes that once, in a core_initcall.
 */
extern struct kho_scratch *kho_scratch;
extern unsigned int kho_scratch_cnt;

/*
 * Did the regions come with a handover? They are free memory like all other then,
 * while those that are reserved at cold boot stay reserved in memblock until
 * mm/kho_scratch.c gives them to CMA. Set by kho_scratch_adopt().
 */
extern bool kho_scratch_inherited;

/* A region may be empty. Its address means nothing then. */
static inline bool kho_region_overlaps(const struct kho_scratch *region, phys_addr_t phys,
				       u64 size)
{
	return region->size && phys < region->addr + region->size && region->addr < phys + size;
}

/* scratch.c */

bool kho_scratch_adopt(phys_addr_t array_phys, unsigned int cnt);
void kho_scratch_set(struct kho_scratch *array, unsigned int cnt);
bool kho_scratch_array_in_scratch(void);
void kho_scratch_move_array(void *to);

/* scratch_reserve.c */

bool kho_scratch_reserve(u64 (*not_counted)(phys_addr_t start, phys_addr_t end));

/* mm/kho_scratch.c */

void kho_scratch_mark_early(void);
void kho_scratch_mark_block(unsigned long pfn, unsigned long nr_pages);
void kho_scratch_mark_rest(void);
void kho_scratch_release(void);

#endif /* _KHO_SCRATCH_H */
