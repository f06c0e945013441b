// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update of memfds: files of shared memory that are handed over.
 *
 * This file owns the file handler, and a file from when it is preserved until the kexec or
 * until it is unpreserved: which of its folios are handed over, and the array that tells
 * the next kernel where in the file each folio belongs. memfd_luo_in.c owns the file in the
 * next kernel. mm/shmem.c calls this file through <linux/memfd_luo.h>, and this file calls
 * memfd_luo_in.c.
 *
 * A preserved file has a fixed size, and no folio below the size leaves the page cache:
 * each one is preserved with KHO and has an additional reference, for which reclaim,
 * migration, splitting and collapsing leave it alone. All of these need the folio lock and
 * compare the number of references with that lock held. The additional reference is taken
 * with the folio locked, so it is taken before or after them, not in between.
 *
 * Each folio is preserved exactly once. preserve() marks the file preserved with the
 * i_pages lock held, and then walks the page cache. A task that adds a new folio reads the
 * state in memfd_luo_add(), after it has added the folio and with the folio locked. If it
 * sees a file that is not preserved, the folio is in the page cache before the walk starts,
 * and the walk preserves it. Otherwise memfd_luo_add() preserves the folio, and records it
 * in @added for the walk, which then leaves it alone. Folios that are read from swap are
 * left to the walk: after the walk no page of the file is in swap.
 *
 * In a frozen file no page becomes up to date and none is added: @frozen is set with
 * the mutex held that memfd_luo_add() needs; and a task that finds a folio that is not up
 * to date checks @frozen with the folio locked, while freeze() locks each such folio
 * after it has set @frozen.
 *
 * struct memfd_luo lives as long as its inode, so readers of the pointer need no lock.
 * Locks, from the outside in: inode lock, mmap_lock, folio lock, memfd_luo.lock, i_pages
 * lock.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "memfd-luo: " fmt

#include <linux/err.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/liveupdate.h>
#include <linux/memfd_luo.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/pagevec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmalloc.h>

#include "internal.h"
#include "memfd_luo.h"

#define ENTRIES_PER_PAGE	(PAGE_SIZE / sizeof(struct memfd_luo_folio_ser))

/* The number of entries that freeze() looks at without giving up the mutex and the CPU. */
#define SETTLE_BATCH		1024

/* The number of attempts to migrate a folio that cannot stay where it is. */
#define MOVE_TRIES		10

/*
 * The memory of a folio
 */

/* Can the folio be handed over from where it is, and stay there for long? */
static bool is_suitable(struct folio *folio)
{
	const unsigned long pfn = folio_pfn(folio);

	return folio_is_longterm_pinnable(folio) &&
	       kho_ram_can_go_out(pfn, pfn + folio_nr_pages(folio));
}

static struct folio *alloc_on(gfp_t gfp, unsigned int order, int nid)
{
	struct folio *folio = __folio_alloc_node(gfp, order, nid);

	if (folio && !is_suitable(folio)) {
		folio_put(folio);
		folio = NULL;
	}

	return folio;
}

/* Allocates a suitable folio, on any node if @nid has hot-added memory only. */
static struct folio *alloc_suitable(gfp_t gfp, unsigned int order, int nid)
{
	struct folio *folio;
	int other;

	/* Only one zone can be named, and __GFP_DMA32 is added below. */
	gfp = (gfp & ~(__GFP_MOVABLE | __GFP_HIGHMEM)) | __GFP_NOWARN;
	folio = alloc_on(gfp, order, nid);
	if (!folio)
		folio = alloc_on(gfp | __GFP_DMA32, order, nid);
	for_each_node_state(other, N_MEMORY) {
		if (folio)
			break;
		folio = alloc_on(gfp | __GFP_THISNODE, order, other);
	}

	return folio;
}

static struct folio *alloc_target(struct folio *src, unsigned long unused)
{
	return alloc_suitable(GFP_USER, folio_order(src), folio_nid(src));
}

/* Isolates a folio and adds it to @list, unless another task has isolated it. */
static void isolate(struct folio *folio, struct list_head *list)
{
	if (!folio_isolate_lru(folio))
		return;

	list_add_tail(&folio->lru, list);
	node_stat_mod_folio(folio, NR_ISOLATED_ANON + folio_is_file_lru(folio),
			    folio_nr_pages(folio));
}

