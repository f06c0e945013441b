// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update of hugetlb pages: the pools.
 *
 * This file owns the blob that tells the next kernel how many hugetlb pages are handed
 * over, and the part that incoming pages and reservations have in the counts of a pool
 * until their files are retrieved.
 *
 * A page that waits counts as a page of its pool, in use: HugePages_Total includes it from
 * the time that the pools are made, and HugePages_Free does not. So hugepages= and
 * nr_hugepages mean the total, and that many fewer pages are allocated at boot. If the
 * command line does not say how large a pool is, the pool has the incoming pages. If the
 * command line says less, 0 included, there are surplus pages, as when nr_hugepages is
 * written while pages are in use.
 *
 * The reservations of files that wait count in HugePages_Rsvd, as many as there are pages
 * for. A file gets them when it is retrieved, see hugetlb_luo_reserving(). Pages held for a
 * file that is discarded are left to the other files, and are given back when those need
 * fewer. All pages that are still held are given back when no session is left that can be
 * retrieved.
 *
 * hugetlb_lock guards @waiting, @wanted and @held, like the counts of the pools.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "hugetlb-luo: " fmt

#include <linux/hugetlb_luo.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/kho/abi/hugetlb.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/liveupdate.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "hugetlb_luo.h"
#include "internal.h"

/*
 * Pages that are handed over
 */

/* Guards @out and @out_files. */
static DEFINE_MUTEX(out_mutex);

/* Guards the numbers in the blob. */
static DEFINE_SPINLOCK(out_lock);

/* The blob; NULL if there is no preserved file. */
static struct hugetlb_luo_pools_ser *out;
static unsigned long out_files;

static struct hugetlb_luo_pool_ser *out_pool(struct hstate *h, int nid)
{
	return &out->pools[hstate_index(h) * nr_node_ids + nid];
}

static int make_out(void)
{
	const unsigned long nr = (unsigned long)hugetlb_max_hstate * nr_node_ids;
	const size_t size = struct_size(out, pools, nr);
	struct hugetlb_luo_pools_ser *blob = kho_alloc_preserve(size);
	struct hstate *h;
	int err, nid;

	if (IS_ERR(blob))
		return PTR_ERR(blob);

	out = blob;
	strscpy_pad(blob->compatible, HUGETLB_LUO_POOLS_COMPATIBLE);
	blob->nr = nr;
	for_each_hstate(h) {
		for (nid = 0; nid < nr_node_ids; nid++) {
			out_pool(h, nid)->page_size = huge_page_size(h);
			out_pool(h, nid)->nid = nid;
		}
	}
	err = kho_add_subtree(HUGETLB_LUO_POOLS_NAME, blob, size);
	if (err) {
		out = NULL;
		kho_unpreserve_free(blob);
	}

	return err;
}

/**
 * hugetlb_luo_pool_get - hand over the blob of pools
 *
 * Called once for each file that is preserved, before any of its pages is preserved.
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM; -ENOSPC if the root FDT is full; -EEXIST.
 */
int hugetlb_luo_pool_get(void)
{
	int err = 0;

	guard(mutex)(&out_mutex);
	if (!out)
		err = make_out();
	if (!err)
		out_files++;

	return err;
}

/**
 * hugetlb_luo_pool_put - undo hugetlb_luo_pool_get()
 *
 * Context: may sleep.
 */
void hugetlb_luo_pool_put(void)
{
	guard(mutex)(&out_mutex);
	if (--out_files)
		return;
	kho_remove_subtree(out);
	kho_unpreserve_free(out);
	out = NULL;
}

/**
 * hugetlb_luo_pool_count - count pages of preserved files
 * @h: the pool
 * @nid: the node
 * @pages: number of pages to add; negative to subtract
 *
 * Context: task, never sleeps. Between hugetlb_luo_pool_get() and hugetlb_luo_pool_put().
 */
void hugetlb_luo_pool_count(struct hstate *h, int nid, long pages)
{
	struct hugetlb_luo_pool_ser *pool = out_pool(h, nid);

	spin_lock_irq(&out_lock);
	pool->pages += pages;
	/* The surplus computed for a kexec that did not take place may be too large now. */
	pool->surplus = min(pool->surplus, pool->pages);
	spin_unlock_irq(&out_lock);
}

