// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update of hugetlb pages: which free page of a pool a preserved file gets.
 *
 * Not every page can be handed over from where it is: scratch holds movable pages, other
 * CMA areas are made anew by each kernel, and the next one may not know added memory. So
 * new pages of a pool come from other memory as long as there is plenty.
 *
 * A page fault that a reservation stands for must not fail because the last free page is
 * one of those. This file owns the promise: while a file with reservations is preserved,
 * there are as many free pages that can be handed over as there are reservations. When the
 * file is preserved, free pages that cannot are replaced. If that does not suffice then the
 * file is refused. Afterwards the promise keeps itself: pages that cannot be handed over
 * are first in the list of free pages, where all others take theirs from, and which is cut
 * at its begin when the pool is made smaller; and there are never more reservations than
 * free pages. That is so for each list, so if there are several, one for each node with
 * memory, then no page may be left that cannot be handed over.
 *
 * The promise can be broken afterwards: somebody pins good pages without a reservation, a free
 * page goes bad, a reservation is made later, or a policy allows one node only. Then the page
 * fault gets any page, as it would without live update. hugetlb_luo.c has what becomes of it.
 *
 * Who wants a page for a preserved file gets none that has to be moved. Who wants one to pin
 * it for long, such as VFIO or io_uring, gets one that can be handed over if there is one,
 * since its file may be preserved later. Otherwise it gets what it could always pin, added
 * memory included. Both have PF_MEMALLOC_PIN; the first one is in @wanting as well.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "hugetlb-luo: " fmt

#include <linux/err.h>
#include <linux/hugetlb.h>
#include <linux/hugetlb_luo.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/list.h>
#include <linux/liveupdate.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/vmstat.h>

#include "hugetlb_luo.h"
#include "internal.h"

/*
 * So many pages a page fault replaces on each node. It needs one, but somebody else may take
 * that, and a new page may be no better.
 */
#define FAULT_TRIES	4

/*
 * A pool that grows leaves one part in so many of the memory that is not movable to the kernel,
 * if there is ZONE_MOVABLE. Pages of files that are handed over may take that as well.
 */
#define KERNEL_SHARE	8

/**
 * hugetlb_luo_suits - can a page be pinned, and be handed over, where it is?
 * @folio: a page of a pool
 *
 * Context: any, never sleeps.
 * Return: true if it can stay there for long.
 */
bool hugetlb_luo_suits(struct folio *folio)
{
	const unsigned long pfn = folio_pfn(folio);

	return folio_is_longterm_pinnable(folio) &&
	       (!liveupdate_enabled() || kho_ram_can_go_out(pfn, pfn + folio_nr_pages(folio)));
}

/**
 * hugetlb_luo_sort - put a free page where it belongs in its list
 * @h: the pool
 * @folio: the page, which is the first one of the list
 *
 * Context: never sleeps. The caller holds hugetlb_lock.
 */
void hugetlb_luo_sort(struct hstate *h, struct folio *folio)
{
	lockdep_assert_held(&hugetlb_lock);
	if (liveupdate_enabled() && hugetlb_luo_suits(folio))
		list_move_tail(&folio->lru, &h->hugepage_freelists[folio_nid(folio)]);
}

/**
 * hugetlb_luo_sort_all - put all free pages where they belong in their lists
 * @h: the pool
 *
 * Pages of gigantic pools are there before hugetlb_luo_sort() knows that live update is on.
 *
 * Context: boot, may not sleep.
 */
void __init hugetlb_luo_sort_all(struct hstate *h)
{
	struct folio *folio, *next;
	int nid;

	spin_lock_irq(&hugetlb_lock);
	for_each_node_state(nid, N_MEMORY) {
		struct list_head *list = &h->hugepage_freelists[nid];

		list_for_each_entry_safe(folio, next, list, lru) {
			if (!hugetlb_luo_suits(folio))
				list_move(&folio->lru, list);
		}
	}
	spin_unlock_irq(&hugetlb_lock);
}

/* Those who want pages for preserved files. Mostly empty. hugetlb_lock guards it. */
static LIST_HEAD(wanting);

/**
 * hugetlb_luo_want - get only pages that can be handed over from here on
 * @want: for hugetlb_luo_unwant(). Of the caller, who need not fill it in.
 * @low: try low memory first for new pages, which may be in added memory otherwise
 *
 * Context: task, never sleeps. May be nested.
 */
void hugetlb_luo_want(struct hugetlb_luo_want *want, bool low)
{
	want->task = current;
	want->low = low;
	want->flags = memalloc_pin_save();
	spin_lock_irq(&hugetlb_lock);
	list_add(&want->list, &wanting);
	spin_unlock_irq(&hugetlb_lock);
}

