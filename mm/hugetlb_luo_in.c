// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update of hugetlb pages: files of the previous kernel.
 *
 * This file owns an incoming file, from when a session first asks for it until the file has
 * all of its pages or is discarded. hugetlb_luo_check.c checks it.
 *
 * There are few hugetlb pages, so all of them are put into the file when it is retrieved.
 * The steps that can fail when memory cannot be allocated, and succeed later, come first:
 * the arrays, the charge of all pages to the cgroups of the task, the reservations. An
 * error after these steps is rare. The file then stays in @incoming with what was done, and
 * the next attempt goes on from there, so no page of the file is lost.
 *
 * Pages are inserted from the last to the first: the list of reserved regions of a file is
 * searched from its begin, where the place for the next page then is. The same holds for
 * the reservations.
 *
 * A page that hardware has reported as bad to the previous kernel or to this one is
 * inserted into the file as poisoned: an access through a mapping gets SIGBUS, read() gets
 * EIO, and the rest of the file is good.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "hugetlb-luo: " fmt

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/hugetlb_cgroup.h>
#include <linux/hugetlb_luo.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/kho/abi/hugetlb.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/processor.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "hugetlb_luo.h"
#include "hugetlb_vmemmap.h"
#include "internal.h"

/*
 * The number of pages that become hugetlb pages at once. With vmemmap optimisation each
 * batch waits for an RCU grace period, which takes longer than all other steps.
 */
#define BATCH	4096UL

/* The number of pages counted in one hold of hugetlb_lock, which disables interrupts. */
#define COUNT_BATCH	64

/* With more bad base pages than this, all of a huge page counts as bad. */
#define MAX_BAD_PARTS	64

/* try_charge_memcg() takes the number of pages as an unsigned int. */
#define CHARGE_PAGES	BIT(30)

/**
 * struct hugetlb_luo_in - an incoming file
 * @list: entry in @incoming
 * @data: the address of the structure, by which the session names the file
 * @busy: a task uses the file and all members below. Guarded by incoming_mutex, like @list.
 * @ser: a copy of the structure
 * @h: the pool
 * @entries: the pages that are not in the file yet, sorted by index
 * @nr: their number
 * @taken: number of the last entries whose pages are hugetlb pages of this kernel already,
 *	charged, with one reference
 * @ranges: the reserved parts of the file, sorted
 * @reserved: the number of pages in them
 * @checked: both arrays were found to be valid
 * @file: the file; NULL until make_file() has made it
 * @has_reserved: the file has its reservations
 */
struct hugetlb_luo_in {
	struct list_head list;
	u64 data;
	bool busy;
	struct hugetlb_luo_ser ser;
	struct hstate *h;
	struct hugetlb_luo_folio_ser *entries;
	unsigned long nr;
	unsigned long taken;
	struct hugetlb_luo_range_ser *ranges;
	unsigned long reserved;
	bool checked;
	struct file *file;
	bool has_reserved;
};

/* Guards @incoming and hugetlb_luo_in.busy. */
static DEFINE_MUTEX(incoming_mutex);
static LIST_HEAD(incoming);

/* Only one task at a time takes reservations that the pool holds, see reserve(). */
static DEFINE_MUTEX(reserve_mutex);

/*
 * Reading the description of an incoming file
 */

/* Takes an array out of the handover. Returns -ENOMEM if the caller can try again. */
static int take_array(const struct kho_vmalloc *kv, u64 nr, void *to)
{
	void **array = to;

	if (!nr || *array)
		return 0;
	if (kho_vmalloc_waits(kv)) {
		*array = kho_restore_vmalloc(kv);
		if (*array)
			return 0;
		if (kho_vmalloc_waits(kv))
			return -ENOMEM;
	}
	pr_warn("a file is lost: its array of %u pages, at %#llx, does not wait\n",
		kv->total_pages, kv->first.phys);

	return -EIO;
}

