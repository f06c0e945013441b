// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: files whose content survives a kexec.
 *
 * This file owns /sys/kernel/debug/test_kho/:
 *
 *   create     write "NAME", "NAME mixed" or "NAME ORDER": create an empty file, which
 *              is kept in folios of this order, or of all orders in turn
 *   files/     the files: writing appends to a file
 *   remove     write "NAME": remove this file
 *   stats      read: one line for each file, and the results of comparing folios
 *
 * Each folio is preserved as soon as it is added, so a kexec may happen at any time.
 * The next kernel restores all of them, compares each struct page with that of a
 * folio fresh from the page allocator, and preserves them again. With test_kho_early
 * on the command line it restores them in an early_initcall, before deferred struct
 * page initialisation, and compares them once more after it.
 *
 * Besides the folios with the data, the client preserves one page for each file, in a
 * list that starts in the blob, and tables with the addresses of the folios. Both are
 * linked by physical addresses. The next kernel uses them in place.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poison.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "check.h"
#include "table.h"

#define BLOB_NAME	"test-kho"
#define NAME_LEN	32
#define ORDER_MIXED	(-1)

/* The blob, which has the address of the first file. */
struct blob {
	u64 first_file;
};

/* The preserved page of a file. */
struct file_page {
	u64 next;
	u64 first_table_page;
	u64 bytes;
	s32 order;
	char name[NAME_LEN];
};

static_assert(sizeof(struct file_page) <= PAGE_SIZE);

/* A folio of a file and the offset in the file that it begins at. */
struct piece {
	struct folio *folio;
	u64 start;
};

/**
 * struct kept_file - a file
 * @list: position in @files, newest first, as in the preserved list
 * @dentry: its file in debugfs
 * @page: its preserved page
 * @table: its preserved table of folios
 * @pieces: its folios, sorted by offset
 * @nr: number of @pieces
 * @max: number of pieces that @pieces has room for
 * @capacity: size of all pieces in bytes
 * @restored: it was in the incoming handover
 *
 * All is guarded by @lock.
 */
struct kept_file {
	struct list_head list;
	struct dentry *dentry;
	struct file_page *page;
	struct folio_table table;
	struct piece *pieces;
	unsigned long nr;
	unsigned long max;
	u64 capacity;
	bool restored;
};

static DEFINE_MUTEX(lock);
static LIST_HEAD(files);
static struct blob *blob;
static struct dentry *files_dir;

/* Results of comparing the restored folios. */
static struct folio_checks checks;

static u64 next_of(struct list_head *pos)
{
	if (list_is_last(pos, &files))
		return 0;

	return virt_to_phys(list_next_entry(list_entry(pos, struct kept_file, list), list)->page);
}

/* Updates the preserved list of files. */
static void link_files(void)
{
	struct kept_file *f;

	blob->first_file = next_of(&files);
	list_for_each_entry(f, &files, list)
		f->page->next = next_of(&f->list);
}

static struct kept_file *find_file(const char *name)
{
	struct kept_file *f;

	list_for_each_entry(f, &files, list) {
		if (!strcmp(f->page->name, name))
			return f;
	}

	return NULL;
}

static int add_piece(struct kept_file *f, struct folio *folio)
{
	if (f->nr == f->max) {
		unsigned long max = max(2 * f->max, 64);
		struct piece *pieces = kvmalloc_array(max, sizeof(*pieces), GFP_KERNEL);

		if (!pieces)
			return -ENOMEM;
		memcpy(pieces, f->pieces, f->nr * sizeof(*pieces));
		kvfree(f->pieces);
		f->pieces = pieces;
		f->max = max;
	}

	f->pieces[f->nr++] = (struct piece){ folio, f->capacity };
	f->capacity += folio_size(folio);

	return 0;
}

static struct folio *alloc_piece(struct kept_file *f)
{
	int order = f->page->order;
	struct folio *folio;

	if (order != ORDER_MIXED)
		return folio_alloc(GFP_KERNEL, order);

	/* If memory is fragmented, a folio of a smaller order is used. */
	for (order = f->nr % (MAX_PAGE_ORDER + 1); order; order--) {
		folio = folio_alloc(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, order);
		if (folio)
			return folio;
	}

	return folio_alloc(GFP_KERNEL, 0);
}

static int grow_file(struct kept_file *f)
{
	struct folio *folio;
	int err;

	err = folio_table_reserve(&f->table);
	if (err)
		return err;

	folio = alloc_piece(f);
	if (!folio)
		return -ENOMEM;

	err = kho_preserve_folio(folio);
	if (err)
		goto out_put;
	err = add_piece(f, folio);
	if (err)
		goto out_unpreserve;

	folio_table_add(&f->table, folio);

	return 0;

out_unpreserve:
	kho_unpreserve_folio(folio);
out_put:
	folio_put(folio);

	return err;
}

/* Returns the piece with the byte at @pos, which must be below the capacity. */
static struct piece *find_piece(struct kept_file *f, u64 pos)
{
	unsigned long low = 0, high = f->nr - 1;

