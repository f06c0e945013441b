// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folios of the previous kernel: given back.
 *
 * This file owns a folio that waits, from the moment that its block is set up
 * until somebody restores it, and the end of the incoming map.
 *
 * A folio that waits for its owner has, in its first struct page, PG_reserved
 * set, as for any page that is not the page allocator's, and a mark with its
 * order in page->private. Whoever replaces the mark by 0 has claimed the folio. It
 * counts as managed all the time: it is in use.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/instruction_pointer.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_boot.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page_owner.h>
#include <linux/page_table_check.h>
#include <linux/pgalloc_tag.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <trace/events/kho.h>

#include "../../mm/kho_init.h"
#include "incoming.h"
#include "restore.h"

/* All struct pages are initialised. Set once, by kho_restore_finish(). */
static bool finished;

/* Bit 0 is set by the CPU that drops the map. */
static unsigned long dropped;
static struct rcu_work drop_work;

static void drop_map(struct work_struct *work)
{
	for (unsigned long i = 0; i < kho_incoming.nr_nodes; i++) {
		kho_init_free_node(kho_incoming.nodes[i]);
		cond_resched();
	}
	kho_init_free_memblock(kho_incoming.nodes, kho_incoming_nodes_bytes(kho_incoming.nr_nodes));
}

/* The last folio was restored: nobody has to look into the map any more. */
static void drop_map_once(void)
{
	if (test_and_set_bit(0, &dropped))
		return;

	trace_kho_drop(0, kho_incoming.nr_nodes);

	WRITE_ONCE(kho_incoming.map.root, NULL);
	INIT_RCU_WORK(&drop_work, drop_map);
	queue_rcu_work(system_unbound_wq, &drop_work);
}

/*
 * The order of the folio at @pfn that was handed over, or -1. If the map names
 * it then its struct page may be looked at, once its block was set up.
 *
 * Somebody else may take the last folio and drop the map meanwhile, but what a
 * root that was seen leads to is there until rcu_read_unlock().
 */
static __always_inline int named_order(unsigned long pfn)
{
	int order = -1;

	if (READ_ONCE(kho_incoming.map.root))
		order = kho_map_order_at(&kho_incoming.map, pfn);

	if (order >= 0 && !READ_ONCE(finished))
		kho_init_folio(pfn, order);

	return order;
}

/* False if the folio no longer waits. */
static __always_inline bool claim(struct page *page, unsigned int order)
{
	unsigned long mark = KHO_WAITING_MARK | order;

	return cmpxchg(&page->private, mark, 0) == mark;
}

/* A folio that was claimed is taken for good. */
static __always_inline void count_taken(unsigned int order)
{
	atomic_long_dec(&kho_incoming.unclaimed[order]);
	if (atomic_long_dec_and_test(&kho_incoming.nr_unclaimed) &&
	    READ_ONCE(finished))
		drop_map_once();
}

/* The order of the folio that waits and begins with @page, or -1. */
static __always_inline int waiting_order(struct page *page)
{
	unsigned long order = READ_ONCE(page->private) ^ KHO_WAITING_MARK;

	return order <= KHO_MAX_RUN_ORDER && test_bit(PG_reserved, &page->flags) ? order : -1;
}

/*
 * The order of the folio that waits at @pfn, which is taken with it, or -1. A part
 * of a run that is larger than @max_order is no folio. Once all struct pages are
 * initialised they say what the map would, in 40 instructions less.
 */
static __always_inline int take(unsigned long pfn, int max_order)
{
	int order;

	/* Pairs with smp_store_release() in kho_restore_finish(). */
	if (likely(smp_load_acquire(&finished)))
		order = waiting_order(pfn_to_page(pfn));
	else
		order = named_order(pfn);

	if (order < 0 || order > max_order || !claim(pfn_to_page(pfn), order))
		return -1;
	count_taken(order);

	return order;
}

/* Claims what [pfn, end) consists of. Returns where it could not go on, or @end. */
static unsigned long claim_run(unsigned long pfn, unsigned long end)
{
	/* What was restored and freed may be hot-removed by now, but is still named. */
	while (pfn < end && pfn_valid(pfn)) {
		int order = named_order(pfn);

		if (order < 0 || BIT(order) > end - pfn || !claim(pfn_to_page(pfn), order))
			break;
		pfn += BIT(order);
	}

	return pfn;
}

