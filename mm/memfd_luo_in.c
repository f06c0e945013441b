// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update of memfds: files of the previous kernel.
 *
 * This file owns an incoming memfd, from when it is retrieved until all of its folios are
 * in the page cache or it is finished, and the folios of an incoming memfd that was not
 * retrieved.
 *
 * The file is there at once and its folios are not: they go on waiting in the handover.
 * When a page is looked up, memfd_luo_in_take() puts it, and the pages around it, into the
 * file. Work items insert all other folios in the background. Code that needs the whole
 * file calls memfd_luo_in_populate() first. When no folio waits any more, the file becomes
 * an ordinary one.
 *
 * A long array is not read at once either. The first work item takes it out of the
 * handover, checks it and sorts it. Before that, take_early() can find a page in the array
 * where it waits, if the array is sorted, as the arrays of all known writers nearly are.
 * Only a look-up of a page that take_early() does not find has to wait for the array.
 *
 * The file is divided into windows. A mutex for each few windows serialises tasks that put
 * folios of the same window into the file. A folio lies within one window, because it is
 * aligned to its size. Folios that were restored but could not be inserted, because memory
 * could not be allocated, are kept in a list beside the mutex; the next holder of the mutex
 * begins with them, so there are never many of these.
 *
 * Page cache and array together tell the state of a page. If the page cache has an entry
 * for the page, that is its state. Otherwise, if an entry of the array with a PFN covers
 * the page, the page waits, or is kept, or is lost; if there is no such entry, the page is
 * a hole. This holds because nothing leaves the page cache before all folios are in it:
 * truncation and hole punching populate the file first. A page that is lost gets an entry
 * like a page that cannot be read from swap, so an access to it fails with EIO or SIGBUS.
 *
 * The page cache is charged to the memory cgroup of the task that retrieved the file.
 * When the group is at its limit, work items try again later, memfd_luo_in_populate()
 * returns an error, and a look-up of one page fails as a page fault over the limit does.
 *
 * Locks, from the outside in: memfd_luo_in.loaded_sem, memfd_luo_windows.lock, and the
 * locks of the page cache and memory cgroups. No folio may be locked before these.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "memfd-luo: " fmt

#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/memcontrol.h>
#include <linux/memfd_luo.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/swapops.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "internal.h"
#include "memfd_luo.h"

#define WINDOW_PAGES	max(512UL, BIT(MAX_PAGECACHE_ORDER))
#define NR_LOCKS	8

/* The number of pages that one look-up puts into the file, like fault-around. */
#define AROUND_PAGES	16UL

/* With one more entry, whose index tells the order of the last folio. */
#define SEARCH_ENTRIES	(AROUND_PAGES + 1)

/* The number of entries that a work item takes at a time. */
#define WORK_ENTRIES	512
#define MAX_WORKS	8

/* Delay before the first work item, so that the task that retrieves the file runs first. */
#define START_JIFFIES	2

#define PAGE_ENTRIES	(PAGE_SIZE / sizeof(struct memfd_luo_folio_ser))

/* An array of up to this many entries is read before the file is returned. */
#define READ_AT_ONCE	512

/* The number of folios, of one leaf of the page cache, that are put into the file at once. */
#define RUN_PAGES	XA_CHUNK_SIZE

/**
 * struct memfd_luo_windows - the lock of all windows with the same number modulo NR_LOCKS
 * @lock: serialises tasks that put folios of these windows into the file
 * @kept: restored folios that are not in the file yet; their index is set
 */
struct memfd_luo_windows {
	struct mutex lock; /* see the head of this file */
	struct list_head kept;
};

/**
 * struct memfd_luo_work - a work item that populates the file
 * @work: the work item
 * @in: the file
 */
struct memfd_luo_work {
	struct delayed_work work;
	struct memfd_luo_in *in;
};

/**
 * struct memfd_luo_in - an incoming file
 * @luo: the file. Constant.
 * @kv: the array in the handover. Constant.
 * @memcg: the memory cgroup that the page cache is charged to. Constant.
 * @end: number of pages of the file when it was handed over. Constant.
 * @loaded_sem: held for writing by a task that takes or frees @entries, for reading by a
 *	task that uses them
 * @loaded: the array was taken out of the handover. With @loaded_sem; memfd_luo_in_take()
 *	also reads it without.
 * @error: the error of load(), 0 if the array is valid. With @loaded_sem.
 * @entries: the array, sorted by index. With @loaded_sem; PFNs with the mutex of the
 *	window.
 * @nr: number of entries. Constant until @entries is freed.
 * @left: number of entries that are not done. An entry is done, and its PFN 0, when a task
 *	has found its folio in the page cache, or lost.
 * @pages: number of pages of all entries, 0 until @entries is there. Changed with
 *	@loaded_sem held for writing; memfd_luo_in_show() reads it without.
 * @added: how many of these are in the page cache, or lost
 * @next: the first entry that no work item has looked at yet
 * @stop: work items end as soon as they can
 * @windows: locks of windows
 * @nr_works: number of work items that were started
 * @works: the work items
 */
struct memfd_luo_in {
	struct memfd_luo *luo;
	struct kho_vmalloc kv;
	struct mem_cgroup *memcg;
	pgoff_t end;
	struct rw_semaphore loaded_sem;
	bool loaded;
	int error;
	struct memfd_luo_folio_ser *entries;
	unsigned long nr;
	atomic_long_t left;
	unsigned long pages;
	atomic_long_t added;
	atomic_long_t next;
	bool stop;
	struct memfd_luo_windows windows[NR_LOCKS];
	unsigned int nr_works;
	struct memfd_luo_work works[MAX_WORKS];
};

/*
 * The incoming structure, before there is a file
 */

/* Takes the structure at @data out of the handover. Returns false if no folio waits there. */
static bool take_ser(u64 data, struct memfd_luo_ser *ser)
{
	struct folio *folio;

	if (!PAGE_ALIGNED(data) || kho_waiting_order(PHYS_PFN(data)))
		return false;
	folio = kho_restore_if_waiting(PHYS_PFN(data));
	if (!folio)
		return false;
	memcpy(ser, folio_address(folio), sizeof(*ser));
	folio_put(folio);

	return true;
}

