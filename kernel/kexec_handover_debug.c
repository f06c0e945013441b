// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver in debugfs: /sys/kernel/debug/kho/.
 *
 * This file owns the files in it: out/ shows what this kernel hands over to the
 * next one, in/ shows what the previous kernel handed over to this one.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kstrtox.h>
#include <linux/libfdt.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kexec_handover/counts.h"
#include "kexec_handover/debug.h"
#include "kexec_handover/fdt.h"
#include "kexec_handover/incoming.h"
#include "kexec_handover/outgoing.h"
#include "kexec_handover/pages.h"
#include "kexec_handover/ram.h"
#include "kexec_handover/restore.h"
#include "kexec_handover/scratch.h"

/**
 * struct blob_file - a file that shows a blob
 * @list: for the blob of an outgoing handover, its entry in blob_files, which
 *	kho_out.lock guards; not used for the copy of an incoming blob
 * @file: the file in debugfs. create_blob_file() sets it; constant from then on.
 * @wrapper: address and size in bytes of the blob, with the same writer as @file
 */
struct blob_file {
	struct list_head list;
	struct dentry *file;
	struct debugfs_blob_wrapper wrapper;
};

static LIST_HEAD(blob_files);
static struct dentry *out_subtrees;

/* The outgoing side, or NULL if KHO is off. kho_debugfs_init() sets it, once. */
static struct kho_out *out;

static struct blob_file *create_blob_file(const char *name, struct dentry *dir,
					  void *blob, size_t size)
{
	struct blob_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return NULL;

	f->wrapper.data = blob;
	f->wrapper.size = size;
	f->file = debugfs_create_blob(name, 0400, dir, &f->wrapper);

	return f;
}

/**
 * kho_debugfs_add - make the file of a blob that is handed over
 * @name: name of the blob
 * @blob: address of the blob in the direct map
 * @size: size of the blob in bytes
 *
 * If there is no memory for the file then there is no file.
 *
 * Context: may sleep, with kho_out.lock held.
 */
void kho_debugfs_add(const char *name, void *blob, size_t size)
{
	struct blob_file *f;

	/* Too early for debugfs: kho_debugfs_init() will find the blob in the root FDT. */
	if (!out_subtrees)
		return;

	f = create_blob_file(name, out_subtrees, blob, size);
	if (f)
		list_add(&f->list, &blob_files);
}

/**
 * kho_debugfs_remove - remove the file of a blob
 * @blob: address of the blob in the direct map
 *
 * Waits for readers of the file: none of them accesses the blob afterwards.
 *
 * Context: may sleep, with kho_out.lock held.
 */
void kho_debugfs_remove(const void *blob)
{
	struct blob_file *f, *next;

	list_for_each_entry_safe(f, next, &blob_files, list) {
		if (f->wrapper.data != blob)
			continue;
		list_del(&f->list);
		debugfs_remove(f->file);
		kfree(f);
	}
}