	while (low < high) {
		unsigned long mid = high - (high - low) / 2;

		if (f->pieces[mid].start <= pos)
			low = mid;
		else
			high = mid - 1;
	}

	return &f->pieces[low];
}

static ssize_t file_read(struct file *file, char __user *buf, size_t count,
			 loff_t *ppos)
{
	struct kept_file *f = file->private_data;
	struct piece *piece;
	u64 pos = *ppos;

	guard(mutex)(&lock);
	if (pos >= f->page->bytes)
		return 0;

	piece = find_piece(f, pos);
	count = min3(count, piece->start + folio_size(piece->folio) - pos,
		     f->page->bytes - pos);
	if (copy_to_user(buf, folio_address(piece->folio) + (pos - piece->start), count))
		return -EFAULT;
	*ppos = pos + count;

	return count;
}

static ssize_t file_write(struct file *file, const char __user *buf, size_t count,
			  loff_t *ppos)
{
	struct kept_file *f = file->private_data;
	struct piece *piece;
	u64 pos;

	guard(mutex)(&lock);
	pos = f->page->bytes;
	if (pos == f->capacity) {
		int err = grow_file(f);

		if (err)
			return err;
	}

	piece = find_piece(f, pos);
	count = min(count, f->capacity - pos);
	if (copy_from_user(folio_address(piece->folio) + (pos - piece->start), buf, count))
		return -EFAULT;
	f->page->bytes += count;
	*ppos = f->page->bytes;

	return count;
}

static const struct file_operations file_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = file_read,
	.write = file_write,
	.llseek = default_llseek,
};

static void free_pieces(struct kept_file *f)
{
	for (unsigned long i = 0; i < f->nr; i++) {
		kho_unpreserve_folio(f->pieces[i].folio);
		folio_put(f->pieces[i].folio);
	}
	kvfree(f->pieces);
	folio_table_unpreserve(&f->table);
	folio_table_free(&f->table);
}

/* The file must no longer be in the preserved list. */
static void free_file(struct kept_file *f)
{
	free_pieces(f);
	kho_unpreserve_free(f->page);
	kfree(f);
}

static void show_file(struct kept_file *f)
{
	f->dentry = debugfs_create_file(f->page->name, 0600, files_dir, f, &file_fops);
}

static int create_file(const char *name, int order)
{
	struct kept_file *f;

	if (find_file(name))
		return -EEXIST;

	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;

	f->page = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(f->page)) {
		int err = PTR_ERR(f->page);

		kfree(f);
		return err;
	}

	f->table.first = &f->page->first_table_page;
	strscpy(f->page->name, name);
	f->page->order = order;
	list_add(&f->list, &files);
	link_files();
	show_file(f);

	return 0;
}

static bool name_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= NAME_LEN || name[0] == '.')
		return false;
	while (isalnum(*name) || *name == '_' || *name == '.' || *name == '-')
		name++;

	return !*name;
}

static ssize_t create_write(struct file *file, const char __user *buf, size_t count,
			    loff_t *ppos)
{
	char line[NAME_LEN + 16], *name, *how;
	int order = ORDER_MIXED, err;
	ssize_t len;

	len = simple_write_to_buffer(line, sizeof(line) - 1, ppos, buf, count);
	if (len < 0)
		return len;
	line[len] = '\0';

	how = strim(line);
	name = strsep(&how, " ");
	if (!name_ok(name))
		return -EINVAL;
	if (how && strcmp(how, "mixed") &&
	    (kstrtoint(how, 10, &order) || order < 0 || order > MAX_PAGE_ORDER))
		return -EINVAL;

	guard(mutex)(&lock);
	if (!blob)
		return -EOPNOTSUPP;
	err = create_file(name, order);

	return err ?: count;
}

static const struct file_operations create_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = create_write,
};

static ssize_t remove_write(struct file *file, const char __user *buf, size_t count,
			    loff_t *ppos)
{
	struct dentry *dentry;
	struct kept_file *f;
	char name[NAME_LEN];
	ssize_t len;

	len = simple_write_to_buffer(name, sizeof(name) - 1, ppos, buf, count);
	if (len < 0)
		return len;
	name[len] = '\0';

	scoped_guard(mutex, &lock) {
		f = find_file(strim(name));
		if (!f)
			return -ENOENT;
		list_del(&f->list);
		link_files();
		dentry = f->dentry;
	}

	/* This waits for readers and writers of the file, which take the lock. */
	debugfs_remove(dentry);
	free_file(f);

	return count;
}

static const struct file_operations remove_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = remove_write,
};

static void show_orders(struct seq_file *m, struct kept_file *f)
{
	unsigned long orders[MAX_PAGE_ORDER + 1] = {};
	const char *sep = "";

	for (unsigned long i = 0; i < f->nr; i++)
		orders[folio_order(f->pieces[i].folio)]++;

	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		if (!orders[order])
			continue;
		seq_printf(m, "%so%u:%lu", sep, order, orders[order]);
		sep = ",";
	}
}

