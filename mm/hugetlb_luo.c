// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update of hugetlb pages: files that are handed over.
 *
 * This file owns the file handler, and a file from when it is preserved until the kexec or
 * until it is unpreserved. hugetlb_luo_in.c owns the file in the next kernel,
 * hugetlb_luo_pool.c the page counts of the pools that are handed over, and
 * hugetlb_luo_free.c the choice of free pages for the file. hugetlb and hugetlbfs call this
 * file, hugetlb_luo_pool.c and hugetlb_luo_free.c through <linux/hugetlb_luo.h>.
 *
 * A preserved file has a fixed size, and no page is removed from its page cache: each page
 * is preserved with KHO and has an additional reference, for which migration leaves it
 * alone. Each preserved page has the flag HPG_preserved set, so walk() skips a page that
 * __hugetlb_luo_add() has preserved meanwhile. A task that adds a page reads
 * hugetlb_luo.preserved after the page is in the page cache, and the i_pages lock orders
 * that with start(): either walk() finds the page, or the task finds the file preserved, or
 * both.
 *
 * A page fault must not fail because the only free page cannot be handed over from where it
 * is, or because memory to preserve it cannot be allocated. __hugetlb_luo_add() then leaves
 * the page in the file without preserving it: such a page is called a stray.
 * hugetlb_luo_freeze() migrates and preserves strays; if it cannot, it fails, with nothing
 * lost.
 *
 * Hugetlb pages are never swapped, and are up to date when they are added to the page
 * cache. So it is enough that no page is added to a frozen file: a page fault sleeps in
 * hugetlb_luo_wait() before it takes a mutex of hugetlb_fault_mutex_table. A page fault
 * that is past this point when the file becomes frozen adds no page, and is retried.
 *
 * With vmemmap optimisation (HVO), tail struct pages are shared and read-only. This file
 * writes only to the first struct page, which is not shared.
 *
 * struct hugetlb_luo lives as long as its inode, so readers of the pointer need no lock.
 * Locks, from the outside in: mmap_lock, inode lock, hugetlb_fault_mutex_table, folio lock,
 * hugetlb_luo.lock, i_pages lock.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "hugetlb-luo: " fmt

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/hugetlb_luo.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/kho/abi/hugetlb.h>
#include <linux/liveupdate.h>
#include <linux/migrate.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/pagevec.h>
#include <linux/rcupdate_wait.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "hugetlb_luo.h"
#include "internal.h"

/* The number of attempts to migrate a page that cannot stay where it is. */
#define MOVE_TRIES	10

/* pin() returns this for a page that has to be migrated. */
#define MUST_MOVE	1

/**
 * struct hugetlb_luo - live update state of a file
 * @inode: the file. Constant.
 * @h: the pool (hstate) of its pages. Constant.
 * @lock: guards all members below. While the file is frozen, only the file handler changes
 *	them, and need not hold @lock.
 * @preserved: the size is fixed, and each page is pinned. Set with the inode lock, @lock
 *	and the i_pages lock held, and cleared with @lock and the i_pages lock held. Also
 *	read without a lock.
 * @frozen: no page may be added to the file. Also read without @lock.
 * @strays: some pages were added without being preserved
 * @thaw: tasks that wait until @frozen is false
 * @entries: the pages, in a preserved vmalloc area
 * @nr: number of entries
 * @max: number of entries that @entries has room for
 * @kv: how @entries is preserved
 * @ranges: the reserved parts without a page, while the file is frozen
 * @nr_ranges: their number
 * @reserved: the number of pages in them
 * @ranges_kv: how @ranges is preserved
 * @ser: the structure that is handed over
 */
struct hugetlb_luo {
	struct inode *inode;
	struct hstate *h;
	struct mutex lock; /* see above */
	bool preserved;
	bool frozen;
	bool strays;
	wait_queue_head_t thaw;
	struct hugetlb_luo_folio_ser *entries;
	unsigned long nr;
	unsigned long max;
	struct kho_vmalloc kv;
	struct hugetlb_luo_range_ser *ranges;
	unsigned long nr_ranges;
	unsigned long reserved;
	struct kho_vmalloc ranges_kv;
	struct hugetlb_luo_ser *ser;
};

static struct resv_map *resv_of(struct inode *inode)
{
	return inode->i_data.i_private_data;
}

