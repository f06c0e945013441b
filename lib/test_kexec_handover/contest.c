// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: a restore that must fail, while others succeed.
 *
 * debugfs has the file test_kho_contest. Writing to it in the first kernel preserves
 * NR_PAGES single pages in a row. Writing to it in the next kernel restores them one by
 * one, while another thread tries again and again to take all of them and one more,
 * which was not preserved. Reading the file then prints:
 *
 *   restored N    pages that could be restored, which must be all
 *   tries N       how often the other thread has tried
 *   wrong N       how often the other thread succeeded, which must never happen
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "../../kernel/kexec_handover/restore.h"

#define BLOB_NAME	"test-kho-contest"
#define ORDER		9
#define NR_PAGES	(BIT(ORDER) - 1)

static DEFINE_MUTEX(lock);

/* The blob: physical address of the pages. */
static u64 *blob;

static unsigned long restored;
static unsigned long tries;
static unsigned long wrong;

static int preserve(void)
{
	struct page *pages;
	int err = 0;

	if (blob)
		return -EEXIST;
	blob = kho_alloc_preserve(sizeof(*blob));
	if (IS_ERR(blob)) {
		err = PTR_ERR(blob);
		blob = NULL;
		return err;
	}

	pages = alloc_pages(GFP_KERNEL, ORDER);
	if (!pages)
		return -ENOMEM;
	split_page(pages, ORDER);
	*blob = page_to_phys(pages);
	for (unsigned long i = 0; i < NR_PAGES && !err; i++)
		err = kho_preserve_folio(page_folio(pages + i));

	return err ?: kho_add_subtree(BLOB_NAME, blob, sizeof(*blob));
}

static int take_too_much(void *arg)
{
	unsigned long pfn = PHYS_PFN(*(u64 *)arg);

	while (!kthread_should_stop()) {
		wrong += kho_restore_take_run(pfn, pfn + NR_PAGES + 1);
		tries++;
		cond_resched();
	}

	return 0;
}

static int restore(phys_addr_t blob_phys)
{
	struct folio *folio = kho_restore_folio(blob_phys);
	struct task_struct *task;
	u64 phys;

	if (!folio)
		return -EINVAL;
	phys = *(u64 *)folio_address(folio);
	folio_put(folio);

	task = kthread_run(take_too_much, &phys, "test_kho_contest");
	if (IS_ERR(task))
		return PTR_ERR(task);

	while (!READ_ONCE(tries))
		cond_resched();
	/* Begin with the last page, so that the other thread finds many waiting pages. */
	for (unsigned long i = NR_PAGES; i; i--) {
		folio = kho_restore_folio(phys + (i - 1) * PAGE_SIZE);
		if (folio) {
			restored++;
			folio_put(folio);
		}
		/* Give the other thread time for more attempts. */
		usleep_range(20, 50);
	}
	kthread_stop(task);

	return 0;
}

static ssize_t contest_write(struct file *file, const char __user *ubuf, size_t count,
			     loff_t *ppos)
{
	phys_addr_t phys;
	int err;

	guard(mutex)(&lock);
	if (kho_retrieve_subtree(BLOB_NAME, &phys, NULL))
		err = preserve();
	else
		err = restore(phys);

	return err ?: count;
}

static int contest_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "restored %lu\ntries %lu\nwrong %lu\n", restored, tries, wrong);

	return 0;
}

static int contest_open(struct inode *inode, struct file *file)
{
	return single_open(file, contest_show, NULL);
}

static const struct file_operations contest_fops = {
	.open = contest_open,
	.read = seq_read,
	.write = contest_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init test_kho_contest_init(void)
{
	debugfs_create_file("test_kho_contest", 0600, NULL, NULL, &contest_fops);

	return 0;
}
late_initcall(test_kho_contest_init);
