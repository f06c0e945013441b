// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: the content of reserve_mem= regions.
 *
 * With test_kho_regions=NAME,NAME on the command line, test_kho_regions/ in debugfs
 * has a file for each of these regions, which reads and writes the region. The file
 * "blob" does the same with the blob that describes all regions to the next kernel.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/io.h>
#include <linux/kho/abi/memblock.h>
#include <linux/libfdt.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../kernel/kexec_handover/fdt.h"
#include "../../kernel/kexec_handover/outgoing.h"

static char *names;
core_param(test_kho_regions, names, charp, 0);

static void __init add_file(const char *name, struct dentry *dir, phys_addr_t start,
			    u64 size)
{
	struct debugfs_blob_wrapper *blob = kzalloc(sizeof(*blob), GFP_KERNEL);

	if (!blob)
		return;

	blob->data = phys_to_virt(start);
	blob->size = size;
	debugfs_create_blob(name, 0600, dir, blob);
}

static void __init add_blob(struct dentry *dir)
{
	phys_addr_t fdt;
	u64 start, size;
	int node;

	if (!kho_is_enabled())
		return;

	fdt = virt_to_phys(kho_out.handed);
	pr_info("root FDT is at %pa\n", &fdt);

	guard(mutex)(&kho_out.lock);
	node = fdt_subnode_offset(kho_out.fdt, 0, KHO_MEMBLOCK_NAME);
	if (node >= 0 && !kho_fdt_u64(kho_out.fdt, node, KHO_FDT_PROP_DATA, &start) &&
	    !kho_fdt_u64(kho_out.fdt, node, KHO_FDT_PROP_SIZE, &size))
		add_file("blob", dir, start, size);
}

static void __init add_region(const char *name, struct dentry *dir)
{
	phys_addr_t start, size;

	if (!reserve_mem_find_by_name(name, &start, &size)) {
		pr_info("no region %s\n", name);
		return;
	}

	add_file(name, dir, start, size);
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
	add_blob(dir);

	return 0;
}
late_initcall(test_kho_regions_init);