/* Migrates folios to suitable memory. Folios that cannot be migrated stay where they are. */
static void move(struct list_head *list)
{
	if (!list_empty(list) &&
	    migrate_pages(list, alloc_target, NULL, 0, MIGRATE_SYNC, MR_LONGTERM_PIN, NULL))
		putback_movable_pages(list);
}

/*
 * The array
 */

/* Moves the entries to an array with room for @max, which is preserved if @keep. */
static int resize(struct memfd_luo *luo, unsigned long max, bool keep)
{
	unsigned long size = PAGE_ALIGN(max * sizeof(*luo->entries));
	struct memfd_luo_folio_ser *entries;
	struct kho_vmalloc kv = {};

	entries = keep ? kho_vzalloc_preserve(size, &kv) : vzalloc(size);
	if (IS_ERR_OR_NULL(entries))
		return entries ? PTR_ERR(entries) : -ENOMEM;

	if (luo->nr)
		memcpy(entries, luo->entries, luo->nr * sizeof(*entries));
	kho_unpreserve_vfree(luo->entries, &luo->kv);
	luo->entries = entries;
	luo->max = size / sizeof(*entries);
	luo->kv = kv;

	return 0;
}

static int append(struct memfd_luo *luo, struct folio *folio)
{
	struct memfd_luo_folio_ser *entry;

	if (luo->nr == luo->max) {
		int err = resize(luo, max(luo->max + luo->max / 2, ENTRIES_PER_PAGE),
				 !luo->walking);

		if (err)
			return err;
	}

	entry = &luo->entries[luo->nr];
	entry->pfn = folio_pfn(folio);
	entry->flags = MEMFD_LUO_FOLIO_DIRTY;
	entry->index = folio->index;
	if (folio_test_uptodate(folio))
		entry->flags |= MEMFD_LUO_FOLIO_UPTODATE;
	else
		luo->fresh = min(luo->fresh, luo->nr);
	luo->nr++;

	return 0;
}

/* Preserves a locked folio. Returns -EINVAL if it cannot be handed over from where it is. */
static int keep(struct memfd_luo *luo, struct folio *folio)
{
	int err = kho_preserve_folio(folio);

	if (err)
		return err;

	err = append(luo, folio);
	if (err)
		kho_unpreserve_folio(folio);
	else
		folio_get(folio);

	return err;
}

static void release(struct folio *folio)
{
	kho_unpreserve_folio(folio);
	folio_put(folio);
}

static void release_all(struct memfd_luo_folio_ser *entries, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		if (entries[i].pfn)
			release(pfn_folio(entries[i].pfn));
		cond_resched();
	}
}

static void release_added(struct memfd_luo *luo)
{
	struct folio *folio;
	unsigned long index;

	xa_for_each(&luo->added, index, folio)
		release(folio);
	xa_destroy(&luo->added);
}

/*
 * The walk
 */

/*
 * Preserves a folio that the walk found. Returns -EAGAIN if it is not in the page cache
 * any more, and -EINVAL if it has to be moved first.
 */
static int pin(struct memfd_luo *luo, struct folio *folio)
{
	int err = 0;

	folio_lock(folio);
	if (folio->mapping != luo->inode->i_mapping) {
		err = -EAGAIN;
	} else if (!folio_is_longterm_pinnable(folio)) {
		err = -EINVAL;
	} else {
		mutex_lock(&luo->lock);
		/* A folio that has just replaced several is found for each of them. */
		if (luo->nr && luo->entries[luo->nr - 1].pfn == folio_pfn(folio))
			err = 0;
		else if (xa_empty(&luo->added) || !xa_load(&luo->added, folio->index))
			err = keep(luo, folio);
		mutex_unlock(&luo->lock);
	}
	folio_unlock(folio);

	return err;
}

/* Returns the folio at @index, from swap if need be, NULL for a hole, or an error. */
static struct folio *folio_at(struct memfd_luo *luo, pgoff_t index)
{
	struct folio *folio = filemap_get_entry(luo->inode->i_mapping, index);
	int err;

	if (!xa_is_value(folio))
		return folio;

	err = shmem_get_folio(luo->inode, index, 0, &folio, SGP_CACHE);
	if (err)
		return ERR_PTR(err);
	folio_unlock(folio);