/*
 * Arrays
 */

/* Moves the entries to an array with room for @max. */
static int grow(struct hugetlb_luo *luo, unsigned long max)
{
	unsigned long bytes = PAGE_ALIGN(max * sizeof(*luo->entries));
	struct kho_vmalloc kv = {};
	void *entries = kho_vzalloc_preserve(bytes, &kv);

	if (IS_ERR(entries))
		return PTR_ERR(entries);
	if (luo->nr)
		memcpy(entries, luo->entries, luo->nr * sizeof(*luo->entries));
	kho_unpreserve_vfree(luo->entries, &luo->kv);
	luo->entries = entries;
	luo->max = bytes / sizeof(*luo->entries);
	luo->kv = kv;

	return 0;
}

/*
 * Pages
 */

static void refuse(struct folio *folio, const char *why)
{
	const phys_addr_t phys = PFN_PHYS(folio_pfn(folio));

	pr_warn_ratelimited("cannot hand over the page of %lu KiB at %pa: %s\n",
			    folio_size(folio) / SZ_1K, &phys, why);
}

/* Preserves a locked page. The caller holds hugetlb_luo.lock. */
static int keep(struct hugetlb_luo *luo, struct folio *folio)
{
	int err = 0;

	if (folio_test_hugetlb_preserved(folio))
		return 0;
	if (luo->nr == luo->max)
		err = grow(luo, luo->max + luo->max / 2 + 1);
	if (!err)
		err = kho_preserve_folio(folio);
	if (err)
		return err;

	luo->entries[luo->nr].pfn = folio_pfn(folio);
	luo->entries[luo->nr].index = folio->index >> huge_page_order(luo->h);
	luo->nr++;
	folio_get(folio);
	folio_set_hugetlb_preserved(folio);
	hugetlb_luo_pool_count(luo->h, folio_nid(folio), 1);

	return 0;
}

static void release_all(struct hugetlb_luo *luo)
{
	for (unsigned long i = 0; i < luo->nr; i++) {
		struct folio *folio = pfn_folio(luo->entries[i].pfn);

		hugetlb_luo_pool_count(luo->h, folio_nid(folio), -1);
		folio_clear_hugetlb_preserved(folio);
		kho_unpreserve_folio(folio);
		folio_put(folio);
		cond_resched();
	}
	luo->nr = 0;
}

/*
 * The walk
 */

/*
 * Preserves a page that the walk found. Returns -EAGAIN if it is not in the page cache any
 * more, and MUST_MOVE if it cannot be preserved where it is.
 */
static int pin(struct hugetlb_luo *luo, struct folio *folio)
{
	int err;

	folio_lock(folio);
	if (folio->mapping != luo->inode->i_mapping) {
		err = -EAGAIN;
	} else if (folio_test_hwpoison(folio)) {
		refuse(folio, "it is poisoned");
		err = -EHWPOISON;
	} else if (!folio_test_hugetlb_preserved(folio) && !hugetlb_luo_suits(folio)) {
		/* A preserved page stays where it is, even when its pageblock is isolated. */
		err = MUST_MOVE;
	} else {
		mutex_lock(&luo->lock);
		err = keep(luo, folio);
		mutex_unlock(&luo->lock);
	}
	folio_unlock(folio);

	return err;
}

/*
 * Migrates a page to memory where it can stay: to a free page of its pool, or to a new
 * page, which is from low memory if @low is true. Drops the reference.
 */
static void move(struct folio *folio, bool low)
{
	struct migration_target_control mtc = {
		.nid = NUMA_NO_NODE,
		.gfp_mask = GFP_USER | __GFP_NOWARN,
		.reason = MR_LONGTERM_PIN,
	};
	struct hugetlb_luo_want want;
	LIST_HEAD(list);
	bool isolated = isolate_hugetlb(folio, &list);

	folio_put(folio);
	hugetlb_luo_want(&want, low);
	if (isolated && migrate_pages(&list, alloc_migration_target, NULL, (unsigned long)&mtc,
				      MIGRATE_SYNC, MR_LONGTERM_PIN, NULL))
		putback_movable_pages(&list);
	hugetlb_luo_unwant(&want);
}