static void free_in(struct hugetlb_luo_in *in)
{
	mutex_lock(&incoming_mutex);
	list_del(&in->list);
	mutex_unlock(&incoming_mutex);
	vfree(in->entries);
	vfree(in->ranges);
	kfree(in);
}

/*
 * Takes the structure at @data out of the handover, and adds the file to @incoming. The
 * caller holds incoming_mutex.
 */
static struct hugetlb_luo_in *take_ser(u64 data)
{
	struct hugetlb_luo_in *in = kzalloc(sizeof(*in), GFP_KERNEL);
	struct folio *folio;
	int err;

	if (!in)
		return ERR_PTR(-ENOMEM);
	err = kho_restore_copy(data, sizeof(in->ser), &in->ser) ? 0 : -EIO;
	if (err)
		goto nothing;

	err = hugetlb_luo_check_ser(&in->ser);
	if (err) {
		pr_warn("a file is lost: its description at %#llx is invalid (%d)\n", data, err);
		goto fail;
	}
	folio = kho_restore_if_waiting(PHYS_PFN(data));
	if (!folio) {
		err = -EIO;
		goto nothing;
	}
	folio_put(folio);
	in->data = data;
	in->h = size_to_hstate(in->ser.page_size);
	in->nr = in->ser.nr_folios;
	list_add(&in->list, &incoming);

	return in;

nothing:
	pr_warn("a file is lost: nothing waits at %#llx\n", data);
fail:
	kfree(in);

	return ERR_PTR(err);
}

static struct hugetlb_luo_in *find_in(u64 data)
{
	struct hugetlb_luo_in *in;

	list_for_each_entry(in, &incoming, list) {
		if (in->data == data)
			return in;
	}

	return take_ser(data);
}

/*
 * Returns the file at @data, which is busy then. The mutex of the session excludes other
 * tasks, unless a second session names the same file.
 */
static struct hugetlb_luo_in *find_idle(u64 data)
{
	struct hugetlb_luo_in *in;

	guard(mutex)(&incoming_mutex);
	in = find_in(data);
	if (IS_ERR(in))
		return in;
	if (in->busy)
		return ERR_PTR(-EBUSY);
	in->busy = true;

	return in;
}

/* Keeps a file in @incoming for the next attempt. */
static void keep_in(struct hugetlb_luo_in *in)
{
	mutex_lock(&incoming_mutex);
	in->busy = false;
	mutex_unlock(&incoming_mutex);
}

/*
 * Returns the incoming file at @data, with its arrays; -ENOMEM if the caller can try again.
 * After any other error the folios go on waiting, since those that an invalid array names
 * may belong to other files.
 */
static struct hugetlb_luo_in *get_in(u64 data)
{
	struct hugetlb_luo_in *in = find_idle(data);
	int err;

	if (IS_ERR(in) || in->checked)
		return in;

	err = take_array(&in->ser.folios, in->ser.nr_folios, &in->entries);
	if (!err)
		err = take_array(&in->ser.ranges, in->ser.nr_ranges, &in->ranges);
	if (!err)
		err = hugetlb_luo_check_entries(in->h, DIV_ROUND_UP_ULL(in->ser.size,
									huge_page_size(in->h)),
						in->entries, in->nr);
	if (!err)
		err = hugetlb_luo_check_ranges(in->h, in->ranges, in->ser.nr_ranges, in->entries,
					       in->nr, &in->reserved);
	if (!err) {
		in->checked = true;
		return in;
	}
	if (err == -ENOMEM)
		keep_in(in);
	else
		free_in(in);

	return ERR_PTR(err);
}

/*
 * Pages
 */

/* Returns the number of bad base pages of a huge page. */
static unsigned long count_bad(struct folio *folio)
{
	unsigned long nr = 0;

	for (unsigned long i = 0; i < folio_nr_pages(folio); i++)
		nr += PageHWPoison(folio_page(folio, i));

	return nr;
}

/*
 * Tells hugetlb which base pages of a new huge page are bad. hugetlb has one flag for the
 * huge page and a list of bad base pages, whose struct pages may be shared.
 * hugetlb_update_hwpoison() searches that list each time, so if there are many bad base
 * pages, all of the huge page counts as bad.
 */
