// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: calls whose allocations fail.
 *
 * This file owns /sys/kernel/debug/test_kho_faults/:
 *
 *   calls      read: repeats each call. In the Nth attempt the Nth allocation of the
 *              call fails, until the call makes fewer than N. Prints one line for
 *              each call: NAME faults N errors N wrong N. "wrong" counts calls that
 *              failed with a wrong error, or did not undo all of their changes
 *   preserved  read: number of folios in the outgoing map
 *
 * This client is active only with test_kho_faults on the command line. It preserves
 * AREAS vmalloc areas, which the calls in the next kernel restore.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../../kernel/kexec_handover/outgoing.h"
#include "../../kernel/kexec_handover/restore.h"

#define BLOB_NAME	"test-kho-faults"
#define AREAS		24

/* An area of several chunks, with more pages than the largest block of 4 KiB pages. */
#define AREA_PAGES	1200

/* No other client preserves folios of this order, so the map has no leaf for it. */
#define RARE_ORDER	7

static DEFINE_MUTEX(lock);

/* The arguments of the calls. */
static struct folio *folio;
static struct page *pages;
static void *area;
static void *blob;
static struct kho_vmalloc kv;

/* The areas of the incoming handover, and how many of them have been restored. */
static const struct kho_vmalloc *incoming;
static unsigned int restored;

static int count_bits(phys_addr_t node, unsigned int level, u64 key, void *arg)
{
	const union kho_map_node *leaf = phys_to_virt(node);
	unsigned long *nr = arg;

	if (!level)
		*nr += bitmap_weight(leaf->bits, KHO_MAP_LEAF_BITS);

	return 0;
}

static unsigned long nr_preserved(void)
{
	unsigned long nr = 0;

	kho_map_walk(&kho_out.map, count_bits, &nr);

	return nr;
}

static unsigned long nr_waiting(void)
{
	struct kho_restore_stats stats;
	unsigned long nr = 0;

	kho_restore_get_stats(&stats);
	for (unsigned int order = 0; order <= KHO_MAX_FOLIO_ORDER; order++)
		nr += stats.unclaimed[order];

	return nr;
}

/* The calls. Each function undoes its call if it succeeds. */

static int preserve_folio(void)
{
	int err = kho_preserve_folio(folio);

	if (!err)
		kho_unpreserve_folio(folio);

	return err;
}

/* The run has blocks of many orders. For some of them the map has no leaf. */
static int preserve_pages(void)
{
	int err = kho_preserve_pages(pages + 1, BIT(RARE_ORDER + 1) - 1);

	if (!err)
		kho_unpreserve_pages(pages + 1, BIT(RARE_ORDER + 1) - 1);

	return err;
}

static int preserve_vmalloc(void)
{
	int err = kho_preserve_vmalloc(area, &kv);

	if (!err)
		kho_unpreserve_vmalloc(&kv);

	return err;
}

static int alloc_preserve(void)
{
	void *mem = kho_alloc_preserve(PAGE_SIZE << (RARE_ORDER + 2));

	if (!IS_ERR(mem))
		kho_unpreserve_free(mem);

	return PTR_ERR_OR_ZERO(mem);
}

static int add_subtree(void)
{
	int err = kho_add_subtree("test-kho-fault", blob, 8);

	if (!err)
		kho_remove_subtree(blob);

	return err;
}

static int restore_vmalloc(void)
{
	unsigned long waiting = nr_waiting();
	void *got;

	if (!incoming || restored == AREAS)
		return 0;

	got = kho_restore_vmalloc(&incoming[restored]);
	if (got && *(u64 *)got != restored)
		pr_err("wrong content of area %u\n", restored);
	vfree(got);
	/* A failed call must leave all folios unclaimed, for the next attempt. */
	if (!got)
		return nr_waiting() == waiting ? -ENOMEM : -EIO;
	restored++;

	return 0;
}