	return folio;
}

static void move_one(struct folio *folio, bool again)
{
	LIST_HEAD(list);

	/* Folios in per-CPU lists of mm/swap.c cannot be isolated. */
	if (again)
		lru_add_drain_all();
	isolate(folio, &list);
	folio_put(folio);
	move(&list);
}

/* Preserves the folios of [index, end), including those in swap or in unsuitable memory. */
static int pin_slowly(struct memfd_luo *luo, pgoff_t index, pgoff_t end)
{
	struct xarray *pages = &luo->inode->i_mapping->i_pages;
	unsigned int tries = 0;

	while (index < end && xa_find(pages, &index, end - 1, XA_PRESENT)) {
		struct folio *folio = folio_at(luo, index);
		int err;

		if (IS_ERR(folio))
			return PTR_ERR(folio);
		if (!folio)
			continue;

		err = pin(luo, folio);
		if (!err) {
			index = folio_next_index(folio);
			folio_put(folio);
			tries = 0;
			continue;
		}
		if (err != -EINVAL && err != -EAGAIN) {
			folio_put(folio);
			return err;
		}
		if (++tries > MOVE_TRIES || fatal_signal_pending(current)) {
			folio_put(folio);
			return -EBUSY;
		}
		if (err == -EINVAL)
			move_one(folio, tries > 1);
		else
			folio_put(folio);
	}

	return 0;
}

/* Preserves the folios that find_folios() found, up to @end, and drops its references. */
static int pin_batch(struct memfd_luo *luo, struct folio_batch *batch, const pgoff_t *indices,
		     pgoff_t end)
{
	const unsigned int nr = folio_batch_count(batch);
	DECLARE_BITMAP(slow, PAGEVEC_SIZE) = {};
	unsigned long first = luo->nr;
	LIST_HEAD(moving);
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr; i++) {
		struct folio *folio = batch->folios[i];

		if (xa_is_value(folio)) {
			__set_bit(i, slow);
			continue;
		}
		if (!err)
			err = pin(luo, folio);
		if (err == -EINVAL)
			isolate(folio, &moving);
		if (err == -EINVAL || err == -EAGAIN) {
			__set_bit(i, slow);
			err = 0;
		}
		folio_put(folio);
	}
	move(&moving);
	if (err || bitmap_empty(slow, nr))
		return err;

	for_each_set_bit(i, slow, nr) {
		err = pin_slowly(luo, indices[i], i + 1 < nr ? indices[i + 1] : end);
		if (err)
			return err;
	}
	memfd_luo_sort(&luo->entries[first], luo->nr - first);

	return 0;
}

/*
 * Like find_get_entries(), but a third faster in a file with holes: find_get_entries()
 * looks at each empty slot.
 */
static bool find_folios(struct address_space *mapping, pgoff_t *start, pgoff_t last,
			struct folio_batch *batch, pgoff_t *indices)
{
	XA_STATE(xas, &mapping->i_pages, *start);
	struct folio *folio;
	unsigned long nr;
	pgoff_t at;

	rcu_read_lock();
	xas_for_each(&xas, folio, last) {
		if (xas_retry(&xas, folio))
			continue;
		if (!xa_is_value(folio)) {
			if (!folio_try_get(folio)) {
				xas_reset(&xas);
				continue;
			}
			if (unlikely(folio != xas_reload(&xas))) {
				folio_put(folio);
				xas_reset(&xas);
				continue;
			}
		}
		indices[batch->nr] = xas.xa_index;
		if (!folio_batch_add(batch, folio))
			break;
	}
	rcu_read_unlock();
	if (!folio_batch_count(batch))
		return false;

	folio = batch->folios[batch->nr - 1];
	at = indices[batch->nr - 1];
	nr = xa_is_value(folio) ? BIT(xa_get_order(&mapping->i_pages, at)) :
				  folio_nr_pages(folio);
	*start = round_down(at + nr, nr);

	return true;
}