static int check_ser(const struct memfd_luo_ser *ser)
{
	const struct kho_vmalloc *kv = &ser->folios;

	if (ser->size > MAX_LFS_FILESIZE || ser->pos > MAX_LFS_FILESIZE || ser->flags)
		return -EINVAL;
	if (ser->seals & ~MEMFD_LUO_SEALS)
		return -EOPNOTSUPP;
	if (!ser->nr_folios)
		return memchr_inv(kv, 0, sizeof(*kv)) ? -EINVAL : 0;
	if (!kho_vmalloc_is_valid(kv) ||
	    ser->nr_folios > ((u64)kv->total_pages << PAGE_SHIFT) /
			     sizeof(struct memfd_luo_folio_ser))
		return -EINVAL;

	return 0;
}

static void free_waiting(struct memfd_luo_folio_ser *entries, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		struct folio *folio = NULL;

		if (entries[i].pfn)
			folio = kho_restore_if_waiting(entries[i].pfn);
		if (folio)
			folio_put(folio);
		cond_resched();
	}
}

/*
 * Taking the array out of the handover
 */

/* Counts entries as done. After the last one, the file is not incoming any more. */
static void count_done(struct memfd_luo_in *in, unsigned long nr)
{
	if (atomic_long_sub_return(nr, &in->left))
		return;
	/*
	 * Orders additions to the page cache before the state. Pairs with
	 * smp_load_acquire() in __memfd_luo_get(), __memfd_luo_populate(),
	 * __memfd_luo_blocks() and memfd_luo_in_show().
	 */
	smp_store_release(&in->luo->state, MEMFD_LUO_IDLE);
}

/*
 * Sorts the entries, of which the first @i are sorted. The entries after these are few,
 * since their folios were added during or after the walk; they may be unsorted.
 */
static void sort_entries(struct memfd_luo_folio_ser *entries, unsigned long i, unsigned long nr)
{
	struct memfd_luo_folio_ser *late;
	unsigned long k;

	late = kvmalloc_array(nr - i, sizeof(*late), GFP_KERNEL | __GFP_NOWARN);
	if (!late) {
		memfd_luo_sort(entries, nr);
		return;
	}

	k = nr - i;
	memcpy(late, &entries[i], k * sizeof(*late));
	memfd_luo_sort(late, k);
	while (k) {
		if (i && entries[i - 1].index > late[k - 1].index) {
			entries[i + k - 1] = entries[i - 1];
			i--;
		} else {
			entries[i + k - 1] = late[k - 1];
			k--;
		}
	}
	kvfree(late);
}

static bool order_is_fine(unsigned int order)
{
	return !order || (IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) && order <= MAX_PAGECACHE_ORDER);
}

static u64 entry_phys(const struct memfd_luo_folio_ser *entry)
{
	return (u64)entry->pfn << PAGE_SHIFT;
}

/* Returns the order of the folio of an entry; 0 if the folio does not wait any more. */
static unsigned int entry_order(const struct memfd_luo_folio_ser *entry)
{
	return max(kho_waiting_order(entry->pfn), 0);
}

static void complain(const struct memfd_luo_folio_ser *entry, const char *what)
{
	pr_warn("a file is lost: %s: index %#llx, folio at %#llx\n", what, entry->index,
		entry_phys(entry));
}

/*
 * Checks the folio of an entry. For a long array that would take too long here, so its
 * folios are checked when they are taken.
 */
static int check_folio(const struct memfd_luo_folio_ser *entry)
{
	int order = kho_waiting_order(entry->pfn);

	if (order < 0) {
		complain(entry, "no folio waits");
		return -EIO;
	}
	if (!order_is_fine(order)) {
		complain(entry, "the folio is too large");
		return -EINVAL;
	}
	if (!IS_ALIGNED(entry->index, BIT(order))) {
		complain(entry, "the index is not a multiple of the size");
		return -EINVAL;
	}

	return 0;
}

/* Drops entries without a folio, which the format says to skip and can have any index. */
static void drop_empty(struct memfd_luo_in *in)
{
	unsigned long to = 0, nr = in->nr;

	for (unsigned long i = 0; i < nr; i++) {
		if (unlikely(!in->entries[i].pfn))
			continue;
		if (unlikely(to != i))
			in->entries[to] = in->entries[i];
		to++;
	}
	in->nr = to;
	count_done(in, nr - to);
}

/* Frees folios that begin beyond the size of the file, and drops their entries. */
static void drop_beyond(struct memfd_luo_in *in)
{
	unsigned long nr = in->nr;

	while (nr && in->entries[nr - 1].index >= in->end)
		nr--;
	free_waiting(&in->entries[nr], in->nr - nr);
	count_done(in, in->nr - nr);
	in->nr = nr;
}

static struct memfd_luo_windows *windows_of(struct memfd_luo_in *in, pgoff_t index)
{
	return &in->windows[index / WINDOW_PAGES % NR_LOCKS];
}

/*
 * Returns the order of a folio that was taken before the array was read, so that it is in the
 * page cache or kept; 0 if it is neither, and lost.
 */
static unsigned int taken_order(struct memfd_luo_in *in, pgoff_t index)
{
	struct memfd_luo_windows *w = windows_of(in, index);
	struct folio *folio;

	guard(mutex)(&w->lock);
	list_for_each_entry(folio, &w->kept, lru) {
		if (folio->index == index)
			return folio_order(folio);
	}

	return xa_get_order(&in->luo->inode->i_mapping->i_pages, index);
}

/* Returns the index of the entry after @entry. */
static u64 next_index(struct memfd_luo_in *in, const struct memfd_luo_folio_ser *entry)
{
	return entry + 1 < in->entries + in->nr ? entry[1].index : U64_MAX;
}

/* Returns the number of pages of an entry of the sorted array. */
static unsigned long entry_pages(struct memfd_luo_in *in, const struct memfd_luo_folio_ser *entry)
{
	int order = 0;

	if (next_index(in, entry) - entry->index > 1)
		order = kho_waiting_order(entry->pfn);

	return BIT(order < 0 ? taken_order(in, entry->index) : order);
}

/*
 * Counts the pages of an array that needs no change, as nearly all arrays: it is sorted,
 * and has neither empty entries nor entries beyond the size of the file. Returns 0 for any
 * other array. Look-ups can wait for this, so it looks at each entry once, and at a folio
 * only where the next entry does not follow at once.
 */
static unsigned long count_plain(struct memfd_luo_in *in)
{
	const struct memfd_luo_folio_ser *entry = in->entries, *last = entry + in->nr - 1;
	unsigned long pages = 0;

	if (!last->pfn || last->index >= in->end)
		return 0;
	for (; entry < last; entry++) {
		const u64 index = entry->index, next = entry[1].index;

		if (unlikely(!entry->pfn || next <= index))
			return 0;
		pages += likely(next - index == 1) ? 1 : entry_pages(in, entry);
	}

	return pages + entry_pages(in, last);
}