/**
 * hugetlb_luo_unwant - end hugetlb_luo_want()
 * @want: what hugetlb_luo_want() got
 *
 * Context: the same task, never sleeps.
 */
void hugetlb_luo_unwant(struct hugetlb_luo_want *want)
{
	spin_lock_irq(&hugetlb_lock);
	list_del(&want->list);
	spin_unlock_irq(&hugetlb_lock);
	memalloc_pin_restore(want->flags);
}

/* Does this task want pages for preserved files, or even low memory? */
static bool is_wanting(bool low)
{
	struct hugetlb_luo_want *want;

	list_for_each_entry(want, &wanting, list) {
		if (want->task == current && want->low >= low)
			return true;
	}

	return false;
}

static bool wants_low(void)
{
	bool low;

	if (!(current->flags & PF_MEMALLOC_PIN))
		return false;
	spin_lock_irq(&hugetlb_lock);
	low = is_wanting(true);
	spin_unlock_irq(&hugetlb_lock);

	return low;
}

/* Has the node a free page that can be handed over? Those are at the end of the list. */
static bool has_suited(struct hstate *h, int nid)
{
	struct folio *folio;

	list_for_each_entry_reverse(folio, &h->hugepage_freelists[nid], lru) {
		if (!folio_test_hwpoison(folio))
			return hugetlb_luo_suits(folio);
	}

	return false;
}

/**
 * hugetlb_luo_can_pin - can this task have a free page, to pin it where it is?
 * @h: the pool
 * @folio: the page
 *
 * Context: never sleeps. The caller holds hugetlb_lock, and has PF_MEMALLOC_PIN.
 * Return: true if it can be pinned, and this is the best there is on its node.
 */
bool hugetlb_luo_can_pin(struct hstate *h, struct folio *folio)
{
	lockdep_assert_held(&hugetlb_lock);
	if (!folio_is_longterm_pinnable(folio))
		return false;

	return hugetlb_luo_suits(folio) ||
	       (!is_wanting(false) && !has_suited(h, folio_nid(folio)));
}

/* Returns a free page of the node that cannot be handed over, or NULL if there is none. */
static struct folio *find_unsuited(struct hstate *h, int nid)
{
	struct folio *folio;

	spin_lock_irq(&hugetlb_lock);
	folio = list_first_entry_or_null(&h->hugepage_freelists[nid], struct folio, lru);
	if (folio && hugetlb_luo_suits(folio))
		folio = NULL;
	spin_unlock_irq(&hugetlb_lock);

	return folio;
}

/* Replaces free pages of a node. A new one may be no better, so it has @tries in all. */
static void replace_on_node(struct hstate *h, int nid, unsigned long tries)
{
	struct folio *folio;

	while (tries-- && !fatal_signal_pending(current) && (folio = find_unsuited(h, nid))) {
		LIST_HEAD(used);
		int err = isolate_or_dissolve_huge_page(&folio->page, &used);

		/* Somebody has taken it meanwhile. */
		if (!list_empty(&used))
			putback_movable_pages(&used);
		if (err == -ENOMEM)
			break;
		cond_resched();
	}
}

/* Replaces up to @nr free pages of each node that cannot be handed over. */
static void replace(struct hstate *h, unsigned long nr, bool low)
{
	struct hugetlb_luo_want want;
	int nid;

	hugetlb_luo_want(&want, low);
	for_each_node_state(nid, N_MEMORY)
		replace_on_node(h, nid, nr);
	hugetlb_luo_unwant(&want);
}

/* Returns how many free pages cannot be handed over. The caller holds hugetlb_lock. */
static unsigned long count_unsuited(struct hstate *h)
{
	unsigned long nr = 0;
	struct folio *folio;
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		list_for_each_entry(folio, &h->hugepage_freelists[nid], lru) {
			if (hugetlb_luo_suits(folio))
				break;
			nr++;
		}
	}

	return nr;
}

/**
 * struct shortage - how far a pool is from the promise
 * @free: number of free pages
 * @unsuited: how many of them cannot be handed over
 * @missing: how many of those have to be replaced
 */
struct shortage {
	unsigned long free;
	unsigned long unsuited;
	unsigned long missing;
};

static struct shortage get_shortage(struct hstate *h)
{
	struct shortage it;

	spin_lock_irq(&hugetlb_lock);
	it.free = h->free_huge_pages;
	it.unsuited = count_unsuited(h);
	it.missing = it.unsuited;
	if (num_node_state(N_MEMORY) == 1)
		it.missing = h->resv_huge_pages + it.unsuited -
			     min(it.free, h->resv_huge_pages + it.unsuited);
	spin_unlock_irq(&hugetlb_lock);

	return it;
}

