/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scratch regions, see scratch.c and scratch_reserve.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_SCRATCH_H
#define _KHO_SCRATCH_H

#include <linux/kho/abi/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/minmax.h>
#include <linux/mmzone.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct page;

/*
 * Indexes of the regions: one in low memory, one anywhere, then one for each NUMA
 * node that needs one.
 */
#define KHO_SCRATCH_LOW		0
#define KHO_SCRATCH_GLOBAL	1
#define KHO_SCRATCH_NODES	2

/* The previous kernel may have cut regions in pieces, because of bad pages. */
#define KHO_SCRATCH_MAX		\
	max_t(size_t, KHO_SCRATCH_NODES + MAX_NUMNODES, PAGE_SIZE / sizeof(struct kho_scratch))

/*
 * Scratch consists of whole blocks of MAX_ORDER_NR_PAGES pages and of whole
 * pageblocks: the buddy of a free page of scratch always lies in scratch, too, and
 * each pageblock of scratch can have the type MIGRATE_CMA.
 */
#define KHO_SCRATCH_ALIGN	\
	(max_t(phys_addr_t, MAX_ORDER_NR_PAGES, pageblock_nr_pages) << PAGE_SHIFT)

/*
 * The array of scratch regions and the number of its entries, 0 if there is no scratch.
 * kho_scratch_set() sets both at boot, before the page allocator starts.
 * kho_scratch_move_array() can change the address of the array once, in a core_initcall.
 * From then on only kho_scratch_cut() changes them, with the kexec lock held: it makes
 * another array, in which regions are smaller. Code without that lock calls
 * kho_scratch_regions().
 */
extern struct kho_scratch *kho_scratch;
extern unsigned int kho_scratch_cnt;

/*
 * True if the regions are inherited from the previous kernel: they are free memory in
 * memblock then. Regions that are reserved at cold boot stay reserved in memblock
 * until kho_scratch_release() gives them to CMA. kho_scratch_adopt() sets this;
 * constant from then on.
 */
extern bool kho_scratch_inherited;

/*
 * Returns the last address of low memory. arm64 has no ARCH_LOW_ADDRESS_LIMIT before it
 * knows its zones, which is later than kho_memory_known().
 */
static inline phys_addr_t kho_low_limit(void)
{
	const phys_addr_t limit = ARCH_LOW_ADDRESS_LIMIT, most = SZ_4G - 1;

	return min(limit, most);
}

/* A region of size 0 overlaps nothing: its address has no meaning. */
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
const struct kho_scratch *kho_scratch_regions(unsigned int *cnt);
u64 kho_scratch_sum(const struct kho_scratch *array, unsigned int cnt);
void kho_scratch_cut(struct kho_scratch *array, unsigned int max, phys_addr_t block);

/* scratch_reserve.c */

/*
 * The bytes that a kernel like this one allocates before it has read the map, without
 * kernel image and initrd. kho_scratch_measure() sets it; constant from then on.
 */
extern u64 kho_scratch_early;

void kho_scratch_measure(void);
bool kho_scratch_reserve(void);

/* mm/kho_scratch.c */

void kho_scratch_mark_early(void);
void kho_scratch_mark_rest(void);
void kho_scratch_mark_block(unsigned long pfn, unsigned long nr_pages);
void kho_scratch_release(void);
bool kho_scratch_in_cma_area(struct page *page);
unsigned long kho_scratch_count_free(unsigned long pfn, unsigned long end);

#endif /* _KHO_SCRATCH_H */
