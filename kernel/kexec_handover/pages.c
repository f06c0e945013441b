// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of order-0 pages that are preserved over a kexec.
 *
 * This file owns how a run of order-0 pages is added to the preserved map, as the
 * largest aligned parts that it splits into, and how restored parts become order-0
 * pages again. The map does not distinguish a part from a folio of the same order,
 * so the struct pages of a part are those of a folio until it is restored.
 *
 * It also frees all memory that waits, for in/release in debugfs, and owns the pointer to
 * the function that kho_pages_release() calls after that.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/instruction_pointer.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/overflow.h>
#include <linux/page_owner.h>
#include <linux/page_table_check.h>
#include <linux/pgalloc_tag.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include <trace/events/kho.h>

#include "incoming.h"
#include "misuse.h"
#include "outgoing.h"
#include "pages.h"
#include "ram.h"
#include "restore.h"

/*
 * Returns a PFN up to which all pages have struct pages if @pfn has one. That is the end
 * of the section if it was there at boot; of a hot-added one, pageblocks can be missing.
 */
static unsigned long valid_up_to(unsigned long pfn)
{
	if (early_section(__pfn_to_section(pfn)))
		return ALIGN(pfn + 1, PAGES_PER_SECTION);

	return ALIGN(pfn + 1, pageblock_nr_pages);
}

/* Do all pages of a run have struct pages? Stores the first PFN after the run in @end. */
static bool run_ok(unsigned long pfn, unsigned long nr_pages, unsigned long *end)
{
	if (!nr_pages || check_add_overflow(pfn, nr_pages, end) ||
	    *end > PHYS_PFN(PHYS_ADDR_MAX))
		return false;

	for (; pfn < *end; pfn = valid_up_to(pfn)) {
		if (!pfn_valid(pfn))
			return false;
	}

	return true;
}

/*
 * Returns the end of the pages from @pfn to at most @end that are on the NUMA node of
 * @pfn. Pages below the start of the next node are not looked at one by one.
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

/* Adds all parts of a run to the outgoing map, or none if there is no memory. */
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

	kho_misuse_preserve(pfn, end, caller);
	if (!kho_ram_can_go_out(pfn, end))
		return -EINVAL;
	if (kho_ram_has_bad(pfn, end))
		return -EHWPOISON;

	return add_run(pfn, end);
}

/**
 * kho_preserve_pages - hand a run of order-0 pages over to the next kernel
 * @page: first page of the run. All pages must stay allocated until they are
 *	unpreserved or the kexec is done.
 * @nr_pages: number of pages in the run, which are physically contiguous
 *
 * The run can have any length and alignment. The next kernel takes it back by calling
 * kho_restore_pages() for the same run. The call takes time for each part that the
 * run splits into, not for each page.
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: 0; -EOPNOTSUPP if KHO is off; -EINVAL if @nr_pages is 0, if a page of the
 * run has no struct page, or if one lies in scratch, in hot-added memory or in an area
 * of CMA at a fixed address; -EHWPOISON if hardware reported one as bad; -ENOMEM if
 * there is no memory for a node of the map. After an error no page of the run is
 * preserved that was not before.
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
 * kho_unpreserve_pages - take a run of pages out of the outgoing handover
 * @page: first page of the run
 * @nr_pages: number of pages in the run, which must be the run that was preserved
 *
 * Context: any, never sleeps. From the core_initcalls on.
 */
void kho_unpreserve_pages(struct page *page, unsigned long nr_pages)
{
	const unsigned long pfn = page_to_pfn(page);
	unsigned long end, p, next;

	if (!kho_is_enabled() || !run_ok(pfn, nr_pages, &end)) {
		trace_kho_unpreserve(pfn, 0, nr_pages, -ENOENT);
		return;
	}

	kho_misuse_unpreserve(pfn, end, _RET_IP_);
	for (p = pfn; p < end; p = next) {
		next = one_node(p, end);
		kho_map_del_run(&kho_out.map, p, next, KHO_MAX_RUN_ORDER);
	}
	trace_kho_unpreserve(pfn, 0, nr_pages, 0);
}
EXPORT_SYMBOL_GPL(kho_unpreserve_pages);

/*
 * Makes order-0 pages of the compound page of a restored part. It resets the fields
 * that prepare_folio() in mm/kho_init.c sets; all other fields still have the values of
 * __init_single_page().
 */
static void split_part(unsigned long pfn, unsigned int order)
{
	struct page *head = pfn_to_page(pfn);

	if (order) {
		/* The first tail page has order, length and map counts of the folio. */
		head[1].flags &= ~PAGE_FLAGS_SECOND;
		head[1].index = 0;
	}
	for (unsigned long i = 1; i < BIT(order); i++) {
		struct page *page = pfn_to_page(pfn + i);

		/* In the second tail page, mapping overlaps _deferred_list of the folio. */
		page->mapping = NULL;
		clear_compound_head(page);
		set_page_count(page, 1);
	}
	if (order)
		ClearPageHead(head);
	ClearPageReserved(head);
}