/* Checks the array, and sorts it if need be. */
static int check_entries(struct memfd_luo_in *in)
{
	/* Once other tasks can use the file, some of its folios may have been taken. */
	const bool at_once = in->nr <= READ_AT_ONCE && !in->nr_works;
	unsigned long sorted = 1, pages = 0;
	u64 prev_end = 0;

	if (!at_once) {
		pages = count_plain(in);
		/* Pairs with READ_ONCE() in memfd_luo_in_show(). */
		WRITE_ONCE(in->pages, pages);
		if (likely(pages))
			return 0;
	}

	drop_empty(in);
	if (!in->nr)
		return 0;
	while (sorted < in->nr && in->entries[sorted - 1].index < in->entries[sorted].index)
		sorted++;
	if (sorted < in->nr)
		sort_entries(in->entries, sorted, in->nr);

	for (unsigned long i = 0; i < in->nr; i++) {
		const struct memfd_luo_folio_ser *entry = &in->entries[i];
		int err = 0;

		if (at_once)
			err = check_folio(entry);
		if (err)
			return err;
		if (entry->index < prev_end) {
			complain(entry, "two folios overlap");
			return -EINVAL;
		}
		prev_end = entry->index + (at_once ? BIT(entry_order(entry)) : 1);
	}
	drop_beyond(in);
	for (unsigned long i = 0; i < in->nr; i++)
		pages += entry_pages(in, &in->entries[i]);
	/* Pairs with READ_ONCE() in memfd_luo_in_show(). */
	WRITE_ONCE(in->pages, pages);

	return 0;
}

/*
 * Frees the folios that an array of order-0 pages names, and the array, page by page where
 * it waits: this needs no memory.
 */
static void free_in_place(const struct kho_vmalloc *kv, unsigned long nr)
{
	unsigned int left = kv->total_pages;
	u64 phys = kv->first.phys;

	while (left) {
		struct folio *folio = kho_restore_if_waiting(PHYS_PFN(phys));
		unsigned int i, end = min_t(unsigned int, left, KHO_VMALLOC_CHUNK_LEN);
		const struct kho_vmalloc_chunk *chunk;

		if (!folio)
			return;
		chunk = folio_address(folio);
		for (i = 0; i < end; i++) {
			struct folio *page = kho_restore_if_waiting(PHYS_PFN(chunk->phys[i]));
			unsigned long entries = min(nr, PAGE_ENTRIES);

			nr -= entries;
			if (!page)
				continue;
			free_waiting(folio_address(page), entries);
			folio_put(page);
		}
		left -= end;
		phys = chunk->next.phys;
		folio_put(folio);
	}
}

/* Frees the folios that the array names, and the array. */
static void free_array_of(const struct memfd_luo_ser *ser)
{
	struct memfd_luo_folio_ser *entries;

	if (check_ser(ser) || !ser->nr_folios || !kho_vmalloc_waits(&ser->folios))
		return;
	if (!ser->folios.order) {
		free_in_place(&ser->folios, ser->nr_folios);
		return;
	}
	entries = kho_restore_vmalloc(&ser->folios);
	if (!entries)
		return;
	free_waiting(entries, ser->nr_folios);
	vfree(entries);
}

/**
 * memfd_luo_in_discard - free the memory of an incoming file that was not retrieved
 * @data: the address of the structure
 *
 * Context: may sleep.
 */
void memfd_luo_in_discard(u64 data)
{
	struct memfd_luo_ser ser;

	if (take_ser(data, &ser))
		free_array_of(&ser);
}

/*
 * Takes the array out of the handover, and checks it. The caller holds @loaded_sem for
 * writing, or evicts the inode. Returns -ENOMEM if the caller can try again.
 */
static int load(struct memfd_luo_in *in)
{
	if (in->loaded)
		return in->error;

	if (kho_vmalloc_waits(&in->kv)) {
		in->entries = kho_restore_vmalloc(&in->kv);
		if (!in->entries && kho_vmalloc_waits(&in->kv))
			return -ENOMEM;
	}

	if (in->entries) {
		in->error = check_entries(in);
	} else {
		pr_warn("a file is lost: its array of %u pages, at %#llx, does not wait\n",
			in->kv.total_pages, in->kv.first.phys);
		in->error = -EIO;
	}
	in->loaded = true;

	return in->error;
}

/* Returns with @loaded_sem held for reading and the array read, or with an error. */
static int lock_loaded(struct memfd_luo_in *in)
{
	int err;

	if (down_read_killable(&in->loaded_sem))
		return -EINTR;
	if (likely(in->loaded)) {
		err = in->error;
	} else {
		up_read(&in->loaded_sem);
		if (down_write_killable(&in->loaded_sem))
			return -EINTR;
		err = load(in);
		downgrade_write(&in->loaded_sem);
	}
	if (err) {
		up_read(&in->loaded_sem);
		return err == -ENOMEM ? err : -EIO;
	}

	return 0;
}

static void unlock_loaded(struct memfd_luo_in *in)
{
	up_read(&in->loaded_sem);
}

/*
 * Putting folios into the file
 */

/* Charges a restored folio, unless it was charged before it was kept. */
static int charge(struct memfd_luo_in *in, struct folio *folio, gfp_t gfp)
{
	return mem_cgroup_disabled() || folio_memcg(folio) ? 0 :
	       mem_cgroup_charge(folio, NULL, gfp);
}

/* Puts a restored folio into the file and drops the reference. */
static int insert(struct memfd_luo_in *in, struct folio *folio, gfp_t gfp)
{
	struct mem_cgroup *old = set_active_memcg(in->memcg);
	int err = charge(in, folio, gfp);

	if (!err)
		err = shmem_insert_folio(in->luo->inode, folio, folio->index, gfp);
	set_active_memcg(old);
	if (err == -EEXIST) {
		/* If two folios overlap in a damaged array, the one in the page cache stays. */
		pr_warn_ratelimited("page %#lx of a file was handed over twice, one is dropped\n",
				    folio->index);
		folio_put(folio);
		return 0;
	}
	if (!err) {
		atomic_long_add(folio_nr_pages(folio), &in->added);
		folio_put(folio);
	}

	return err;
}

