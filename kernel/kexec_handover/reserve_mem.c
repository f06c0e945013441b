// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserve_mem= regions that outlive a kexec, with their address and content.
 *
 * This file owns where such a region is in a kernel that was handed over to,
 * and the blob that tells the next kernel.
 *
 * reserve_mem= is parsed long before it is known what was handed over, and
 * memblock then allocates from scratch only, which cannot be handed on. So all
 * that parsing does after a handover is to note what is wanted. Nobody looks for
 * a region before the page allocator is up, and kho_memory_init() settles where
 * each one is: by then the map was checked, and memblock still is in charge.
 *
 * A region that comes in is taken out of the incoming map and reserved in
 * memblock, or just left to memblock if this kernel does not want it, before any
 * struct page in it is initialised. From there on it is what it would be after
 * a cold boot, reserved or free, and nothing else has to know about it. A
 * region that does not come in gets memory that neither the map nor scratch
 * has. The same goes for all of them if the handover is refused.
 *
 * Each region in the blob stands for itself: one that is not what the blob says is
 * not touched, and the others are revived all the same.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kho/abi/memblock.h>
#include <linux/libfdt.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "fdt.h"
#include "incoming.h"
#include "reserve_mem.h"
#include "scratch.h"

/**
 * struct region - a region of the command line
 * @name: its name
 * @align: the alignment that it is to have, a page at least
 * @start: its address, 0 as long as it is not settled
 * @size: its bytes; 0 if there is no memory for it
 * @preserved: its pages are in the map of what this kernel hands over
 */
struct region {
	const char *name;
	phys_addr_t align;
	phys_addr_t *start;
	phys_addr_t *size;
	bool preserved;
};

/* As many as memblock has room for. If it had more, the rest would not be kept. */
static struct region regions[8] __initdata;
static unsigned int nr_regions __initdata;

/* The blob of the previous kernel, once it was read. */
static void *old_blob __initdata;

/**
 * kho_reserve_mem_deferred - is it too early to allocate a region?
 *
 * Context: when reserve_mem= is parsed.
 * Return: true if kho_memory_init() will tell where the region is, false if it
 * is to be allocated now.
 */
bool __init kho_reserve_mem_deferred(void)
{
	return kho_incoming.fdt_phys && nr_regions < ARRAY_SIZE(regions);
}

/**
 * kho_reserve_mem_add - take note of a region
 * @name: its name
 * @align: alignment of its address in bytes
 * @start: where its address is, or is to be put
 * @size: where its size in bytes is; set to 0 if there is no memory for it
 *
 * Context: when reserve_mem= is parsed.
 */
void __init kho_reserve_mem_add(const char *name, phys_addr_t align,
				phys_addr_t *start, phys_addr_t *size)
{
	if (nr_regions == ARRAY_SIZE(regions))
		return;

	regions[nr_regions++] = (struct region){
		.name = name, .align = align, .start = start, .size = size,
	};
}

/**
 * kho_reserve_mem_bytes - how much of a range is in regions
 * @from: physical address
 * @to: the address after the range
 *
 * Return: bytes.
 */
u64 __init kho_reserve_mem_bytes(phys_addr_t from, phys_addr_t to)
{
	u64 bytes = 0;

	for (unsigned int i = 0; i < nr_regions; i++) {
		phys_addr_t start = max(from, *regions[i].start);
		phys_addr_t end = min(to, *regions[i].start + *regions[i].size);

		if (start < end)
			bytes += end - start;
	}

	return bytes;
}

static struct region *__init find_region(const char *name)
{
	for (unsigned int i = 0; i < nr_regions; i++) {
		if (!strcmp(regions[i].name, name))
			return &regions[i];
	}

	return NULL;
}

/*
 * What came in
 */