/* Preserves the page at @index, in base pages, after migrating it. */
static int pin_slowly(struct hugetlb_luo *luo, pgoff_t index)
{
	for (unsigned int tries = 0; !fatal_signal_pending(current); tries++) {
		struct folio *folio = filemap_get_folio(luo->inode->i_mapping, index);
		int err;

		if (IS_ERR(folio))
			return 0;
		err = pin(luo, folio);
		if (err != MUST_MOVE && err != -EAGAIN) {
			folio_put(folio);
			return err;
		}
		if (tries == MOVE_TRIES) {
			refuse(folio, "it lies in scratch, CMA or added memory");
			folio_put(folio);
			return -EBUSY;
		}
		if (err == MUST_MOVE)
			move(folio, tries >= MOVE_TRIES / 2);
		else
			folio_put(folio);
	}

	return -EINTR;
}

/* Returns the size of the file in huge pages. fallocate() can leave a partial one. */
static u64 pages_of(struct hugetlb_luo *luo)
{
	return DIV_ROUND_UP_ULL(i_size_read(luo->inode), huge_page_size(luo->h));
}

/* Preserves all pages below the size of the file. */
static int walk(struct hugetlb_luo *luo)
{
	const pgoff_t end = pages_of(luo) << huge_page_order(luo->h);
	pgoff_t slow[PAGEVEC_SIZE], next = 0;
	struct folio_batch batch;
	int err = 0;

	folio_batch_init(&batch);
	while (!err && end && filemap_get_folios(luo->inode->i_mapping, &next, end - 1, &batch)) {
		unsigned int nr_slow = 0;

		for (unsigned int i = 0; i < folio_batch_count(&batch) && err <= 0; i++) {
			const pgoff_t index = batch.folios[i]->index;

			err = pin(luo, batch.folios[i]);
			if (err == MUST_MOVE || err == -EAGAIN) {
				slow[nr_slow++] = index;
				err = 0;
			}
			if (err)
				break;
		}
		/* Drop the references: they would prevent migration. */
		folio_batch_release(&batch);
		for (unsigned int i = 0; i < nr_slow && !err; i++)
			err = pin_slowly(luo, slow[i]);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}

	return err;
}

/*
 * Reservations
 */

/* Returns the number of regions of the file. */
static unsigned long count_regions(struct inode *inode, unsigned long *pages)
{
	struct resv_map *resv = resv_of(inode);
	struct file_region *region;
	unsigned long nr = 0;

	*pages = 0;
	spin_lock(&resv->lock);
	list_for_each_entry(region, &resv->regions, link) {
		nr++;
		*pages += region->to - region->from;
	}
	spin_unlock(&resv->lock);

	return nr;
}

/* Copies up to @nr regions of the file, in order. Returns how many there are. */
static unsigned long copy_regions(struct inode *inode, struct hugetlb_luo_range_ser *to,
				  unsigned long nr)
{
	struct resv_map *resv = resv_of(inode);
	struct file_region *region;
	unsigned long i = 0;

	spin_lock(&resv->lock);
	list_for_each_entry(region, &resv->regions, link) {
		if (i < nr) {
			to[i].from = region->from;
			to[i].to = region->to;
		}
		i++;
	}
	spin_unlock(&resv->lock);

	return i;
}

/**
 * struct holes - parts of a file that are reserved and have no page
 * @ranges: the parts; NULL to count pages only
 * @nr: their number
 * @max: number of parts that @ranges has room for
 * @pages: the number of pages in them
 */
struct holes {
	struct hugetlb_luo_range_ser *ranges;
	unsigned long nr;
	unsigned long max;
	unsigned long pages;
};

static void add_hole(struct holes *holes, u64 from, u64 to)
{
	if (from >= to)
		return;
	holes->pages += to - from;
	if (!holes->ranges || WARN_ON_ONCE(holes->nr == holes->max))
		return;
	holes->ranges[holes->nr].from = from;
	holes->ranges[holes->nr].to = to;
	holes->nr++;
}

/*
 * Adds the parts of a region that have no page, and the part beyond the end of the file: a
 * page there is not handed over, but its reservation is. If the file is not frozen, pages
 * may be added meanwhile.
 */
static void add_holes(struct hugetlb_luo *luo, const struct hugetlb_luo_range_ser *region,
		      struct holes *holes)
{
	const unsigned int order = huge_page_order(luo->h);
	XA_STATE(xas, &luo->inode->i_mapping->i_pages, region->from << order);
	u64 from = region->from;
	struct folio *folio;

