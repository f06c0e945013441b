// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scratch in the page allocator: for movable pages only, like an area of CMA.
 *
 * This file owns the type of the pageblocks of scratch, and counts them as CMA. At
 * cold boot scratch is reserved, and given to CMA as a whole in an initcall. After
 * a handover it is free memory like all other, and its pageblocks get their type
 * before the page allocator gets their pages. Where scratch is, is up to
 * kernel/kexec_handover/scratch.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/cma.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/pageblock-flags.h>

#include "../kernel/kexec_handover/scratch.h"
#include "internal.h"

static void __init visit_pageblocks(void (*func)(unsigned long pfn))
{
	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		unsigned long pfn = PHYS_PFN(kho_scratch[i].addr);
		unsigned long end = pfn + PHYS_PFN(kho_scratch[i].size);

		for (; pfn < end; pfn += pageblock_nr_pages)
			func(pfn);
	}
}

static void __init mark_if_initialised(unsigned long pfn)
{
#ifdef CONFIG_DEFERRED_STRUCT_PAGE_INIT
	if (pfn >= NODE_DATA(early_pfn_to_nid(pfn))->first_deferred_pfn)
		return;
#endif
	set_pageblock_migratetype(pfn_to_page(pfn), MIGRATE_CMA);
}

static void __init mark_if_unmarked(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	if (get_pageblock_migratetype(page) != MIGRATE_CMA)
		set_pageblock_migratetype(page, MIGRATE_CMA);
}

static int __init is_in_area(struct cma *cma, void *arg)
{
	return cma_pages_valid(cma, arg, 1);
}

static void __init release_or_count(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	/* CMA itself counts the areas of drivers, of cma= and the like. */
	if (cma_for_each_area(is_in_area, page))
		return;

	if (kho_scratch_inherited)
		page_zone(page)->cma_pages += pageblock_nr_pages;
	else
		init_cma_reserved_pageblock(page);
	totalcma_pages += pageblock_nr_pages;
}

/**
 * kho_scratch_mark_early - keep unmovable pages out of inherited scratch
 *
 * Context: kho_memory_init(). Pageblocks that have no struct pages yet are marked
 * as they get them, by kho_scratch_mark_block().
 */
void __init kho_scratch_mark_early(void)
{
	if (kho_scratch_inherited)
		visit_pageblocks(mark_if_initialised);
}

/**
 * kho_scratch_mark_block - mark pageblocks before their pages are free
 * @pfn: first PFN of a range of scratch, within one block
 * @nr_pages: its length
 *
 * Also marks a pageblock that begins with pages that are not free.
 *
 * Context: deferred initialisation.
 */
void __init kho_scratch_mark_block(unsigned long pfn, unsigned long nr_pages)
{
	for (unsigned long p = pageblock_start_pfn(pfn); p < pfn + nr_pages;
	     p += pageblock_nr_pages)
		set_pageblock_migratetype(pfn_to_page(p), MIGRATE_CMA);
}

/**
 * kho_scratch_mark_rest - mark the pageblocks that are not marked yet
 *
 * Those are pageblocks in which nothing is free: memory that the kernel took while
 * it booted, and may free later.
 *
 * Context: all struct pages are initialised.
 */
void __init kho_scratch_mark_rest(void)
{
	if (kho_scratch_inherited)
		visit_pageblocks(mark_if_unmarked);
}

/**
 * kho_scratch_release - give scratch to the page allocator, for movable pages
 *
 * Inherited scratch went there with all other memory, and is only counted.
 *
 * Context: core_initcall.
 */
void __init kho_scratch_release(void)
{
	visit_pageblocks(release_or_count);
}