/* The blob, readable and all of one folio that was handed over; or NULL. */
static const void *__init find_blob(void)
{
	phys_addr_t phys = 0;
	size_t size = 0;
	const void *fdt;
	int err;

	err = kho_retrieve_subtree(KHO_MEMBLOCK_NAME, &phys, &size);
	if (err == -ENOENT)
		return NULL;

	if (!err && size >= sizeof(struct fdt_header) && kho_incoming_has(phys, size)) {
		fdt = phys_to_virt(phys);
		if (!fdt_check_header(fdt) && fdt_totalsize(fdt) <= size &&
		    !fdt_node_check_compatible(fdt, 0, KHO_MEMBLOCK_COMPATIBLE))
			return fdt;
	}

	pr_warn("blob " KHO_MEMBLOCK_NAME " at %pa is damaged: no reserve_mem= region is revived\n",
		&phys);

	return NULL;
}

/* Memory that the handover itself is written in is nobody's region. */
static bool __init holds_blob(phys_addr_t start, phys_addr_t size)
{
	int node;

	if (kho_incoming.fdt_phys - start < size)
		return true;

	fdt_for_each_subnode(node, kho_incoming.fdt, 0) {
		u64 phys;

		if (!kho_fdt_u64(kho_incoming.fdt, node, KHO_FDT_PROP_DATA, &phys) &&
		    phys - start < size)
			return true;
	}

	return false;
}

static bool __init read_region(const void *fdt, int node, phys_addr_t *start,
			       phys_addr_t *size)
{
	phys_addr_t end;

	return !fdt_node_check_compatible(fdt, node, KHO_RESERVE_MEM_COMPATIBLE) &&
	       !kho_fdt_u64(fdt, node, KHO_RESERVE_MEM_PROP_START, start) &&
	       !kho_fdt_u64(fdt, node, KHO_RESERVE_MEM_PROP_SIZE, size) &&
	       *size && PAGE_ALIGNED(*start | *size) &&
	       !check_add_overflow(*start, *size, &end) && !holds_blob(*start, *size);
}

/* Takes a region of the previous kernel out of the map, whoever gets it then. */
static void __init settle_region(const void *fdt, int node)
{
	/* In an FDT of an old version, a node's name may be damaged. */
	const char *name = fdt_get_name(fdt, node, NULL) ?: "";
	struct region *region = find_region(name);
	phys_addr_t start, size;

	if (!read_region(fdt, node, &start, &size) ||
	    !kho_incoming_forget(PHYS_PFN(start), PHYS_PFN(start + size))) {
		pr_warn("reserve_mem region %.16s is not what the previous kernel says: its content is lost\n",
			name);
		return;
	}

	if (!region) {
		pr_info("reserve_mem region %.16s, %pa bytes at %pa, is not wanted: freed\n",
			name, &size, &start);
		return;
	}
	if (*region->start) {
		pr_warn("reserve_mem region %s is handed over twice: the second one is freed\n",
			name);
		return;
	}
	if (*region->size != size || !IS_ALIGNED(start, region->align) ||
	    memblock_reserve(start, size)) {
		pr_warn("reserve_mem=%s wants %pa bytes aligned to %pa, previous kernel had %pa at %pa: freed, starting with a fresh region\n",
			name, region->size, &region->align, &size, &start);
		return;
	}

	*region->start = start;
	pr_info("reserve_mem=%s: %pa bytes at %pa revived\n", name, &size, &start);
}

/*
 * Fresh regions in a kernel that was handed over to
 */

/* The lowest address in a range that is no region's to be, or PHYS_ADDR_MAX. */
static phys_addr_t __init first_taken(phys_addr_t start, phys_addr_t end)
{
	unsigned long pfn = kho_incoming_next(PFN_DOWN(start), PFN_UP(end));
	phys_addr_t taken = pfn == KHO_MAP_NONE ? PHYS_ADDR_MAX : PFN_PHYS(pfn);

	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		if (kho_region_overlaps(&kho_scratch[i], start, end - start))
			taken = min(taken, kho_scratch[i].addr);
	}

	return taken;
}

/* As high as can be, as memblock does it. */
static phys_addr_t __init find_room(phys_addr_t size, phys_addr_t align)
{
	phys_addr_t from, to;
	u64 i;

	for_each_free_mem_range_reverse(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, NULL) {
		while (to >= size) {
			phys_addr_t start = ALIGN_DOWN(to - size, align);
			phys_addr_t taken;

			if (!start || start < from)
				break;
			taken = first_taken(start, start + size);
			if (taken == PHYS_ADDR_MAX)
				return start;
			to = taken;
		}
	}

	return 0;
}