	rcu_read_lock();
	xas_for_each(&xas, folio, (region->to << order) - 1) {
		if (xas_retry(&xas, folio))
			continue;
		if (xas.xa_index >> order >= pages_of(luo))
			break;
		add_hole(holes, from, xas.xa_index >> order);
		from = (xas.xa_index >> order) + 1;
		if (need_resched()) {
			xas_pause(&xas);
			cond_resched_rcu();
		}
	}
	rcu_read_unlock();
	add_hole(holes, from, region->to);
}

static void free_ranges(struct hugetlb_luo *luo)
{
	kho_unpreserve_vfree(luo->ranges, &luo->ranges_kv);
	luo->ranges = NULL;
	luo->nr_ranges = 0;
	luo->reserved = 0;
}

/* Copies all regions into a new array. Returns NULL if memory cannot be allocated. */
static struct hugetlb_luo_range_ser *get_regions(struct inode *inode, unsigned long *nr)
{
	struct hugetlb_luo_range_ser *regions;
	unsigned long pages, room;

	/* Other tasks may make reservations meanwhile. */
	for (;;) {
		room = count_regions(inode, &pages) + 1;
		regions = kvmalloc_array(room, sizeof(*regions), GFP_KERNEL);
		if (!regions)
			return NULL;
		*nr = copy_regions(inode, regions, room);
		if (*nr <= room)
			return regions;
		kvfree(regions);
		cond_resched();
	}
}

/* Copies the reserved parts to a preserved array. */
static int keep_holes(struct hugetlb_luo *luo, const struct holes *holes)
{
	const unsigned long bytes = holes->nr * sizeof(*holes->ranges);
	void *ranges;

	if (!holes->nr)
		return 0;
	ranges = kho_vzalloc_preserve(PAGE_ALIGN(bytes), &luo->ranges_kv);
	if (IS_ERR(ranges))
		return PTR_ERR(ranges);
	memcpy(ranges, holes->ranges, bytes);
	luo->ranges = ranges;
	luo->nr_ranges = holes->nr;
	luo->reserved = holes->pages;

	return 0;
}

/*
 * Writes to the handover which parts of the file are reserved and have no page. The file is
 * frozen, so no page is added. Reservations that processes make from here on are not handed
 * over, and end with these processes.
 */
static int write_ranges(struct hugetlb_luo *luo)
{
	struct hugetlb_luo_range_ser *regions;
	struct holes holes = {};
	unsigned long nr;
	int err = -ENOMEM;

	regions = get_regions(luo->inode, &nr);
	if (!regions)
		return err;
	/* Each region is at most one hole, and each page splits at most one hole in two. */
	holes.max = nr + luo->nr;
	if (holes.max)
		holes.ranges = kvmalloc_array(holes.max, sizeof(*holes.ranges), GFP_KERNEL);
	if (!holes.max || holes.ranges) {
		for (unsigned long i = 0; i < nr; i++)
			add_holes(luo, &regions[i], &holes);
		err = keep_holes(luo, &holes);
	}
	kvfree(holes.ranges);
	kvfree(regions);

	return err;
}

/*
 * The state of a file
 */

/* Returns the hugetlb_luo of the inode, or allocates it. The caller holds the inode lock. */
static struct hugetlb_luo *luo_of(struct inode *inode)
{
	struct hugetlb_luo *luo = HUGETLBFS_I(inode)->luo;

	if (luo)
		return luo;
	luo = kzalloc(sizeof(*luo), GFP_KERNEL_ACCOUNT);
	if (!luo)
		return NULL;
	luo->inode = inode;
	luo->h = hstate_inode(inode);
	mutex_init(&luo->lock);
	init_waitqueue_head(&luo->thaw);
	/* Pairs with READ_ONCE() in hugetlb_luo_has(), by address dependency. */
	smp_store_release(&HUGETLBFS_I(inode)->luo, luo);

	return luo;
}

/*
 * The i_pages lock orders this with the addition of a page, see the head of this file.
 * Pairs with READ_ONCE() in __hugetlb_luo_add() and __hugetlb_luo_is_fixed().
 */
