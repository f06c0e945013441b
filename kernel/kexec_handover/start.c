// SPDX-License-Identifier: GPL-2.0-only
/*
 * Start-up of Kexec HandOver, once the page allocator works.
 *
 * This file owns the initcalls that release scratch, take back what the previous kernel
 * says of itself, and set up the outgoing side. What comes before them is in boot.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include "bad_pages.h"
#include "boot.h"
#include "checksum.h"
#include "debug.h"
#include "fdt.h"
#include "incoming.h"
#include "map.h"
#include "outgoing.h"
#include "ram.h"
#include "restore.h"
#include "scratch.h"

static_assert(sizeof_field(struct kho_kexec_metadata, previous_release) ==
	      sizeof_field(struct new_utsname, release));

/*
 * Logs the release of the kernel that did the kexec. Returns the number of kexecs since
 * cold boot, 0 if it is not known.
 */
static u32 __init read_metadata(void)
{
	struct kho_kexec_metadata *metadata;
	struct folio *folio;
	phys_addr_t phys;
	bool valid;
	size_t size;
	u32 count;

	if (kho_retrieve_subtree(KHO_METADATA_NAME, &phys, &size) ||
	    size < sizeof(*metadata) || !PAGE_ALIGNED(phys))
		goto unknown;
	folio = kho_restore_folio(phys);
	if (!folio)
		goto unknown;

	metadata = folio_address(folio);
	count = metadata->kexec_count;
	valid = metadata->version == KHO_METADATA_VERSION;
	if (valid) {
		strscpy(kho_incoming.release, metadata->previous_release);
		pr_info("handover from %.*s, kexec count %u\n",
			(int)sizeof(metadata->previous_release),
			metadata->previous_release, count);
	}
	folio_put(folio);
	if (valid)
		return count;
unknown:
	pr_warn("the previous kernel handed over no valid %s: its release is not known, and kexecs are counted from 0 again\n",
		KHO_METADATA_NAME);

	return 0;
}

/* As kho_alloc_preserve() and kho_add_subtree() do it, before either is possible. */
static int __init write_metadata(u32 count)
{
	struct folio *folio = kho_ram_alloc_folio(0);
	struct kho_kexec_metadata *metadata;
	int err;

	if (!folio)
		return -ENOMEM;

	metadata = folio_address(folio);
	metadata->version = KHO_METADATA_VERSION;
	strscpy(metadata->previous_release, init_uts_ns.name.release);
	metadata->kexec_count = count;

	err = kho_map_add(&kho_out.map, folio_pfn(folio), 0) ?:
	      kho_fdt_add(kho_out.fdt, KHO_METADATA_NAME, PFN_PHYS(folio_pfn(folio)),
			  sizeof(*metadata));
	if (err)
		folio_put(folio);

	return err;
}

/*
 * If the array of scratch regions lies in scratch, where kexec could load the next
 * kernel over it, moves it to memory that can be handed over.
 */
static int __init move_scratch_array(void)
{
	struct folio *folio;

	if (!kho_scratch_array_in_scratch())
		return 0;

	folio = kho_ram_alloc_folio(get_order(kho_scratch_cnt * sizeof(*kho_scratch)));
	if (!folio)
		return -ENOMEM;
	kho_scratch_move_array(folio_address(folio));

	return 0;
}

/**
 * arch_kho_describe - add what the next kernel should know about the machine
 * @fdt: the root FDT
 *
 * Context: core_initcall.
 * Return: 0; -EINVAL if it does not fit into the root FDT.
 */
int __init __weak arch_kho_describe(void *fdt)
{
	return 0;
}

static int __init set_up_root_fdt(u32 kexec_count)
{
	struct folio *folio = kho_ram_alloc_folio(0);
	int err = -ENOMEM;

	kho_out.fdt = kzalloc(KHO_FDT_SIZE, GFP_KERNEL);
	kho_out.spare = kzalloc(KHO_FDT_SIZE, GFP_KERNEL);
	if (!folio || !kho_out.fdt || !kho_out.spare)
		goto fail;

	kho_out.handed = folio_address(folio);
	err = kho_fdt_create(kho_out.fdt, virt_to_phys(kho_out.map.root)) ?:
	      kho_checksum_prepare(kho_out.fdt) ?:
	      arch_kho_describe(kho_out.fdt) ?:
	      kho_map_add(&kho_out.map, folio_pfn(folio), 0) ?:
	      write_metadata(kexec_count);
	if (!err)
		return 0;
fail:
	kfree(kho_out.fdt);
	kfree(kho_out.spare);
	if (folio)
		folio_put(folio);
	kho_out.fdt = NULL;
	kho_out.spare = NULL;
	kho_out.handed = NULL;

	return err;
}

/*
 * Allocates a node of the outgoing map. The next kernel reads it where it lies, so
 * it must lie in memory that can be handed over.
 */
static union kho_map_node *alloc_map_node(void)
{
	struct folio *folio = kho_ram_alloc_folio(0);

	return folio ? folio_address(folio) : NULL;
}

static void free_map_node(union kho_map_node *node)
{
	free_page((unsigned long)node);
}

static const struct kho_map_ops map_node_ops = {
	.alloc = alloc_map_node,
	.free = free_map_node,
};

static int __init set_up_outgoing(u32 kexec_count)
{
	int err;

	err = kho_ram_init() ?: move_scratch_array() ?: kho_map_init(&kho_out.map, &map_node_ops);
	if (err)
		return err;

	err = set_up_root_fdt(kexec_count);
	if (err) {
		kho_map_destroy(&kho_out.map);
		return err;
	}

	kho_ram_start();
	kho_outgoing_enable();

	return 0;
}

static int __init kho_start(void)
{
	int err;

	if (!kho_scratch_cnt)
		return 0;

	kho_scratch_release();
	if (is_kho_boot()) {
		kho_restore_trace();
		kho_bad_pages_mark();
		kho_debugfs_copy_blobs();
		kho_incoming.kexecs = read_metadata();
	}

	err = set_up_outgoing(kho_incoming.kexecs + 1);
	if (err) {
		kho_boot_off("it could not be set up for the next kernel");
		pr_err("cannot set up the outgoing side (%d): no memory can be preserved for the next kernel\n",
		       err);
	}

	return err;
}
core_initcall(kho_start);

static int __init kho_start_debugfs(void)
{
	/* The files of an incoming handover exist even if no outgoing side was set up. */
	if (kho_is_enabled() || is_kho_boot())
		kho_debugfs_init(kho_is_enabled() ? &kho_out : NULL);

	return 0;
}
fs_initcall(kho_start_debugfs);