/* Preserves all folios below the size of the file. */
static int walk(struct memfd_luo *luo)
{
	pgoff_t index = 0, end = DIV_ROUND_UP(i_size_read(luo->inode), PAGE_SIZE);
	pgoff_t indices[PAGEVEC_SIZE];
	struct folio_batch batch;
	int err;

	/* So that folios which were added a moment ago can be isolated. */
	lru_add_drain();
	while (index < end) {
		folio_batch_init(&batch);
		if (!find_folios(luo->inode->i_mapping, &index, end - 1, &batch, indices))
			break;
		err = pin_batch(luo, &batch, indices, index);
		if (err)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}

	return 0;
}

/* Appends an entry for each folio that was added during the walk. */
static int end_walk(struct memfd_luo *luo)
{
	struct folio *folio;
	unsigned long index;
	int err;

	guard(mutex)(&luo->lock);
	luo->nr_walked = luo->nr;
	xa_for_each(&luo->added, index, folio) {
		err = append(luo, folio);
		if (err) {
			/* stop() releases the folios of @added: drop their entries. */
			luo->nr = luo->nr_walked;
			return err;
		}
	}
	err = luo->nr ? resize(luo, luo->nr, true) : 0;
	if (err) {
		luo->nr = luo->nr_walked;
		return err;
	}

	xa_destroy(&luo->added);
	/* Pairs with READ_ONCE() in __memfd_luo_refs(). */
	WRITE_ONCE(luo->walking, false);

	return 0;
}

/*
 * The state of a file
 */

/* Returns the memfd_luo of the inode, or allocates it. The caller holds the inode lock. */
static struct memfd_luo *memfd_luo_of(struct inode *inode)
{
	struct memfd_luo *luo = SHMEM_I(inode)->luo;

	if (!luo) {
		luo = memfd_luo_alloc(inode);
		/*
		 * Pairs with READ_ONCE() in memfd_luo_has() and luo_of(), by address
		 * dependency.
		 */
		smp_store_release(&SHMEM_I(inode)->luo, luo);
	}

	return luo;
}

/*
 * The i_pages lock orders this with the addition of a folio, see the head of this file.
 * Pairs with READ_ONCE() in state_of() and __memfd_luo_add().
 */
static void set_state(struct memfd_luo *luo, enum memfd_luo_state state)
{
	xa_lock_irq(&luo->inode->i_mapping->i_pages);
	WRITE_ONCE(luo->state, state);
	xa_unlock_irq(&luo->inode->i_mapping->i_pages);
}

/* Marks the file preserved. None of its folios is preserved yet. */
static struct memfd_luo *start(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;
	struct memfd_luo *luo;

	guard(rwsem_write)(&inode->i_rwsem);
	if (SHMEM_I(inode)->seals & ~MEMFD_LUO_SEALS)
		return ERR_PTR(-EOPNOTSUPP);
	luo = memfd_luo_of(inode);
	if (!luo)
		return ERR_PTR(-ENOMEM);

	guard(mutex)(&luo->lock);
	/*
	 * Pairs with smp_store_release() in count_done() of memfd_luo_in.c, which takes no
	 * lock.
	 */
	if (READ_ONCE(luo->state) != MEMFD_LUO_IDLE)
		return ERR_PTR(-EBUSY);
	/* Pairs with READ_ONCE() in __memfd_luo_refs(). */
	WRITE_ONCE(luo->walking, true);
	luo->fresh = ULONG_MAX;
	/* Otherwise reclaim unmaps folios again and again that it cannot write to swap. */
	luo->unevictable = !mapping_unevictable(mapping);
	mapping_set_unevictable(mapping);
	set_state(luo, MEMFD_LUO_OUT);

	return luo;
}

/* Undoes start(), and unpreserves all folios. */
static void stop(struct memfd_luo *luo)
{
	struct address_space *mapping = luo->inode->i_mapping;

	mutex_lock(&luo->lock);
	set_state(luo, MEMFD_LUO_IDLE);
	/* Pairs with READ_ONCE() in __memfd_luo_get() and __memfd_luo_is_frozen(). */
	WRITE_ONCE(luo->frozen, false);
	release_added(luo);
	release_all(luo->entries, luo->nr);
	kho_unpreserve_vfree(luo->entries, &luo->kv);
	luo->entries = NULL;
	luo->nr = 0;
	luo->max = 0;
	/* Pairs with READ_ONCE() in __memfd_luo_refs(). */
	WRITE_ONCE(luo->walking, false);
	kho_unpreserve_free(luo->ser);
	luo->ser = NULL;
	if (luo->unevictable && !(SHMEM_I(luo->inode)->flags & VM_LOCKED))
		mapping_clear_unevictable(mapping);
	mutex_unlock(&luo->lock);

	wake_up_all(&luo->thaw);
	shmem_unlock_mapping(mapping);
}

