// SPDX-License-Identifier: GPL-2.0-only
/*
 * The size and the place of scratch, which is reserved at cold boot.
 *
 * This file owns kho_scratch=, measures what this kernel has reserved in memblock,
 * and reserves the scratch regions. They are chosen once, and each later kernel
 * inherits them. Scratch must have room for all that a kernel allocates from memblock
 * while it boots, for the kernel image twice (as kexec loads it and as it unpacks
 * itself), and for the initrd.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/cma.h>
#include <linux/crash_core.h>
#include <linux/hugetlb.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/kmemleak.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/printk.h>
#include <linux/string.h>

#include <asm/sections.h>

#include "scratch.h"
#include "scratch_size.h"

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

/* What count_hugetlb_cma() counts: @bytes in the physical range [@start, @end). */
struct range_use {
	phys_addr_t start;
	phys_addr_t end;
	u64 bytes;
};

static int __init count_hugetlb_cma(struct cma *cma, void *arg)
{
	struct range_use *use = arg;
	phys_addr_t base = cma_get_base(cma);

	if (strstarts(cma_get_name(cma), "hugetlb"))
		use->bytes += bytes_within(use->start, use->end, base, base + cma_get_size(cma));

	return 0;
}

/* Counts the bytes of [start, end) that hugepages= and hugetlb_cma= have reserved. */
static u64 __init hugetlb_bytes(phys_addr_t start, phys_addr_t end)
{
	struct range_use use = { .start = start, .end = end };

	cma_for_each_area(count_hugetlb_cma, &use);

#ifdef CONFIG_HUGETLB_PAGE
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct huge_bootmem_page *page;

		/* hugetlb initialises the list when it allocates the first page. */
		if (!huge_boot_pages[nid].next)
			continue;
		list_for_each_entry(page, &huge_boot_pages[nid], list)
			use.bytes += bytes_within(start, end, __pa(page),
						  __pa(page) + huge_page_size(page->hstate));
	}
#endif
	return use.bytes;
}

/* The argument of kho_scratch_reserve(). */
static u64 (*not_counted)(phys_addr_t start, phys_addr_t end) __initdata;

/*
 * Counts the reserved bytes of [start, end) for which the next kernel needs room in
 * scratch. It needs none for reserve_mem= regions, which keep their place, nor for
 * gigantic pages, which would make scratch too large.
 */
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
				bytes += to - from - not_counted(from, to);
		}
		bytes -= hugetlb_bytes(max(start, mem->base), min(end, mem->base + mem->size));
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

/*
 * Counts the bytes of crashkernel= regions that begin in [start, end). The next kernel
 * reserves the same number of bytes, so they are not scaled.
 */
static u64 __init crash_bytes(phys_addr_t start, phys_addr_t end)
{
	u64 bytes = 0;

#ifdef CONFIG_CRASH_RESERVE
	const struct resource *res[] = { &crashk_res, &crashk_low_res };

	for (int i = 0; i < ARRAY_SIZE(res); i++) {
		if (res[i]->end && res[i]->start >= start && res[i]->start < end)
			bytes += resource_size(res[i]);
	}
#endif
	return bytes;
}

static void __init default_sizes(u64 *low, u64 *global)
{
	phys_addr_t limit = ARCH_LOW_ADDRESS_LIMIT;
	struct kho_scratch_use use = {
		.image_below = image_bytes(0, limit),
		.image_above = image_bytes(limit, PHYS_ADDR_MAX),
		.below = reserved_bytes(0, limit),
		.crash_below = crash_bytes(0, limit),
		.crash_above = crash_bytes(limit, PHYS_ADDR_MAX),
	};

	kho_scratch_size_compute(&use, &request, low, global);
}

/*
 * Returns the default size of the region of a NUMA node: it counts memory above the
 * limit of low memory, without kernel image, initrd and crashkernel=.
 */
static u64 __init default_node_size(int nid)
{
	struct memblock_region *mem;
	u64 bytes = 0;

	for_each_mem_region(mem) {
		phys_addr_t start = max(mem->base, ARCH_LOW_ADDRESS_LIMIT);
		phys_addr_t end = mem->base + mem->size;
		u64 reserved, counted;

		if (memblock_get_region_node(mem) != nid || start >= end)
			continue;

		reserved = reserved_bytes(start, end);
		counted = image_bytes(start, end) + crash_bytes(start, end);
		bytes += reserved - min(reserved, counted);
	}

	return kho_scratch_size_scale(bytes, request.percent);
}