static void set_preserved(struct hugetlb_luo *luo, bool preserved)
{
	xa_lock_irq(&luo->inode->i_mapping->i_pages);
	WRITE_ONCE(luo->preserved, preserved);
	xa_unlock_irq(&luo->inode->i_mapping->i_pages);
}

/* Frees the structure that is handed over, and the array of pages, which is empty now. */
static void free_ser(struct hugetlb_luo *luo)
{
	kho_unpreserve_free(luo->ser);
	luo->ser = NULL;
	kho_unpreserve_vfree(luo->entries, &luo->kv);
	luo->entries = NULL;
	luo->max = 0;
}

/* Marks the file preserved. None of its pages is preserved yet. */
static struct hugetlb_luo *start(struct inode *inode)
{
	struct hugetlb_luo *luo;
	unsigned long pages;
	int err;

	guard(rwsem_write)(&inode->i_rwsem);
	if (HUGETLBFS_I(inode)->seals & ~HUGETLB_LUO_SEALS)
		return ERR_PTR(-EOPNOTSUPP);
	luo = luo_of(inode);
	if (!luo)
		return ERR_PTR(-ENOMEM);

	guard(mutex)(&luo->lock);
	if (luo->preserved)
		return ERR_PTR(-EBUSY);
	/* With room for all reserved pages, a page fault on one need not call grow(). */
	count_regions(inode, &pages);
	err = grow(luo, pages + 1);
	if (err)
		return ERR_PTR(err);
	luo->ser = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(luo->ser)) {
		err = PTR_ERR(luo->ser);
		luo->ser = NULL;
	} else {
		err = hugetlb_luo_pool_get();
	}
	if (err) {
		free_ser(luo);
		return ERR_PTR(err);
	}
	set_preserved(luo, true);

	return luo;
}

/* Undoes start(), and unpreserves all pages. */
static void stop(struct hugetlb_luo *luo)
{
	mutex_lock(&luo->lock);
	set_preserved(luo, false);
	/* Pairs with READ_ONCE() in __hugetlb_luo_wait() and __hugetlb_luo_is_frozen(). */
	WRITE_ONCE(luo->frozen, false);
	luo->strays = false;
	release_all(luo);
	free_ranges(luo);
	free_ser(luo);
	hugetlb_luo_pool_put();
	mutex_unlock(&luo->lock);

	wake_up_all(&luo->thaw);
}

static void thaw(struct hugetlb_luo *luo)
{
	mutex_lock(&luo->lock);
	/* Pairs with READ_ONCE() in __hugetlb_luo_wait() and __hugetlb_luo_is_frozen(). */
	WRITE_ONCE(luo->frozen, false);
	free_ranges(luo);
	mutex_unlock(&luo->lock);
	wake_up_all(&luo->thaw);
}

/*
 * The file handler
 */

/* An inode of System V shared memory is private, and lives as long as its segment. */
static bool hugetlb_luo_can_preserve(struct liveupdate_file_handler *handler, struct file *file)
{
	struct inode *inode = file_inode(file);

	return is_file_hugepages(file) && S_ISREG(inode->i_mode) && !inode->i_nlink &&
	       !IS_PRIVATE(inode);
}

static unsigned long hugetlb_luo_get_id(struct file *file)
{
	return (unsigned long)file_inode(file);
}

/*
 * Is a part of the file reserved that has no page? Comparing the numbers of pages and
 * reservations is not enough: a page that memfd_pin_folios() has allocated need not be in a
 * region. Returns true as well if memory to find out cannot be allocated.
 */
static bool has_reserved(struct hugetlb_luo *luo)
{
	struct hugetlb_luo_range_ser *regions;
	struct holes holes = {};
	unsigned long nr;

	regions = get_regions(luo->inode, &nr);
	if (!regions)
		return true;
	for (unsigned long i = 0; i < nr && !holes.pages; i++)
		add_holes(luo, &regions[i], &holes);
	kvfree(regions);

	return holes.pages;
}

static int hugetlb_luo_preserve(struct liveupdate_file_op_args *args)
{
	struct hugetlb_luo *luo = start(file_inode(args->file));
	int err;

	if (IS_ERR(luo))
		return PTR_ERR(luo);

	err = walk(luo);
	if (!err && has_reserved(luo))
		err = hugetlb_luo_free_prepare(luo->h);
	if (err) {
		stop(luo);
		return err;
	}
	args->serialized_data = virt_to_phys(luo->ser);
	args->private_data = luo;

	return 0;
}