static int scratch_phys_show(struct seq_file *m, void *unused)
{
	const struct kho_scratch *regions;
	unsigned int cnt;

	regions = kho_scratch_regions(&cnt);
	for (unsigned int i = 0; i < cnt; i++)
		seq_printf(m, "0x%llx\n", (u64)regions[i].addr);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(scratch_phys);

static int scratch_len_show(struct seq_file *m, void *unused)
{
	const struct kho_scratch *regions;
	unsigned int cnt;

	regions = kho_scratch_regions(&cnt);
	for (unsigned int i = 0; i < cnt; i++)
		seq_printf(m, "0x%llx\n", (u64)regions[i].size);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(scratch_len);

/* kho_add_subtree() and kho_remove_subtree() change the root FDT with this lock held. */
static int out_fdt_show(struct seq_file *m, void *unused)
{
	guard(mutex)(&out->lock);
	seq_write(m, out->fdt, fdt_totalsize(out->fdt));

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(out_fdt);

static int in_fdt_show(struct seq_file *m, void *unused)
{
	seq_write(m, kho_incoming.fdt, fdt_totalsize(kho_incoming.fdt));

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(in_fdt);

static void show_counts(struct seq_file *m, const char *what,
			const unsigned long *folios)
{
	unsigned long total = 0;

	for (unsigned int order = 0; order <= KHO_MAX_RUN_ORDER; order++) {
		if (!folios[order])
			continue;
		total += folios[order];
		seq_printf(m, "%s_order_%u %lu\n%s_bytes_order_%u %llu\n",
			   what, order, folios[order], what, order,
			   (u64)folios[order] << (PAGE_SHIFT + order));
	}
	seq_printf(m, "%s_folios %lu\n%s_bytes %llu\n", what, total, what,
		   kho_count_bytes(folios));
}

static int out_stats_show(struct seq_file *m, void *unused)
{
	struct kho_counts counts;

	kho_count_outgoing(&out->map, &counts);
	show_counts(m, "preserved", counts.folios);
	seq_printf(m, "map_nodes %lu\n", counts.nodes);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(out_stats);

static int in_stats_show(struct seq_file *m, void *unused)
{
	struct kho_restore_stats stats;
	unsigned long restored[ARRAY_SIZE(stats.folios)];

	kho_restore_get_stats(&stats);
	for (unsigned int order = 0; order < ARRAY_SIZE(restored); order++)
		restored[order] = stats.folios[order] - stats.unclaimed[order];

	show_counts(m, "preserved", stats.folios);
	show_counts(m, "restored", restored);
	show_counts(m, "unclaimed", stats.unclaimed);
	seq_printf(m, "map_nodes %lu\n", stats.nodes);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(in_stats);

/*
 * Where the folios are: a line for each part of memory that has any, with its address and
 * how many bytes of it they are. Parts are as large as needed to have 4096 at most.
 */

static unsigned long part_pages(void)
{
	return max(roundup_pow_of_two(max_pfn) / 4096, KHO_BLOCK_PAGES);
}

typedef bool (*next_folio_t)(unsigned long pfn, unsigned long end, struct kho_map_folio *folio);

static bool next_outgoing(unsigned long pfn, unsigned long end, struct kho_map_folio *folio)
{
	return kho_map_next(&out->map, pfn, end, folio);
}

static bool next_incoming(unsigned long pfn, unsigned long end, struct kho_map_folio *folio)
{
	bool found = false;

	rcu_read_lock();
	/* Pairs with WRITE_ONCE() in drop_map_once(). */
	if (READ_ONCE(kho_incoming.map.root))
		found = kho_map_next(&kho_incoming.map, pfn, end, folio);
	rcu_read_unlock();

	return found;
}

static void show_parts(struct seq_file *m, next_folio_t next, bool waiting)
{
	const unsigned long step = part_pages();
	struct kho_map_folio folio;

	for (unsigned long start = 0; start < max_pfn; start += step) {
		unsigned long pfn = start, end = start + step, pages = 0;

		while (pfn < end && next(pfn, end, &folio)) {
			unsigned long stop = min(end, folio.pfn + BIT(folio.order));

			if (!waiting || kho_waiting_order(folio.pfn) == folio.order)
				pages += stop - max(pfn, folio.pfn);
			pfn = stop;
			cond_resched();
		}
		if (pages)
			seq_printf(m, "0x%llx %llu\n", (u64)PFN_PHYS(start), (u64)PFN_PHYS(pages));
	}
}

static int out_map_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "part %llu\n", (u64)PFN_PHYS(part_pages()));
	show_parts(m, next_outgoing, false);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(out_map);

static int in_map_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "part %llu\n", (u64)PFN_PHYS(part_pages()));
	show_parts(m, next_incoming, true);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(in_map);

static ssize_t release_write(struct file *file, const char __user *ubuf,
			     size_t count, loff_t *ppos)
{
	bool sure;
	int err;

	err = kstrtobool_from_user(ubuf, count, &sure);
	if (err)
		return err;
	if (sure)
		pr_info("%lu folios that were unclaimed are free now\n",
			kho_pages_release());

	return count;
}

static const struct file_operations release_fops = {
	.open = simple_open,
	.write = release_write,
};

static int blob_at(const void *fdt, int node, u64 *phys, u64 *size)
{
	return kho_fdt_u64(fdt, node, KHO_FDT_PROP_DATA, phys) ?:
	       kho_fdt_u64(fdt, node, KHO_FDT_PROP_SIZE, size);
}

/* Makes the files of blobs that were added before debugfs was set up. */
static void __init add_subtrees(void)
{
	int node;

	fdt_for_each_subnode(node, out->fdt, 0) {
		u64 phys, size;

		if (!blob_at(out->fdt, node, &phys, &size))
			kho_debugfs_add(fdt_get_name(out->fdt, node, NULL), phys_to_virt(phys),
					size);
	}
}

/**
 * struct blob_copy - a copy of an incoming blob
 * @list: entry in blob_copies
 * @name: name of the blob, in the incoming root FDT
 * @size: size of the blob in bytes
 * @data: content of the blob
 *
 * copy_blob() writes all fields in a core_initcall; constant from then on.
 */
struct blob_copy {
	struct list_head list;
	const char *name;
	size_t size;
	u8 data[];
};

static LIST_HEAD(blob_copies);

static void __init copy_blob(const char *name, phys_addr_t phys, size_t size)
{
	struct blob_copy *copy;

	/* A blob that is larger than kho_alloc_preserve() allocates is not copied. */
	if (!name || size > PAGE_SIZE << MAX_PAGE_ORDER || !kho_ram_is_ram(phys, size))
		return;

	copy = kvmalloc(struct_size(copy, data, size), GFP_KERNEL);
	if (!copy)
		return;
	*copy = (struct blob_copy){ .name = name, .size = size };
	if (kho_restore_peek(phys, copy->data, size))
		list_add_tail(&copy->list, &blob_copies);
	else
		kvfree(copy);
}

/**
 * kho_debugfs_copy_blobs - copy the blobs of the incoming handover
 *
 * The owner of a blob can restore and free it at any time. So the files in in/sub_fdts
 * show copies that are made here, of blobs that still wait. Blobs that were restored
 * before have no file.
 *
 * Context: may sleep. kho_start(), a core_initcall.
 */
void __init kho_debugfs_copy_blobs(void)
{
	int node;

	fdt_for_each_subnode(node, kho_incoming.fdt, 0) {
		u64 phys, size;

		if (!blob_at(kho_incoming.fdt, node, &phys, &size))
			copy_blob(fdt_get_name(kho_incoming.fdt, node, NULL), phys, size);
	}
}

/* Makes the files of all copies of incoming blobs. */
static void __init show_copies(struct dentry *dir)
{
	struct blob_copy *copy;

	list_for_each_entry(copy, &blob_copies, list)
		create_blob_file(copy->name, dir, copy->data, copy->size);
}

static void __init create_out(struct dentry *dir)
{
	debugfs_create_file("fdt", 0400, dir, NULL, &out_fdt_fops);
	debugfs_create_file("scratch_phys", 0400, dir, NULL, &scratch_phys_fops);
	debugfs_create_file("scratch_len", 0400, dir, NULL, &scratch_len_fops);
	debugfs_create_file("stats", 0400, dir, NULL, &out_stats_fops);
	debugfs_create_file("map", 0400, dir, NULL, &out_map_fops);

	scoped_guard(mutex, &out->lock) {
		out_subtrees = debugfs_create_dir("sub_fdts", dir);
		add_subtrees();
	}
}

static void __init create_in(struct dentry *in)
{
	debugfs_create_file("fdt", 0400, in, NULL, &in_fdt_fops);
	debugfs_create_file("scratch_phys", 0400, in, NULL, &scratch_phys_fops);
	debugfs_create_file("scratch_len", 0400, in, NULL, &scratch_len_fops);
	debugfs_create_file("stats", 0400, in, NULL, &in_stats_fops);
	debugfs_create_file("map", 0400, in, NULL, &in_map_fops);
	debugfs_create_file("release", 0200, in, NULL, &release_fops);
	show_copies(debugfs_create_dir("sub_fdts", in));
}

/**
 * kho_debugfs_init - make the files of both sides
 * @outgoing: the outgoing side, or NULL if KHO is off
 *
 * Context: may sleep. fs_initcall, after kho_start().
 */
void __init kho_debugfs_init(struct kho_out *outgoing)
{
	struct dentry *kho = debugfs_create_dir("kho", NULL);

	out = outgoing;
	if (out)
		create_out(debugfs_create_dir("out", kho));
	if (is_kho_boot())
		create_in(debugfs_create_dir("in", kho));
}
