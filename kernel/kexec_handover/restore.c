// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folios of the previous kernel are restored: given to their owners in this kernel.
 *
 * This file owns a waiting folio from the moment that its block is set up until its
 * owner restores it, and frees the incoming map when no folio waits any more.
 *
 * The first struct page of a waiting folio has PG_reserved set, like other pages
 * that do not belong to the page allocator, and KHO_WAITING_MARK with its order in
 * page->private. The CPU whose cmpxchg() replaces this mark by 0 has claimed the
 * folio. Waiting folios count as managed pages, since they are in use.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/instruction_pointer.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page_owner.h>
#include <linux/page_table_check.h>
#include <linux/pgalloc_tag.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <trace/events/kho.h>

#include "../../mm/kho_init.h"
#include "incoming.h"
#include "restore.h"

/* True once all struct pages are initialised. kho_restore_finish() sets it. */
static bool finished;

/* Bit 0 is set by the CPU that drops the map, with test_and_set_bit(). */
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

/*
 * Frees the incoming map after a grace period of RCU. Called when no folio waits any
 * more. kho_restore_finish() and count_taken() may both call it; the first call counts.
 */
static void drop_map_once(void)
{
	if (test_and_set_bit(0, &dropped))
		return;

	trace_kho_drop(0, kho_incoming.nr_nodes);

	/*
	 * Pairs with READ_ONCE() in named_order(), find_node(), kho_map_next_of_order() and
	 * next_incoming() in kexec_handover_debug.c.
	 */
	WRITE_ONCE(kho_incoming.map.root, NULL);
	INIT_RCU_WORK(&drop_work, drop_map);
	queue_rcu_work(system_unbound_wq, &drop_work);
}

/*
 * Returns the order with which the incoming map names the folio at @pfn, or -1. If the
 * map names it then its block is set up on return, so that the caller can access its
 * struct page.
 *
 * The caller holds rcu_read_lock(). Another CPU can restore the last folio and drop
 * the map meanwhile, but the nodes below a root that was read here are freed only
 * after rcu_read_unlock().
 */
static __always_inline int named_order(unsigned long pfn)
{
	int order = -1;

	/* Pairs with WRITE_ONCE() in drop_map_once(). */
	if (READ_ONCE(kho_incoming.map.root))
		order = kho_map_order_at(&kho_incoming.map, pfn);

	/* Pairs with smp_store_release() in kho_restore_finish(). */
	if (order >= 0 && !smp_load_acquire(&finished))
		kho_init_folio(pfn, order);

	return order;
}

/* Claims the folio. Returns false if it does not wait with this order. */
static __always_inline bool claim(struct page *page, unsigned int order)
{
	unsigned long mark = KHO_WAITING_MARK | order;

	/* Pairs with smp_rmb() in kho_restore_peek(). */
	return cmpxchg(&page->private, mark, 0) == mark;
}

/* Counts claimed folios as taken. The last one drops the map. */
static __always_inline void count_taken(unsigned int order, unsigned long nr)
{
	atomic_long_sub(nr, &kho_incoming.unclaimed[order]);
	/* Both pair with smp_store_release() and smp_mb() in kho_restore_finish(). */
	if (atomic_long_sub_and_test(nr, &kho_incoming.nr_unclaimed) &&
	    READ_ONCE(finished))
		drop_map_once();
}

/*
 * Returns the order of the waiting folio that begins with @page, or -1 if none does. The
 * owner of a page in use can store any number in page->private, so PG_reserved must be set,
 * too.
 */
static __always_inline int waiting_order(struct page *page)
{
	/* Pairs with cmpxchg() in claim(), which decides if the folio still waits. */
	unsigned long order = READ_ONCE(page->private) ^ KHO_WAITING_MARK;

	return order <= KHO_MAX_RUN_ORDER && test_bit(PG_reserved, &page->flags) ? order : -1;
}

/*
 * A part of a run may be larger than any folio. And the zones of this kernel may not be
 * those of the previous one: a folio that lies in two zones can be given back as single
 * pages only.
 */