static void __init place_region(struct region *region)
{
	phys_addr_t start = find_room(*region->size, region->align);

	if (start && !memblock_reserve(start, *region->size)) {
		*region->start = start;
		return;
	}

	pr_warn("no memory for reserve_mem=%s, %pa bytes\n", region->name, region->size);
	*region->size = 0;
}

/**
 * kho_reserve_mem_settle - find out where the regions are
 *
 * Context: kho_memory_init() after a handover, once it was accepted or refused,
 * and before the struct pages of any folio are initialised.
 */
void __init kho_reserve_mem_settle(void)
{
	const void *fdt = find_blob();
	int node;

	if (fdt) {
		old_blob = (void *)fdt;
		fdt_for_each_subnode(node, fdt, 0)
			settle_region(fdt, node);
	}

	for (unsigned int i = 0; i < nr_regions; i++) {
		if (!*regions[i].start)
			place_region(&regions[i]);
	}
}

/*
 * What goes out
 */

static int __init preserve_region(struct region *region)
{
	struct page *page = pfn_to_page(PHYS_PFN(*region->start));
	int err = -EINVAL;

	if (PAGE_ALIGNED(*region->start | *region->size))
		err = kho_preserve_pages(page, PHYS_PFN(*region->size));
	if (err)
		pr_warn("reserve_mem=%s, %pa bytes at %pa, will not be handed over (%d)\n",
			region->name, region->size, region->start, err);
	region->preserved = !err;

	return err;
}

static int __init write_region(void *fdt, const struct region *region)
{
	u64 start = *region->start, size = *region->size;

	return fdt_begin_node(fdt, region->name) ?:
	       fdt_property_string(fdt, "compatible", KHO_RESERVE_MEM_COMPATIBLE) ?:
	       fdt_property(fdt, KHO_RESERVE_MEM_PROP_START, &start, sizeof(start)) ?:
	       fdt_property(fdt, KHO_RESERVE_MEM_PROP_SIZE, &size, sizeof(size)) ?:
	       fdt_end_node(fdt);
}

/* Returns an error of libfdt. */
static int __init write_blob(void *fdt)
{
	int err;

	err = fdt_create(fdt, PAGE_SIZE) ?:
	      fdt_finish_reservemap(fdt) ?:
	      fdt_begin_node(fdt, "") ?:
	      fdt_property_string(fdt, "compatible", KHO_MEMBLOCK_COMPATIBLE);

	for (unsigned int i = 0; i < nr_regions && !err; i++) {
		if (*regions[i].size && !preserve_region(&regions[i]))
			err = write_region(fdt, &regions[i]);
	}

	return err ?: fdt_end_node(fdt) ?: fdt_finish(fdt);
}

static void __init unpreserve_regions(void)
{
	for (unsigned int i = 0; i < nr_regions; i++) {
		if (regions[i].preserved)
			kho_unpreserve_pages(pfn_to_page(PHYS_PFN(*regions[i].start)),
					     PHYS_PFN(*regions[i].size));
	}
}

static int __init kho_reserve_mem_init(void)
{
	void *fdt;
	int err;

	if (!kho_is_enabled() || !nr_regions)
		return 0;

	fdt = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(fdt)) {
		err = PTR_ERR(fdt);
		goto out;
	}

	err = write_blob(fdt) ? -ENOSPC : 0;
	if (!err)
		err = kho_add_subtree(KHO_MEMBLOCK_NAME, fdt, fdt_totalsize(fdt));
	if (!err)
		return 0;

	unpreserve_regions();
	kho_unpreserve_free(fdt);
out:
	pr_warn("no reserve_mem= region will be handed over (%d)\n", err);

	return err;
}
postcore_initcall(kho_reserve_mem_init);

/* By then debugfs has its copy. */
static int __init kho_reserve_mem_late_init(void)
{
	kho_restore_free(old_blob);

	return 0;
}
late_initcall(kho_reserve_mem_late_init);
