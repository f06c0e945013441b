// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of single pages that outlive a kexec.
 *
 * This file owns how a run of order-0 pages gets into the preserved map, as the
 * largest aligned parts that it splits into, and how such parts become single
 * pages again. In the map they are what folios of their order are, and until
 * somebody restores them their struct pages are, too.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/instruction_pointer.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/overflow.h>
#include <linux/page_owner.h>
#include <linux/page_table_check.h>
#include <linux/pgalloc_tag.h>

#include <trace/events/kho.h>

#include "misuse.h"
#include "outgoing.h"
#include "ram.h"
#include "restore.h"

/* Is it a valid run of pages? @end gets the first PFN after it. */
static bool run_ok(unsigned long pfn, unsigned long nr_pages, unsigned long *end)
{
	if (!nr_pages || check_add_overflow(pfn, nr_pages, end) ||
	    *end > PHYS_PFN(PHYS_ADDR_MAX))
		return false;

	/* A pageblock is there as a whole, or not at all. */
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
		err = kho_map_reserve_run(&kho_out.map, p, next, KHO_MAX_RUN_ORDER);
		if (err)
			return err;
	}

	for (p = pfn; p < end; p = next) {
		next = one_node(p, end);
		kho_map_add_run(&kho_out.map, p, next, KHO_MAX_RUN_ORDER);
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

	kho_misuse_preserve(&kho_out.map, pfn, end, caller);
	if (!kho_ram_can_go_out(pfn, end))
		return -EINVAL;

	return add_run(pfn, end);
}

/**
 * kho_preserve_pages - hand a run of order-0 pages over to the next kernel
 * @page: the first of them; all must stay allocated until they are unpreserved
 *	or the kexec is done
 * @nr_pages: how many they are; they lie one after the other in physical memory
 *
 * Length and alignment can be any. The next kernel takes them back with
 * kho_restore_pages(), for the same run. What it costs depends on the number of
 * parts that the run splits into, not on the number of pages.
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: 0; -EOPNOTSUPP if KHO is off; -EINVAL if there is no such run or part
 * of it lies in scratch or in hot-added memory; -ENOMEM. After an
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
 * kho_unpreserve_pages - do not hand a run of pages over after all
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

	kho_misuse_unpreserve(&kho_out.map, pfn, end, _RET_IP_);
	for (p = pfn; p < end; p = next) {
		next = one_node(p, end);
		kho_map_del_run(&kho_out.map, p, next, KHO_MAX_RUN_ORDER);
	}
	trace_kho_unpreserve(pfn, 0, nr_pages, 0);
}
EXPORT_SYMBOL_GPL(kho_unpreserve_pages);

/*
 * Undoes what makes a compound page of a part that was taken. Other fields are
 * as the initialisation of struct pages left them.
 */
static void split_part(unsigned long pfn, unsigned int order)
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

/* From parts of a run that were taken to single pages of their owner. */
static void make_pages(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		unsigned int order = compound_order(pfn_to_page(pfn));
		unsigned int piece = min(order, MAX_PAGE_ORDER);
		unsigned long part_end = pfn + BIT(order);

		split_part(pfn, order);
		for (; pfn < part_end; pfn += BIT(piece))
			note_pages(pfn_to_page(pfn), piece);
	}
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
	    !kho_restore_take_run(pfn, end)) {
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