/*
 * The file handler
 */

static bool memfd_luo_can_preserve(struct liveupdate_file_handler *handler, struct file *file)
{
	return shmem_file(file) && S_ISREG(file_inode(file)->i_mode) &&
	       !file_inode(file)->i_nlink;
}

static unsigned long memfd_luo_get_id(struct file *file)
{
	return (unsigned long)file_inode(file);
}

static int memfd_luo_preserve(struct liveupdate_file_op_args *args)
{
	struct memfd_luo *luo = start(file_inode(args->file));
	int err;

	if (IS_ERR(luo))
		return PTR_ERR(luo);

	luo->ser = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(luo->ser)) {
		err = PTR_ERR(luo->ser);
		luo->ser = NULL;
	} else {
		err = walk(luo);
	}
	if (!err)
		err = end_walk(luo);
	if (err) {
		stop(luo);
		return err;
	}
	args->serialized_data = virt_to_phys(luo->ser);
	args->private_data = luo;

	return 0;
}

static void memfd_luo_unpreserve(struct liveupdate_file_op_args *args)
{
	stop(args->private_data);
}

/*
 * Notes which folios from entry *@at up to @end are up to date. Returns the first one that
 * another task has locked, which may fill it, with a reference, and stores its entry in
 * *@at; NULL if there is none.
 */
static struct folio *next_locked(struct memfd_luo *luo, unsigned long *at, unsigned long end)
{
	guard(mutex)(&luo->lock);
	for (; *at < end; ++*at) {
		struct memfd_luo_folio_ser *entry = &luo->entries[*at];
		struct folio *folio;

		if (entry->flags & MEMFD_LUO_FOLIO_UPTODATE || !entry->pfn)
			continue;
		folio = pfn_folio(entry->pfn);
		if (!folio_test_uptodate(folio)) {
			/* The lock of a folio is an outer one, so this must not wait for it. */
			if (!folio_trylock(folio)) {
				folio_get(folio);
				return folio;
			}
			folio_unlock(folio);
		}
		if (folio_test_uptodate(folio))
			entry->flags |= MEMFD_LUO_FOLIO_UPTODATE;
	}

	return NULL;
}

/* Waits for the task that has locked a folio, and notes whether it has filled it. */
static void note_filled(struct memfd_luo *luo, struct folio *folio, unsigned long i)
{
	folio_lock(folio);
	if (folio_test_uptodate(folio)) {
		guard(mutex)(&luo->lock);
		luo->entries[i].flags |= MEMFD_LUO_FOLIO_UPTODATE;
	}
	folio_unlock(folio);
}

/*
 * Notes which folios have become up to date. The file is frozen, so no folio becomes up to
 * date any more once this function has locked it. __memfd_luo_del() can still empty an
 * entry, so luo->lock is held when an entry is accessed.
 */
static void settle_fresh(struct memfd_luo *luo)
{
	unsigned long i = luo->fresh;

	while (i < luo->nr) {
		struct folio *folio = next_locked(luo, &i, min(i + SETTLE_BATCH, luo->nr));

		if (folio) {
			note_filled(luo, folio, i++);
			folio_put(folio);
		}
		cond_resched();
	}
}

static int memfd_luo_freeze(struct liveupdate_file_op_args *args)
{
	struct memfd_luo *luo = args->private_data;
	struct memfd_luo_ser *ser = luo->ser;

	mutex_lock(&luo->lock);
	/* Pairs with READ_ONCE() in __memfd_luo_get() and __memfd_luo_is_frozen(). */
	WRITE_ONCE(luo->frozen, true);
	/* The next kernel merges the sorted entries before and after nr_walked. */
	if (luo->nr > luo->nr_walked)
		memfd_luo_sort(&luo->entries[luo->nr_walked], luo->nr - luo->nr_walked);
	if (luo->fresh < luo->nr)
		luo->fresh = min(luo->fresh, luo->nr_walked);
	mutex_unlock(&luo->lock);
	settle_fresh(luo);

	ser->size = i_size_read(luo->inode);
	ser->nr_folios = luo->nr;
	ser->folios = luo->nr ? luo->kv : (struct kho_vmalloc){};

	return 0;
}

