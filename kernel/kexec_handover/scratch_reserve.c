// SPDX-License-Identifier: GPL-2.0-only
/*
 * The size and the place of scratch, which is reserved at cold boot.
 *
 * This file owns kho_scratch=, measures what this kernel has reserved in memblock,
 * and reserves the scratch regions. They are chosen once, and each later kernel
 * inherits them. Scratch must have room for all that a kernel allocates from memblock
 * before it has read the map, for the kernel image twice (as kexec loads it and as it
 * unpacks itself), and for the initrd. Of these, page tables of the direct map grow with
 * memory, and the lists that are made when the map is read, with a bit for 256 KiB.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/io.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kmemleak.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/numa.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/sections.h>

#include "scratch.h"
#include "scratch_size.h"
#include "vacant.h"

static struct kho_scratch_request request __initdata = KHO_SCRATCH_DEFAULT;

static int __init kho_scratch_param(char *arg)
{
	if (arg && kho_scratch_size_parse(arg, &request))
		return 0;

	request = KHO_SCRATCH_DEFAULT;
	pr_warn("malformed kho_scratch=%s, want N%% or LOW,GLOBAL,PERNODE: using the default\n",
		arg ?: "");

	return 0;
}
early_param("kho_scratch", kho_scratch_param);

static u64 __init bytes_within(phys_addr_t start, phys_addr_t end, phys_addr_t from,
			       phys_addr_t to)
{
	from = max(start, from);
	to = min(end, to);

	return from < to ? to - from : 0;
}

/**
 * arch_kho_free_bytes - count memory that is reserved in this kernel only, not after a kexec
 * @start: physical address of a range that is reserved in memblock
 * @end: first physical address after it
 *
 * Context: kho_memory_known(), at cold boot.
 * Return: the number of bytes of the range that will be free memory in the next kernel.
 */
u64 __init __weak arch_kho_free_bytes(phys_addr_t start, phys_addr_t end)
{
	return 0;
}

/* Counts the reserved bytes of [start, end) for which the next kernel needs scratch. */
static u64 __init reserved_bytes(phys_addr_t start, phys_addr_t end)
{
	struct memblock_region *mem, *res;
	u64 bytes = 0;

	for_each_mem_region(mem) {
		for_each_reserved_mem_region(res) {
			phys_addr_t from = max3(start, mem->base, res->base);
			phys_addr_t to = min3(end, mem->base + mem->size,
					      res->base + res->size);

			if (from < to)
				bytes += to - from - arch_kho_free_bytes(from, to);
		}
	}

	return bytes;
}

/* Counts the bytes of [start, end) that the kernel image and the initrd use. */
static u64 __init image_bytes(phys_addr_t start, phys_addr_t end)
{
	u64 bytes = bytes_within(start, end, __pa_symbol(_text), __pa_symbol(_end));

	if (IS_ENABLED(CONFIG_BLK_DEV_INITRD) && initrd_start)
		bytes += bytes_within(start, end, __pa(initrd_start), __pa(initrd_end));

	return bytes;
}

u64 kho_scratch_early __ro_after_init;

/* The sizes of the regions in bytes, which kho_scratch_measure() has derived. */
static u64 low_size __initdata;
static u64 global_size __initdata;
static u64 node_size[MAX_NUMNODES] __initdata;

static void __init measure_below(phys_addr_t limit)
{
	struct kho_scratch_use use = {
		.image_below = image_bytes(0, limit),
		.image_above = image_bytes(limit, PHYS_ADDR_MAX),
		.below = reserved_bytes(0, limit),
	};

	kho_scratch_size_compute(&use, &request, &low_size, &global_size);
}

/* Counts the bytes reserved above the limit of low memory, without kernel image and initrd. */
static void __init measure_above(phys_addr_t limit)
{
	struct memblock_region *mem;

	for_each_mem_region(mem) {
		phys_addr_t start = max(mem->base, limit), end = mem->base + mem->size;
		int nid = memblock_get_region_node(mem);
		u64 bytes;

		if (start >= end || !numa_valid_node(nid))
			continue;
		bytes = reserved_bytes(start, end);
		bytes -= min(bytes, image_bytes(start, end));
		node_size[nid] += kho_scratch_size_scale(bytes, request.percent);
	}
}

/*
 * Counts the bytes of the lists that a kernel makes when it reads the map: bitmaps with a
 * bit for each granule, and for each block in mm/kho_init.c, and the nodes of the map.
 */
static u64 __init list_bytes(void)
{
	return 2 * kho_named_bytes(kho_named_nr(max_pfn)) + SZ_64K;
}

/**
 * kho_scratch_measure - measure what a kernel needs scratch for
 *
 * All that this kernel has reserved so far, the next one allocates before it has read
 * the map: kernel image, initrd, page tables, data of NUMA nodes. At cold boot scratch
 * gets its size from it, unless kho_scratch= sets sizes.
 *
 * Context: kho_memory_known().
 */
void __init kho_scratch_measure(void)
{
	u64 reserved = reserved_bytes(0, PHYS_ADDR_MAX);

	kho_scratch_early = reserved - min(reserved, image_bytes(0, PHYS_ADDR_MAX)) + list_bytes();
	if (kho_scratch_inherited || !request.percent)
		return;
	measure_below(kho_low_limit());
	low_size += list_bytes();
	measure_above(kho_low_limit());
}