static void keep(struct memfd_luo_windows *w, struct folio *folio)
{
	list_add_tail(&folio->lru, &w->kept);
}

/* Inserts the folios that could not be inserted before. */
static noinline int insert_all_kept(struct memfd_luo_in *in, struct memfd_luo_windows *w,
				    gfp_t gfp)
{
	struct folio *folio, *next;

	list_for_each_entry_safe(folio, next, &w->kept, lru) {
		int err;

		list_del(&folio->lru);
		err = insert(in, folio, gfp);
		if (err) {
			keep(w, folio);
			return err;
		}
	}

	return 0;
}

static int insert_kept(struct memfd_luo_in *in, struct memfd_luo_windows *w, gfp_t gfp)
{
	return likely(list_empty(&w->kept)) ? 0 : insert_all_kept(in, w, gfp);
}

static bool is_there(struct memfd_luo_in *in, pgoff_t index)
{
	return xa_load(&in->luo->inode->i_mapping->i_pages, index);
}

/*
 * Prepares a restored folio for the file. No other task can find the folio before it is in
 * the page cache, so its flags need no atomic operation. It is dirty, or reclaim would drop
 * it.
 */
static void set_up_folio(struct folio *folio, const struct memfd_luo_folio_ser *entry)
{
	folio->index = entry->index;
	folio->flags |= BIT(PG_swapbacked) | BIT(PG_dirty);
	if (entry->flags & MEMFD_LUO_FOLIO_UPTODATE)
		folio->flags |= BIT(PG_uptodate);
}

/* Restores the folio of an entry. Returns NULL if the folio does not wait. */
static struct folio *restore_entry(const struct memfd_luo_folio_ser *entry)
{
	struct folio *folio = kho_restore_if_waiting(entry->pfn);

	if (likely(folio))
		set_up_folio(folio, entry);

	return folio;
}

/* Has the folio a supported order, an aligned index, and room before the index @next? */
static bool folio_fits(struct folio *folio, u64 next)
{
	return order_is_fine(folio_order(folio)) &&
	       IS_ALIGNED(folio->index, folio_nr_pages(folio)) &&
	       next - folio->index >= folio_nr_pages(folio);
}

/*
 * Marks the pages of a folio as lost. A look-up of such a page finds an entry as for a page
 * that cannot be read from swap. The size of the folio is not known, so all pages that it
 * can have covered are lost.
 */
static int lose(struct memfd_luo_in *in, const struct memfd_luo_folio_ser *entry)
{
	const pgoff_t index = entry->index;
	u64 pages = min_t(u64, next_index(in, entry), in->end) - index;

	pages = min_t(u64, pages, BIT(MAX_PAGECACHE_ORDER));
	if (index)
		pages = min_t(u64, pages, BIT_ULL(__ffs(index)));
	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		pages = 1;

	for (unsigned long i = 0; i < pages; i++) {
		int err = shmem_insert_poison(in->luo->inode, index + i);

		if (err)
			return err;
	}
	atomic_long_inc(&in->added);
	pr_warn("page %#lx of a file is lost: no folio waits for it at %#llx\n", index,
		entry_phys(entry));

	return 0;
}

/*
 * Puts the folio of an entry into the file, with the mutex of its window held. The folio
 * may be in the file already, if it was taken before the array was read, or if it was kept
 * for a while.
 */
static int take_entry(struct memfd_luo_in *in, struct memfd_luo_windows *w,
		      struct memfd_luo_folio_ser *entry, gfp_t gfp)
{
	struct folio *folio;
	int err;

	err = insert_kept(in, w, gfp);
	if (err)
		return err;

	folio = restore_entry(entry);
	if (folio && !folio_fits(folio, next_index(in, entry))) {
		folio_put(folio);
		folio = NULL;
	}
	if (folio) {
		err = insert(in, folio, gfp);
		if (err)
			keep(w, folio);
	} else if (!is_there(in, entry->index)) {
		err = lose(in, entry);
	}
	if (err)
		return err;

	entry->pfn = 0;
	count_done(in, 1);

	return 0;
}

/*
 * Most folios are of order 0 and follow each other in the file. Such a run is put into the
 * file at once, which takes less than half of the time.
 */

/**
 * struct run - folios of order 0 with consecutive indices
 * @nr: number of folios
 * @folios: the folios, which are restored and not in the page cache yet
 */
struct run {
	unsigned int nr;
	struct folio *folios[RUN_PAGES];
};

/*
 * Restores the folios of a run that begins with an entry and ends before @to. The index of
 * the next entry tells which folios are of order 0. A folio that is larger than that is not
 * taken: take_entry() reports it. Returns false if there is no run.
 */
static bool restore_run(struct memfd_luo_in *in, const struct memfd_luo_folio_ser *entry,
			const struct memfd_luo_folio_ser *end, u64 to, struct run *run)
{
	unsigned long pfns[RUN_PAGES];
	unsigned int nr = 0;

	to = min3(to, (u64)in->end, ALIGN(entry->index + 1, RUN_PAGES));
	for (const struct memfd_luo_folio_ser *it = entry; it + 1 < end; it++) {
		if (it->index >= to || !it->pfn || it[1].index - it->index != 1)
			break;
		pfns[nr++] = it->pfn;
	}
	run->nr = nr ? kho_restore_batch(pfns, nr, run->folios) : 0;
	for (unsigned int i = 0; i < run->nr; i++)
		set_up_folio(run->folios[i], &entry[i]);

	return run->nr;
}

/* Keeps all folios but the first @nr. */
static void shorten(struct run *run, unsigned int nr, struct memfd_luo_windows *w)
{
	for (unsigned int i = nr; i < run->nr; i++)
		keep(w, run->folios[i]);
	run->nr = nr;
}

/* Counts folios that were added to the page cache. The caller holds the i_pages lock. */
static void count_added(struct address_space *mapping, struct run *run, unsigned int from,
			unsigned int to)
{
	mapping->nrpages += to - from;
	/* All folios of a run are charged to one memory cgroup. */
	while (from < to) {
		struct folio *folio = run->folios[from];
		unsigned int i = from + 1;

		while (i < to && folio_nid(run->folios[i]) == folio_nid(folio))
			i++;
		__lruvec_stat_mod_folio(folio, NR_FILE_PAGES, i - from);
		__lruvec_stat_mod_folio(folio, NR_SHMEM, i - from);
		from = i;
	}
}