static void hugetlb_luo_unpreserve(struct liveupdate_file_op_args *args)
{
	stop(args->private_data);
}

/* Checks for pages that were poisoned after they were preserved. */
static int find_poison(struct hugetlb_luo *luo)
{
	for (unsigned long i = 0; i < luo->nr; i++) {
		struct folio *folio = pfn_folio(luo->entries[i].pfn);

		if (folio_test_hwpoison(folio)) {
			refuse(folio, "it is poisoned");
			return -EHWPOISON;
		}
	}

	return 0;
}

/* Preserves strays. The file is frozen. */
static int keep_strays(struct hugetlb_luo *luo)
{
	int err;

	if (!luo->strays)
		return 0;
	err = walk(luo);
	if (!err)
		luo->strays = false;

	return err;
}

/*
 * A task that adds a page holds one of these mutexes, and has checked @frozen with it held.
 * So after this loop each task that adds a page finds the file frozen.
 */
static void wait_for_faults(void)
{
	for (int i = 0; i < num_fault_mutexes; i++) {
		mutex_lock(&hugetlb_fault_mutex_table[i]);
		mutex_unlock(&hugetlb_fault_mutex_table[i]);
	}
}

static int hugetlb_luo_freeze(struct liveupdate_file_op_args *args)
{
	struct hugetlb_luo *luo = args->private_data;
	struct hugetlb_luo_ser *ser = luo->ser;
	int err;

	mutex_lock(&luo->lock);
	/* Pairs with READ_ONCE() in __hugetlb_luo_wait() and __hugetlb_luo_is_frozen(). */
	WRITE_ONCE(luo->frozen, true);
	mutex_unlock(&luo->lock);
	wait_for_faults();

	err = keep_strays(luo);
	if (!err)
		err = find_poison(luo);
	if (!err)
		err = write_ranges(luo);
	if (err) {
		thaw(luo);
		return err;
	}

	ser->page_size = huge_page_size(luo->h);
	ser->size = i_size_read(luo->inode);
	ser->nr_folios = luo->nr;
	ser->folios = luo->nr ? luo->kv : (struct kho_vmalloc){};
	ser->nr_ranges = luo->nr_ranges;
	ser->ranges = luo->ranges_kv;
	hugetlb_luo_pool_freeze(luo->h, luo->reserved);

	return 0;
}

static void hugetlb_luo_unfreeze(struct liveupdate_file_op_args *args)
{
	struct hugetlb_luo *luo = args->private_data;

	hugetlb_luo_pool_freeze(luo->h, -(long)luo->reserved);
	thaw(luo);
}

/* Processes can change seals, mode and position while the file is frozen. */
static void hugetlb_luo_jump(struct liveupdate_file_op_args *args)
{
	struct hugetlb_luo *luo = args->private_data;

	luo->ser->seals = HUGETLBFS_I(luo->inode)->seals;
	luo->ser->mode = luo->inode->i_mode & 07777;
	luo->ser->pos = args->file->f_pos;
}

static int hugetlb_luo_retrieve(struct liveupdate_file_op_args *args)
{
	return hugetlb_luo_in_retrieve(args->serialized_data, &args->file);
}

/*
 * The pages of a file that was not retrieved would be lost if memory to free them could not
 * be allocated. So the session can finish only when hugetlb_luo_in_prepare() succeeds.
 */
static bool hugetlb_luo_can_finish(struct liveupdate_file_op_args *args)
{
	int err = args->retrieve_status ? 0 : hugetlb_luo_in_prepare(args->serialized_data);

	if (err)
		args->retrieve_status = err;

	return !err;
}

static void hugetlb_luo_finish(struct liveupdate_file_op_args *args)
{
	if (args->retrieve_status != 1)
		hugetlb_luo_in_discard(args->serialized_data);
}