static noinline bool can_be_folio(unsigned long pfn, unsigned int order)
{
	return order <= KHO_MAX_FOLIO_ORDER &&
	       page_zone(pfn_to_page(pfn)) == page_zone(pfn_to_page(pfn + BIT(order) - 1));
}

/*
 * Takes the folio that waits at @pfn. Returns its order, or -1 if none waits there or
 * if it is not a folio, see can_be_folio(). Once all struct pages are initialised, this
 * reads the order from the struct page, which takes 40 instructions less than a look-up
 * in the map.
 */
static __always_inline int take(unsigned long pfn)
{
	int order;

	/* Pairs with smp_store_release() in kho_restore_finish(). */
	if (likely(smp_load_acquire(&finished)))
		order = waiting_order(pfn_to_page(pfn));
	else
		order = named_order(pfn);

	/* Claim last: a claimed folio must be given away. */
	if (order < 0 || (unlikely(order > MAX_PAGE_ORDER) && !can_be_folio(pfn, order)) ||
	    !claim(pfn_to_page(pfn), order))
		return -1;
	count_taken(order, 1);

	return order;
}

/*
 * Returns the order of the folio that waits at @pfn, or -1 if none does. Holds
 * rcu_read_lock() for this folio only: a run may have millions of them.
 */
static int waits_at(unsigned long pfn)
{
	int order;

	/* Pairs with smp_store_release() in kho_restore_finish(). */
	if (likely(smp_load_acquire(&finished)))
		return waiting_order(pfn_to_page(pfn));

	rcu_read_lock();
	order = named_order(pfn);
	rcu_read_unlock();

	return order >= 0 && waiting_order(pfn_to_page(pfn)) == order ? order : -1;
}

/*
 * Visits all waiting folios of [pfn, end), and claims them if @claims is true. Returns
 * @end, or the PFN at which no folio waits or its folio does not end by @end.
 */
static unsigned long visit_run(unsigned long pfn, unsigned long end, bool claims)
{
	/* Memory of folios that were restored and freed may have been hot-removed since. */
	while (pfn < end && pfn_valid(pfn)) {
		int order = waits_at(pfn);

		if (order < 0 || BIT(order) > end - pfn ||
		    (claims && !claim(pfn_to_page(pfn), order)))
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

		/* Pairs with READ_ONCE() in waiting_order() and cmpxchg() in claim(). */
		WRITE_ONCE(page->private, KHO_WAITING_MARK | order);
		pfn += BIT(order);
	}
}

/**
 * kho_restore_take_run - take all waiting folios of a range of pages
 * @pfn: first PFN of the range
 * @end: first PFN after it
 *
 * The folios keep PG_reserved and their struct pages: make_pages() changes these.
 *
 * Context: as kho_restore_folio().
 * Return: true if all were taken; false, with none of them taken, if the range does
 * not consist of whole waiting folios.
 */
bool kho_restore_take_run(unsigned long pfn, unsigned long end)
{
	unsigned long next;

	/*
	 * Claim nothing if the range is wrong: another CPU that rightly restores one of
	 * its folios at this moment would not get it. Only if two CPUs want the same
	 * folio can the second visit end before the first.
	 */
	if (visit_run(pfn, end, false) < end)
		return false;
	next = visit_run(pfn, end, true);
	if (next < end) {
		unclaim_run(pfn, next);
		return false;
	}

	while (pfn < end) {
		unsigned int order = compound_order(pfn_to_page(pfn));

		count_taken(order, 1);
		pfn += BIT(order);
	}

	return true;
}

/* Do these pages consist of waiting folios? The first may be in the middle of one. */
static bool all_wait(unsigned long pfn, unsigned long end)
{
	if (!pfn_valid(pfn))
		return false;
	pfn = page_to_pfn(compound_head(pfn_to_page(pfn)));
	while (pfn < end) {
		int order = pfn_valid(pfn) ? waiting_order(pfn_to_page(pfn)) : -ENOENT;

		if (order < 0)
			return false;
		pfn += BIT(order);
	}

	return true;
}