static void mark_poison(struct folio *folio)
{
	const phys_addr_t phys = PFN_PHYS(folio_pfn(folio));
	const bool many = count_bad(folio) > MAX_BAD_PARTS;

	pr_warn("the page of %lu KiB at %pa is poisoned: the file keeps it as a poisoned page\n",
		folio_size(folio) / SZ_1K, &phys);
	if (many) {
		folio_set_hugetlb_raw_hwp_unreliable(folio);
		folio_set_hwpoison(folio);
	}
	for (unsigned long i = 0; i < folio_nr_pages(folio); i++) {
		struct page *page = folio_page(folio, i);

		if (!PageHWPoison(page))
			continue;
		if (i)
			ClearPageHWPoison(page);
		if (many)
			continue;
		spin_lock_irq(&hugetlb_lock);
		hugetlb_update_hwpoison(folio, page);
		spin_unlock_irq(&hugetlb_lock);
	}
	folio_clear_has_hwpoisoned(folio);
}

/*
 * Makes a waiting page a page of its pool, with a frozen reference count. Returns NULL if
 * the page does not wait.
 */
static struct folio *take_page(struct hugetlb_luo_in *in, unsigned long pfn)
{
	struct folio *folio;
	bool bad;

	if (kho_waiting_order(pfn) != huge_page_order(in->h))
		return NULL;
	folio = kho_restore_if_waiting(pfn);
	if (!folio)
		return NULL;
	folio_clear_large_rmappable(folio);
	/* A PFN walker may hold a reference for a moment. */
	while (!folio_ref_freeze(folio, 1))
		cond_resched();
	bad = kho_ram_has_bad(pfn, pfn + folio_nr_pages(folio));
	init_new_hugetlb_folio(in->h, folio);
	if (unlikely(bad))
		mark_poison(folio);

	return folio;
}

/* Counts new pages of the pool, and unfreezes their reference counts. */
static void count_pages(struct hstate *h, struct list_head *list)
{
	unsigned int nr = 0;

	spin_lock_irq(&hugetlb_lock);
	while (!list_empty(list)) {
		struct folio *folio = list_first_entry(list, struct folio, lru);

		hugetlb_luo_pool_take(h, folio_nid(folio));
		list_move(&folio->lru, &h->hugepage_activelist);
		/* memory_failure() has a reference as well, so that a bad page is never freed. */
		folio_ref_unfreeze(folio, 1 + folio_test_hwpoison(folio));
		if (++nr % COUNT_BATCH)
			continue;
		spin_unlock_irq(&hugetlb_lock);
		cond_resched();
		spin_lock_irq(&hugetlb_lock);
	}
	spin_unlock_irq(&hugetlb_lock);
}

/*
 * Takes the last pages that are not taken yet. Returns -EIO if a page does not wait any
 * more; then the pages after it are taken.
 */
static int take_batch(struct hugetlb_luo_in *in)
{
	const unsigned long nr = min(in->nr - in->taken, BATCH);
	struct folio *folio;
	LIST_HEAD(list);
	int err = 0;

	for (unsigned long i = 0; i < nr; i++) {
		const struct hugetlb_luo_folio_ser *entry = &in->entries[in->nr - in->taken - 1];

		folio = take_page(in, entry->pfn);
		if (!folio) {
			hugetlb_luo_complain("a page does not wait any more", entry->index);
			err = -EIO;
			break;
		}
		list_add(&folio->lru, &list);
		in->taken++;
		cond_resched();
	}
	/* New pages of a pool have a vmemmap of full size, which is not optimised yet. */
	hugetlb_vmemmap_optimize_folios(in->h, &list);
	count_pages(in->h, &list);

	return err;
}

static struct folio *last_page(struct hugetlb_luo_in *in)
{
	return pfn_folio(in->entries[in->nr - 1].pfn);
}

