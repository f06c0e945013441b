// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: threads that call KHO at the same time on all CPUs.
 *
 * debugfs has the file test_kho_busy. Writing N to it starts N threads. In each round
 * of its loop, a thread preserves folios and a run of pages and adds a blob, and then
 * undoes all of that. Writing 0 stops the threads. Reading the file prints:
 *
 *   rounds N    rounds that all threads together have completed
 *   fewest N    rounds of the thread that has completed the fewest
 *   wrong N     calls that returned a wrong value
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/kstrtox.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/seq_file.h>

#define MAX_THREADS	16
#define MAX_ORDER	5
#define PER_ROUND	16

struct busy {
	struct task_struct *task;
	unsigned long rounds;
	unsigned long wrong;
};

static struct busy busy[MAX_THREADS];
static unsigned int nr_threads;
static DEFINE_MUTEX(busy_lock);

static void expect(struct busy *self, bool right, const char *what)
{
	if (right)
		return;
	if (!self->wrong++)
		pr_err("wrong result of %s\n", what);
}

static void preserve_folios(struct busy *self)
{
	struct folio *folios[PER_ROUND] = {};

	for (int i = 0; i < PER_ROUND; i++) {
		folios[i] = folio_alloc(GFP_KERNEL, get_random_u32_below(MAX_ORDER + 1));
		if (folios[i])
			expect(self, !kho_preserve_folio(folios[i]), "kho_preserve_folio()");
	}
	cond_resched();
	for (int i = 0; i < PER_ROUND; i++) {
		if (!folios[i])
			continue;
		kho_unpreserve_folio(folios[i]);
		folio_put(folios[i]);
	}
}

/* Leaves out the first and the last page, so that the run has several blocks. */
static void preserve_run(struct busy *self)
{
	struct page *pages = alloc_pages(GFP_KERNEL, MAX_ORDER);
	const unsigned int nr = BIT(MAX_ORDER);

	if (!pages)
		return;
	split_page(pages, MAX_ORDER);
	if (!kho_preserve_pages(pages + 1, nr - 2))
		kho_unpreserve_pages(pages + 1, nr - 2);
	else
		expect(self, false, "kho_preserve_pages()");
	for (unsigned int i = 0; i < nr; i++)
		__free_page(pages + i);
}

static void name_blob(struct busy *self)
{
	void *blob = kho_alloc_preserve(PAGE_SIZE);
	char name[32];

	expect(self, !IS_ERR(blob), "kho_alloc_preserve()");
	if (IS_ERR(blob))
		return;
	snprintf(name, sizeof(name), "busy-%td", self - busy);
	expect(self, !kho_add_subtree(name, blob, PAGE_SIZE), "kho_add_subtree()");
	expect(self, kho_add_subtree(name, blob, PAGE_SIZE) == -EEXIST,
	       "kho_add_subtree() for a name that exists");
	kho_remove_subtree(blob);
	kho_unpreserve_free(blob);
}

static int busy_thread(void *arg)
{
	struct busy *self = arg;

	while (!kthread_should_stop()) {
		preserve_folios(self);
		preserve_run(self);
		name_blob(self);
		self->rounds++;
		cond_resched();
	}

	return 0;
}

static void stop(void)
{
	while (nr_threads)
		kthread_stop(busy[--nr_threads].task);
}

static int start(unsigned int nr)
{
	memset(busy, 0, sizeof(busy));
	while (nr_threads < nr) {
		struct busy *next = &busy[nr_threads];

		next->task = kthread_run(busy_thread, next, "kho_busy/%u", nr_threads);
		if (IS_ERR(next->task)) {
			stop();
			return PTR_ERR(next->task);
		}
		nr_threads++;
	}

	return 0;
}

static ssize_t busy_write(struct file *file, const char __user *ubuf, size_t count,
			  loff_t *ppos)
{
	unsigned int nr;
	int err;

	err = kstrtouint_from_user(ubuf, count, 0, &nr);
	if (err)
		return err;
	if (!kho_is_enabled() || nr > MAX_THREADS)
		return -EINVAL;

	guard(mutex)(&busy_lock);
	stop();
	if (nr)
		err = start(nr);

	return err ?: count;
}

/* Shows the threads that were started last, even after they were stopped. */
static int busy_show(struct seq_file *m, void *unused)
{
	unsigned long rounds = 0, fewest = ULONG_MAX, wrong = 0;

	for (int i = 0; i < MAX_THREADS && busy[i].task; i++) {
		rounds += busy[i].rounds;
		fewest = min(fewest, busy[i].rounds);
		wrong += busy[i].wrong;
	}
	seq_printf(m, "rounds %lu\nfewest %lu\nwrong %lu\n", rounds,
		   fewest == ULONG_MAX ? 0 : fewest, wrong);

	return 0;
}

static int busy_open(struct inode *inode, struct file *file)
{
	return single_open(file, busy_show, NULL);
}

static const struct file_operations busy_fops = {
	.open = busy_open,
	.read = seq_read,
	.write = busy_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init test_kho_busy_init(void)
{
	debugfs_create_file("test_kho_busy", 0600, NULL, NULL, &busy_fops);

	return 0;
}
late_initcall(test_kho_busy_init);