/**
 * hugetlb_luo_free_prepare - make sure of pages for the reservations of a file
 * @h: the pool
 *
 * Each round tries as often as pages are missing, and has to be good for half of them: if
 * new pages are in added memory then this would go on for long. Low memory comes last, since
 * others need it more.
 *
 * Context: may sleep.
 * Return: 0; -EINTR if the task is being killed; -EBUSY, after a message, if too few free
 * pages can be handed over.
 */
int hugetlb_luo_free_prepare(struct hstate *h)
{
	struct shortage now = get_shortage(h);
	bool low = false;

	while (now.missing) {
		const unsigned long before = now.missing;

		replace(h, before, low);
		if (fatal_signal_pending(current))
			return -EINTR;
		now = get_shortage(h);
		if (now.missing <= before / 2)
			continue;
		if (low)
			break;
		low = true;
	}
	if (!now.missing)
		return 0;

	pr_warn("cannot hand over reservations: of %lu free pages of %lu KiB, %lu lie in scratch, CMA or added memory\n",
		now.free, huge_page_size(h) / SZ_1K, now.unsuited);

	return -EBUSY;
}

/**
 * __hugetlb_luo_alloc - see hugetlb_luo_alloc()
 * @vma: the mapping
 * @addr: the address
 *
 * Context: may sleep, with the lock of page faults held.
 * Return: a page that can be handed over, or else any page, or an error as of
 * alloc_hugetlb_folio().
 */
struct folio *__hugetlb_luo_alloc(struct vm_area_struct *vma, unsigned long addr)
{
	struct hstate *h = hstate_vma(vma);
	struct hugetlb_luo_want want;
	struct folio *folio;

	hugetlb_luo_want(&want, false);
	folio = alloc_hugetlb_folio(vma, addr, false);
	if (IS_ERR(folio)) {
		replace(h, FAULT_TRIES, true);
		folio = alloc_hugetlb_folio(vma, addr, false);
	}
	hugetlb_luo_unwant(&want);

	return IS_ERR(folio) ? alloc_hugetlb_folio(vma, addr, false) : folio;
}

/**
 * __hugetlb_luo_alloc_reserve - see hugetlb_luo_alloc_reserve()
 * @h: the pool
 * @gfp: flags of the allocation
 *
 * Context: may sleep.
 * Return: a page that can be handed over, or else any page, or NULL.
 */
struct folio *__hugetlb_luo_alloc_reserve(struct hstate *h, gfp_t gfp)
{
	const int nid = numa_node_id();
	struct hugetlb_luo_want want;
	struct folio *folio;

	hugetlb_luo_want(&want, false);
	folio = alloc_hugetlb_folio_reserve(h, nid, NULL, gfp);
	if (!folio) {
		replace(h, FAULT_TRIES, true);
		folio = alloc_hugetlb_folio_reserve(h, nid, NULL, gfp);
	}
	hugetlb_luo_unwant(&want);

	return folio ?: alloc_hugetlb_folio_reserve(h, nid, NULL, gfp);
}

/*
 * Is more than the share of the kernel free of the memory that is not movable? Without
 * ZONE_MOVABLE there is no other memory for the pool that the kernel could not use itself.
 */
static bool is_plenty(int nid)
{
	struct zone *zones = NODE_DATA(nid)->node_zones;
	long free = 0, all = 0;

	if (!populated_zone(&zones[ZONE_MOVABLE]))
		return true;
	for (int i = 0; i < ZONE_MOVABLE; i++) {
		free += zone_page_state(&zones[i], NR_FREE_PAGES);
		free -= zone_page_state(&zones[i], NR_FREE_CMA_PAGES);
		all += zone_managed_pages(&zones[i]) - zone_cma_pages(&zones[i]);
	}

	return free > all / KERNEL_SHARE;
}

/**
 * hugetlb_luo_gfp - choose the memory for a new page of a pool
 * @gfp: flags for the allocation
 * @nid: the node it should be on
 *
 * Scratch holds movable allocations only. A page of the pool that lay there would have to
 * be moved when its file is preserved. But who has made ZONE_MOVABLE large wants the other
 * memory for the kernel, so some of that stays free as long as ZONE_MOVABLE has free memory.
 *
 * Context: any.
 * Return: the flags to try first: without the one for memory that cannot be handed over, if
 * live update is on and the node has plenty of other memory.
 */
gfp_t hugetlb_luo_gfp(gfp_t gfp, int nid)
{
	if (wants_low())
		return (gfp & ~(__GFP_MOVABLE | __GFP_HIGHMEM)) | GFP_DMA32;
	if (liveupdate_enabled() && node_state(nid, N_NORMAL_MEMORY) && is_plenty(nid))
		gfp &= ~__GFP_MOVABLE;

	return gfp;
}