/**
 * hugetlb_luo_pool_freeze - write the numbers of surplus pages and reservations
 * @h: the pool
 * @reserved: number of reservations of a frozen file, negated when the file is thawed
 *
 * A pool counts its surplus pages, but does not know which pages these are. Preserved pages
 * count as surplus if the pool has more of them than pages that are not surplus.
 *
 * Context: may sleep.
 */
void hugetlb_luo_pool_freeze(struct hstate *h, long reserved)
{
	spin_lock_irq(&hugetlb_lock);
	spin_lock(&out_lock);
	for (int nid = 0; nid < nr_node_ids; nid++) {
		struct hugetlb_luo_pool_ser *pool = out_pool(h, nid);
		u64 lasting = h->nr_huge_pages_node[nid] - h->surplus_huge_pages_node[nid];

		pool->surplus = pool->pages > lasting ? pool->pages - lasting : 0;
	}
	out_pool(h, first_memory_node)->reserved += reserved;
	spin_unlock(&out_lock);
	spin_unlock_irq(&hugetlb_lock);
}

/*
 * Incoming pages, at boot
 */

/* The blob of the previous kernel, where it waits; NULL if there is none. */
static struct hugetlb_luo_pools_ser *in __initdata;
static phys_addr_t in_phys __initdata;
static bool in_loaded __initdata;

/* The command line gives the sizes of these pools, and of the default pool. */
static bool is_sized[HUGE_MAX_HSTATE] __initdata;
static bool default_is_sized __initdata;

/*
 * The number of pages by which hugetlb_luo_boot_begin() has reduced the size of the pool,
 * in all and on each node.
 */
static unsigned long cut __initdata;
static unsigned int cut_on[MAX_NUMNODES] __initdata;

/*
 * Pages that wait, by pool and node; reservations of files that wait, by pool; and pages
 * that are held for these reservations, by pool, which may be fewer.
 */
static unsigned int waiting[HUGE_MAX_HSTATE][MAX_NUMNODES];
static unsigned long wanted[HUGE_MAX_HSTATE];
static unsigned long held[HUGE_MAX_HSTATE];

/* Is the blob in one preserved folio? */
static bool __init is_kept(phys_addr_t phys, size_t size)
{
	const unsigned long pfn = PHYS_PFN(phys);
	int order;

	if (!PAGE_ALIGNED(phys))
		return false;
	order = slab_is_available() ? kho_waiting_order(pfn) : kho_incoming_order(pfn);

	return order >= 0 && size <= PAGE_SIZE << order;
}

static void __init load(void)
{
	phys_addr_t phys;
	size_t size;

	/* If the handover was refused after all, the memory of the blob is not preserved. */
	if (in && slab_is_available() && !is_kho_boot()) {
		pr_warn("the handover was refused: pools may be smaller than hugepages= says\n");
		in = NULL;
	}
	if (in_loaded)
		return;
	in_loaded = true;
	/*
	 * It is too early for kho_retrieve_subtree(), which needs to know what is RAM. The
	 * set of preserved folios was checked.
	 */
	if (!kho_incoming_blob(HUGETLB_LUO_POOLS_NAME, &phys, &size))
		return;
	if (!is_kept(phys, size) ||
	    !hugetlb_luo_check_pools(phys_to_virt(phys), size, kho_incoming_folios())) {
		pr_warn("blob of pools, %zu bytes at %pa, is corrupt: its pages are not counted\n",
			size, &phys);
		return;
	}
	in = phys_to_virt(phys);
	in_phys = phys;
}

/* Returns the order of the incoming gigantic page at @pfn, of any pool; 0 if there is none. */
static unsigned int __init coming_at(unsigned long pfn)
{
	for (u64 i = 0; in && i < in->nr; i++) {
		const unsigned int order = ilog2(in->pools[i].page_size) - PAGE_SHIFT;

		if (in->pools[i].pages && order > MAX_PAGE_ORDER &&
		    kho_incoming_order(ALIGN_DOWN(pfn, BIT(order))) == order)
			return order;
	}

	return 0;
}

/**
 * hugetlb_luo_boot_border - keep an incoming page within one zone
 * @pfn: where ZONE_MOVABLE begins on a node
 *
 * No folio may be in two zones. An incoming page would be, and its file would be lost, if
 * kernelcore=, movablecore= or movable_node put the border into the page.
 *
 * Context: boot, after kho_memory_known() and before there are zones.
 * Return: @pfn, or the end of the incoming page that @pfn is in.
 */
