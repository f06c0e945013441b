// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: calls that must fail.
 *
 * This file owns /sys/kernel/debug/test_kho_errors/:
 *
 *   calls      read: one line for each call that must fail, with its return value
 *   toggle     write a number N: N times, add a blob, or remove it if it is there
 *
 * areas.c makes the calls with invalid runs of pages and vmalloc areas. Some calls
 * can fail only in the next kernel. For these, with test_kho_errors on the command
 * line, this client adds blobs with invalid properties, and preserves a vmalloc area
 * that lacks a page.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/cma.h>
#include <linux/debugfs.h>
#include <linux/dma-map-ops.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/libfdt.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "../../kernel/kexec_handover/fdt.h"
#include "../../kernel/kexec_handover/outgoing.h"
#include "../../kernel/kexec_handover/scratch.h"

#define HOLED_NAME	"test-kho-holed"
#define HOLED_PAGES	5

/* No other client preserves folios of this order, so the map has no leaf for it. */
#define RARE_ORDER	7

static DEFINE_MUTEX(lock);

/* True if kho_restore_vmalloc() refused the area that lacks a page. */
static bool holed_denied;

static int result(void *got)
{
	return PTR_ERR_OR_ZERO(got);
}

static void show_scratch(struct seq_file *m)
{
	const struct kho_scratch *r = &kho_scratch[0];
	struct folio *folio;

	/* Find the lowest region, since the memory below it is not scratch. */
	for (unsigned int i = 1; i < kho_scratch_cnt; i++) {
		if (kho_scratch[i].addr < r->addr)
			r = &kho_scratch[i];
	}
	folio = page_folio(pfn_to_page(PHYS_PFN(r->addr)));

	seq_printf(m, "folio-scratch %d\n", kho_preserve_folio(folio));
	seq_printf(m, "overlap-first %d\n", kho_scratch_overlap(r->addr, 1));
	seq_printf(m, "overlap-last %d\n", kho_scratch_overlap(r->addr + r->size - 1, 1));
	seq_printf(m, "overlap-into %d\n", kho_scratch_overlap(r->addr - 1, 2));
	seq_printf(m, "overlap-below %d\n", kho_scratch_overlap(r->addr - 8, 8));
	seq_printf(m, "overlap-none %d\n", kho_scratch_overlap(r->addr, 0));
}

/* Makes calls for pages that hardware reported as bad. */
static void show_bad_pages(struct seq_file *m)
{
#ifdef CONFIG_MEMORY_FAILURE
	struct folio *folio = folio_alloc(GFP_KERNEL, 1);
	struct page *pages = alloc_pages(GFP_KERNEL, 1);

	if (folio && pages) {
		num_poisoned_pages_inc(page_to_pfn(pages + 1));
		folio_set_hwpoison(folio);
		seq_printf(m, "folio-bad %d\n", kho_preserve_folio(folio));
		folio_clear_hwpoison(folio);
		SetPageHWPoison(pages + 1);
		seq_printf(m, "pages-bad %d\n", kho_preserve_pages(pages, 2));
		ClearPageHWPoison(pages + 1);
		num_poisoned_pages_sub(page_to_pfn(pages + 1), 1);
	}
	if (folio)
		folio_put(folio);
	if (pages)
		__free_pages(pages, 1);
#endif
}

/* Makes a call for a page of the area of cma=, if there is one. */
static void show_cma(struct seq_file *m)
{
#ifdef CONFIG_DMA_CMA
	struct page *page = NULL;

	if (dma_contiguous_default_area)
		page = cma_alloc(dma_contiguous_default_area, 1, 0, true);
	if (!page)
		return;

	seq_printf(m, "folio-cma %d\n", kho_preserve_folio(page_folio(page)));
	seq_printf(m, "pages-cma %d\n", kho_preserve_pages(page, 1));
	kho_unpreserve_pages(page, 1);
	cma_release(dma_contiguous_default_area, page, 1);
#endif
}