static const struct {
	const char *name;
	int (*call)(void);
} calls[] = {
	{ "preserve_folio", preserve_folio },
	{ "preserve_pages", preserve_pages },
	{ "preserve_vmalloc", preserve_vmalloc },
	{ "alloc_preserve", alloc_preserve },
	{ "add_subtree", add_subtree },
	{ "restore_vmalloc", restore_vmalloc },
};

/* Makes a call whose @nth allocation fails. Returns false if it makes fewer. */
static bool fails_at(int (*call)(void), unsigned int nth, int *err)
{
	bool fired;

	current->fail_nth = nth;
	*err = call();
	fired = !current->fail_nth;
	current->fail_nth = 0;

	return fired;
}

static void show_call(struct seq_file *m, unsigned int i, void *before)
{
	unsigned int nth, errors = 0, wrong = 0;
	unsigned long preserved = nr_preserved();
	int err;

	memcpy(before, kho_out.fdt, KHO_FDT_SIZE);
	for (nth = 1; fails_at(calls[i].call, nth, &err); nth++) {
		errors += !!err;
		wrong += (err && err != -ENOMEM) || nr_preserved() != preserved;
		/* Only after an error: removing the blob does not restore all bytes. */
		wrong += err && memcmp(before, kho_out.fdt, KHO_FDT_SIZE);
		memcpy(before, kho_out.fdt, KHO_FDT_SIZE);
	}
	wrong += !!err;

	seq_printf(m, "%s faults %u errors %u wrong %u\n", calls[i].name, nth - 1, errors, wrong);
}

static bool get_objects(void)
{
	folio = folio_alloc(GFP_KERNEL, RARE_ORDER);
	pages = alloc_pages(GFP_KERNEL, RARE_ORDER + 1);
	if (pages)
		split_page(pages, RARE_ORDER + 1);
	area = vmalloc(AREA_PAGES * PAGE_SIZE);
	blob = (void *)get_zeroed_page(GFP_KERNEL);

	return folio && pages && area && blob;
}

static void put_objects(void)
{
	if (folio)
		folio_put(folio);
	for (int i = 0; pages && i < BIT(RARE_ORDER + 1); i++)
		__free_page(pages + i);
	vfree(area);
	free_page((unsigned long)blob);
}

static int calls_show(struct seq_file *m, void *unused)
{
	void *before = kmalloc(KHO_FDT_SIZE, GFP_KERNEL);

	guard(mutex)(&lock);
	if (before && get_objects()) {
		for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
			show_call(m, i, before);
	}
	put_objects();
	kfree(before);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(calls);

static int preserved_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%lu\n", nr_preserved());

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(preserved);

static bool wanted __initdata;

static int __init test_kho_faults_wanted(char *arg)
{
	wanted = true;
	return 0;
}
early_param("test_kho_faults", test_kho_faults_wanted);

/* The areas are never freed, since they are for the next kernel only. */
static int __init hand_over_areas(void)
{
	struct kho_vmalloc *table = kho_alloc_preserve(AREAS * sizeof(*table));
	int err = 0;

	if (IS_ERR(table))
		return PTR_ERR(table);

	for (u64 i = 0; i < AREAS && !err; i++) {
		u64 *mem = vmalloc(AREA_PAGES * PAGE_SIZE);

		if (!mem)
			return -ENOMEM;
		*mem = i;
		err = kho_preserve_vmalloc(mem, &table[i]);
	}

	return err ?: kho_add_subtree(BLOB_NAME, table, AREAS * sizeof(*table));
}

static int __init test_kho_faults_init(void)
{
	struct dentry *dir;
	phys_addr_t phys;

	if (!wanted || !kho_is_enabled())
		return 0;

	dir = debugfs_create_dir("test_kho_faults", NULL);
	debugfs_create_file("calls", 0400, dir, NULL, &calls_fops);
	debugfs_create_file("preserved", 0400, dir, NULL, &preserved_fops);

	/* The table is never freed, since each read of "calls" may use it. */
	if (!kho_retrieve_subtree(BLOB_NAME, &phys, NULL) && kho_restore_folio(phys))
		incoming = phys_to_virt(phys);

	return hand_over_areas();
}
late_initcall(test_kho_faults_init);