/* Reserves a region below @limit on node @nid, with the size in @region rounded up. */
static bool __init reserve_region(struct kho_scratch *region, phys_addr_t limit, int nid)
{
	region->size = ALIGN(region->size, KHO_SCRATCH_ALIGN);
	region->addr = memblock_alloc_range_nid(region->size, KHO_SCRATCH_ALIGN, 0,
						limit, nid, true);
	if (!region->addr)
		return false;

	/* Its pages become free memory later, which kmemleak must not scan. */
	kmemleak_ignore_phys(region->addr);

	return true;
}

/* A single node has low memory, too, where one region is enough for both. */
static u64 __init size_of_node(int nid)
{
	if (!request.percent)
		return request.node;

	return num_node_state(N_MEMORY) > 1 ? node_size[nid] : 0;
}

static u64 __init share_of_single_node(void)
{
	return num_node_state(N_MEMORY) == 1 ? node_size[first_memory_node] : 0;
}

/*
 * Does a single node need its share at the top? x86 maps memory from the top and takes page
 * tables from memory that is mapped by then. It has room enough unless the pages are small.
 */
static bool __init needs_top(void)
{
	return debug_pagealloc_enabled();
}

static u64 __init size_of_low(void)
{
	if (!request.percent)
		return request.low;

	return max(low_size + (needs_top() ? 0 : share_of_single_node()), KHO_SCRATCH_LEAST);
}

static u64 __init size_of_global(void)
{
	if (!request.percent)
		return request.global;

	return global_size + (needs_top() ? share_of_single_node() : 0);
}

/*
 * Reserves a region on each node that needs one, from regions[*@cnt] on. If a node has no
 * room, as one with hot-pluggable memory only, the low-memory region gets larger, unless
 * kho_scratch= asks for the size. Returns false, with *@cnt of the region, if that has no
 * room.
 */
static bool __init reserve_on_nodes(struct kho_scratch *regions, unsigned int *cnt)
{
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		struct kho_scratch *region = &regions[*cnt];

		region->size = size_of_node(nid);
		if (!region->size)
			continue;
		if (reserve_region(region, MEMBLOCK_ALLOC_ACCESSIBLE, nid))
			++*cnt;
		else if (request.percent)
			low_size += node_size[nid];
		else
			return false;
	}

	return true;
}

/*
 * Reserves all regions, those with the fewest possible places first: on some nodes the
 * region fits into low memory only, while the low-memory region can usually be on
 * several nodes. Returns the first region for which there is no memory, or NULL; *@cnt
 * is the number of regions.
 */
static const struct kho_scratch *__init reserve_regions(struct kho_scratch *regions,
							unsigned int *cnt)
{
	struct kho_scratch *region;

	*cnt = KHO_SCRATCH_NODES;
	if (!reserve_on_nodes(regions, cnt))
		return &regions[*cnt];

	region = &regions[KHO_SCRATCH_LOW];
	region->size = size_of_low();
	if (!reserve_region(region, ARCH_LOW_ADDRESS_LIMIT, NUMA_NO_NODE))
		return region;

	region = &regions[KHO_SCRATCH_GLOBAL];
	region->size = size_of_global();

	return reserve_region(region, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE) ? NULL : region;
}

/* Reserves all regions. Returns their number, or 0, after a message, if there is no room. */
static unsigned int __init reserve_all(struct kho_scratch *regions)
{
	const struct kho_scratch *missing;
	unsigned int cnt;
	u64 mib;

	missing = reserve_regions(regions, &cnt);
	mib = kho_scratch_sum(regions, cnt) >> 20;
	if (missing) {
		pr_err("no %pa bytes for scratch region %u, KHO is off; see kho_scratch=\n",
		       &missing->size, (unsigned int)(missing - regions));
		return 0;
	}
	if (mib > memblock_phys_mem_size() >> 21) {
		pr_err("%llu MiB of scratch are more than half of memory, KHO is off; see kho_scratch=\n",
		       mib);
		return 0;
	}
	pr_info("%llu MiB of scratch in %u regions\n", mib, cnt);

	return cnt;
}

/**
 * kho_scratch_reserve - reserve scratch at cold boot
 *
 * Context: kho_memory_init(), when everything else is allocated from memblock.
 * Return: true if all regions are reserved; false, after a message and with memblock
 * as it was, if there is no memory for one of them or all together would be more
 * than half of memory.
 */
bool __init kho_scratch_reserve(void)
{
	unsigned int cnt, max = KHO_SCRATCH_NODES + num_node_state(N_MEMORY);
	size_t array_size = PAGE_ALIGN(max * sizeof(struct kho_scratch));
	struct kho_scratch *regions = memblock_alloc(array_size, PAGE_SIZE);

	if (!regions) {
		pr_err("no memory for the scratch array, KHO is off\n");
		return false;
	}

	cnt = reserve_all(regions);
	if (cnt) {
		kho_scratch_set(regions, cnt);
		return true;
	}

	/* Regions with address 0 were not reserved. */
	for (unsigned int i = 0; i < max; i++)
		if (regions[i].addr)
			memblock_phys_free(regions[i].addr, regions[i].size);
	memblock_free(regions, array_size);

	return false;
}