static void unclaim_run(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);
		unsigned int order = compound_order(page);

		WRITE_ONCE(page->private, KHO_WAITING_MARK | order);
		pfn += BIT(order);
	}
}

/**
 * kho_restore_take_run - take all folios of a range of pages
 * @pfn: first PFN of the range
 * @end: first PFN after it
 *
 * What is taken still has PG_reserved set and is a folio of its order.
 *
 * Context: as kho_restore_folio().
 * Return: true; or false, with nothing taken, if the range does not consist
 * of whole folios that wait.
 */
bool kho_restore_take_run(unsigned long pfn, unsigned long end)
{
	unsigned long next;

	rcu_read_lock();
	next = claim_run(pfn, end);
	if (next < end) {
		unclaim_run(pfn, next);
		pfn = next;
	}
	while (pfn < next) {
		unsigned int order = compound_order(pfn_to_page(pfn));

		count_taken(order);
		pfn += BIT(order);
	}
	rcu_read_unlock();

	return next == end;
}

/**
 * kho_restore_peek - copy memory that waits for its owner
 * @phys: its address
 * @size: bytes, all in folios that begin at @phys or follow
 * @to: where to copy it to
 *
 * The folios are claimed meanwhile, so that nobody restores and frees them. An owner
 * that asks for one right then is told that it does not wait, so this is for when
 * there is one task only.
 *
 * Context: boot, when struct pages are initialised.
 * Return: true; false if not all of it waits.
 */
bool __init kho_restore_peek(phys_addr_t phys, size_t size, void *to)
{
	unsigned long pfn = PHYS_PFN(phys), end = PHYS_PFN(phys + size - 1) + 1;
	unsigned long next = pfn;

	while (next < end && pfn_valid(next)) {
		int order = waiting_order(pfn_to_page(next));

		if (order < 0 || !claim(pfn_to_page(next), order))
			break;
		next += BIT(order);
	}
	if (next >= end)
		memcpy(to, phys_to_virt(phys), size);
	unclaim_run(pfn, next);

	return next >= end;
}

/* Let debugging options know that the folio is allocated. */
static void note_folio(struct page *page, unsigned int order)
{
	const unsigned int piece = min(order, MAX_PAGE_ORDER);

	/* Else an empty loop is left. */
	if (!IS_ENABLED(CONFIG_PAGE_OWNER) && !IS_ENABLED(CONFIG_PAGE_TABLE_CHECK))
		return;

	/* Both step through an array that ends where a section does. */
	for (unsigned long i = 0; i < BIT(order); i += BIT(piece)) {
		set_page_owner(nth_page(page, i), piece, GFP_KERNEL);
		page_table_check_alloc(nth_page(page, i), piece);
	}
}

/* From a folio that waits to one that folio_alloc() could have returned. */
static void make_ordinary(struct page *page, unsigned int order)
{
	folio_clear_reserved((struct folio *)page);
	clear_page_tag_ref(page);
	note_folio(page, order);
}

/* The folio that waits at @pfn, which is the caller's then, or NULL. */
static __always_inline struct folio *restore(unsigned long pfn, int max_order)
{
	struct page *page;
	int order = -1;

	rcu_read_lock();
	/* What was restored and freed may be hot-removed by now, but is still named. */
	if (likely(pfn_valid(pfn)))
		order = take(pfn, max_order);
	rcu_read_unlock();
	if (unlikely(order < 0))
		return NULL;

	page = pfn_to_page(pfn);
	make_ordinary(page, order);
	trace_kho_restore(pfn, order, BIT(order), 0);

	return (struct folio *)page;
}

static noinline void refuse_restore(phys_addr_t phys, unsigned long caller)
{
	trace_kho_restore(PHYS_PFN(phys), 0, 1, -ENOENT);
	pr_warn("nothing to restore at %pa for %pS\n", &phys, (void *)caller);
}

/**
 * kho_restore_folio - take back a folio that the previous kernel preserved
 * @phys: its address
 *
 * The folio is the caller's from then on, as if it came from folio_alloc():
 * reference count 1, to be freed with folio_put().
 *
 * Context: any but hard interrupts, from the end of kho_memory_init() on: also
 * before struct pages are initialised and before there is a slab allocator.
 * Return: the folio; NULL, after a warning, if exactly this folio was not
 * handed over or is taken.
 */