static void memfd_luo_unfreeze(struct liveupdate_file_op_args *args)
{
	struct memfd_luo *luo = args->private_data;

	mutex_lock(&luo->lock);
	/* Pairs with READ_ONCE() in __memfd_luo_get() and __memfd_luo_is_frozen(). */
	WRITE_ONCE(luo->frozen, false);
	mutex_unlock(&luo->lock);
	wake_up_all(&luo->thaw);
}

/* Processes can set seals and move the position while the file is frozen. */
static void memfd_luo_jump(struct liveupdate_file_op_args *args)
{
	struct memfd_luo *luo = args->private_data;

	luo->ser->seals = SHMEM_I(luo->inode)->seals;
	luo->ser->pos = args->file->f_pos;
}

static int memfd_luo_retrieve(struct liveupdate_file_op_args *args)
{
	struct file *file = memfd_luo_in_retrieve(args->serialized_data);

	if (IS_ERR(file))
		return PTR_ERR(file);
	args->file = file;

	return 0;
}

static bool memfd_luo_can_finish(struct liveupdate_file_op_args *args)
{
	int err;

	if (args->retrieve_status != 1 || !args->file)
		return true;

	err = memfd_luo_populate(file_inode(args->file));
	/* -EIO means that the file is lost. All that can be done is to finish it. */
	if (!err || err == -EIO)
		return true;
	args->retrieve_status = err;

	return false;
}

static void memfd_luo_finish(struct liveupdate_file_op_args *args)
{
	if (args->retrieve_status == 1 && args->file)
		memfd_luo_in_finish(SHMEM_I(file_inode(args->file))->luo);
	else
		memfd_luo_in_discard(args->serialized_data);
}

static void memfd_luo_show(struct liveupdate_file_op_args *args, struct seq_file *m)
{
	if (args->retrieve_status == 1 && args->file)
		memfd_luo_in_show(SHMEM_I(file_inode(args->file))->luo, m);
}