static int stats_show(struct seq_file *m, void *unused)
{
	struct kept_file *f;

	guard(mutex)(&lock);
	list_for_each_entry(f, &files, list) {
		seq_printf(m, "%s bytes=%llu folios=%lu orders=", f->page->name,
			   f->page->bytes, f->nr);
		show_orders(m, f);
		seq_printf(m, " origin=%s at=%#llx\n", f->restored ? "restored" : "new",
			   f->nr ? PFN_PHYS(folio_pfn(f->pieces[0].folio)) : 0);
	}
	seq_printf(m, "checked=%lu bad=%lu\n", checks.checked, checks.bad);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/*
 * Restoring files
 */

static void *__init restore_page(u64 phys)
{
	struct folio *folio = kho_restore_folio(phys);

	if (!folio)
		return NULL;
	check_folio_like_new(folio, &checks);

	return folio_address(folio);
}

static int restore_piece(phys_addr_t phys, unsigned int order, void *arg)
{
	struct folio *folio = kho_restore_folio(phys);
	struct kept_file *f = arg;

	if (!folio)
		return -ENOENT;
	if (folio_order(folio) != order) {
		pr_err("restored folio at PFN %#lx has the wrong order %u, not %u\n",
		       folio_pfn(folio), folio_order(folio), order);
		checks.bad++;
	}
	check_folio_like_new(folio, &checks);

	return add_piece(f, folio);
}

/* Returns the address of the next file. */
static u64 __init restore_file(u64 phys)
{
	struct kept_file *f = kzalloc(sizeof(*f), GFP_KERNEL);
	int err;

	if (!f)
		return 0;
	f->page = restore_page(phys);
	if (!f->page) {
		kfree(f);
		return 0;
	}

	f->restored = true;
	f->table.first = &f->page->first_table_page;
	err = folio_table_restore(&f->table, restore_piece, f);
	if (err || f->page->bytes > f->capacity) {
		pr_err("file %.*s is damaged (%d)\n", NAME_LEN, f->page->name, err);
		checks.bad++;
		f->page->bytes = min(f->page->bytes, f->capacity);
	}
	list_add_tail(&f->list, &files);

	return f->page->next;
}

static void __init restore_files(void)
{
	struct blob *old;
	phys_addr_t phys;
	size_t size;
	u64 next;

	if (kho_retrieve_subtree(BLOB_NAME, &phys, &size) || size != sizeof(*old))
		return;

	old = phys_to_virt(phys);
	next = old->first_file;
	kho_restore_free(old);

	while (next)
		next = restore_file(next);
	pr_info("%lu folios restored and checked, %lu bad\n", checks.checked, checks.bad);
}

/* Restore the files before most struct pages are initialised? */
static bool early __initdata;

static int __init test_kho_early(char *arg)
{
	early = true;
	return 0;
}
early_param("test_kho_early", test_kho_early);

static int __init restore_early(void)
{
	if (early)
		restore_files();

	return 0;
}
early_initcall(restore_early);

/* Nothing must have changed a folio since it was restored early. */
static void __init check_again(void)
{
	struct kept_file *f;

	list_for_each_entry(f, &files, list) {
		for (unsigned long i = 0; i < f->nr; i++)
			check_folio_like_new(f->pieces[i].folio, &checks);
	}
	pr_info("restored early and checked again, %lu bad\n", checks.bad);
}

static int __init preserve_file(struct kept_file *f)
{
	int err = kho_preserve_folio(virt_to_folio(f->page)) ?:
		  folio_table_preserve(&f->table);

	for (unsigned long i = 0; i < f->nr && !err; i++)
		err = kho_preserve_folio(f->pieces[i].folio);

	return err;
}

/* Preserves the restored files again. */
static void __init preserve_files(void)
{
	struct kept_file *f;

	list_for_each_entry(f, &files, list) {
		int err = preserve_file(f);

		if (err) {
			pr_err("cannot preserve %s again (%d)\n", f->page->name, err);
			checks.bad++;
		}
	}
	link_files();
}

static int __init test_kho_init(void)
{
	struct dentry *dir = debugfs_create_dir("test_kho", NULL);
	struct kept_file *f;
	int err;

	debugfs_create_file("create", 0200, dir, NULL, &create_fops);
	debugfs_create_file("remove", 0200, dir, NULL, &remove_fops);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
	files_dir = debugfs_create_dir("files", dir);

	guard(mutex)(&lock);
	if (early)
		check_again();
	else
		restore_files();
	list_for_each_entry(f, &files, list)
		show_file(f);

	/* The restored files can be read even if KHO is off for the next kernel. */
	if (!kho_is_enabled())
		return 0;

	blob = kho_alloc_preserve(sizeof(*blob));
	if (IS_ERR(blob)) {
		err = PTR_ERR(blob);
		goto out;
	}
	err = kho_add_subtree(BLOB_NAME, blob, sizeof(*blob));
	if (err) {
		kho_unpreserve_free(blob);
		goto out;
	}

	preserve_files();

	return 0;
out:
	blob = NULL;
	debugfs_remove(dir);

	return err;
}
late_initcall(test_kho_init);
