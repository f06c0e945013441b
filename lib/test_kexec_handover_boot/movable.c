// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: a preserved folio that the kernel could migrate.
 *
 * debugfs has the file test_kho_movable. Writing 1 to it preserves a page of a shmem
 * file, as a client that keeps a memfd would do, but without a reference that pins
 * the page; writing 0 unpreserves it. The page is in ZONE_MOVABLE, in a memory block
 * that could go offline. The client allocates pages until it finds such a page.
 * Reading the file prints where the page was and where it is now:
 *
 *   preserved ADDRESS now ADDRESS
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/kstrtox.h>
#include <linux/memblock.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>

#include "../../kernel/kexec_handover/scratch.h"

/* find_folio() tries at most this number of pages. */
#define MAX_PAGES	(SZ_512M / PAGE_SIZE)

static struct file *file;
static pgoff_t index;
static phys_addr_t preserved;
static DEFINE_MUTEX(lock);

/* Returns the folio at @index of the file, with a reference. */
static struct folio *get_folio(void)
{
	struct page *page = shmem_read_mapping_page(file->f_mapping, index);

	return IS_ERR(page) ? ERR_CAST(page) : page_folio(page);
}

/*
 * A memory block with scratch could not go offline anyway, nor could the last one,
 * which contains memory of firmware.
 */
static bool is_suitable(struct folio *folio)
{
	phys_addr_t size = memory_block_size_bytes();
	phys_addr_t block = ALIGN_DOWN(PFN_PHYS(folio_pfn(folio)), size);

	return is_zone_movable_page(folio_page(folio, 0)) &&
	       block + size <= PFN_PHYS(max_pfn) && !kho_scratch_overlap(block, size);
}

static struct folio *find_folio(void)
{
	for (index = 0; index < MAX_PAGES; index++) {
		struct folio *folio = get_folio();

		if (IS_ERR(folio) || is_suitable(folio))
			return folio;
		folio_put(folio);
	}

	return ERR_PTR(-ENOENT);
}

static int unpreserve(void)
{
	struct folio *folio;

	if (!file)
		return 0;
	folio = get_folio();
	if (IS_ERR(folio))
		return PTR_ERR(folio);

	kho_unpreserve_folio(folio);
	folio_put(folio);
	fput(file);
	file = NULL;

	return 0;
}

static int preserve(void)
{
	struct folio *folio;
	int err;

	if (file)
		return -EEXIST;
	file = shmem_kernel_file_setup("test-kho-movable", MAX_PAGES * PAGE_SIZE, VM_NORESERVE);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto out;
	}
	folio = find_folio();
	if (IS_ERR(folio)) {
		err = PTR_ERR(folio);
		goto out_file;
	}
	preserved = PFN_PHYS(folio_pfn(folio));
	err = kho_preserve_folio(folio);
	folio_put(folio);
	if (!err)
		return 0;

out_file:
	fput(file);
out:
	file = NULL;

	return err;
}

/* "1" or "0" */
static ssize_t movable_write(struct file *unused, const char __user *ubuf, size_t count,
			     loff_t *ppos)
{
	bool wanted;
	int err;

	err = kstrtobool_from_user(ubuf, count, &wanted);
	if (err)
		return err;

	guard(mutex)(&lock);
	err = wanted ? preserve() : unpreserve();

	return err ?: count;
}

static int movable_show(struct seq_file *m, void *unused)
{
	struct folio *folio;

	guard(mutex)(&lock);
	if (!file)
		return 0;
	folio = get_folio();
	if (IS_ERR(folio))
		return PTR_ERR(folio);

	seq_printf(m, "preserved %#llx now %#llx\n", (u64)preserved,
		   (u64)PFN_PHYS(folio_pfn(folio)));
	folio_put(folio);

	return 0;
}

static int movable_open(struct inode *inode, struct file *f)
{
	return single_open(f, movable_show, NULL);
}

static const struct file_operations movable_fops = {
	.open = movable_open,
	.read = seq_read,
	.write = movable_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init test_kho_movable_init(void)
{
	debugfs_create_file("test_kho_movable", 0600, NULL, NULL, &movable_fops);

	return 0;
}
late_initcall(test_kho_movable_init);
