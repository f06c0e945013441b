// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: measures what preserving and restoring cost.
 *
 * This file owns /sys/kernel/debug/test_kho_bench/:
 *
 *   set        write "COUNT ORDER dense" or "COUNT ORDER scattered": allocate COUNT
 *              folios, measure the calls that preserve and unpreserve them, and
 *              leave them preserved. Scattered folios have free memory between them.
 *              "COUNT 0 run": the same for COUNT pages in one run, which does not
 *              begin at an aligned address
 *   restore    write anything, in the next kernel: restore all of them
 *   parallel   write "ROUNDS": preserve and unpreserve folios on one CPU, and then on
 *              two CPUs at the same time. Then measure a loop in the same way in
 *              which each CPU only sets bits in its own page
 *   results    read: lines "name value", with cycles per call or calls per second
 *
 * If the TSC counts guest instructions (qemu -icount), cycles are instructions. This
 * file calls only functions that all kernels with KHO have, so that it can measure
 * all of them.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho_bench: " fmt

#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timex.h>
#include <linux/uaccess.h>

#include "table.h"

#define BLOB_NAME	"test-kho-bench"
#define LANES		2
#define PARALLEL_TRIES	8
/* Number of pages for which a leaf of the map has bits. */
#define LANE_PAGES	32768UL

/* The blob, which describes the preserved set or run. */
struct blob {
	u64 nr;
	u64 first_table_page;
	u64 run_phys;
	u64 run_nr;
};

/**
 * struct result - a line of the results
 * @name: what was measured
 * @value: the sum over all calls
 * @calls: the number to divide @value by
 */
struct result {
	const char *name;
	u64 value;
	u64 calls;
};

static DEFINE_MUTEX(lock);
static struct result results[16];
static unsigned int nr_results;
static struct blob *blob;
static struct folio_table table;

static void add_result(const char *name, u64 value, u64 calls)
{
	if (nr_results < ARRAY_SIZE(results))
		results[nr_results++] = (struct result){ name, value, calls };
}

static int results_show(struct seq_file *m, void *unused)
{
	guard(mutex)(&lock);
	for (unsigned int i = 0; i < nr_results; i++) {
		const struct result *r = &results[i];
		u64 milli = div64_u64(r->value * 1000 + r->calls / 2, r->calls);

		seq_printf(m, "%s %llu.%03llu\n", r->name, milli / 1000, milli % 1000);
	}

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(results);

static struct folio *alloc_one(unsigned int order)
{
	struct folio *folio;

	if (order <= MAX_PAGE_ORDER)
		return folio_alloc(GFP_KERNEL | __GFP_NOWARN, order);

	folio = folio_alloc_gigantic(order, GFP_KERNEL | __GFP_COMP | __GFP_NOWARN,
				     numa_mem_id(), NULL);
	/*
	 * The search for the next gigantic folio looks at each page of all folios found
	 * before, unless their first page is reserved. unmark() clears the flag again.
	 */
	if (folio)
		folio_set_reserved(folio);

	return folio;
}

static void unmark(struct folio *folio)
{
	if (folio_order(folio) > MAX_PAGE_ORDER)
		folio_clear_reserved(folio);
}

static void free_folios(struct folio **folios, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++)
		folio_put(folios[i]);
}

static int alloc_folios(struct folio **folios, unsigned long nr,
			unsigned int order, bool scattered)
{
	struct folio *folio, *next;
	unsigned long have = 0;
	LIST_HEAD(gaps);

	while (have < nr) {
		folio = alloc_one(order);
		if (!folio)
			break;
		/* A gigantic folio may be in scratch, where it cannot be preserved. */
		if ((scattered && (folio_pfn(folio) >> order) & 1) ||
		    kho_scratch_overlap(PFN_PHYS(folio_pfn(folio)), folio_size(folio)))
			list_add(&folio->lru, &gaps);
		else
			folios[have++] = folio;
		cond_resched();
	}

	for (unsigned long i = 0; i < have; i++)
		unmark(folios[i]);
	list_for_each_entry_safe(folio, next, &gaps, lru) {
		list_del(&folio->lru);
		unmark(folio);
		folio_put(folio);
	}
	if (have < nr) {
		free_folios(folios, have);
		return -ENOMEM;
	}

	return 0;
}

static int preserve_all(struct folio **folios, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		int err = kho_preserve_folio(folios[i]);

		if (err) {
			while (i--)
				kho_unpreserve_folio(folios[i]);
			return err;
		}
	}

	return 0;
}