/* Frees all pages that are not in the file to their pool. */
static void free_pages_of(struct hugetlb_luo_in *in)
{
	while (in->nr) {
		if (!in->taken)
			take_batch(in);
		/* A page that does not wait any more does not belong to this file. */
		if (!in->taken) {
			in->nr--;
			continue;
		}
		for (; in->taken; in->taken--, in->nr--) {
			folio_put(last_page(in));
			cond_resched();
		}
	}
}

/*
 * Charges
 */

/**
 * struct charge - cgroups to which pages are charged before they are taken
 * @nr: number of pages that are charged and not taken
 * @memcg: the memory cgroup of the task, with a reference
 * @in_memcg: pages are charged to @memcg
 * @used: the hugetlb cgroup that usage is charged to
 * @reserved: the hugetlb cgroup that reservations are charged to; a page without a
 *	reservation is charged to it as well
 */
struct charge {
	unsigned long nr;
	struct mem_cgroup *memcg;
	bool in_memcg;
	struct hugetlb_cgroup *used;
	struct hugetlb_cgroup *reserved;
};

/*
 * Each page charged for a reservation drops a reference on the cgroup when it is uncharged,
 * but hugetlb_cgroup_charge_cgroup_rsvd() takes only one for all pages.
 */
static void hold_reserved(struct hugetlb_cgroup *cgroup, unsigned long nr)
{
#ifdef CONFIG_CGROUP_HUGETLB
	if (cgroup && nr)
		css_get_many(&cgroup->css, nr);
#endif
}

static void drop_reserved(struct hugetlb_cgroup *cgroup, unsigned long nr)
{
#ifdef CONFIG_CGROUP_HUGETLB
	if (cgroup && nr)
		css_put_many(&cgroup->css, nr);
#endif
}

static void uncharge_memcg(struct mem_cgroup *memcg, unsigned long pages)
{
	while (pages) {
		const unsigned long nr = min(pages, CHARGE_PAGES);

		mem_cgroup_cancel_charge(memcg, nr);
		pages -= nr;
	}
}

/* Charges all pages or none. Returns the result of mem_cgroup_hugetlb_try_charge(). */
static int charge_memcg(struct mem_cgroup *memcg, unsigned long pages)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	unsigned long done = 0;
	int err = 0;

	while (!err && done < pages) {
		const unsigned long nr = min(pages - done, CHARGE_PAGES);

		err = mem_cgroup_hugetlb_try_charge(memcg, gfp, nr);
		if (!err)
			done += nr;
	}
	if (err)
		uncharge_memcg(memcg, done);

	return err;
}

/* Charges all pages that are not taken. Returns 0, or -ENOMEM with no page charged. */
static int charge_pages(struct hugetlb_luo_in *in, struct charge *charge)
{
	const unsigned long nr = in->nr - in->taken;
	const unsigned long pages = nr * pages_per_huge_page(in->h);
	const int idx = hstate_index(in->h);
	int err;

	if (!nr)
		return 0;
	charge->memcg = get_mem_cgroup_from_current();
	err = charge_memcg(charge->memcg, pages);
	if (err == -ENOMEM)
		goto put;
	charge->in_memcg = !err;
	err = hugetlb_cgroup_charge_cgroup_rsvd(idx, pages, &charge->reserved);
	if (err)
		goto cancel;
	err = hugetlb_cgroup_charge_cgroup(idx, pages, &charge->used);
	if (err)
		goto uncharge;
	hold_reserved(charge->reserved, nr - 1);
	charge->nr = nr;

	return 0;

uncharge:
	hugetlb_cgroup_uncharge_cgroup_rsvd(idx, pages, charge->reserved);
cancel:
	if (charge->in_memcg)
		uncharge_memcg(charge->memcg, pages);
put:
	mem_cgroup_put(charge->memcg);
	charge->memcg = NULL;

	return -ENOMEM;
}

