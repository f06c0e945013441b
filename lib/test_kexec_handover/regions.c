// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: what is in reserve_mem= regions.
 *
 * test_kho_regions=NAME,NAME on the command line makes a file for each of these
 * regions in debugfs, in test_kho_regions/: its content, to be read and written.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *names;
core_param(test_kho_regions, names, charp, 0);

static void __init add_region(const char *name, struct dentry *dir)
{
	struct debugfs_blob_wrapper *blob;
	phys_addr_t start, size;

	if (!reserve_mem_find_by_name(name, &start, &size)) {
		pr_info("no region %s\n", name);
		return;
	}

	blob = kzalloc(sizeof(*blob), GFP_KERNEL);
	if (!blob)
		return;
	blob->data = phys_to_virt(start);
	blob->size = size;
	debugfs_create_blob(name, 0600, dir, blob);
	pr_info("region %s is at %pa\n", name, &start);
}

static int __init test_kho_regions_init(void)
{
	struct dentry *dir;
	char *name;

	if (!names)
		return 0;

	dir = debugfs_create_dir("test_kho_regions", NULL);
	while ((name = strsep(&names, ",")))
		add_region(name, dir);

	return 0;
}
late_initcall(test_kho_regions_init);
