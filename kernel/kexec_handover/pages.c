// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of single pages that outlive a kexec.
 *
 * This file owns how a run of order-0 pages gets into the preserved map, as the
 * largest aligned blocks that it splits into, and how such blocks become single
 * pages again. In the map they are what folios of their order are, and until
 * somebody restores them their struct pages are, too.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/instruction_pointer.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/overflow.h>
#include <linux/page_owner.h>
#include <linux/page_table_check.h>
#include <linux/pgalloc_tag.h>

#include <trace/events/kho.h>

#include "kexec_handover_internal.h"

/* Is it a run of pages that there can be? @end gets the first PFN behind it. */
static bool run_ok(unsigned long pfn, unsigned long nr_pages, unsigned long *end)
{
	if (!nr_pages || check_add_overflow(pfn, nr_pages, end) ||
	    *end > PHYS_PFN(PHYS_ADDR_MAX))
		return false;

	/* A block of pages is there as a whole, or not at all. */
	for (; pfn < *end; pfn = ALIGN(pfn + 1, pageblock_nr_pages)) {
		if (!pfn_valid(pfn))
			return false;
	}

	return true;
}

/*
 * End of the part of [pfn, end) that is on one node. Where the memory of no
 * other node can begin, pages need not be looked at.
 */
static unsigned long one_node(unsigned long pfn, unsigned long end)
{
	const int nid = pfn_to_nid(pfn);
	unsigned long next = end;
	int other;

	for_each_online_node(other) {
		if (other != nid && node_end_pfn(other) > pfn)
			next = min(next, max(node_start_pfn(other), pfn));
	}
	while (next < end && pfn_to_nid(next) == nid)
		next++;

	return next;
}

/* All of a run, or nothing. */
static int add_run(unsigned long pfn, unsigned long end)
{
	unsigned long p, next;

	for (p = pfn; p < end; p = next) {
		int err;

		next = one_node(p, end);
		err = kho_map_reserve_run(&kho_out.map, p, next, KHO_MAX_FOLIO_ORDER);
		if (err)
			return err;
	}

	for (p = pfn; p < end; p = next) {
		next = one_node(p, end);
		kho_map_add_run(&kho_out.map, p, next, KHO_MAX_FOLIO_ORDER);
	}

	return 0;
}

static int preserve_run(unsigned long pfn, unsigned long nr_pages, unsigned long caller)
{
	unsigned long end;

	if (!kho_is_enabled())
		return -EOPNOTSUPP;
	if (!run_ok(pfn, nr_pages, &end))
		return -EINVAL;

	kho_check_preserve(pfn, end, caller);
	if (kho_scratch_overlap(PFN_PHYS(pfn), nr_pages << PAGE_SHIFT) || !kho_next_knows(end))
		return -EINVAL;

	return add_run(pfn, end);
}

/**
 * kho_preserve_pages - hand a run of order-0 pages over to the next kernel
 * @page: the first of them; all must stay allocated until they are unpreserved
 *	or the kexec is done
 * @nr_pages: how many they are; they lie one behind the other in physical memory
 *
 * Length and alignment can be any. The next kernel takes them back with
 * kho_restore_pages(), for the same run. What it costs depends on the number of
 * blocks that the run splits into, not on the number of pages.
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: 0; -EOPNOTSUPP if KHO is off; -EINVAL if there is no such run or part
 * of it lies in scratch or in memory that was added after boot; -ENOMEM. After an
 * error nothing has changed.
 */
int kho_preserve_pages(struct page *page, unsigned long nr_pages)
{
	const unsigned long pfn = page_to_pfn(page);
	int err = preserve_run(pfn, nr_pages, _RET_IP_);

	trace_kho_preserve(pfn, 0, nr_pages, err);

	return err;
}
EXPORT_SYMBOL_GPL(kho_preserve_pages);

/**
 * kho_unpreserve_pages - keep a run of pages after all
 * @page: the first of them
 * @nr_pages: how many they are: exactly the run that was preserved
 *
 * Context: any.
 */