static union kho_map_node *no_node(void)
{
	return NULL;
}

static const struct kho_map_ops no_nodes = {
	.alloc = no_node,
};

/* Makes calls while allocations of map nodes fail. */
static void show_no_memory(struct seq_file *m)
{
	const struct kho_map_ops *ops = kho_out.map.ops;
	struct folio *folio = folio_alloc(GFP_KERNEL, RARE_ORDER);
	struct page *page = alloc_pages(GFP_KERNEL, RARE_ORDER + 1);
	/* If possible one huge block, for whose order the map has no leaf either. */
	void *area = vmalloc_huge(min(PMD_SIZE, SZ_32M), GFP_KERNEL);
	struct kho_vmalloc kv = {};
	int err;

	if (folio && page && area) {
		split_page(page, RARE_ORDER + 1);
		kho_out.map.ops = &no_nodes;
		seq_printf(m, "folio-memory %d\n", kho_preserve_folio(folio));
		/* The run has blocks of many orders. Only RARE_ORDER has no leaf. */
		seq_printf(m, "pages-memory %d\n",
			   kho_preserve_pages(page + 1, BIT(RARE_ORDER + 1) - 1));
		err = kho_preserve_vmalloc(area, &kv);
		seq_printf(m, "vmalloc-memory %d\n", err);
		if (!err)
			kho_unpreserve_vmalloc(&kv);
		seq_printf(m, "alloc-memory %d\n",
			   result(kho_alloc_preserve(PAGE_SIZE << RARE_ORDER)));
		kho_out.map.ops = ops;
		for (int i = 0; i < BIT(RARE_ORDER + 1); i++)
			__free_page(page + i);
		page = NULL;
	}
	vfree(area);
	if (page)
		__free_pages(page, RARE_ORDER + 1);
	if (folio)
		folio_put(folio);
}

static void show_alloc(struct seq_file *m)
{
	seq_printf(m, "alloc-none %d\n", result(kho_alloc_preserve(0)));
	seq_printf(m, "alloc-large %d\n",
		   result(kho_alloc_preserve((PAGE_SIZE << MAX_PAGE_ORDER) + 1)));
	seq_printf(m, "alloc-huge %d\n", result(kho_alloc_preserve(SIZE_MAX)));
	/* These functions must ignore NULL. */
	kho_unpreserve_free(NULL);
	kho_restore_free(NULL);
	kho_remove_subtree(NULL);
}

/*
 * Adds blobs until the root FDT is full. Returns the error of the last attempt. Sets
 * @nr to the number of blobs, and @copy to the root FDT before the last attempt.
 */
static int fill_fdt(char *blob, int *nr, void *copy)
{
	int err = 0;

	for (*nr = 0; *nr < 100 && !err; ++*nr) {
		char name[4];

		/* A short name, so that the last node fits only in part. */
		snprintf(name, sizeof(name), "t%02d", *nr);
		memcpy(copy, kho_out.fdt, KHO_FDT_SIZE);
		err = kho_add_subtree(name, blob + *nr, 1);
	}
	if (err)
		--*nr;

	return err;
}

/* Leaves 4 KiB free in the root FDT, since filling a page of 64 KiB takes long. */
static int make_small(void)
{
	void *filler;

	guard(mutex)(&kho_out.lock);

	return fdt_setprop_placeholder(kho_out.fdt, 0, "filler", KHO_FDT_SIZE - SZ_4K, &filler);
}

static void make_large(void)
{
	guard(mutex)(&kho_out.lock);
	fdt_delprop(kho_out.fdt, 0, "filler");
}

static void show_full(struct seq_file *m, char *blob)
{
	const int before = fdt_size_dt_struct(kho_out.fdt);
	void *copy = kmalloc(KHO_FDT_SIZE, GFP_KERNEL);
	int nr;

	if (!copy || make_small())
		goto out;

	seq_printf(m, "subtree-full %d\n", fill_fdt(blob, &nr, copy));
	seq_printf(m, "subtree-changed %d\n", !!memcmp(copy, kho_out.fdt, KHO_FDT_SIZE));
	while (nr--)
		kho_remove_subtree(blob + nr);
	make_large();
	seq_printf(m, "subtree-left %d\n", fdt_size_dt_struct(kho_out.fdt) - before);
out:
	kfree(copy);
}