unsigned long __init hugetlb_luo_boot_border(unsigned long pfn)
{
	unsigned int order;

	if (!pfn)
		return pfn;
	load();
	order = coming_at(pfn);
	if (!order || IS_ALIGNED(pfn, BIT(order)))
		return pfn;
	pr_info("ZONE_MOVABLE begins %lu MiB later, so that a page of %lu MiB is not in two zones\n",
		(ALIGN(pfn, BIT(order)) - pfn) >> (20 - PAGE_SHIFT), BIT(order + PAGE_SHIFT - 20));

	return ALIGN(pfn, BIT(order));
}

/* Returns the node of the pages, or the first one with memory if @pool->nid has none. */
static int __init node_of(const struct hugetlb_luo_pool_ser *pool)
{
	return pool->nid < MAX_NUMNODES && node_state(pool->nid, N_MEMORY) ? pool->nid :
	       first_memory_node;
}

/*
 * Returns the number of incoming pages of the pool, on one node or on all. Adds the number
 * of surplus pages to @surplus.
 */
static unsigned long __init coming(struct hstate *h, int nid, unsigned long *surplus)
{
	unsigned long pages = 0;

	for (u64 i = 0; in && i < in->nr; i++) {
		const struct hugetlb_luo_pool_ser *pool = &in->pools[i];

		if (pool->page_size != huge_page_size(h) ||
		    (nid != NUMA_NO_NODE && nid != node_of(pool)))
			continue;
		pages += pool->pages;
		if (surplus)
			*surplus += pool->surplus;
	}

	return pages;
}

/*
 * Subtracts incoming pages from the numbers of pages requested for single nodes. Returns
 * the sum of these numbers before.
 */
static unsigned long __init cut_nodes(struct hstate *h)
{
	unsigned long asked = 0;
	int nid;

	for_each_online_node(nid) {
		unsigned int less = min(coming(h, nid, NULL), h->max_huge_pages_node[nid]);

		asked += h->max_huge_pages_node[nid];
		h->max_huge_pages_node[nid] -= less;
		cut_on[nid] = less;
		cut += less;
	}

	return asked;
}

/**
 * hugetlb_luo_boot_sized - note that the command line gives the size of a pool
 * @h: the pool; NULL for the default one
 *
 * Without this, a size of 0 could not be told from no size.
 *
 * Context: boot, when hugepages= is read.
 */
void __init hugetlb_luo_boot_sized(struct hstate *h)
{
	if (h)
		is_sized[hstate_index(h)] = true;
	else
		default_is_sized = true;
}

/**
 * hugetlb_luo_boot_begin - subtract incoming pages from the number to allocate at boot
 * @h: the pool, whose size on the command line is known
 *
 * Context: boot, before pages are allocated for the pool, from memblock included.
 */
void __init hugetlb_luo_boot_begin(struct hstate *h)
{
	const unsigned long asked = h->max_huge_pages;

	load();
	cut = 0;
	if (!coming(h, NUMA_NO_NODE, NULL))
		return;

	if (!cut_nodes(h))
		cut = min(asked, coming(h, NUMA_NO_NODE, NULL));
	h->max_huge_pages -= cut;
}

/**
 * hugetlb_luo_boot_end - undo hugetlb_luo_boot_begin()
 * @h: the pool
 *
 * Context: boot, after pages were allocated for the pool.
 */
void __init hugetlb_luo_boot_end(struct hstate *h)
{
	int nid;

	h->max_huge_pages += cut;
	cut = 0;
	for_each_online_node(nid) {
		h->max_huge_pages_node[nid] += cut_on[nid];
		cut_on[nid] = 0;
	}
}

/* Counts @pages pages of a node as surplus. */
static void __init make_surplus(struct hstate *h, int nid, unsigned long pages)
{
	h->surplus_huge_pages += pages;
	h->surplus_huge_pages_node[nid] += pages;
}

/*
 * Counts up to @more waiting pages as surplus, node by node. If @asked is true, the pages
 * that the command line requests for a node stay persistent. Returns how many of @more are
 * left.
 */
static unsigned long __init spread_surplus(struct hstate *h, unsigned long more, bool asked)
{
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		unsigned int has = h->nr_huge_pages_node[nid] - h->surplus_huge_pages_node[nid];
		unsigned int keeps = asked ? min(has, h->max_huge_pages_node[nid]) : 0;
		unsigned long pages = min3(more, (unsigned long)(has - keeps),
					   (unsigned long)waiting[hstate_index(h)][nid]);

		make_surplus(h, nid, pages);
		more -= pages;
	}

	return more;
}