static void unpreserve_all(struct folio **folios, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++)
		kho_unpreserve_folio(folios[i]);
}

/* The least work to preserve a folio: one call, which sets one bit. */
static noinline void plain(struct folio *folio, unsigned long *bits)
{
	set_bit(folio_pfn(folio) % (PAGE_SIZE * BITS_PER_BYTE), bits);
}

/* Measures plain(), which scales targets of one architecture for another. */
static int time_plain(struct folio **folios, unsigned long nr)
{
	unsigned long *bits = (void *)get_zeroed_page(GFP_KERNEL);
	cycles_t start;

	if (!bits)
		return -ENOMEM;

	start = get_cycles();
	for (unsigned long i = 0; i < nr; i++)
		plain(folios[i], bits);
	add_result("plain", get_cycles() - start, nr);
	free_page((unsigned long)bits);

	return 0;
}

/*
 * The first round also allocates nodes of the map. In the second round all nodes
 * exist, as they do for most folios.
 */
static int time_preserve(struct folio **folios, unsigned long nr)
{
	cycles_t start, added, deleted, again;
	int err;

	start = get_cycles();
	err = preserve_all(folios, nr);
	added = get_cycles();
	if (err)
		return err;
	unpreserve_all(folios, nr);
	deleted = get_cycles();
	err = preserve_all(folios, nr);
	again = get_cycles();

	add_result("preserve-first", added - start, nr);
	add_result("unpreserve", deleted - added, nr);
	add_result("preserve", again - deleted, nr);

	return err;
}

static int fill_table(struct folio **folios, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		int err = folio_table_reserve(&table);

		if (err)
			return err;
		folio_table_add(&table, folios[i]);
	}
	blob->nr = nr;

	return 0;
}

static int make_set(unsigned long nr, unsigned int order, bool scattered)
{
	struct folio **folios __free(kvfree) = NULL;
	int err;

	folios = kvmalloc_array(nr, sizeof(*folios), GFP_KERNEL);
	if (!folios)
		return -ENOMEM;
	err = alloc_folios(folios, nr, order, scattered);
	if (err)
		return err;

	return time_plain(folios, nr) ?: time_preserve(folios, nr) ?: fill_table(folios, nr);
}

static int make_run(unsigned long nr)
{
	cycles_t start, added, deleted, again;
	struct page *page;
	int err;

	/* Frees the first page, so that the run does not begin at an aligned address. */
	page = alloc_contig_pages(nr + 1, GFP_KERNEL | __GFP_NOWARN, numa_mem_id(), NULL);
	if (!page)
		return -ENOMEM;
	__free_page(page++);

	start = get_cycles();
	err = kho_preserve_pages(page, nr);
	added = get_cycles();
	if (err)
		return err;
	kho_unpreserve_pages(page, nr);
	deleted = get_cycles();
	err = kho_preserve_pages(page, nr);
	again = get_cycles();

	add_result("preserve-first", added - start, nr);
	add_result("unpreserve", deleted - added, nr);
	add_result("preserve", again - deleted, nr);
	blob->run_phys = PFN_PHYS(page_to_pfn(page));
	blob->run_nr = nr;

	return err;
}

static int make_blob(void)
{
	struct blob *new;

	if (blob)
		return -EEXIST;
	new = kho_alloc_preserve(sizeof(*new));
	if (IS_ERR(new))
		return PTR_ERR(new);

	blob = new;
	table.first = &blob->first_table_page;

	return kho_add_subtree(BLOB_NAME, blob, sizeof(*blob));
}

/* Copies what user space wrote to @line, as a string. Returns 0 or an error. */
static ssize_t get_line(char *line, size_t size, const char __user *buf, size_t count)
{
	if (count >= size)
		return -EINVAL;
	if (copy_from_user(line, buf, count))
		return -EFAULT;
	line[count] = '\0';

	return 0;
}

static ssize_t set_write(struct file *file, const char __user *buf, size_t count,
			 loff_t *ppos)
{
	unsigned long nr;
	unsigned int order;
	char line[64], how[16];
	int err = get_line(line, sizeof(line), buf, count);

	if (err)
		return err;
	if (sscanf(line, "%lu %u %15s", &nr, &order, how) != 3 || !nr ||
	    order > PUD_SHIFT - PAGE_SHIFT)
		return -EINVAL;

	guard(mutex)(&lock);
	err = make_blob();
	if (!err)
		err = strcmp(how, "run") ? make_set(nr, order, !strcmp(how, "scattered")) :
					   make_run(nr);

	return err ?: count;
}