void kho_unpreserve_pages(struct page *page, unsigned long nr_pages)
{
	const unsigned long pfn = page_to_pfn(page);
	unsigned long end, p, next;

	if (!kho_is_enabled() || !run_ok(pfn, nr_pages, &end)) {
		trace_kho_unpreserve(pfn, 0, nr_pages, -ENOENT);
		return;
	}

	kho_check_unpreserve(pfn, end, _RET_IP_);
	for (p = pfn; p < end; p = next) {
		next = one_node(p, end);
		kho_map_del_run(&kho_out.map, p, next, KHO_MAX_FOLIO_ORDER);
	}
	trace_kho_unpreserve(pfn, 0, nr_pages, 0);
}
EXPORT_SYMBOL_GPL(kho_unpreserve_pages);

/*
 * Undoes what makes a compound page of a block that was taken. Other fields are
 * as the initialisation of struct pages left them.
 */
static void split_block(unsigned long pfn, unsigned int order)
{
	struct page *head = pfn_to_page(pfn);

	if (order) {
		/* Here the folio has its order, length and map counts. */
		head[1].flags &= ~PAGE_FLAGS_SECOND;
		head[1].index = 0;
	}
	for (unsigned long i = 1; i < BIT(order); i++) {
		struct page *page = pfn_to_page(pfn + i);

		/* In the second tail, this also ends the list of splits. */
		page->mapping = NULL;
		clear_compound_head(page);
		set_page_count(page, 1);
	}
	if (order)
		ClearPageHead(head);
	ClearPageReserved(head);
}

/* As if each page came from alloc_page(). At most %MAX_PAGE_ORDER. */
static void note_pages(struct page *page, unsigned int order)
{
	if (mem_alloc_profiling_enabled()) {
		for (unsigned long i = 0; i < BIT(order); i++)
			clear_page_tag_ref(page + i);
	}
	set_page_owner(page, order, GFP_KERNEL);
	split_page_owner(page, order, 0);
	page_table_check_alloc(page, order);
}

/*
 * From blocks that were taken to single pages that are the page allocator's.
 * They are counted together as long as they are in one zone, which a block of
 * the page allocator is.
 */
static void make_pages(unsigned long pfn, unsigned long end)
{
	unsigned long uncounted = pfn;

	while (pfn < end) {
		unsigned int order = compound_order(pfn_to_page(pfn));
		unsigned int part = min(order, MAX_PAGE_ORDER);
		unsigned long block_end = pfn + BIT(order);

		split_block(pfn, order);
		for (; pfn < block_end; pfn += BIT(part)) {
			struct page *page = pfn_to_page(pfn);

			note_pages(page, part);
			if (page_zone(page) == page_zone(pfn_to_page(uncounted)))
				continue;
			adjust_managed_page_count(pfn_to_page(uncounted), pfn - uncounted);
			uncounted = pfn;
		}
	}
	adjust_managed_page_count(pfn_to_page(uncounted), end - uncounted);
}

/**
 * kho_restore_pages - take back a run of pages that the previous kernel preserved
 * @phys: address of the first of them
 * @nr_pages: how many they are
 *
 * The pages are the caller's from then on, as if each came from alloc_page():
 * reference count 1, to be freed one by one. The run can be one that was
 * preserved as such, or any that consists of exactly what was preserved.
 *
 * Context: any but hard interrupts, from the end of kho_memory_init() on: also
 * before struct pages are initialised and before there is a slab allocator.
 * Return: the first page; NULL, after a warning and with nothing taken, if not
 * exactly these pages were handed over or if any of them is taken.
 */
struct page *kho_restore_pages(phys_addr_t phys, unsigned long nr_pages)
{
	const unsigned long pfn = PHYS_PFN(phys);
	unsigned long end;

	if (!PAGE_ALIGNED(phys) || !run_ok(pfn, nr_pages, &end) ||
	    !kho_incoming_take(pfn, end)) {
		trace_kho_restore(pfn, 0, nr_pages, -ENOENT);
		pr_warn("nothing to restore at %pa, %lu pages, for %pS\n",
			&phys, nr_pages, (void *)_RET_IP_);
		return NULL;
	}

	make_pages(pfn, end);
	trace_kho_restore(pfn, 0, nr_pages, 0);

	return pfn_to_page(pfn);
}
EXPORT_SYMBOL_GPL(kho_restore_pages);