static const struct liveupdate_file_ops memfd_luo_ops = {
	.can_preserve = memfd_luo_can_preserve,
	.preserve = memfd_luo_preserve,
	.unpreserve = memfd_luo_unpreserve,
	.freeze = memfd_luo_freeze,
	.unfreeze = memfd_luo_unfreeze,
	.jump = memfd_luo_jump,
	.retrieve = memfd_luo_retrieve,
	.can_finish = memfd_luo_can_finish,
	.finish = memfd_luo_finish,
	.get_id = memfd_luo_get_id,
	.show = memfd_luo_show,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler memfd_luo_handler = {
	.ops = &memfd_luo_ops,
	.compatible = MEMFD_LUO_COMPATIBLE,
};

static int __init memfd_luo_init(void)
{
	int err = liveupdate_register_file_handler(&memfd_luo_handler);

	if (err && err != -EOPNOTSUPP)
		pr_err("cannot register the file handler: %d\n", err);

	return 0;
}
late_initcall(memfd_luo_init);

/*
 * Hooks of mm/shmem.c and other users of its files, called through <linux/memfd_luo.h>
 */

static struct memfd_luo *luo_of(struct inode *inode)
{
	/* Pairs with smp_store_release() in memfd_luo_of(), by address dependency. */
	return READ_ONCE(SHMEM_I(inode)->luo);
}

static enum memfd_luo_state state_of(struct inode *inode)
{
	/* Pairs with WRITE_ONCE() in set_state() and smp_store_release() in count_done(). */
	return READ_ONCE(luo_of(inode)->state);
}

/* Does a look-up of this kind add a page, or make a page up to date? */
static bool changes_page(struct inode *inode, pgoff_t index, enum sgp_type sgp)
{
	struct folio *folio = filemap_get_entry(inode->i_mapping, index);
	bool changes;

	if (!folio)
		return sgp > SGP_NOALLOC;
	if (xa_is_value(folio))
		return false;
	changes = sgp != SGP_READ && !folio_test_uptodate(folio);
	folio_put(folio);

	return changes;
}

/**
 * __memfd_luo_get - see memfd_luo_get()
 * @inode: the file
 * @index: the page that is going to be looked up
 * @sgp: the kind of look-up
 *
 * Context: may sleep, without a folio locked.
 * Return: 0; -EINTR if the task is being killed; -EIO or -ENOMEM if a page that waits
 * cannot be put into the file.
 */
int __memfd_luo_get(struct inode *inode, pgoff_t index, enum sgp_type sgp)
{
	struct memfd_luo *luo = luo_of(inode);

	/* Pairs with smp_store_release() in count_done() of memfd_luo_in.c. */
	if (smp_load_acquire(&luo->state) == MEMFD_LUO_IN)
		return memfd_luo_in_take(luo, index);
	/* Pairs with WRITE_ONCE() in memfd_luo_freeze(), memfd_luo_unfreeze() and stop(). */
	if (!READ_ONCE(luo->frozen) || !changes_page(inode, index, sgp))
		return 0;

	return wait_event_killable(luo->thaw, !READ_ONCE(luo->frozen)) ? -EINTR : 0;
}

/**
 * __memfd_luo_is_frozen - see memfd_luo_is_frozen()
 * @inode: the file
 *
 * Context: any, with the folio locked, which is not up to date.
 * Return: true if the folio must stay so.
 */
bool __memfd_luo_is_frozen(struct inode *inode)
{
	/* Pairs with WRITE_ONCE() in memfd_luo_freeze(), memfd_luo_unfreeze() and stop(). */
	return READ_ONCE(luo_of(inode)->frozen);
}

static int add_to_walk(struct memfd_luo *luo, struct folio *folio)
{
	int err = kho_preserve_folio(folio);

	if (err)
		return err;
	err = xa_err(xa_store(&luo->added, folio->index, folio, GFP_KERNEL));
	if (err)
		kho_unpreserve_folio(folio);
	else
		folio_get(folio);

	return err;
}

/**
 * __memfd_luo_add - see memfd_luo_add()
 * @inode: the file
 * @folio: the folio, which is locked
 *
 * Context: may sleep.
 * Return: 0; -EAGAIN if the file is frozen, or if the folio was allocated before the
 * file was preserved and lies where it cannot stay; -ENOMEM.
 */
int __memfd_luo_add(struct inode *inode, struct folio *folio)
{
	struct memfd_luo *luo = luo_of(inode);
	int err;

	/* Pairs with WRITE_ONCE() in set_state(). Checked again with the lock held. */
	if (READ_ONCE(luo->state) != MEMFD_LUO_OUT)
		return 0;

	guard(mutex)(&luo->lock);
	if (luo->state != MEMFD_LUO_OUT)
		return 0;
	if (luo->frozen || !folio_is_longterm_pinnable(folio))
		return -EAGAIN;
	err = luo->walking ? add_to_walk(luo, folio) : keep(luo, folio);

	return err == -EINVAL ? -EAGAIN : err;
}

static bool forget(struct memfd_luo *luo, struct folio *folio)
{
	if (luo->walking)
		return xa_cmpxchg(&luo->added, folio->index, folio, NULL, 0) == folio;

	for (unsigned long i = luo->nr; i-- > 0;) {
		if (luo->entries[i].pfn == folio_pfn(folio)) {
			/* The next kernel skips such an entry. */
			luo->entries[i].pfn = 0;
			return true;
		}
	}

	return false;
}

/**
 * __memfd_luo_del - see memfd_luo_del()
 * @inode: the file
 * @folio: the folio, which is still locked
 *
 * Context: may sleep.
 */
void __memfd_luo_del(struct inode *inode, struct folio *folio)
{
	struct memfd_luo *luo = luo_of(inode);

	guard(mutex)(&luo->lock);
	if (luo->state == MEMFD_LUO_OUT && forget(luo, folio))
		release(folio);
}

/**
 * __memfd_luo_gfp - see memfd_luo_gfp()
 * @inode: the file
 * @gfp: flags for the allocation of a folio
 *
 * Context: any.
 * Return: @gfp; without __GFP_MOVABLE if the file is preserved.
 */
gfp_t __memfd_luo_gfp(struct inode *inode, gfp_t gfp)
{
	return state_of(inode) == MEMFD_LUO_OUT ? gfp & ~__GFP_MOVABLE : gfp;
}

/**
 * __memfd_luo_suit - see memfd_luo_suit()
 * @inode: the file
 * @folio: a folio that was allocated for it
 * @gfp: the flags it was allocated with
 *
 * Context: may sleep if @gfp allows it.
 * Return: @folio, or another folio if @folio cannot be handed over from where it is; NULL,
 * with @folio freed, if no other folio can be allocated.
 */
struct folio *__memfd_luo_suit(struct inode *inode, struct folio *folio, gfp_t gfp)
{
	const unsigned int order = folio_order(folio);
	const int nid = folio_nid(folio);

	if (state_of(inode) != MEMFD_LUO_OUT || is_suitable(folio))
		return folio;
	folio_put(folio);

	return alloc_suitable(gfp, order, nid);
}

/**
 * __memfd_luo_is_fixed - see memfd_luo_is_fixed()
 * @inode: the file
 *
 * Context: with the inode lock held.
 * Return: true if the file is preserved.
 */
bool __memfd_luo_is_fixed(struct inode *inode)
{
	return state_of(inode) == MEMFD_LUO_OUT;
}

/**
 * __memfd_luo_is_busy - see memfd_luo_is_busy()
 * @inode: the file
 *
 * Context: any.
 * Return: true if the file is preserved, or if folios may wait for it.
 */
bool __memfd_luo_is_busy(struct inode *inode)
{
	return state_of(inode) != MEMFD_LUO_IDLE;
}

/**
 * __memfd_luo_populate - see memfd_luo_populate()
 * @inode: the file
 *
 * Context: may sleep, without a folio locked.
 * Return: 0 if no folio waits any more; -EINTR if the task is being killed; -ENOMEM; -EIO.
 */
int __memfd_luo_populate(struct inode *inode)
{
	struct memfd_luo *luo = luo_of(inode);

	/* Pairs with smp_store_release() in count_done() of memfd_luo_in.c. */
	if (smp_load_acquire(&luo->state) != MEMFD_LUO_IN)
		return 0;

	return memfd_luo_in_populate(luo);
}

/**
 * __memfd_luo_blocks - see memfd_luo_blocks()
 * @inode: the file
 *
 * Context: may sleep.
 * Return: the number of blocks of the file, including pages that wait.
 */
blkcnt_t __memfd_luo_blocks(struct inode *inode)
{
	struct memfd_luo *luo = luo_of(inode);

	/* Pairs with smp_store_release() in count_done() of memfd_luo_in.c. */
	if (smp_load_acquire(&luo->state) == MEMFD_LUO_IN)
		return memfd_luo_in_blocks(luo);

	return inode->i_blocks;
}

/**
 * __memfd_luo_refs - see memfd_luo_refs()
 * @inode: the file
 * @folio: a folio in its page cache
 *
 * Context: any, with the i_pages lock or the folio lock held.
 * Return: the number of references.
 */
unsigned int __memfd_luo_refs(struct inode *inode, struct folio *folio)
{
	/*
	 * While preserve() walks, it holds references on some folios only. Reporting one
	 * reference too few makes F_SEAL_WRITE wait; reporting one too many would hide the
	 * reference of a task that can write to the folio. Pairs with WRITE_ONCE() in
	 * start(), end_walk() and stop().
	 */
	return state_of(inode) == MEMFD_LUO_OUT && !READ_ONCE(luo_of(inode)->walking) &&
	       folio->index < DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE);
}

/**
 * __memfd_luo_evict - see memfd_luo_evict()
 * @inode: the file, which is being evicted
 *
 * Context: may sleep.
 */
void __memfd_luo_evict(struct inode *inode)
{
	struct memfd_luo *luo = luo_of(inode);

	/* The session holds the file while it is preserved. */
	WARN_ON_ONCE(luo->state == MEMFD_LUO_OUT);
	if (luo->in)
		memfd_luo_in_evict(luo);
}

/**
 * memfd_luo_free - free the live update state of a file
 * @inode: the file, which is being freed
 *
 * Context: any, never sleeps.
 */
void memfd_luo_free(struct inode *inode)
{
	struct memfd_luo *luo = SHMEM_I(inode)->luo;

	if (!luo)
		return;
	if (luo->in)
		memfd_luo_in_free(luo);
	kfree(luo);
}