/* Counts incoming pages in their pool. The caller holds hugetlb_lock. */
static void __init add_coming(struct hstate *h)
{
	const bool sized = h->max_huge_pages || is_sized[hstate_index(h)] ||
			   (default_is_sized && h == &default_hstate);
	unsigned long more;
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		unsigned long surplus = 0, pages = coming(h, nid, &surplus);

		waiting[hstate_index(h)][nid] = pages;
		h->nr_huge_pages += pages;
		h->nr_huge_pages_node[nid] += pages;
		if (!sized)
			make_surplus(h, nid, surplus);
	}

	more = sized && h->nr_huge_pages > h->max_huge_pages ?
	       h->nr_huge_pages - h->max_huge_pages : 0;
	spread_surplus(h, spread_surplus(h, more, true), false);
	h->max_huge_pages = h->nr_huge_pages - h->surplus_huge_pages;
}

static unsigned long __init coming_reserved(struct hstate *h)
{
	unsigned long reserved = 0;

	/* hold() never holds more pages than are free, so INT_MAX for each entry is enough. */
	for (u64 i = 0; in && i < in->nr; i++) {
		if (in->pools[i].page_size == huge_page_size(h))
			reserved += min(in->pools[i].reserved, (u64)INT_MAX);
	}

	return reserved;
}

static void __init report_unknown(void)
{
	for (u64 i = 0; i < in->nr; i++) {
		if (in->pools[i].pages && !size_to_hstate(in->pools[i].page_size))
			pr_warn("%llu pages of %llu KiB wait, a size that this machine does not have\n",
				in->pools[i].pages, in->pools[i].page_size / SZ_1K);
	}
}

/*
 * Removes waiting pages and held reservations from the counts: kho_pages_release() has
 * freed the folios.
 */
static void forget_waiting(void)
{
	struct hstate *h;
	int nid;

	spin_lock_irq(&hugetlb_lock);
	for_each_hstate(h) {
		unsigned int *left = waiting[hstate_index(h)];

		for_each_node_state(nid, N_MEMORY) {
			unsigned int surplus = min(left[nid], h->surplus_huge_pages_node[nid]);

			h->nr_huge_pages -= left[nid];
			h->nr_huge_pages_node[nid] -= left[nid];
			h->surplus_huge_pages -= surplus;
			h->surplus_huge_pages_node[nid] -= surplus;
			h->max_huge_pages -= left[nid] - surplus;
			left[nid] = 0;
		}
		h->resv_huge_pages -= held[hstate_index(h)];
		held[hstate_index(h)] = 0;
		wanted[hstate_index(h)] = 0;
	}
	spin_unlock_irq(&hugetlb_lock);
}

/* Holds free pages that are not reserved yet for the reservations of files that wait. */
static void __init hold(struct hstate *h, unsigned long reserved)
{
	const int idx = hstate_index(h);

	spin_lock_irq(&hugetlb_lock);
	wanted[idx] = reserved;
	held[idx] = min(reserved, h->free_huge_pages - min(h->free_huge_pages,
							   h->resv_huge_pages));
	h->resv_huge_pages += held[idx];
	spin_unlock_irq(&hugetlb_lock);
}

/*
 * Gives back all held pages: no file that they are held for can be retrieved any more,
 * because it was lost or its session is broken.
 */
static void unhold_all(void)
{
	struct hstate *h;

	for_each_hstate(h)
		hugetlb_luo_pool_unhold(h, ULONG_MAX);
}

/**
 * hugetlb_luo_boot_pools - count incoming pages in their pools
 *
 * Context: hugetlb_init(), when all pools have their pages.
 */
void __init hugetlb_luo_boot_pools(void)
{
	struct hstate *h;

	if (liveupdate_enabled()) {
		for_each_hstate(h)
			hugetlb_luo_sort_all(h);
	}
	load();
	if (!in)
		return;
	for_each_hstate(h) {
		spin_lock_irq(&hugetlb_lock);
		if (coming(h, NUMA_NO_NODE, NULL))
			add_coming(h);
		spin_unlock_irq(&hugetlb_lock);
		/* Without live update no file can be retrieved. */
		if (liveupdate_enabled())
			hold(h, coming_reserved(h));
	}
	report_unknown();
	in = NULL;
	kho_restore_free(phys_to_virt(in_phys));
	kho_pages_on_release(forget_waiting);
	liveupdate_on_finished(unhold_all);
}