static const struct liveupdate_file_ops hugetlb_luo_ops = {
	.can_preserve = hugetlb_luo_can_preserve,
	.preserve = hugetlb_luo_preserve,
	.unpreserve = hugetlb_luo_unpreserve,
	.freeze = hugetlb_luo_freeze,
	.unfreeze = hugetlb_luo_unfreeze,
	.jump = hugetlb_luo_jump,
	.retrieve = hugetlb_luo_retrieve,
	.can_finish = hugetlb_luo_can_finish,
	.finish = hugetlb_luo_finish,
	.get_id = hugetlb_luo_get_id,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler hugetlb_luo_handler = {
	.ops = &hugetlb_luo_ops,
	.compatible = HUGETLB_LUO_COMPATIBLE,
};

static int __init hugetlb_luo_register(void)
{
	int err = liveupdate_register_file_handler(&hugetlb_luo_handler);

	if (err && err != -EOPNOTSUPP)
		pr_err("cannot register the file handler: %d\n", err);

	return 0;
}
late_initcall(hugetlb_luo_register);

/*
 * Hooks of hugetlb and hugetlbfs, called through <linux/hugetlb_luo.h>
 */

/**
 * __hugetlb_luo_wait - see hugetlb_luo_wait()
 * @inode: the file
 * @index: the page that is going to be looked up, in huge pages of the file
 *
 * Context: may sleep, with mmap_lock or a VMA lock held, and no other lock.
 * Return: true to go on; false if the task is being killed.
 */
bool __hugetlb_luo_wait(struct inode *inode, pgoff_t index)
{
	/* Pairs with smp_store_release() in luo_of(), by address dependency. */
	struct hugetlb_luo *luo = READ_ONCE(HUGETLBFS_I(inode)->luo);

	/* Pairs with WRITE_ONCE() in hugetlb_luo_freeze(), thaw() and stop(). */
	if (!READ_ONCE(luo->frozen) ||
	    xa_load(&inode->i_mapping->i_pages, index << huge_page_order(luo->h)))
		return true;

	return !wait_event_killable(luo->thaw, !READ_ONCE(luo->frozen));
}

/**
 * __hugetlb_luo_add - see hugetlb_luo_add()
 * @inode: the file
 * @folio: the page, which is locked and in the page cache
 *
 * Context: may sleep.
 * Return: 0; -EAGAIN if the file is frozen.
 */
int __hugetlb_luo_add(struct inode *inode, struct folio *folio)
{
	/* Pairs with smp_store_release() in luo_of(), by address dependency. */
	struct hugetlb_luo *luo = READ_ONCE(HUGETLBFS_I(inode)->luo);

	/* Pairs with WRITE_ONCE() in set_preserved(). Checked again with the lock held. */
	if (!READ_ONCE(luo->preserved))
		return 0;

	guard(mutex)(&luo->lock);
	if (!luo->preserved)
		return 0;
	if (luo->frozen)
		return -EAGAIN;
	if (!hugetlb_luo_suits(folio) || keep(luo, folio))
		luo->strays = true;

	return 0;
}

/**
 * __hugetlb_luo_is_frozen - see hugetlb_luo_is_frozen()
 * @inode: the file
 *
 * Context: with the fault mutex of the page held for as long as the answer is used.
 * Return: true if no page may be added to the file.
 */
bool __hugetlb_luo_is_frozen(struct inode *inode)
{
	/* Pairs with WRITE_ONCE() in hugetlb_luo_freeze(), thaw() and stop(). */
	return READ_ONCE(HUGETLBFS_I(inode)->luo->frozen);
}

/**
 * __hugetlb_luo_is_fixed - see hugetlb_luo_is_fixed()
 * @inode: the file
 *
 * Context: with the inode lock held; any, if the answer is only a hint.
 * Return: true if the file is preserved.
 */
bool __hugetlb_luo_is_fixed(struct inode *inode)
{
	/* Pairs with WRITE_ONCE() in set_preserved(). */
	return READ_ONCE(HUGETLBFS_I(inode)->luo->preserved);
}

/**
 * hugetlb_luo_refs - count the references that live update holds on a page
 * @folio: a folio of any kind in the page cache
 *
 * Context: any, with the i_pages lock or the folio lock held.
 * Return: their number.
 */
unsigned int hugetlb_luo_refs(struct folio *folio)
{
	return folio_test_hugetlb(folio) && folio_test_hugetlb_preserved(folio);
}

/**
 * hugetlb_luo_free - free the live update state of a file
 * @inode: the file, which is being freed
 *
 * Context: any, never sleeps.
 */
void hugetlb_luo_free(struct inode *inode)
{
	kfree(HUGETLBFS_I(inode)->luo);
}