/* Charges the last @nr taken pages. */
static void commit_charge(struct hugetlb_luo_in *in, struct charge *charge, unsigned long nr)
{
	const unsigned long pages = pages_per_huge_page(in->h);
	const int idx = hstate_index(in->h);

	for (unsigned long i = 0; i < nr; i++) {
		struct folio *folio = pfn_folio(in->entries[in->nr - 1 - i].pfn);

		spin_lock_irq(&hugetlb_lock);
		hugetlb_cgroup_commit_charge(idx, pages, charge->used, folio);
		hugetlb_cgroup_commit_charge_rsvd(idx, pages, charge->reserved, folio);
		spin_unlock_irq(&hugetlb_lock);
		if (charge->in_memcg)
			mem_cgroup_commit_charge(folio, charge->memcg);
		cond_resched();
	}
	charge->nr -= nr;
}

/* Uncharges pages that were charged and not taken. */
static void end_charge(struct hugetlb_luo_in *in, struct charge *charge)
{
	const unsigned long pages = charge->nr * pages_per_huge_page(in->h);
	const int idx = hstate_index(in->h);

	if (charge->nr) {
		hugetlb_cgroup_uncharge_cgroup(idx, pages, charge->used);
		drop_reserved(charge->reserved, charge->nr - 1);
		hugetlb_cgroup_uncharge_cgroup_rsvd(idx, pages, charge->reserved);
		if (charge->in_memcg)
			uncharge_memcg(charge->memcg, pages);
	}
	mem_cgroup_put(charge->memcg);
}

/*
 * The file
 */

/* Makes an empty file, with the size of the incoming one. */
static int make_file(struct hugetlb_luo_in *in)
{
	struct file *file;

	if (in->file)
		return 0;
	file = hugetlb_file_setup("memfd:", in->ser.size, VM_NORESERVE, HUGETLB_ANONHUGE_INODE,
				  huge_page_shift(in->h));
	/* The caller can try again after any error, such as -ENFILE: nothing was taken. */
	if (IS_ERR(file))
		return -ENOMEM;
	in->file = file;

	return 0;
}

/* Makes the reservations of the file. The pool holds pages for as many as it can. */
static int reserve(struct hugetlb_luo_in *in)
{
	struct inode *inode = file_inode(in->file);
	bool done = true;

	if (in->has_reserved)
		return 0;
	guard(mutex)(&reserve_mutex);
	hugetlb_luo_pool_offer(in->reserved);
	for (unsigned long i = in->ser.nr_ranges; done && i--;) {
		const struct hugetlb_luo_range_ser *range = &in->ranges[i];

		done = hugetlb_reserve_pages(inode, range->from, range->to, NULL, 0);
		cond_resched();
	}
	/* There is no page in the file yet. */
	if (!done)
		hugetlb_unreserve_pages(inode, 0, LONG_MAX, 0);
	hugetlb_luo_pool_end_offer();
	if (!done)
		return -ENOMEM;
	hugetlb_luo_pool_unhold(in->h, in->reserved);
	in->has_reserved = true;

	return 0;
}

/* Puts the last page into the file, and drops the reference. */
static int insert_page(struct hugetlb_luo_in *in)
{
	struct address_space *mapping = in->file->f_mapping;
	const pgoff_t index = in->entries[in->nr - 1].index;
	struct resv_map *resv = mapping->host->i_data.i_private_data;
	struct folio *folio = last_page(in);
	long regions;
	int err;

	/* Adds the page to the regions of the file, as a page fault does. */
	if (hugetlb_region_chg(resv, index, index + 1, &regions) < 0)
		return -ENOMEM;
	__folio_mark_uptodate(folio);
	err = hugetlb_add_to_page_cache(folio, mapping, index);
	if (err) {
		hugetlb_region_abort(resv, index, index + 1, regions);
		return err;
	}
	hugetlb_region_add(resv, index, index + 1, regions, NULL, NULL);
	if (!folio_test_hwpoison(folio))
		folio_set_hugetlb_migratable(folio);
	folio_unlock(folio);
	folio_put(folio);

	return 0;
}

static int insert_taken(struct hugetlb_luo_in *in)
{
	while (in->taken) {
		int err = insert_page(in);

		if (err)
			return err;
		in->nr--;
		in->taken--;
		cond_resched();
	}

	return 0;
}