/*
 * Stores folios after the one that was just stored, as far as there are empty slots in the
 * same leaf. Returns how many were stored. xas_store() does no more than this here, since a
 * shmem mapping has no update callback, see mapping_set_update(). But xas_store() for each
 * folio takes several times as long, with the i_pages lock held, for which all tasks that
 * populate the file compete.
 */
static unsigned int fill_leaf(struct xa_state *xas, struct address_space *mapping,
			      struct folio **folios, unsigned int nr)
{
	struct xa_node *leaf = xas->xa_node;
	unsigned int at = xas->xa_offset + 1, i = 0;

	/* The only entry of an array can be without a leaf. */
	if (!leaf)
		return 0;

	while (i < nr && at < XA_CHUNK_SIZE && !xa_entry_locked(xas->xa, leaf, at)) {
		folios[i]->mapping = mapping;
		rcu_assign_pointer(leaf->slots[at++], folios[i++]);
	}
	leaf->count += i;

	return i;
}

/*
 * Adds folios to the page cache, which gets the reference that a restored folio has.
 * Returns how many were added.
 */
static unsigned int add_run(struct address_space *mapping, struct run *run, gfp_t gfp)
{
	XA_STATE(xas, &mapping->i_pages, 0);
	unsigned int i = 0, from;

	do {
		xas_lock_irq(&xas);
		from = i;
		while (i < run->nr) {
			struct folio *folio = run->folios[i];

			xas_set(&xas, folio->index);
			if (xas_load(&xas))
				break;
			folio->mapping = mapping;
			xas_store(&xas, folio);
			if (xas_error(&xas)) {
				folio->mapping = NULL;
				break;
			}
			i++;
			i += fill_leaf(&xas, mapping, &run->folios[i], run->nr - i);
		}
		count_added(mapping, run, from, i);
		xas_unlock_irq(&xas);
	} while (xas_nomem(&xas, gfp & GFP_RECLAIM_MASK));

	return i;
}

/*
 * Adds folios to the LRU lists, like folio_add_lru() for each, but counts the folios of a
 * zone once. All folios have the same flags, and so belong to LRU lists of the same kind.
 */
static void add_run_to_lru(struct run *run)
{
	struct lruvec *lruvec = NULL;
	unsigned int i = 0;

	while (i < run->nr) {
		struct folio *first = run->folios[i];
		const enum lru_list lru = folio_lru_list(first);
		const int zone = page_zone_id(&first->page);
		long nr = 0;

		lruvec = folio_lruvec_relock_irq(first, lruvec);
		for (; i < run->nr && page_zone_id(&run->folios[i]->page) == zone; i++) {
			struct folio *folio = run->folios[i];

			/* lru_gen_add_folio() counts the folios that it adds. */
			if (!lru_gen_add_folio(lruvec, folio, false)) {
				list_add(&folio->lru, &lruvec->lists[lru]);
				nr++;
			}
			folio_set_lru(folio);
		}
		if (nr)
			update_lru_size(lruvec, lru, folio_zonenum(first), nr);
	}
	if (lruvec)
		unlock_page_lruvec_irq(lruvec);
}

/* Puts a run into the file. Folios that could not be inserted are kept. */
static int insert_run(struct memfd_luo_in *in, struct memfd_luo_windows *w, struct run *run,
		      gfp_t gfp)
{
	struct mem_cgroup *old = set_active_memcg(in->memcg);
	struct inode *inode = in->luo->inode;
	unsigned int nr = run->nr, i;
	int err = 0;

	for (i = 0; i < nr && !err; i++)
		err = charge(in, run->folios[i], gfp);
	if (err)
		shorten(run, i - 1, w);
	if (run->nr && shmem_insert_begin(inode, run->nr)) {
		shorten(run, 0, w);
		err = -ENOSPC;
	}
	if (run->nr) {
		nr = run->nr;
		i = add_run(inode->i_mapping, run, gfp);
		shmem_insert_end(inode, nr, i);
		if (i < nr) {
			shorten(run, i, w);
			err = -ENOMEM;
		}
		atomic_long_add(i, &in->added);
		add_run_to_lru(run);
	}
	set_active_memcg(old);

	return err;
}

/* Returns the number of the first entry with an index of at least @index. */
static unsigned long find_entry(struct memfd_luo_in *in, pgoff_t index)
{
	unsigned long from = 0, to = in->nr;

	while (from < to) {
		unsigned long i = from + (to - from) / 2;

		if (in->entries[i].index < index)
			from = i + 1;
		else
			to = i;
	}

	return from;
}

/*
 * Puts the folios of the entries from *@i on, with an index below @to, into the file. They
 * are in one window. Stores the number of the first entry that was not looked at in *@i.
 */
static int take_entries(struct memfd_luo_in *in, struct memfd_luo_windows *w, unsigned long *i,
			u64 to, gfp_t gfp)
{
	struct memfd_luo_folio_ser *entry = in->entries + *i, *end = in->entries + in->nr;
	int err = insert_kept(in, w, gfp);
	struct run run;

	while (!err && entry < end && entry->index < to) {
		if (!entry->pfn) {
			entry++;
		} else if (restore_run(in, entry, end, to, &run)) {
			err = insert_run(in, w, &run, gfp);
			for (unsigned int k = 0; k < run.nr; k++)
				entry[k].pfn = 0;
			if (run.nr)
				count_done(in, run.nr);
			entry += run.nr;
		} else {
			err = take_entry(in, w, entry, gfp);
			entry++;
		}
	}
	*i = entry - in->entries;

	return err;
}

/* Puts all folios with an index in [from, to), within one window, into the file. */
static int take_range(struct memfd_luo_in *in, struct memfd_luo_windows *w, pgoff_t from,
		      pgoff_t to, gfp_t gfp)
{
	unsigned long i = find_entry(in, from);

	return take_entries(in, w, &i, to, gfp);
}

/* Returns the entry that waits and covers @index, or NULL. */
static struct memfd_luo_folio_ser *entry_at(struct memfd_luo_in *in, pgoff_t index)
{
	unsigned long i = find_entry(in, index + 1);
	struct memfd_luo_folio_ser *entry;

	if (!i)
		return NULL;
	entry = &in->entries[i - 1];
	if (!entry->pfn || index - entry->index >= BIT(entry_order(entry)))
		return NULL;

	return entry;
}

