// SPDX-License-Identifier: GPL-2.0-only
/*
 * reserve_mem= regions that keep their address and content over a kexec.
 *
 * This file owns the address of such a region in a kernel that receives a handover,
 * and the blob that passes the addresses to the next kernel.
 *
 * When reserve_mem= is parsed, memblock may allocate a region from scratch if there is no
 * other memory, and memory in scratch cannot be handed over to the next kernel. So after
 * a handover kho_reserve_mem_add() only records which regions the command line asks for,
 * and kho_reserve_mem_settle() finds an address for each one in kho_memory_init(), when
 * all of them are known and memblock still owns all free memory. No user looks up a
 * region before the page allocator works.
 *
 * A region that the previous kernel handed over is removed from the incoming map
 * before any of its struct pages is initialised. If the command line asks for it, it
 * is reserved in memblock; otherwise it is free memory. From then on all other code
 * treats it as after a cold boot. A region that was not handed over gets free memory
 * in which the map names no page and that is not in scratch. So do all regions if
 * the handover is refused.
 *
 * Each region in the blob is checked on its own: a region whose description is invalid
 * is ignored, and all other regions are revived.
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
 * struct region - a region that the command line asks for
 * @name: its name, in reserved_mem_table of mm/memblock.c
 * @align: alignment of its address in bytes, at least a page
 * @start: points to its physical address, which is 0 until settle_region() or
 *	place_region() sets it
 * @size: points to its size in bytes, which place_region() sets to 0 if there is no
 *	memory for the region
 * @preserved: true if kho_reserve_mem_init() has preserved its pages
 *
 * kho_reserve_mem_add() writes all other fields. One CPU runs, without a lock, until
 * kho_memory_init() returns; kho_reserve_mem_init() is an initcall.
 */
struct region {
	const char *name;
	phys_addr_t align;
	phys_addr_t *start;
	phys_addr_t *size;
	bool preserved;
};

/* As many as RESERVE_MEM_MAX_ENTRIES in mm/memblock.c. Further ones are not handed over. */
static struct region regions[8] __initdata;
static unsigned int nr_regions __initdata;

/* The blob of the previous kernel in the direct map, NULL until it is read. */
static void *old_blob __initdata;

/**
 * kho_reserve_mem_deferred - is it too early to allocate a region?
 *
 * Context: boot, when reserve_mem= is parsed.
 * Return: true if kho_memory_init() sets the address of the region; false if the
 * caller allocates the region now.
 */
bool __init kho_reserve_mem_deferred(void)
{
	return kho_scratch_inherited && nr_regions < ARRAY_SIZE(regions);
}

/**
 * kho_reserve_mem_add - record a region that the command line asks for
 * @name: name of the region; it must stay in memory
 * @align: alignment of its address in bytes
 * @start: points to its physical address, or to 0 if kho_reserve_mem_deferred() has
 *	returned true: kho_memory_init() sets it then
 * @size: points to its size in bytes; kho_memory_init() sets it to 0 if there is no
 *	memory for the region
 *
 * Context: boot, when reserve_mem= is parsed.
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

static struct region *__init find_region(const char *name)
{
	for (unsigned int i = 0; i < nr_regions; i++) {
		if (!strcmp(regions[i].name, name))
			return &regions[i];
	}

	return NULL;
}

/*
 * Regions of the previous kernel
 */

/*
 * Returns the blob of the previous kernel. NULL if there is none, or, with a warning,
 * if it is invalid or not part of one folio that was handed over.
 */
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
		if (kho_fdt_is_sound(fdt, size) &&
		    !fdt_node_check_compatible(fdt, 0, KHO_MEMBLOCK_COMPATIBLE))
			return fdt;
	}

	pr_warn("blob " KHO_MEMBLOCK_NAME " at %pa is damaged: no reserve_mem= region is revived\n",
		&phys);

	return NULL;
}

/* Without sums, which could overflow. */
static bool __init overlap(u64 start, u64 size, u64 other, u64 other_size)
{
	return start <= other ? other - start < size : start - other < other_size;
}

/* Does a region contain a part of the root FDT or of a blob? Then it is invalid. */
static bool __init holds_blob(phys_addr_t start, phys_addr_t size)
{
	int node;

	if (overlap(start, size, kho_incoming.fdt_phys, KHO_FDT_SIZE))
		return true;

	fdt_for_each_subnode(node, kho_incoming.fdt, 0) {
		u64 phys, bytes;

		if (!kho_fdt_u64(kho_incoming.fdt, node, KHO_FDT_PROP_DATA, &phys) &&
		    !kho_fdt_u64(kho_incoming.fdt, node, KHO_FDT_PROP_SIZE, &bytes) &&
		    overlap(start, size, phys, bytes))
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

/*
 * Removes a region of the previous kernel from the incoming map, and reserves it if
 * the command line asks for it.
 */
static void __init settle_region(const void *fdt, int node)
{
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
		pr_info("reserve_mem region %.16s, %pa bytes at %pa, is not on this command line: freed\n",
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
 * New regions in a kernel that received a handover
 */

/*
 * Returns the lowest address in a range that is preserved or in scratch, which may be
 * below @start if a folio begins there. PHYS_ADDR_MAX if there is none.
 */
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

/* Finds the highest free range, as memblock does by default. Returns 0 if there is none. */
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
		/* As memblock_alloc() does. What was handed over is accepted already. */
		accept_memory(start, *region->size);
		*region->start = start;
		return;
	}

	pr_warn("no memory for reserve_mem=%s, %pa bytes\n", region->name, region->size);
	*region->size = 0;
}

/**
 * kho_reserve_mem_settle - set the address of each region
 *
 * Context: kho_memory_init() with inherited scratch, after the handover was accepted
 * or refused and before the struct pages of any folio are initialised.
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
 * Regions for the next kernel
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

/* Preserves all regions and writes them into @fdt. Returns 0 or an error of libfdt. */
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

/* Runs after kho_debugfs_copy_blobs(), a core_initcall, has copied the blob. */
static int __init kho_reserve_mem_late_init(void)
{
	kho_restore_free(old_blob);

	return 0;
}
late_initcall(kho_reserve_mem_late_init);