static const struct file_operations set_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = set_write,
};

/**
 * struct incoming - addresses of the folios to restore
 * @phys: the addresses
 * @nr: number of addresses so far
 * @max: number of addresses that @phys has room for
 */
struct incoming {
	phys_addr_t *phys;
	unsigned long nr;
	unsigned long max;
};

static int note_address(phys_addr_t phys, unsigned int order, void *arg)
{
	struct incoming *in = arg;

	if (in->nr == in->max)
		return -EINVAL;
	in->phys[in->nr++] = phys;

	return 0;
}

static int time_restore(const struct incoming *in)
{
	cycles_t start = get_cycles();
	unsigned long missing = 0;

	for (unsigned long i = 0; i < in->nr; i++)
		missing += !kho_restore_folio(in->phys[i]);
	add_result("restore", get_cycles() - start, in->nr);

	return missing ? -ENOENT : 0;
}

static int restore_run(phys_addr_t phys, unsigned long nr)
{
	cycles_t start = get_cycles();
	struct page *page = kho_restore_pages(phys, nr);

	add_result("restore", get_cycles() - start, nr);

	return page ? 0 : -ENOENT;
}

static int restore_set(struct blob *old)
{
	phys_addr_t *addresses __free(kvfree) = NULL;
	struct incoming in = {};

	in.max = old->nr;
	addresses = kvmalloc_array(in.max, sizeof(*addresses), GFP_KERNEL);
	if (!addresses)
		return -ENOMEM;
	in.phys = addresses;

	table.first = &old->first_table_page;
	return folio_table_restore(&table, note_address, &in) ?: time_restore(&in);
}

static int restore(void)
{
	struct blob *old;
	phys_addr_t phys;
	int err;

	err = kho_retrieve_subtree(BLOB_NAME, &phys, NULL);
	if (err)
		return err;
	old = phys_to_virt(phys);
	if (!kho_restore_folio(phys))
		return -ENOENT;

	return old->run_nr ? restore_run(old->run_phys, old->run_nr) : restore_set(old);
}

static ssize_t restore_write(struct file *file, const char __user *buf, size_t count,
			     loff_t *ppos)
{
	int err;

	guard(mutex)(&lock);
	err = restore();

	return err ?: count;
}

static const struct file_operations restore_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = restore_write,
};

/**
 * struct lane - what one CPU does
 * @folios: its folios, in other leaves of the map than those of the other lane
 * @nr: number of folios
 * @rounds: how often it preserves and unpreserves all of its folios
 * @bits: if not NULL, the page in which it only sets bits instead
 * @err: the error that stopped it, or 0
 * @go: completed to start it
 * @done: completed when it has finished
 */
struct lane {
	struct folio **folios;
	unsigned long nr;
	unsigned long rounds;
	unsigned long *bits;
	int err;
	struct completion go;
	struct completion done;
};

static void run_round(struct lane *lane)
{
	if (lane->bits) {
		for (unsigned long i = 0; i < 2 * lane->nr; i++)
			plain(lane->folios[i / 2], lane->bits);
		return;
	}

	lane->err = preserve_all(lane->folios, lane->nr);
	if (!lane->err)
		unpreserve_all(lane->folios, lane->nr);
}

static int run_lane(void *arg)
{
	struct lane *lane = arg;

	wait_for_completion(&lane->go);
	for (unsigned long i = 0; i < lane->rounds && !lane->err; i++) {
		run_round(lane);
		cond_resched();
	}
	complete(&lane->done);

	return 0;
}

/* Returns the nanoseconds that @nr lanes take, each on its own CPU, or an error. */
static s64 time_lanes(struct lane *lanes, unsigned int nr)
{
	unsigned int started;
	struct task_struct *task;
	ktime_t start;
	int err = 0;

	for (started = 0; started < nr; started++) {
		init_completion(&lanes[started].go);
		init_completion(&lanes[started].done);
		task = kthread_create(run_lane, &lanes[started], "kho_bench/%u", started);
		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			break;
		}
		kthread_bind(task, started);
		wake_up_process(task);
	}

	start = ktime_get();
	for (unsigned int i = 0; i < started; i++)
		complete(&lanes[i].go);
	for (unsigned int i = 0; i < started; i++) {
		wait_for_completion(&lanes[i].done);
		err = err ?: lanes[i].err;
	}

	return err ?: ktime_to_ns(ktime_sub(ktime_get(), start));
}