/* Puts the page at @index into the file if it waits, with the mutex of its window held. */
static int take_page(struct memfd_luo_in *in, struct memfd_luo_windows *w, pgoff_t index)
{
	const pgoff_t around = ALIGN_DOWN(index, AROUND_PAGES);
	struct memfd_luo_folio_ser *entry;
	pgoff_t start;
	int err;

	err = insert_kept(in, w, GFP_KERNEL);
	if (err || is_there(in, index))
		return err;

	entry = entry_at(in, index);
	if (entry) {
		err = take_entry(in, w, entry, GFP_KERNEL);
		if (!err)
			take_range(in, w, around, around + AROUND_PAGES,
				   GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
		return err;
	}

	/*
	 * A hole. The caller may allocate a large folio for it, and looks for pages around
	 * the hole to choose the size.
	 */
	start = ALIGN_DOWN(index, WINDOW_PAGES);

	return take_range(in, w, start, start + WINDOW_PAGES, GFP_KERNEL);
}

/*
 * Looking for a page in an array that still waits
 */

/* Reads the entries from position @i of a chunk on, which are in one page. */
static bool read_entries(u64 chunk, unsigned long i, struct memfd_luo_folio_ser *entries,
			 unsigned long nr)
{
	u64 phys = chunk + offsetof(struct kho_vmalloc_chunk, phys[i / PAGE_ENTRIES]);

	return kho_read_waiting(phys, &phys, sizeof(phys)) && PAGE_ALIGNED(phys) &&
	       kho_read_waiting(phys + i % PAGE_ENTRIES * sizeof(*entries), entries,
				nr * sizeof(*entries));
}

/*
 * Finds the last entry with an index of at most @index in [0, @nr) of the entries of a
 * chunk, and some entries after it. The first entry of the chunk has such an index. Returns
 * how many entries were found.
 */
static unsigned long search_chunk(u64 chunk, unsigned long nr, pgoff_t index,
				  struct memfd_luo_folio_ser *found)
{
	unsigned long from = 0, to = nr;

	while (to - from > 1) {
		unsigned long i = from + (to - from) / 2;
		struct memfd_luo_folio_ser entry;

		if (!read_entries(chunk, i, &entry, 1))
			return 0;
		if (entry.index <= index)
			from = i;
		else
			to = i;
	}
	nr = min3(nr - from, PAGE_ENTRIES - from % PAGE_ENTRIES, SEARCH_ENTRIES);

	return read_entries(chunk, from, found, nr) ? nr : 0;
}

/*
 * Finds the entry for @index if the array is sorted, or perhaps one for another index, and
 * some entries after it. Returns how many entries were found.
 */
static unsigned long search_waiting(struct memfd_luo_in *in, pgoff_t index,
				    struct memfd_luo_folio_ser *found)
{
	const unsigned long per_chunk = KHO_VMALLOC_CHUNK_LEN * PAGE_ENTRIES;
	u64 chunk = in->kv.first.phys, next = chunk, last = 0;
	unsigned long nr = in->nr, last_nr = 0;
	struct memfd_luo_folio_ser entry;

	if (in->kv.order)
		return 0;
	for (;;) {
		if (!PAGE_ALIGNED(chunk) || !read_entries(chunk, 0, &entry, 1))
			return 0;
		if (entry.index > index)
			break;
		last = chunk;
		last_nr = min(nr, per_chunk);
		nr -= last_nr;
		if (!nr)
			break;
		if (!kho_read_waiting(chunk, &next, sizeof(next)) || !next)
			return 0;
		chunk = next;
	}

	return last ? search_chunk(last, last_nr, index, found) : 0;
}

/*
 * Puts a page into the file before the array is read. Returns -EAGAIN if the array has to
 * be read first.
 */
static int take_early(struct memfd_luo_in *in, struct memfd_luo_windows *w, pgoff_t index)
{
	struct memfd_luo_folio_ser found[SEARCH_ENTRIES], *entry = found;
	struct folio *folio;
	unsigned long nr;
	struct run run;
	int err, order;

	err = insert_kept(in, w, GFP_KERNEL);
	if (err || is_there(in, index))
		return err;

	nr = search_waiting(in, index, found);
	if (!nr || !entry->pfn)
		return -EAGAIN;
	if (entry->index == index &&
	    restore_run(in, found, found + nr, ALIGN(index + 1, AROUND_PAGES), &run)) {
		err = insert_run(in, w, &run, GFP_KERNEL);
		return run.nr ? 0 : err;
	}

	order = kho_waiting_order(entry->pfn);
	if (order < 0 || !order_is_fine(order) || !IS_ALIGNED(entry->index, BIT(order)) ||
	    entry->index > index || index - entry->index >= BIT(order))
		return -EAGAIN;
	/* A large folio must end before the next entry, which has to be known. */
	if (order && (nr < 2 || found[1].index - entry->index < BIT(order)))
		return -EAGAIN;
	folio = restore_entry(entry);
	if (!folio)
		return -EAGAIN;
	err = insert(in, folio, GFP_KERNEL);
	if (err)
		keep(w, folio);

	return err;
}

/**
 * memfd_luo_in_take - put a page into the file, if it waits
 * @luo: the file
 * @index: the page
 *
 * Afterwards the page cache tells whether there is a page or a hole at @index.
 *
 * Context: may sleep, without a folio locked.
 * Return: 0; -EINTR if the task is being killed; -ENOMEM; -ENOSPC; -EIO if the file is
 * lost.
 */
int memfd_luo_in_take(struct memfd_luo *luo, pgoff_t index)
{
	struct memfd_luo_windows *w = windows_of(luo->in, index);
	struct memfd_luo_in *in = luo->in;
	int err;

	/*
	 * The caller may allocate a large folio for a page at or after the end. That folio
	 * can begin before the end, so the rest of the window has to be in the file, as for
	 * a hole before the end.
	 */
	if (ALIGN_DOWN(index, WINDOW_PAGES) >= in->end || is_there(in, index))
		return 0;

	if (unlikely(!READ_ONCE(in->loaded)) && index < in->end) {
		if (mutex_lock_killable(&w->lock))
			return -EINTR;
		err = take_early(in, w, index);
		mutex_unlock(&w->lock);
		if (err != -EAGAIN)
			return err;
	}

	err = lock_loaded(in);
	if (err)
		return err;
	if (mutex_lock_killable(&w->lock)) {
		err = -EINTR;
	} else {
		err = take_page(in, w, index);
		mutex_unlock(&w->lock);
	}
	unlock_loaded(in);

	return err;
}

/* Puts the folios of the entries [i, end), and of their windows, into the file. */
static int populate_entries(struct memfd_luo_in *in, unsigned long i, unsigned long end, gfp_t gfp)
{
	while (i < end) {
		struct memfd_luo_windows *w;
		pgoff_t index;
		int err;

		if (!in->entries[i].pfn) {
			i++;
			continue;
		}
		index = in->entries[i].index;
		w = windows_of(in, index);
		/* Pairs with WRITE_ONCE() in stop_works(). */
		if (READ_ONCE(in->stop) || mutex_lock_killable(&w->lock))
			return -EINTR;
		err = take_entries(in, w, &i, ALIGN_DOWN(index, WINDOW_PAGES) + WINDOW_PAGES, gfp);
		mutex_unlock(&w->lock);
		if (err)
			return err;
		cond_resched();
	}

	return 0;
}

/*
 * Populates WORK_ENTRIES entries from @i on. Returns 1 if there are none. Drops @loaded_sem
 * afterwards: otherwise memfd_luo_in_blocks() would wait for it for long, and look-ups
 * would wait behind that writer.
 */
static int populate_batch(struct memfd_luo_in *in, unsigned long i, gfp_t gfp)
{
	int err = lock_loaded(in);

	if (err)
		return err;
	if (i < in->nr)
		err = populate_entries(in, i, min(i + WORK_ENTRIES, in->nr), gfp);
	else
		err = 1;
	unlock_loaded(in);

	return err;
}

/**
 * memfd_luo_in_populate - put all folios that wait into the file
 * @luo: the file
 *
 * Context: may sleep, without a folio locked.
 * Return: 0; -EINTR if the task is being killed; -ENOMEM; -ENOSPC; -EIO if the file is
 * lost.
 */
int memfd_luo_in_populate(struct memfd_luo *luo)
{
	/* Rather fail than let the OOM killer kill a task of the memory cgroup. */
	const gfp_t gfp = GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	struct memfd_luo_in *in = luo->in;
	unsigned long i = 0;
	int err;

	do {
		err = populate_batch(in, i, gfp);
		i += WORK_ENTRIES;
	} while (!err);

	return err < 0 ? err : 0;
}

/**
 * memfd_luo_in_blocks - count the blocks of a file, including pages that wait
 * @luo: the file
 *
 * Context: may sleep.
 * Return: the number of blocks of 512 bytes; without pages that wait if the array cannot be
 * read or if the task is being killed.
 */
blkcnt_t memfd_luo_in_blocks(struct memfd_luo *luo)
{
	struct memfd_luo_in *in = luo->in;
	blkcnt_t blocks;

	/* Makes sure that the array is read. */
	if (lock_loaded(in))
		return luo->inode->i_blocks;
	unlock_loaded(in);

	/* No task takes a folio of @entries meanwhile, so each page is counted exactly once. */
	if (down_write_killable(&in->loaded_sem))
		return luo->inode->i_blocks;
	blocks = in->pages - atomic_long_read(&in->added);
	blocks = luo->inode->i_blocks + (blocks << (PAGE_SHIFT - SECTOR_SHIFT));
	up_write(&in->loaded_sem);

	return blocks;
}

/**
 * memfd_luo_in_show - print how far a file is populated
 * @luo: the incoming file
 * @m: where to print it
 *
 * The number of pages is not known before the array is read.
 *
 * Context: may sleep, but does not wait for tasks that populate the file.
 */
void memfd_luo_in_show(struct memfd_luo *luo, struct seq_file *m)
{
	struct memfd_luo_in *in = luo->in;
	/* Pairs with smp_store_release() in count_done(). */
	const bool waits = smp_load_acquire(&luo->state) == MEMFD_LUO_IN;
	/* Pairs with WRITE_ONCE() in check_entries(). */
	unsigned long added = atomic_long_read(&in->added), pages = READ_ONCE(in->pages);

	if (!waits)
		added = pages;
	if (waits && !pages)
		seq_printf(m, " populated %lu of ? pages", added);
	else
		seq_printf(m, " populated %lu of %lu pages", min(added, pages), pages);
}

/*
 * Work items
 */

static void start_works(struct memfd_luo_in *in, unsigned int nr, unsigned long delay)
{
	for (; in->nr_works < nr; in->nr_works++)
		queue_delayed_work(system_unbound_wq, &in->works[in->nr_works].work, delay);
}

/* Body of a work item: populates entries until none is left, @stop is set, or one fails. */
static int populate_next(struct memfd_luo_in *in, gfp_t gfp)
{
	long next;

	for (;;) {
		unsigned long i = atomic_long_fetch_add(WORK_ENTRIES, &in->next);
		int err = populate_batch(in, i, gfp);

		if (err > 0)
			return 0;
		if (err) {
			/*
			 * Other work items may have moved @next meanwhile. Entries that are
			 * done are skipped.
			 */
			next = atomic_long_read(&in->next);
			while ((long)i < next &&
			       !atomic_long_try_cmpxchg(&in->next, &next, i))
				;
			return err;
		}
	}
}

static void populate_work(struct work_struct *work)
{
	struct memfd_luo_work *w = container_of(to_delayed_work(work), struct memfd_luo_work, work);
	struct memfd_luo_in *in = w->in;
	int err = lock_loaded(in);

	if (!err) {
		/* Only the first work item starts the others, once the array is read. */
		if (w == &in->works[0])
			start_works(in, min3(num_online_cpus(), 1 + in->nr / (4 * WORK_ENTRIES),
					     (unsigned long)MAX_WORKS), 0);
		unlock_loaded(in);
		err = populate_next(in, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	}
	/* Pairs with WRITE_ONCE() in stop_works(). */
	if (err && err != -EIO && !READ_ONCE(in->stop))
		queue_delayed_work(system_unbound_wq, &w->work, HZ / 10);
}

static void stop_works(struct memfd_luo_in *in)
{
	/* Pairs with READ_ONCE() in populate_entries() and populate_work(). */
	WRITE_ONCE(in->stop, true);
	/* The first work item may start others until it has ended. */
	for (unsigned int i = 0; i < MAX_WORKS; i++)
		cancel_delayed_work_sync(&in->works[i].work);
}

/*
 * The file
 */

static struct memfd_luo_in *alloc_in(struct memfd_luo *luo)
{
	struct memfd_luo_in *in = kzalloc(sizeof(*in), GFP_KERNEL_ACCOUNT);

	if (!in)
		return NULL;
	in->luo = luo;
	init_rwsem(&in->loaded_sem);
	for (unsigned int i = 0; i < NR_LOCKS; i++) {
		mutex_init(&in->windows[i].lock);
		INIT_LIST_HEAD(&in->windows[i].kept);
	}
	for (unsigned int i = 0; i < MAX_WORKS; i++) {
		INIT_DELAYED_WORK(&in->works[i].work, populate_work);
		in->works[i].in = in;
	}

	return in;
}

/* Makes an empty file with a struct memfd_luo, for which no folio waits yet. */
static struct file *make_file(void)
{
	struct file *file = shmem_file_setup("memfd:", 0, VM_NORESERVE);
	struct memfd_luo *luo;

	if (IS_ERR(file))
		return file;

	luo = memfd_luo_alloc(file_inode(file));
	if (luo)
		luo->in = alloc_in(luo);
	if (!luo || !luo->in) {
		kfree(luo);
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	SHMEM_I(file_inode(file))->luo = luo;
	luo->in->memcg = get_mem_cgroup_from_mm(current->mm);

	return file;
}

static int set_up_file(struct file *file, const struct memfd_luo_ser *ser)
{
	const unsigned int wx = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	struct inode *inode = file_inode(file);
	int err;

	if (ser->seals & F_SEAL_WRITE) {
		err = mapping_deny_writable(inode->i_mapping);
		if (err)
			return err;
	}
	/*
	 * F_SEAL_EXEC on a file with an execute bit adds all of @wx, see memfd_add_seals().
	 * So the file had no execute bit if one of these seals is missing.
	 */
	if (ser->seals & F_SEAL_EXEC && (ser->seals & wx) != wx)
		inode->i_mode &= ~0111;
	SHMEM_I(inode)->seals = ser->seals;
	i_size_write(inode, ser->size);
	file->f_pos = ser->pos;
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	file->f_flags |= O_LARGEFILE;

	return 0;
}

/* From here on the array and the folios that wait belong to the file. */
static int set_up_waiting(struct memfd_luo *luo, const struct memfd_luo_ser *ser)
{
	struct memfd_luo_in *in = luo->in;
	int err;

	if (!ser->nr_folios)
		return 0;

	in->kv = ser->folios;
	in->nr = ser->nr_folios;
	in->end = DIV_ROUND_UP_ULL(ser->size, PAGE_SIZE);
	atomic_long_set(&in->left, in->nr);
	luo->state = MEMFD_LUO_IN;
	if (in->nr <= READ_AT_ONCE) {
		err = lock_loaded(in);
		if (err == -EIO)
			return err;
		/* If memory cannot be allocated, the array is read later, and is not lost. */
		if (!err)
			unlock_loaded(in);
	}
	start_works(in, 1, START_JIFFIES);

	return 0;
}

/**
 * memfd_luo_in_retrieve - make the file that the previous kernel handed over
 * @data: the address of the structure
 *
 * After an error all memory of the incoming file is freed, unless the error is -ENOMEM,
 * with which nothing was taken out of the handover: then memfd_luo_in_discard() frees it.
 *
 * Context: may sleep, in the memory cgroup that the pages are charged to.
 * Return: the file, of which the folios may still wait; an ERR_PTR(): -ENOMEM; -EIO if
 * nothing waits at @data or if the array does not wait; -EINVAL or -EOPNOTSUPP if the
 * structure is invalid or not supported.
 */
struct file *memfd_luo_in_retrieve(u64 data)
{
	struct memfd_luo_ser ser;
	struct file *file;
	int err;

	file = make_file();
	/* The caller can try again after any error, such as -ENFILE: nothing was taken. */
	if (IS_ERR(file))
		return ERR_PTR(-ENOMEM);

	if (!take_ser(data, &ser)) {
		pr_warn("a file is lost: nothing waits at %#llx\n", data);
		fput(file);
		return ERR_PTR(-EIO);
	}

	err = check_ser(&ser);
	if (!err)
		err = set_up_file(file, &ser);
	if (err) {
		pr_warn("a file is lost: its description at %#llx is invalid (%d)\n", data, err);
		free_array_of(&ser);
		fput(file);
		return ERR_PTR(err);
	}

	err = set_up_waiting(SHMEM_I(file_inode(file))->luo, &ser);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}

	return file;
}

static void free_kept(struct memfd_luo_windows *w)
{
	struct folio *folio, *next;

	list_for_each_entry_safe(folio, next, &w->kept, lru) {
		list_del(&folio->lru);
		folio_put(folio);
	}
}

/* Frees all folios that are not in the file. No other task may populate the file. */
static void free_rest(struct memfd_luo_in *in)
{
	if (!in->loaded && in->nr)
		load(in);
	if (!in->entries && atomic_long_read(&in->left) && !in->loaded)
		pr_warn("no memory to free %lu folios, which go on waiting\n", in->nr);
	for (unsigned int i = 0; i < NR_LOCKS; i++)
		free_kept(&in->windows[i]);
	/* An invalid array may name folios of other files, so they go on waiting. */
	if (in->entries && !in->error && atomic_long_read(&in->left))
		free_waiting(in->entries, in->nr);
	vfree(in->entries);
	in->entries = NULL;
	in->nr = 0;
	in->loaded = true;
}

/**
 * memfd_luo_in_finish - end the handover of a file that was retrieved
 * @luo: the file
 *
 * If folios still wait, the work items go on populating the file, and folios that are left
 * are freed with the file.
 *
 * Context: may sleep.
 */
void memfd_luo_in_finish(struct memfd_luo *luo)
{
	if (atomic_long_read(&luo->in->left) && !luo->in->error)
		return;
	stop_works(luo->in);
	down_write(&luo->in->loaded_sem);
	free_rest(luo->in);
	up_write(&luo->in->loaded_sem);
}

/**
 * memfd_luo_in_evict - free all folios that wait for a file whose inode is evicted
 * @luo: the file
 *
 * Context: may sleep.
 */
void memfd_luo_in_evict(struct memfd_luo *luo)
{
	stop_works(luo->in);
	/* No other task uses the inode. No lock is taken, since reclaim can evict an inode. */
	free_rest(luo->in);
}

/**
 * memfd_luo_in_free - free the structure
 * @luo: the file, which is being freed
 *
 * Context: any, never sleeps.
 */
void memfd_luo_in_free(struct memfd_luo *luo)
{
	mem_cgroup_put(luo->in->memcg);
	kfree(luo->in);
}
