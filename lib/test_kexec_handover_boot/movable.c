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
#define MAX_PAGES	((SZ_512M + SZ_256M) / PAGE_SIZE)

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
 * Returns whether the memory block at PFN @start could go offline. A block with scratch
 * or a reserved page cannot: the kernel's image is reserved, and KASLR can put it
 * anywhere. A block that ends after max_pfn contains memory of firmware.
 */
static bool could_go(unsigned long start)
{
	phys_addr_t size = memory_block_size_bytes();
	unsigned long end = start + PHYS_PFN(size);

	if (end > max_pfn || kho_scratch_overlap(PFN_PHYS(start), size))
		return false;
	for (unsigned long pfn = start; pfn < end; pfn++) {
		if (!pfn_valid(pfn) || PageReserved(pfn_to_page(pfn)))
			return false;
	}

	return true;
}

/* Returns the first folio of the file in a memory block that could go offline. */
static struct folio *find_folio(void)
{
	unsigned long refused = ULONG_MAX;

	for (index = 0; index < MAX_PAGES; index++) {
		struct folio *folio = get_folio();
		unsigned long block;

		if (IS_ERR(folio))
			return folio;
		block = ALIGN_DOWN(folio_pfn(folio), PHYS_PFN(memory_block_size_bytes()));
		if (folio_zonenum(folio) == ZONE_MOVABLE && block != refused) {
			if (could_go(block))
				return folio;
			refused = block;
		}
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

/* User space writes "1" to preserve the page, or "0" to unpreserve it. */
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