/* Allocates pages, and gives those of every other leaf of the map to the same lane. */
static int fill_lanes(struct lane *lanes, struct folio **spare, unsigned long *nr_spare)
{
	*nr_spare = 0;
	while (*nr_spare < LANES * LANE_PAGES) {
		struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_NOWARN, 0);
		struct lane *lane;

		if (!folio)
			return -ENOMEM;
		lane = &lanes[folio_pfn(folio) / LANE_PAGES % LANES];
		if (lane->nr < LANE_PAGES)
			lane->folios[lane->nr++] = folio;
		else
			spare[(*nr_spare)++] = folio;
		if (lanes[0].nr == LANE_PAGES && lanes[1].nr == LANE_PAGES)
			return 0;
		cond_resched();
	}

	return -ENOMEM;
}

static int time_parallel(struct lane *lanes, unsigned long rounds, const char *name_one,
			 const char *name_both)
{
	s64 one = S64_MAX, both = S64_MAX;

	lanes[0].rounds = rounds;
	lanes[1].rounds = rounds;

	/* Takes the best of several attempts, since the host may be busy. */
	for (int i = 0; i < PARALLEL_TRIES; i++) {
		/* Both lanes run first, to allocate the nodes of the map. */
		s64 two_lanes = time_lanes(lanes, LANES);
		s64 one_lane = time_lanes(lanes, 1);

		if (one_lane < 0 || two_lanes < 0)
			return one_lane < 0 ? one_lane : two_lanes;
		one = min(one, one_lane);
		both = min(both, two_lanes);
	}

	add_result(name_one, LANE_PAGES * rounds * NSEC_PER_SEC, one);
	add_result(name_both, LANES * LANE_PAGES * rounds * NSEC_PER_SEC, both);

	return 0;
}

/* Measures two CPUs that share nothing, not even a cache line. */
static int time_apart(struct lane *lanes, unsigned long rounds)
{
	int err = -ENOMEM;

	lanes[0].bits = (void *)get_zeroed_page(GFP_KERNEL);
	lanes[1].bits = (void *)get_zeroed_page(GFP_KERNEL);
	if (lanes[0].bits && lanes[1].bits)
		err = time_parallel(lanes, rounds, "apart-1-per-s", "apart-2-per-s");
	free_page((unsigned long)lanes[0].bits);
	free_page((unsigned long)lanes[1].bits);

	return err;
}

static ssize_t parallel_write(struct file *file, const char __user *buf, size_t count,
			      loff_t *ppos)
{
	struct folio **folios __free(kvfree) = NULL;
	struct lane lanes[LANES] = {};
	unsigned long rounds, nr_spare;
	char line[32];
	int err = get_line(line, sizeof(line), buf, count);

	if (!err)
		err = kstrtoul(strim(line), 0, &rounds);
	if (err)
		return err;
	if (!rounds || rounds > 200 || num_online_cpus() < LANES)
		return -EINVAL;

	folios = kvmalloc_array(2 * LANES * LANE_PAGES, sizeof(*folios), GFP_KERNEL);
	if (!folios)
		return -ENOMEM;
	for (int i = 0; i < LANES; i++)
		lanes[i].folios = folios + i * LANE_PAGES;

	guard(mutex)(&lock);
	err = fill_lanes(lanes, folios + LANES * LANE_PAGES, &nr_spare) ?:
	      time_parallel(lanes, rounds, "parallel-1-per-s", "parallel-2-per-s") ?:
	      time_apart(lanes, rounds);

	free_folios(folios + LANES * LANE_PAGES, nr_spare);
	for (int i = 0; i < LANES; i++)
		free_folios(lanes[i].folios, lanes[i].nr);

	return err ?: count;
}

static const struct file_operations parallel_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = parallel_write,
};

static int __init test_kho_bench_init(void)
{
	struct dentry *dir = debugfs_create_dir("test_kho_bench", NULL);

	debugfs_create_file("set", 0200, dir, NULL, &set_fops);
	debugfs_create_file("restore", 0200, dir, NULL, &restore_fops);
	debugfs_create_file("parallel", 0200, dir, NULL, &parallel_fops);
	debugfs_create_file("results", 0400, dir, NULL, &results_fops);

	return 0;
}
late_initcall(test_kho_bench_init);