/* Sets the sizes of all regions before one is reserved, so that none counts another. */
static void __init choose_sizes(struct kho_scratch *regions)
{
	u64 low = request.low, global = request.global;
	unsigned int i = KHO_SCRATCH_NODES;
	int nid;

	if (request.percent)
		default_sizes(&low, &global);

	regions[KHO_SCRATCH_LOW].size = low;
	regions[KHO_SCRATCH_GLOBAL].size = global;
	for_each_node_state(nid, N_MEMORY)
		regions[i++].size = request.percent ? default_node_size(nid) : request.node;
}

/* Reserves a region below @limit on node @nid, with the size in @region rounded up. */
static bool __init reserve_region(struct kho_scratch *region, phys_addr_t limit, int nid)
{
	/* Also reserve a region of size 0: an index in the array stands for a purpose. */
	region->size = ALIGN(max(region->size, 1), KHO_SCRATCH_ALIGN);
	region->addr = memblock_alloc_range_nid(region->size, KHO_SCRATCH_ALIGN, 0,
						limit, nid, true);
	if (!region->addr)
		return false;

	/* Its pages become free memory later, which kmemleak must not scan. */
	kmemleak_ignore_phys(region->addr);

	return true;
}

/*
 * Reserves all regions, those with the fewest possible places first: on some nodes the
 * region fits into low memory only, while the low-memory region can usually be on
 * several nodes. Returns the first region for which there is no memory, or NULL.
 */
static const struct kho_scratch *__init reserve_regions(struct kho_scratch *regions)
{
	struct kho_scratch *region = &regions[KHO_SCRATCH_NODES];
	int nid;

	choose_sizes(regions);
	for_each_node_state(nid, N_MEMORY) {
		if (!reserve_region(region, MEMBLOCK_ALLOC_ACCESSIBLE, nid))
			return region;
		region++;
	}

	region = &regions[KHO_SCRATCH_LOW];
	if (!reserve_region(region, ARCH_LOW_ADDRESS_LIMIT, NUMA_NO_NODE))
		return region;
	region = &regions[KHO_SCRATCH_GLOBAL];

	return reserve_region(region, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE) ? NULL : region;
}

static u64 __init sum_of_sizes(const struct kho_scratch *regions, unsigned int cnt)
{
	u64 bytes = 0;

	for (unsigned int i = 0; i < cnt; i++)
		bytes += regions[i].size;

	return bytes;
}

static bool __init reserve_all(struct kho_scratch *regions, unsigned int cnt)
{
	const struct kho_scratch *missing = reserve_regions(regions);
	u64 mib = sum_of_sizes(regions, cnt) >> 20;

	if (missing) {
		pr_err("no %pa bytes for scratch region %u, KHO is off; see kho_scratch=\n",
		       &missing->size, (unsigned int)(missing - regions));
		return false;
	}
	if (mib > memblock_phys_mem_size() >> 21) {
		pr_err("%llu MiB of scratch are more than half of memory, KHO is off; see kho_scratch=\n",
		       mib);
		return false;
	}
	pr_info("%llu MiB of scratch in %u regions\n", mib, cnt);

	return true;
}

/**
 * kho_scratch_reserve - reserve scratch at cold boot
 * @excluded: returns how many bytes of a physical range are reserved for something
 *	that the next kernel does not place in scratch
 *
 * Context: kho_memory_init(), when everything else is allocated from memblock.
 * Return: true if all regions are reserved; false, after a message and with memblock
 * as it was, if there is no memory for one of them or all together would be more
 * than half of memory.
 */
bool __init kho_scratch_reserve(u64 (*excluded)(phys_addr_t start, phys_addr_t end))
{
	unsigned int cnt = KHO_SCRATCH_NODES + num_node_state(N_MEMORY);
	size_t array_size = PAGE_ALIGN(cnt * sizeof(struct kho_scratch));
	struct kho_scratch *regions = memblock_alloc(array_size, PAGE_SIZE);

	if (!regions) {
		pr_err("no memory for the scratch array, KHO is off\n");
		return false;
	}

	not_counted = excluded;
	if (reserve_all(regions, cnt)) {
		kho_scratch_set(regions, cnt);
		return true;
	}

	/* Regions with address 0 were not reserved. */
	for (unsigned int i = 0; i < cnt; i++)
		if (regions[i].addr)
			memblock_phys_free(regions[i].addr, regions[i].size);
	memblock_free(regions, array_size);

	return false;
}