static void show_subtrees(struct seq_file *m)
{
	void *blob = kho_alloc_preserve(PAGE_SIZE);
	void *area = vmalloc(PAGE_SIZE);

	if (IS_ERR(blob) || !area)
		goto out;

	seq_printf(m, "subtree-first %d\n", kho_add_subtree("test-kho-e", blob, 8));
	seq_printf(m, "subtree-again %d\n", kho_add_subtree("test-kho-e", blob + 8, 8));
	seq_printf(m, "subtree-no-name %d\n", kho_add_subtree(NULL, blob, 8));
	seq_printf(m, "subtree-empty-name %d\n", kho_add_subtree("", blob, 8));
	seq_printf(m, "subtree-path %d\n", kho_add_subtree("a/b", blob, 8));
	seq_printf(m, "subtree-no-size %d\n", kho_add_subtree("test-kho-f", blob, 0));
	seq_printf(m, "subtree-no-blob %d\n", kho_add_subtree("test-kho-f", NULL, 8));
	seq_printf(m, "subtree-vmalloc %d\n", kho_add_subtree("test-kho-f", area, 8));
	/* Removing an address that is not that of a blob must have no effect. */
	kho_remove_subtree(area);
	kho_remove_subtree(blob + 16);
	seq_printf(m, "subtree-still %d\n", kho_add_subtree("test-kho-e", blob + 8, 8));
	kho_remove_subtree(blob);
	show_full(m, blob);
out:
	vfree(area);
	if (!IS_ERR(blob))
		kho_unpreserve_free(blob);
}

static int retrieve(const char *name)
{
	phys_addr_t phys = 1;
	size_t size = 1;
	int err = kho_retrieve_subtree(name, &phys, &size);

	/* A failed call must not change its results. */
	return err && (phys != 1 || size != 1) ? 1 : err;
}

static void show_retrieve(struct seq_file *m)
{
	phys_addr_t phys;

	seq_printf(m, "retrieve-unknown %d\n", retrieve("test-kho-unknown"));
	seq_printf(m, "retrieve-nowhere %d\n", retrieve("test-kho-nowhere"));
	seq_printf(m, "retrieve-no-size %d\n", retrieve("test-kho-no-size"));
	seq_printf(m, "retrieve-metadata %d\n",
		   kho_retrieve_subtree(KHO_METADATA_NAME, &phys, NULL));
	seq_printf(m, "holed-denied %d\n", holed_denied);
}

/* Makes calls while KHO is off. */
static void show_off(struct seq_file *m)
{
	struct page *page = alloc_page(GFP_KERNEL);
	void *area = vmalloc(PAGE_SIZE);
	struct kho_vmalloc kv = {};

	if (page && area) {
		seq_printf(m, "folio-off %d\n", kho_preserve_folio(page_folio(page)));
		seq_printf(m, "pages-off %d\n", kho_preserve_pages(page, 1));
		seq_printf(m, "vmalloc-off %d\n", kho_preserve_vmalloc(area, &kv));
		seq_printf(m, "subtree-off %d\n",
			   kho_add_subtree("test-kho-e", page_address(page), 8));
		/* These calls must have no effect. */
		kho_unpreserve_folio(page_folio(page));
		kho_unpreserve_pages(page, 1);
		kho_unpreserve_vmalloc(&kv);
		kho_remove_subtree(page_address(page));
	}
	seq_printf(m, "alloc-off %d\n", result(kho_alloc_preserve(8)));
	vfree(area);
	if (page)
		__free_page(page);
}

