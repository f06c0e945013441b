// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update of hugetlb pages: which free page of a pool a preserved file gets.
 *
 * Not every page can be handed over from where it is: scratch holds movable pages, the next
 * kernel creates its other CMA areas anew, and it may not know hot-added memory. So new
 * pages of a pool are allocated from other memory as long as there is plenty.
 *
 * A page fault on a reserved page must not fail because the last free page of the pool
 * cannot be handed over. This file guarantees that while a file with reservations is
 * preserved, the pool has at least as many free pages that can be handed over as
 * reservations. When the file is preserved, hugetlb_luo_free_prepare() replaces free pages
 * that cannot be handed over, and PRESERVE_FD fails if that does not suffice. From then on
 * the guarantee holds by itself: free pages that cannot be handed over are first in the
 * free list, where all other allocations take their pages, and from where pages are freed
 * when the pool shrinks; and there are never more reservations than free pages. This holds
 * for each free list. So if there are several lists, one for each node with memory, no page
 * may be left that cannot be handed over.
 *
 * The guarantee can be broken afterwards: pages that can be handed over are pinned without
 * a reservation, a free page is poisoned, a reservation is made later, or a memory policy
 * allows one node only. The page fault then gets any free page, as it would without live
 * update, and that page is a stray, see hugetlb_luo.c.
 *
 * An allocation for a preserved file skips free pages that would have to be migrated. If
 * there is no other page, the page fault falls back to any page, as above. A long-term pin
 * (VFIO, io_uring) gets a free page that can be handed over if its node has one, since the
 * file may be preserved later; otherwise it gets any page that can be pinned, hot-added
 * memory included. Both kinds of allocation run with PF_MEMALLOC_PIN; a task that allocates
 * for a preserved file is in @wanting as well.
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
 * The number of pages that a page fault replaces on each node. It needs one, but another
 * task may take that page, and a new page may be no better.
 */
#define FAULT_TRIES	4

/*
 * If there is ZONE_MOVABLE, a growing pool leaves one part in KERNEL_SHARE of the memory
 * that is not movable to the kernel. Allocations for preserved files may use that part as
 * well.
 */
#define KERNEL_SHARE	8

/**
 * hugetlb_luo_suits - can a page be pinned, and be handed over, where it is?
 * @folio: a page of a pool
 *
 * Context: any, never sleeps.
 * Return: true if the page can stay where it is.
 */
bool hugetlb_luo_suits(struct folio *folio)
{
	const unsigned long pfn = folio_pfn(folio);

	return folio_is_longterm_pinnable(folio) &&
	       (!liveupdate_enabled() || kho_ram_can_go_out(pfn, pfn + folio_nr_pages(folio)));
}

/**
 * hugetlb_luo_sort - move a free page to its place in the free list
 * @h: the pool
 * @folio: the page, which is the first one in the list
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
 * hugetlb_luo_sort_all - move all free pages to their places in the free lists
 * @h: the pool
 *
 * Pages of gigantic pools are in the lists before hugetlb_luo_sort() knows that live update
 * is on.
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

/* Tasks that allocate pages for preserved files. Mostly empty. Guarded by hugetlb_lock. */
static LIST_HEAD(wanting);

/**
 * hugetlb_luo_want - take only free pages that can be handed over from here on
 * @want: storage of the caller, uninitialised, which must live until hugetlb_luo_unwant()
 * @low: try low memory first for new pages, which may be in hot-added memory otherwise
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
 * @want: the structure that was passed to hugetlb_luo_want()
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

/* Is current in @wanting, with @low set if @low is true? The caller holds hugetlb_lock. */
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

/* Has the node a free page that can be handed over? Such pages are at the end of the list. */
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
 * hugetlb_luo_can_pin - may the current task take a free page, to pin it where it is?
 * @h: the pool
 * @folio: the page
 *
 * Context: never sleeps. The caller holds hugetlb_lock, and the task has PF_MEMALLOC_PIN.
 * Return: true if the page can be pinned and handed over; true as well if it can only be
 * pinned, its node has no free page that can be handed over, and the task is not in
 * @wanting.
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

/*
 * Replaces free pages of a node that cannot be handed over. A new page may be no better, so
 * there are @tries attempts in all.
 */
static void replace_on_node(struct hstate *h, int nid, unsigned long tries)
{
	struct folio *folio;

	while (tries-- && !fatal_signal_pending(current) && (folio = find_unsuited(h, nid))) {
		LIST_HEAD(used);
		int err = isolate_or_dissolve_huge_page(&folio->page, &used);

		/* Another task has allocated the page meanwhile. */
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

/* Counts free pages that cannot be handed over. The caller holds hugetlb_lock. */
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
 * struct shortage - how far a pool is from the guarantee at the head of this file
 * @free: number of free pages
 * @unsuited: number of free pages that cannot be handed over
 * @missing: number of @unsuited pages that have to be replaced
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
 * hugetlb_luo_free_prepare - make sure that a pool has suitable pages for its reservations
 * @h: the pool
 *
 * Each round makes as many attempts as pages are missing, and has to replace at least half
 * of the missing pages; otherwise this could go on for long if new pages are in hot-added
 * memory. Low memory is tried last, since other allocations may need it.
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
 * Context: may sleep, with the fault mutex of the page held.
 * Return: a page that can be handed over if there is one, any page otherwise, or an error
 * of alloc_hugetlb_folio().
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
 * Return: a page that can be handed over if there is one, any page otherwise, or NULL.
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
 * Is more than the share of the kernel (KERNEL_SHARE) of the memory that is not movable
 * free? Without ZONE_MOVABLE there is no memory that only the pool could use, so this
 * returns true.
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
 * Scratch holds movable allocations only. A page of the pool in scratch would have to be
 * migrated when its file is preserved. But a large ZONE_MOVABLE is meant to leave the other
 * memory to the kernel, so some of that stays free as long as ZONE_MOVABLE has free memory.
 *
 * Context: any.
 * Return: the flags to try first: with GFP_DMA32 if the task asked for low memory; without
 * __GFP_MOVABLE if live update is on and the node has plenty of other memory.
 */
gfp_t hugetlb_luo_gfp(gfp_t gfp, int nid)
{
	if (wants_low())
		return (gfp & ~(__GFP_MOVABLE | __GFP_HIGHMEM)) | GFP_DMA32;
	if (liveupdate_enabled() && node_state(nid, N_NORMAL_MEMORY) && is_plenty(nid))
		gfp &= ~__GFP_MOVABLE;

	return gfp;
}