struct folio *kho_restore_folio(phys_addr_t phys)
{
	struct folio *folio = NULL;

	if (likely(PAGE_ALIGNED(phys)))
		folio = restore(PHYS_PFN(phys), KHO_MAX_FOLIO_ORDER);
	if (unlikely(!folio))
		refuse_restore(phys, _RET_IP_);

	return folio;
}
EXPORT_SYMBOL_GPL(kho_restore_folio);

/* The map may be dropped any time. */
static bool next_named(unsigned long pfn, struct kho_map_folio *folio)
{
	bool found;

	rcu_read_lock();
	found = kho_map_next(&kho_incoming.map, pfn, max_pfn, folio);
	rcu_read_unlock();

	return found;
}

/**
 * kho_restore_release - free the folios that nobody has asked for
 *
 * Context: may sleep, once all struct pages are initialised.
 * Return: how many there were.
 */
unsigned long kho_restore_release(void)
{
	unsigned long pfn = 0, nr = 0;
	struct kho_map_folio named;

	while (next_named(pfn, &named)) {
		struct folio *folio = restore(named.pfn, KHO_MAX_RUN_ORDER);

		if (folio) {
			folio_put(folio);
			nr++;
		}
		pfn = named.pfn + BIT(named.order);
		cond_resched();
	}

	return nr;
}

/*
 * Beginning and end
 */

/**
 * kho_restore_trace - let a tracer know of the handover
 *
 * There is none yet when it is accepted.
 *
 * Context: initcalls, before the first restore there.
 */
void __init kho_restore_trace(void)
{
	trace_kho_accept(atomic_long_read(&kho_incoming.nr_unclaimed), kho_incoming.nr_nodes);
}

/**
 * kho_restore_finish - all blocks are set up
 *
 * Context: all struct pages are initialised, workqueues take work.
 */
void __init kho_restore_finish(void)
{
	if (!kho_incoming.map.root)
		return;

	kho_init_finish();

	/* It is kept, and its page is an ordinary one from now on. */
	if (kho_incoming.fdt_kept)
		kho_restore_folio(kho_incoming.fdt_phys);

	trace_kho_finish(atomic_long_read(&kho_incoming.nr_unclaimed), kho_incoming.nr_nodes);
	/* Struct pages first, see take(). */
	smp_store_release(&finished, true);
	/*
	 * Pairs with atomic_long_dec_and_test() in count_taken(), which is a full
	 * barrier: either that sees @finished, or this sees that nothing waits.
	 */
	smp_mb();
	if (!atomic_long_read(&kho_incoming.nr_unclaimed))
		drop_map_once();
}

/**
 * kho_restore_get_stats - count what was handed over
 * @stats: where to
 *
 * Context: any.
 */
void kho_restore_get_stats(struct kho_restore_stats *stats)
{
	for (unsigned int order = 0; order <= KHO_MAX_RUN_ORDER; order++) {
		stats->folios[order] = kho_incoming.folios[order];
		stats->unclaimed[order] = atomic_long_read(&kho_incoming.unclaimed[order]);
	}
	stats->nodes = kho_incoming.nr_nodes;
}

/**
 * kho_waiting_pages - how many pages wait for somebody to restore them?
 *
 * Context: any. 0 before the end of kho_memory_init().
 * Return: the number of pages.
 */
unsigned long kho_waiting_pages(void)
{
	unsigned long pages = 0;

	for (unsigned int order = 0; order <= KHO_MAX_RUN_ORDER; order++)
		pages += atomic_long_read(&kho_incoming.unclaimed[order]) << order;

	return pages;
}

/* When everything that is built in has had its turn. Modules may still come. */
static int __init report_waiting(void)
{
	unsigned long nr = atomic_long_read(&kho_incoming.nr_unclaimed);

	if (nr)
		pr_info("%lu folios, %lu KiB, of the previous kernel wait for somebody to ask for them\n",
			nr, kho_waiting_pages() << (PAGE_SHIFT - 10));

	return 0;
}
late_initcall_sync(report_waiting);