static int calls_show(struct seq_file *m, void *unused)
{
	guard(mutex)(&lock);
	seq_printf(m, "enabled %d\nboot %d\n", kho_is_enabled(), is_kho_boot());
	show_retrieve(m);
	if (!kho_is_enabled()) {
		show_off(m);
		return 0;
	}

	show_scratch(m);
	show_bad_pages(m);
	show_cma(m);
	show_alloc(m);
	show_no_memory(m);
	show_subtrees(m);
	drain_all_pages(NULL);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(calls);

/*
 * Adds a blob, or removes it if it is there. Its memory stays preserved, so that the
 * root FDT has only two states.
 */
static int toggle_once(void)
{
	static bool added;
	static void *blob;
	int err = 0;

	if (!blob) {
		blob = kho_alloc_preserve(8);
		if (IS_ERR(blob)) {
			err = PTR_ERR(blob);
			blob = NULL;
			return err;
		}
	}

	if (added)
		kho_remove_subtree(blob);
	else
		err = kho_add_subtree("test-kho-toggle", blob, 8);
	if (!err)
		added = !added;

	return err;
}

static ssize_t toggle_write(struct file *file, const char __user *ubuf,
			    size_t count, loff_t *ppos)
{
	unsigned long times;
	int err;

	err = kstrtoul_from_user(ubuf, count, 0, &times);
	if (err)
		return err;

	guard(mutex)(&lock);
	while (times-- && !err) {
		err = toggle_once();
		cond_resched();
	}

	return err ?: count;
}

static const struct file_operations toggle_fops = {
	.open = simple_open,
	.write = toggle_write,
};

/* Adds blobs that the next kernel must not return. */
static void __init add_broken_blobs(void)
{
	void *fdt;
	int node;

	guard(mutex)(&kho_out.lock);
	fdt = kho_out.fdt;
	kho_fdt_add(fdt, "test-kho-nowhere", PHYS_ADDR_MAX - PAGE_SIZE + 1, 8);
	kho_fdt_add(fdt, "test-kho-no-size", 0, 8);
	node = fdt_subnode_offset(fdt, 0, "test-kho-no-size");
	if (node >= 0)
		fdt_delprop(fdt, node, KHO_FDT_PROP_SIZE);
}

/* Preserves a vmalloc area, except for one of its pages. */
static int __init add_holed_area(void)
{
	struct kho_vmalloc *kv = kho_alloc_preserve(sizeof(*kv));
	void *area = vmalloc(HOLED_PAGES * PAGE_SIZE);
	int err = -ENOMEM;

	if (IS_ERR(kv) || !area)
		goto out;

	err = kho_preserve_vmalloc(area, kv);
	if (err)
		goto out;
	kho_unpreserve_pages(vmalloc_to_page(area + PAGE_SIZE), 1);
	err = kho_add_subtree(HOLED_NAME, kv, sizeof(*kv));
	if (!err)
		return 0;
	kho_unpreserve_vmalloc(kv);
out:
	vfree(area);
	if (!IS_ERR(kv))
		kho_unpreserve_free(kv);

	return err;
}

static void __init take_holed_area(void)
{
	phys_addr_t phys;

	if (kho_retrieve_subtree(HOLED_NAME, &phys, NULL))
		return;

	holed_denied = !kho_restore_vmalloc(phys_to_virt(phys));
	kho_restore_free(phys_to_virt(phys));
}

static bool wanted __initdata;

static int __init test_kho_errors_wanted(char *arg)
{
	wanted = true;
	return 0;
}
early_param("test_kho_errors", test_kho_errors_wanted);

static int __init test_kho_errors_init(void)
{
	struct dentry *dir = debugfs_create_dir("test_kho_errors", NULL);

	debugfs_create_file("calls", 0400, dir, NULL, &calls_fops);
	debugfs_create_file("toggle", 0200, dir, NULL, &toggle_fops);

	take_holed_area();
	if (!wanted || !kho_is_enabled())
		return 0;
	add_broken_blobs();

	return add_holed_area();
}
late_initcall(test_kho_errors_init);
