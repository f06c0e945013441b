// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: memory and blobs that user space makes up.
 *
 * This file owns /sys/kernel/debug/test_kho_raw, with which a test makes up the handover
 * of another client, such as a damaged one. A write is one of
 *
 *   folio ORDER              allocate a zeroed folio and preserve it
 *   page                     allocate a zeroed page, and do not preserve it
 *   put ADDRESS VALUE        write a 64-bit number to this physical address
 *   blob NAME ADDRESS SIZE   add a blob at this physical address
 *
 * A read returns the address of the folio or page that was allocated last. All numbers
 * but ORDER are hexadecimal. Nothing is freed.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static DEFINE_MUTEX(lock);
static phys_addr_t last;	/* guarded by @lock */

static int make(unsigned int order, bool preserved)
{
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, order);
	int err;

	if (!folio)
		return -ENOMEM;
	err = preserved ? kho_preserve_folio(folio) : 0;
	if (err) {
		folio_put(folio);
		return err;
	}
	last = PFN_PHYS(folio_pfn(folio));

	return 0;
}

static int put(u64 addr, u64 value)
{
	if (!pfn_valid(PHYS_PFN(addr)))
		return -EINVAL;

	return copy_to_kernel_nofault(phys_to_virt(addr), &value, sizeof(value));
}

static int run(const char *line)
{
	char name[32];
	u64 addr, value;
	unsigned int order;

	if (sscanf(line, "folio %u", &order) == 1)
		return make(order, true);
	if (!strcmp(line, "page"))
		return make(0, false);
	if (sscanf(line, "put %llx %llx", &addr, &value) == 2)
		return put(addr, value);
	if (sscanf(line, "blob %31s %llx %llx", name, &addr, &value) == 3)
		return kho_add_subtree(name, phys_to_virt(addr), value);

	return -EINVAL;
}

static ssize_t raw_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char line[100];
	int err;

	if (len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, len))
		return -EFAULT;
	line[len] = '\0';

	mutex_lock(&lock);
	err = run(strim(line));
	mutex_unlock(&lock);

	return err ?: len;
}

static ssize_t raw_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	char line[24];
	int n;

	mutex_lock(&lock);
	n = scnprintf(line, sizeof(line), "%#llx\n", (u64)last);
	mutex_unlock(&lock);

	return simple_read_from_buffer(to, len, pos, line, n);
}

static const struct file_operations raw_fops = {
	.open = simple_open,
	.read = raw_read,
	.write = raw_write,
	.llseek = default_llseek,
};

static int __init test_kho_raw_init(void)
{
	debugfs_create_file("test_kho_raw", 0600, NULL, NULL, &raw_fops);

	return 0;
}
late_initcall(test_kho_raw_init);