/**
 * kho_restore_peek - copy memory of waiting folios
 * @phys: physical address of the memory, anywhere in a folio
 * @to: where to copy it to, @size bytes
 * @size: size of the memory in bytes, which can span several folios
 *
 * The folios are not claimed: @phys can come from memory of the previous kernel, and name
 * folios of another owner, whose call of kho_restore_folio() must succeed meanwhile. The
 * content of a waiting folio does not change. So the copy is right if all folios wait
 * before and after the read.
 *
 * Context: any, never sleeps. From the core_initcalls on; without a handover no folio
 * waits.
 * Return: true if the memory was copied; false, with @to in any state, if not all of it is
 * in waiting folios.
 */
bool kho_restore_peek(phys_addr_t phys, void *to, size_t size)
{
	const unsigned long pfn = PHYS_PFN(phys), end = PHYS_PFN(phys + size - 1) + 1;
	bool copied = false;

	rcu_read_lock();
	if (all_wait(pfn, end)) {
		/*
		 * Should an owner restore and free a folio, and the memory be hot-removed,
		 * all right now, then the copy fails and does not fault.
		 */
		copied = !copy_from_kernel_nofault(to, phys_to_virt(phys), size);
		/*
		 * Pairs with cmpxchg() in claim(): the owner that restored a folio may write
		 * to it.
		 */
		smp_rmb();
		copied = copied && all_wait(pfn, end);
	}
	rcu_read_unlock();

	return copied;
}

/**
 * kho_read_waiting - read from a waiting folio of order 0
 * @phys: physical address to read from, can be any number
 * @to: where to copy it to, @size bytes
 * @size: number of bytes, not beyond the page of @phys
 *
 * Context: as kho_restore_peek().
 * Return: true if it was read; false, with @to in any state, if no folio of order 0 waits
 * there.
 */
bool kho_read_waiting(phys_addr_t phys, void *to, size_t size)
{
	const unsigned long pfn = PHYS_PFN(phys);
	bool copied;

	rcu_read_lock();
	copied = pfn_valid(pfn) && !waiting_order(pfn_to_page(pfn)) &&
		 kho_restore_peek(phys, to, size);
	rcu_read_unlock();

	return copied;
}

/* Reports the folio to page_owner and page_table_check as allocated. */
static void note_folio(struct page *page, unsigned int order)
{
	const unsigned int chunk = min(order, MAX_PAGE_ORDER);

	/* Without both options, skip the loop, which would do nothing. */
	if (!IS_ENABLED(CONFIG_PAGE_OWNER) && !IS_ENABLED(CONFIG_PAGE_TABLE_CHECK))
		return;

	/* Both access page_ext, whose arrays end at the border of a section. */
	for (unsigned long i = 0; i < BIT(order); i += BIT(chunk)) {
		set_page_owner(nth_page(page, i), chunk, GFP_KERNEL);
		page_table_check_alloc(nth_page(page, i), chunk);
	}
}

/* Changes a folio that was taken into one as folio_alloc() returns it. */
static void make_ordinary(struct page *page, unsigned int order)
{
	folio_clear_reserved((struct folio *)page);
	clear_page_tag_ref(page);
	note_folio(page, order);
}

/* Restores the folio that waits at @pfn. Returns NULL if none waits there. */
static __always_inline struct folio *restore(unsigned long pfn)
{
	struct page *page;
	int order = -1;

	rcu_read_lock();
	/* Memory of a folio that was restored and freed may have been hot-removed since. */
	if (likely(pfn_valid(pfn)))
		order = take(pfn);
	rcu_read_unlock();
	if (unlikely(order < 0))
		return NULL;

	page = pfn_to_page(pfn);
	make_ordinary(page, order);
	trace_kho_restore(pfn, order, BIT(order), 0);

	return (struct folio *)page;
}

