// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: mistakes that callers must not make.
 *
 * debugfs has the file test_kho_misuse. Writing the name of a mistake to it makes
 * that mistake. With CONFIG_KEXEC_HANDOVER_DEBUG the kernel warns about each of them.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../../kernel/kexec_handover/scratch.h"

static void preserve_scratch(struct page *page)
{
	kho_preserve_pages(pfn_to_page(PHYS_PFN(kho_scratch[0].addr)), 1);
}

static void preserve_twice(struct page *page)
{
	kho_preserve_pages(page, 2);
	kho_preserve_folio(page_folio(page));
	kho_unpreserve_folio(page_folio(page));
	kho_unpreserve_pages(page, 2);
}

static void unpreserve_unknown(struct page *page)
{
	kho_unpreserve_folio(page_folio(page));
}

static void unpreserve_part(struct page *page)
{
	kho_preserve_pages(page, 4);
	kho_unpreserve_pages(page, 1);
	kho_unpreserve_pages(page, 4);
}

static void free_preserved(struct page *page)
{
	struct page *other = alloc_page(GFP_KERNEL);

	if (!other || kho_preserve_pages(other, 1))
		return;
	__free_page(other);
	kho_unpreserve_pages(other, 1);
}

static const struct {
	const char *name;
	void (*make)(struct page *page);
} mistakes[] = {
	{ "scratch", preserve_scratch },
	{ "twice", preserve_twice },
	{ "unknown", unpreserve_unknown },
	{ "part", unpreserve_part },
	{ "free", free_preserved },
};

static ssize_t misuse_write(struct file *file, const char __user *ubuf,
			    size_t count, loff_t *ppos)
{
	struct page *page;
	char buf[16] = {};

	if (!kho_is_enabled() || count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;

	/* Four pages of order 0 each. */
	page = alloc_pages(GFP_KERNEL, 2);
	if (!page)
		return -ENOMEM;
	split_page(page, 2);
	for (int i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (!strcmp(strim(buf), mistakes[i].name))
			mistakes[i].make(page);
	}
	for (int i = 0; i < 4; i++)
		__free_page(page + i);

	return count;
}

static const struct file_operations misuse_fops = {
	.write = misuse_write,
};

static int __init test_kho_misuse_init(void)
{
	debugfs_create_file("test_kho_misuse", 0200, NULL, NULL, &misuse_fops);

	return 0;
}
late_initcall(test_kho_misuse_init);
