// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scratch in the page allocator: for movable pages only, like an area of CMA.
 *
 * This file owns the type of the pageblocks of scratch, MIGRATE_CMA, and counts them
 * as CMA memory. At cold boot scratch is reserved in memblock, and
 * kho_scratch_release() frees it to the page allocator in an initcall. After a
 * handover scratch is free memory in memblock, and its pageblocks get their type
 * before their pages are freed. The array of scratch regions is in
 * kernel/kexec_handover/scratch.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/cma.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_boot.h>
#include <linux/memblock.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/pageblock-flags.h>
#include <linux/sched.h>

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

static int is_in_area(struct cma *cma, void *arg)
{
	return cma_pages_valid(cma, arg, 1);
}

/**
 * kho_scratch_in_cma_area - does a page of scratch lie in an area of CMA?
 * @page: the page
 *
 * CMA itself keeps account of its areas, like those of drivers and of cma=. An area
 * consists of whole pageblocks.
 *
 * Context: any, never sleeps. When CMA has its areas.
 * Return: true if the page lies in one; false if it does not.
 */
bool kho_scratch_in_cma_area(struct page *page)
{
	return cma_for_each_area(is_in_area, page);
}

static void __init release_or_count(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	if (kho_scratch_in_cma_area(page))
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
 * Marks the pageblocks whose struct pages are initialised early. kho_init_free() calls
 * kho_scratch_mark_block() for all other pageblocks.
 *
 * Context: kho_memory_init().
 */
void __init kho_scratch_mark_early(void)
{
	if (kho_scratch_inherited)
		visit_pageblocks(mark_if_initialised);
}

/**
 * kho_scratch_mark_block - mark pageblocks before their pages are freed
 * @pfn: first PFN of a range of scratch, within one block
 * @nr_pages: number of pages in the range
 *
 * Also marks a pageblock that begins below @pfn.
 *
 * Context: kho_init_free(), from memblock_free_pages() or deferred initialisation.
 */
void __init kho_scratch_mark_block(unsigned long pfn, unsigned long nr_pages)
{
	for (unsigned long p = pageblock_start_pfn(pfn); p < pfn + nr_pages;
	     p += pageblock_nr_pages)
		set_pageblock_migratetype(pfn_to_page(p), MIGRATE_CMA);
}

/**
 * kho_scratch_mark_reserved - mark pageblocks that hold reserved pages
 *
 * The pages that the kernel takes from memblock before it has read the map lie in
 * inherited scratch. Some are freed before deferred initialisation, like the alternatives for
 * SMP on x86, and must be free for movable pages then. Their struct pages are
 * initialised, those around them may not be.
 *
 * Context: memblock_free_all(), when the struct pages of all reserved pages are
 * initialised and nothing is freed yet.
 */
void __init kho_scratch_mark_reserved(void)
{
	struct memblock_region *r;

	if (!kho_scratch_inherited)
		return;

	for_each_reserved_mem_region(r) {
		unsigned long pfn = PFN_DOWN(r->base), end = PFN_UP(r->base + r->size);

		if (memblock_is_reserved_noinit(r))
			continue;
		for (; pfn < end; pfn = pageblock_end_pfn(pfn)) {
			if (kho_scratch_overlap(PFN_PHYS(pfn), PAGE_SIZE))
				set_pageblock_migratetype(pfn_to_page(pfn), MIGRATE_CMA);
		}
	}
}

static void __init mark_if_unmarked(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	if (get_pageblock_migratetype(page) != MIGRATE_CMA)
		set_pageblock_migratetype(page, MIGRATE_CMA);
}

/**
 * kho_scratch_mark_rest - mark the pageblocks that are not marked yet
 *
 * These are pageblocks all of whose struct pages were initialised late, as those of
 * gigantic pages that were allocated at boot.
 *
 * Context: page_alloc_init_late(), when all struct pages are initialised.
 */
void __init kho_scratch_mark_rest(void)
{
	if (kho_scratch_inherited)
		visit_pageblocks(mark_if_unmarked);
}

/**
 * kho_scratch_release - free scratch to the page allocator, for movable pages
 *
 * Pages of inherited scratch were freed with all other memory; this only counts them
 * as CMA memory.
 *
 * Context: kho_start(), a core_initcall.
 */
void __init kho_scratch_release(void)
{
	visit_pageblocks(release_or_count);
}

/**
 * kho_scratch_count_free - count the free pages of a range of scratch
 * @pfn: first PFN of the range
 * @end: first PFN after it
 *
 * Looks without a lock, so that the number is right only while nothing is allocated or
 * freed. Pages in the lists of the CPUs do not count.
 *
 * Context: may sleep. After kho_scratch_release().
 * Return: the number of free pages.
 */
unsigned long kho_scratch_count_free(unsigned long pfn, unsigned long end)
{
	unsigned long nr = 0, step;

	for (; pfn < end; pfn += step) {
		struct page *page = pfn_to_page(pfn);

		step = 1;
		if (!(pfn % pageblock_nr_pages)) {
			cond_resched();
			/* The range may be that of a moment in which it was cut. */
			if (!pfn_to_online_page(pfn)) {
				step = pageblock_nr_pages;
				continue;
			}
		}
		if (PageBuddy(page)) {
			step = BIT(min(buddy_order_unsafe(page), MAX_PAGE_ORDER));
			nr += step;
		}
	}

	return nr;
}