/* The mark is PG_hwpoison, or PG_has_hwpoisoned if the folio has several pages. */
static noinline void warn_bad(struct folio *folio, unsigned long caller)
{
	phys_addr_t phys = PFN_PHYS(folio_pfn(folio));

	pr_warn("the folio at %pa, order %u, restored by %pS, contains a page that hardware reported as bad\n",
		&phys, folio_order(folio), (void *)caller);
}

/* Does a folio wait at @phys that take() does not give away, see can_be_folio()? */
static bool in_two_zones(phys_addr_t phys)
{
	const unsigned long pfn = PHYS_PFN(phys);
	int order;

	if (!PAGE_ALIGNED(phys) || !pfn_valid(pfn))
		return false;
	order = waits_at(pfn);

	return order > MAX_PAGE_ORDER && order <= KHO_MAX_FOLIO_ORDER &&
	       !can_be_folio(pfn, order);
}

static noinline void refuse_restore(phys_addr_t phys, unsigned long caller)
{
	trace_kho_restore(PHYS_PFN(phys), 0, 1, -ENOENT);
	if (in_two_zones(phys))
		pr_warn("cannot restore the folio at %pa for %pS: it is in two zones of this kernel\n",
			&phys, (void *)caller);
	else
		pr_warn("nothing to restore at %pa for %pS: no preserved folio begins there, or it was restored or released before\n",
			&phys, (void *)caller);
}

/**
 * kho_restore_folio - take back a folio that the previous kernel preserved
 * @phys: physical address of the folio
 *
 * The caller owns the folio afterwards, as if it came from folio_alloc(): it has the
 * reference count 1 and is freed with folio_put(). If the previous kernel knew that a
 * page of it is bad, there is a warning, and the folio has PG_hwpoison or
 * PG_has_hwpoisoned set.
 *
 * Context: any but hard interrupts, never sleeps. From the end of kho_memory_init()
 * on: also before struct pages are initialised and before the slab allocator works.
 * Return: the folio, with the order that it was preserved with; NULL, after a
 * warning, if no folio that begins at @phys was handed over or if it was restored
 * before. NULL, after a warning, also for a folio above %MAX_PAGE_ORDER that lies in two
 * zones of this kernel: no folio may. It waits on, for kho_restore_pages().
 */
struct folio *kho_restore_folio(phys_addr_t phys)
{
	struct folio *folio = NULL;

	if (likely(PAGE_ALIGNED(phys)))
		folio = restore(PHYS_PFN(phys));
	if (unlikely(!folio))
		refuse_restore(phys, _RET_IP_);
	else if (unlikely(folio_contain_hwpoisoned_page(folio)))
		warn_bad(folio, _RET_IP_);

	return folio;
}
EXPORT_SYMBOL_GPL(kho_restore_folio);

/**
 * kho_restore_if_waiting - take back a folio, if it waits
 * @pfn: its first PFN
 *
 * There is no warning if a page of the folio is bad. A caller that uses its content, or
 * frees a folio of several pages, has to check folio_contain_hwpoisoned_page(). The page
 * cache does so itself: an access to a bad page of a file gets SIGBUS or -EIO.
 *
 * Context: as kho_restore_folio().
 * Return: the folio, as kho_restore_folio() returns it; NULL, without a warning, if no
 * folio waits there.
 */
struct folio *kho_restore_if_waiting(unsigned long pfn)
{
	return restore(pfn);
}

/**
 * kho_restore_batch - take back folios of order 0, if they wait
 * @pfns: the PFN of each
 * @nr: number of @pfns
 * @folios: where to store the folios, with room for @nr
 *
 * Restores one after the other, as kho_restore_if_waiting() does, up to the first that
 * does not wait or has another order. All of them together are one read-side section of
 * RCU, and are counted at once. As with that function, there is no warning of bad pages.
 *
 * Context: any but hard interrupts, never sleeps. Once all struct pages are initialised.
 * Return: how many were restored: these are the first ones of @pfns.
 */