/*
 * Reports pages to allocation profiling, page_owner and page_table_check as if each
 * came from alloc_page(). @order is at most MAX_PAGE_ORDER.
 */
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

/* Makes order-0 pages of all parts of a run that kho_restore_take_run() has taken. */
static void make_pages(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		unsigned int order = compound_order(pfn_to_page(pfn));
		unsigned int chunk = min(order, MAX_PAGE_ORDER);
		unsigned long part_end = pfn + BIT(order);

		split_part(pfn, order);
		for (; pfn < part_end; pfn += BIT(chunk))
			note_pages(pfn_to_page(pfn), chunk);
	}
}

/**
 * kho_restore_pages - take back a run of pages that the previous kernel preserved
 * @phys: physical address of the first page
 * @nr_pages: number of pages in the run
 *
 * The caller owns the pages afterwards, as if each came from alloc_page(): each has
 * the reference count 1 and is freed on its own. The run can be one that was passed
 * to kho_preserve_pages(), or any other that consists of whole preserved folios and
 * parts.
 *
 * Context: any but hard interrupts, never sleeps. From the end of kho_memory_init()
 * on: also before struct pages are initialised and before the slab allocator works.
 * Return: the first page; NULL, after a warning and with nothing restored, if the
 * run does not consist of whole folios and parts that were handed over, or if one of
 * them was restored before.
 */
struct page *kho_restore_pages(phys_addr_t phys, unsigned long nr_pages)
{
	const unsigned long pfn = PHYS_PFN(phys);
	unsigned long end;

	if (!PAGE_ALIGNED(phys) || !run_ok(pfn, nr_pages, &end) ||
	    !kho_restore_take_run(pfn, end)) {
		trace_kho_restore(pfn, 0, nr_pages, -ENOENT);
		pr_warn("nothing to restore at %pa, %lu pages, for %pS: they are not whole preserved folios, or some were restored or released before\n",
			&phys, nr_pages, (void *)_RET_IP_);
		return NULL;
	}

	make_pages(pfn, end);
	trace_kho_restore(pfn, 0, nr_pages, 0);
	if (kho_ram_has_bad(pfn, end))
		pr_warn("the run at %pa, %lu pages, restored by %pS, contains a page that hardware reported as bad\n",
			&phys, nr_pages, (void *)_RET_IP_);

	return pfn_to_page(pfn);
}
EXPORT_SYMBOL_GPL(kho_restore_pages);

/* Finds the next folio or part of the incoming map. Another CPU may drop the map. */
static bool next_named(unsigned long pfn, struct kho_map_folio *named)
{
	bool found;

	rcu_read_lock();
	found = kho_map_next(&kho_incoming.map, pfn, max_pfn, named);
	rcu_read_unlock();

	return found;
}

/*
 * Frees the folio or part that @named describes, if it still waits. A part that may be too
 * large for a folio, or that contains a bad page, is freed page by page.
 */
static bool release(const struct kho_map_folio *named)
{
	const unsigned long pfn = named->pfn, end = pfn + BIT(named->order);
	struct folio *folio;

	/* The page allocator drops a bad page only if it is freed as a single page. */
	if (named->order <= MAX_PAGE_ORDER && !kho_ram_has_bad(pfn, end)) {
		folio = kho_restore_if_waiting(pfn);
		if (folio)
			folio_put(folio);
		return folio;
	}

	if (!kho_restore_take_run(pfn, end))
		return false;
	make_pages(pfn, end);
	for (unsigned long p = pfn; p < end; p++) {
		__free_page(pfn_to_page(p));
		if (IS_ALIGNED(p, MAX_ORDER_NR_PAGES))
			cond_resched();
	}

	return true;
}

/* Set at boot; constant from then on. */
static void (*on_release)(void) __ro_after_init;

/**
 * kho_pages_on_release - register a function that kho_pages_release() calls at its end
 * @fn: the function, which may sleep
 *
 * hugetlb uses this: its pools count waiting pages, and must forget them.
 *
 * Context: initcall. Only one function can be registered.
 */
void __init kho_pages_on_release(void (*fn)(void))
{
	WARN_ON(on_release);
	on_release = fn;
}

/**
 * kho_pages_release - free all folios and runs that wait for their owner
 *
 * Context: may sleep, once all struct pages are initialised.
 * Return: the number of folios and parts of runs that were freed.
 */
unsigned long kho_pages_release(void)
{
	unsigned long pfn = 0, nr = 0;
	struct kho_map_folio named;

	while (next_named(pfn, &named)) {
		nr += release(&named);
		pfn = named.pfn + BIT(named.order);
		cond_resched();
	}
	if (on_release)
		on_release();

	return nr;
}