/*
 * Incoming pages, when user space asks for them
 */

/**
 * hugetlb_luo_pool_take - count a page that does not wait any more
 * @h: its pool
 * @nid: its node
 *
 * Afterwards the page is a page of the pool like any other, in use.
 *
 * Context: never sleeps. The caller holds hugetlb_lock.
 */
void hugetlb_luo_pool_take(struct hstate *h, int nid)
{
	unsigned int *left = waiting[hstate_index(h)];
	int other;

	lockdep_assert_held(&hugetlb_lock);
	if (left[nid]) {
		left[nid]--;
		return;
	}

	/* Not counted on this node: the blob was wrong, or this kernel has other nodes. */
	for_each_node_state(other, N_MEMORY) {
		if (left[other])
			break;
	}
	h->nr_huge_pages_node[nid]++;
	if (other < MAX_NUMNODES) {
		left[other]--;
		h->nr_huge_pages_node[other]--;
		if (h->surplus_huge_pages_node[other] > h->nr_huge_pages_node[other]) {
			h->surplus_huge_pages_node[other]--;
			h->surplus_huge_pages_node[nid]++;
		}
	} else {
		h->nr_huge_pages++;
		h->surplus_huge_pages++;
		h->surplus_huge_pages_node[nid]++;
	}
}

/**
 * hugetlb_luo_pool_unhold - note that a file does not wait for its reservations any more
 * @h: the pool
 * @reserved: number of reservations of the file
 *
 * The file has got its reservations, or is discarded. Held pages that no other file needs
 * are given back.
 *
 * Context: may sleep.
 */
void hugetlb_luo_pool_unhold(struct hstate *h, unsigned long reserved)
{
	const int idx = hstate_index(h);
	unsigned long more;

	spin_lock_irq(&hugetlb_lock);
	wanted[idx] -= min(reserved, wanted[idx]);
	more = held[idx] - min(held[idx], wanted[idx]);
	held[idx] -= more;
	spin_unlock_irq(&hugetlb_lock);
	hugetlb_acct_memory(h, -(long)more);
}

/*
 * The task that makes held reservations, nearly always NULL; how many more it may take; and
 * how many it has taken.
 */
static struct task_struct *reserver;
static unsigned long offered;
static unsigned long accepted;

/**
 * hugetlb_luo_pool_offer - let reservations of the current task take held pages
 * @reserved: maximum number of pages
 *
 * Pages that the task gives back before hugetlb_luo_pool_end_offer() are held again.
 *
 * Context: any. The caller holds reserve_mutex of hugetlb_luo_in.c.
 */
void hugetlb_luo_pool_offer(unsigned long reserved)
{
	offered = reserved;
	accepted = 0;
	/* Pairs with READ_ONCE() in hugetlb_luo_reserving(). */
	WRITE_ONCE(reserver, current);
}

/**
 * hugetlb_luo_pool_end_offer - end hugetlb_luo_pool_offer()
 *
 * Context: any. The caller holds reserve_mutex of hugetlb_luo_in.c.
 */
void hugetlb_luo_pool_end_offer(void)
{
	/* Pairs with READ_ONCE() in hugetlb_luo_reserving(). */
	WRITE_ONCE(reserver, NULL);
}

/**
 * hugetlb_luo_reserving - turn held pages into reservations of the current task, or back
 * @h: the pool
 * @delta: number of reservations the task makes; negative if it gives them back
 *
 * The pages count as reserved before and after, so no other task can take them meanwhile.
 *
 * Context: never sleeps. The caller holds hugetlb_lock.
 * Return: the part of @delta that held pages cover, with the same sign.
 */
long hugetlb_luo_reserving(struct hstate *h, long delta)
{
	unsigned long *here = &held[hstate_index(h)];
	long part;

	lockdep_assert_held(&hugetlb_lock);
	/*
	 * Pairs with WRITE_ONCE() in hugetlb_luo_pool_offer() and
	 * hugetlb_luo_pool_end_offer().
	 */
	if (likely(READ_ONCE(reserver) != current))
		return 0;
	if (delta > 0)
		part = min3((unsigned long)delta, offered, *here);
	else
		part = -(long)min((unsigned long)-delta, accepted);
	*here -= part;
	offered -= part;
	accepted += part;

	return part;
}