unsigned int kho_restore_batch(const unsigned long *pfns, unsigned int nr, struct folio **folios)
{
	unsigned int taken = 0;

	rcu_read_lock();
	/* Memory of a folio that was restored and freed may have been hot-removed since. */
	while (taken < nr && pfn_valid(pfns[taken])) {
		struct page *page = pfn_to_page(pfns[taken]);

		if (waiting_order(page) || !claim(page, 0))
			break;
		folios[taken++] = (struct folio *)page;
	}
	rcu_read_unlock();
	if (!taken)
		return 0;

	count_taken(0, taken);
	for (unsigned int i = 0; i < taken; i++) {
		make_ordinary(&folios[i]->page, 0);
		trace_kho_restore(pfns[i], 0, 1, 0);
	}

	return taken;
}

/**
 * kho_waiting_order - find out how large a waiting folio is
 * @pfn: its first PFN, which may come from another kernel
 *
 * Context: any, never sleeps. Once all struct pages are initialised.
 * Return: the order of the folio that waits at @pfn; -1 if none does.
 */
int kho_waiting_order(unsigned long pfn)
{
	int order = -1;

	rcu_read_lock();
	if (pfn_valid(pfn))
		order = waiting_order(pfn_to_page(pfn));
	rcu_read_unlock();

	return order;
}

/*
 * Steps of the boot sequence
 */

/**
 * kho_restore_trace - emit the tracepoint kho_accept
 *
 * Tracing does not work yet when kho_memory_known() accepts the handover.
 *
 * Context: kho_start(), a core_initcall, before it restores its blob.
 */
void __init kho_restore_trace(void)
{
	trace_kho_accept(atomic_long_read(&kho_incoming.nr_unclaimed), kho_incoming.nr_nodes);
}

/**
 * kho_restore_finish - let restores read struct pages in place of the map
 *
 * Also restores the page of the root FDT if the map names it, and drops the map if
 * no folio waits any more.
 *
 * Context: page_alloc_init_late(). All struct pages are initialised; workqueues
 * accept work.
 */
void __init kho_restore_finish(void)
{
	if (!kho_incoming.map.root)
		return;

	kho_init_finish();

	/* The root FDT stays in memory for good, in a page like any allocated page. */
	if (kho_incoming.fdt_kept)
		kho_restore_folio(kho_incoming.fdt_phys);

	trace_kho_finish(atomic_long_read(&kho_incoming.nr_unclaimed), kho_incoming.nr_nodes);
	/*
	 * All struct pages are initialised before other CPUs see @finished. Pairs with
	 * smp_load_acquire() in take(), named_order() and waits_at().
	 */
	smp_store_release(&finished, true);
	/*
	 * Pairs with atomic_long_sub_and_test() in count_taken(), which is a full
	 * barrier: count_taken() sees @finished, or this function sees that no folio
	 * waits, or both do. drop_map_once() drops the map once.
	 */
	smp_mb();
	if (!atomic_long_read(&kho_incoming.nr_unclaimed))
		drop_map_once();
}

/**
 * kho_restore_get_stats - get the numbers of folios that were handed over
 * @stats: where to store them
 *
 * Context: any, never sleeps. From the end of kho_memory_init() on.
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
 * kho_waiting_pages - count the pages of folios that wait for their owner
 *
 * Context: any, never sleeps. From the end of kho_memory_init() on; without a handover
 * it returns 0.
 * Return: the number of pages.
 */
unsigned long kho_waiting_pages(void)
{
	unsigned long pages = 0;

	for (unsigned int order = 0; order <= KHO_MAX_RUN_ORDER; order++)
		pages += atomic_long_read(&kho_incoming.unclaimed[order]) << order;

	return pages;
}

/* All built-in code has run its initcalls. Modules may restore folios later. */
static int __init report_waiting(void)
{
	unsigned long nr = atomic_long_read(&kho_incoming.nr_unclaimed);

	if (nr)
		pr_info("%lu folios, %lu KiB, of the previous kernel wait for their owners\n",
			nr, kho_waiting_pages() << (PAGE_SHIFT - 10));

	return 0;
}
late_initcall_sync(report_waiting);