/*
 * Charges all pages first: if that fails, no reservation is made and charged for a task
 * that does not get the file.
 */
static int fill_file(struct hugetlb_luo_in *in)
{
	struct charge charge = {};
	int err = charge_pages(in, &charge);

	if (err)
		return err;
	err = reserve(in);
	if (!err)
		err = insert_taken(in);
	while (!err && in->nr) {
		err = take_batch(in);
		commit_charge(in, &charge, in->taken);
		if (!err)
			err = insert_taken(in);
		cond_resched();
	}
	end_charge(in, &charge);

	return err;
}

static int set_up_file(struct hugetlb_luo_in *in)
{
	const struct hugetlb_luo_ser *ser = &in->ser;
	struct inode *inode = file_inode(in->file);
	int err;

	if (ser->seals & F_SEAL_WRITE) {
		err = mapping_deny_writable(inode->i_mapping);
		if (err)
			return err;
	}
	inode->i_mode = (inode->i_mode & ~07777) | ser->mode;
	HUGETLBFS_I(inode)->seals = ser->seals;
	in->file->f_pos = ser->pos;
	in->file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	in->file->f_flags |= O_LARGEFILE;

	return 0;
}

static void discard(struct hugetlb_luo_in *in)
{
	free_pages_of(in);
	if (!in->has_reserved)
		hugetlb_luo_pool_unhold(in->h, in->reserved);
	if (in->file)
		fput(in->file);
	free_in(in);
}

/**
 * hugetlb_luo_in_retrieve - make the file that the previous kernel handed over
 * @data: the address of the structure
 * @file: where to store the file, which has all of its pages
 *
 * After -ENOMEM the caller can try again: nothing is lost. The limit of a cgroup is one
 * reason for it, and a pool without a page for a reservation is another. If memory for the
 * page cache cannot be allocated, the pages taken so far stay charged to the cgroups of
 * this task.
 *
 * Context: may sleep. Pages are charged to the cgroups of the current task.
 * Return: 0; -ENOMEM; -EIO if nothing waits at @data, or if an array or a page does not
 * wait; -EINVAL if its description is invalid; -EOPNOTSUPP if this machine does not support
 * the file; -EBUSY if another session is about to take the same file.
 */
int hugetlb_luo_in_retrieve(u64 data, struct file **file)
{
	struct hugetlb_luo_in *in = get_in(data);
	int err;

	if (IS_ERR(in))
		return PTR_ERR(in);

	err = make_file(in);
	if (!err)
		err = fill_file(in);
	if (!err)
		err = set_up_file(in);
	if (err == -ENOMEM) {
		keep_in(in);
		return err;
	}
	if (err) {
		discard(in);
		return err;
	}
	*file = in->file;
	free_in(in);

	return 0;
}

/**
 * hugetlb_luo_in_prepare - make sure that hugetlb_luo_in_discard() needs no memory
 * @data: the address of the structure
 *
 * Context: may sleep.
 * Return: 0, also if there is nothing that could be freed; -ENOMEM: nothing is lost, and
 * the caller can try again.
 */
int hugetlb_luo_in_prepare(u64 data)
{
	struct hugetlb_luo_in *in = get_in(data);

	if (IS_ERR(in))
		return PTR_ERR(in) == -ENOMEM ? -ENOMEM : 0;
	keep_in(in);

	return 0;
}

/**
 * hugetlb_luo_in_discard - free the pages of an incoming file that was not retrieved
 * @data: the address of the structure
 *
 * The pages are freed to their pool. After hugetlb_luo_in_prepare() this needs no memory.
 *
 * Context: may sleep.
 */
void hugetlb_luo_in_discard(u64 data)
{
	struct hugetlb_luo_in *in = get_in(data);

	if (!IS_ERR(in))
		discard(in);
	else if (PTR_ERR(in) == -ENOMEM)
		pr_warn("no memory to free a file at %#llx, which goes on waiting\n", data);
}
