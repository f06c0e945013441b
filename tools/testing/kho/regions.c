// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions of reserve_mem=: those that the old kernel hands over, those that the new
 * kernel asks for, and whether the new kernel gets memory that nothing else uses.
 *
 * A kernel starts each boot with fresh variables of reserve_mem.c. So this file includes
 * reserve_mem.c, to be able to clear them.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <stdio.h>

#include "../../../kernel/kexec_handover/check.h"
#include "world.h"

#include "../../../kernel/kexec_handover/reserve_mem.c"

/**
 * struct wish - a region on the command line of the new kernel
 * @name: its name
 * @start: its address, 0 until the new kernel has found one
 * @size: its size in bytes; 0 if the new kernel had no memory for it
 */
static struct wish {
	char name[16];
	phys_addr_t start;
	phys_addr_t size;
} wishes[NR_WISHES];

/* The regions of the old kernel. */
static struct wish old[NR_WISHES];

/* The start addresses of the memory that the new kernel has accepted. */
static phys_addr_t accepted[NR_WISHES];
static unsigned int nr_accepted;

/* The blob that the new kernel gives back at the end of boot. */
static void *given_back;

/* Functions of the old kernel, and of the new one, that reserve_mem.c calls */

bool kho_is_enabled(void)
{
	return true;
}

void *kho_alloc_preserve(size_t size)
{
	u64 page = world_page();

	world_add(PHYS_PFN(page), 0);
	world.regions = page;

	return phys_to_virt(page);
}

void kho_unpreserve_free(void *virt)
{
	abort();
}

void kho_unpreserve_pages(void *page, unsigned long nr)
{
	abort();
}

int kho_preserve_pages(void *page, unsigned long nr)
{
	unsigned long pfn = (unsigned long)page / PAGE_SIZE, end = pfn + nr;

	for (unsigned int order; pfn < end; pfn += BIT(order)) {
		order = kho_map_part_order(pfn, end, KHO_MAX_RUN_ORDER);
		world_add(pfn, order);
	}

	return 0;
}

int kho_add_subtree(const char *name, void *blob, size_t size)
{
	return kho_fdt_add(phys_to_virt(world.fdt), name, virt_to_phys(blob), size);
}

void kho_restore_free(void *virt)
{
	given_back = virt;
}

void accept_memory(phys_addr_t start, unsigned long size)
{
	if (nr_accepted == ARRAY_SIZE(accepted))
		abort();
	accepted[nr_accepted++] = start;
}

static void start_kernel(void)
{
	nr_accepted = 0;
	memset(regions, 0, sizeof(regions));
	nr_regions = 0;
	old_blob = NULL;
	given_back = NULL;
}

static void add(struct wish *wish, phys_addr_t align)
{
	kho_reserve_mem_add(wish->name, align, &wish->start, &wish->size);
}

static bool overlaps_another(unsigned int i)
{
	const struct wish *wish = &wishes[i];

	while (i--) {
		if (overlap(wish->start, wish->size, wishes[i].start, wishes[i].size))
			return true;
	}

	return false;
}

/**
 * regions_hand_over - let the old kernel hand over a number of regions
 * @nr: how many, %NR_WISHES - 1 at most
 *
 * Their names are region-a, region-b and so on.
 */
void regions_hand_over(unsigned int nr)
{
	start_kernel();
	for (unsigned int i = 0; i < nr; i++) {
		struct wish *wish = &wishes[i];

		*wish = (struct wish){
			.size = (1 + random_below(random_below(4) ? 8 : 1000)) * PAGE_SIZE,
		};
		wish->start = world_place(wish->size);
		if (!wish->start)
			break;
		snprintf(wish->name, sizeof(wish->name), "region-%c", 'a' + i);
		if (overlaps_another(i))
			break;
		add(wish, PAGE_SIZE);
		world.nr_regions++;
	}
	memcpy(old, wishes, sizeof(old));
	if (world.nr_regions && kho_reserve_mem_init())
		abort();
}

/* Often asks for what the old kernel has handed over, and sometimes for something else. */
static void make_wishes(void)
{
	start_kernel();
	for (unsigned int i = 0; i < NR_WISHES; i++) {
		struct wish *wish = &wishes[i];
		phys_addr_t align = PAGE_SIZE;

		if (i >= world.nr_regions) {
			*wish = (struct wish){ .size = PAGE_SIZE << random_below(18) };
			snprintf(wish->name, sizeof(wish->name), "new-%u", i);
		}
		wish->start = 0;
		if (!world.same_wishes) {
			if (!random_below(4))
				continue;
			if (!random_below(4))
				wish->size += PAGE_SIZE;
			if (!random_below(4))
				align <<= random_below(12);
		}
		add(wish, align);
	}
}

static bool is_reserved(phys_addr_t start, phys_addr_t size)
{
	struct memblock_region *r;

	for_each_reserved_mem_region(r) {
		if (start >= r->base && start + size <= r->base + r->size)
			return true;
	}

	return false;
}

/* Returns what is wrong with a region of the new kernel, or NULL. */
static const char *region_wrong(const struct region *region)
{
	phys_addr_t start = *region->start, size = *region->size;

	if (!start)
		return size ? "a region has a size and no address" : NULL;
	if (!IS_ALIGNED(start, region->align))
		return "a region is not aligned";
	if (!kho_check_memblock_has(start, size))
		return "a region is not in RAM";
	if (!is_reserved(start, size))
		return "a region is not reserved";
	if (kho_scratch_overlap(start, size))
		return "a region is in scratch";
	if (overlap(start, size, FIRMWARE_START, RAM_END - FIRMWARE_START) ||
	    overlap(start, size, world.fdt, KHO_FDT_SIZE))
		return "a region is in memory that is in use";
	if (kho_incoming_next(PFN_DOWN(start), PFN_UP(start + size)) != KHO_MAP_NONE)
		return "a region contains something that was handed over";
	for (const struct region *other = regions; other < region; other++) {
		if (*other->start && overlap(start, size, *other->start, *other->size))
			return "two regions overlap";
	}

	return NULL;
}

/**
 * regions_settle - let the new kernel find its regions
 *
 * Return: what is wrong with the result, or NULL.
 */
const char *regions_settle(void)
{
	const char *wrong = NULL;

	make_wishes();
	kho_reserve_mem_settle();
	for (unsigned int i = 0; i < nr_regions && !wrong; i++)
		wrong = region_wrong(&regions[i]);
	if (!wrong && kho_incoming.fdt &&
	    kho_incoming_next(PHYS_PFN(world.fdt), PHYS_PFN(world.fdt) + 1) == KHO_MAP_NONE &&
	    !is_reserved(world.fdt, KHO_FDT_SIZE))
		wrong = "the root FDT was freed";

	kho_reserve_mem_late_init();
	if (!wrong && given_back && !kho_incoming_keeps(virt_to_phys(given_back), 1))
		wrong = "a blob is given back whose page does not wait";

	return wrong;
}

/* Returns the address that the new kernel has found for a region; 0 if it has none. */
phys_addr_t regions_new(unsigned int i)
{
	return wishes[i].start;
}

/* Has the new kernel accepted the memory of a region? */
bool regions_accepted(unsigned int i)
{
	for (unsigned int j = 0; j < nr_accepted; j++) {
		if (accepted[j] == wishes[i].start)
			return true;
	}

	return false;
}

/**
 * regions_old - get the address of a region that the old kernel has handed over
 * @i: its number
 * @size: where to store its size
 *
 * Return: the address.
 */
u64 regions_old(unsigned int i, u64 *size)
{
	*size = old[i].size;

	return old[i].start;
}
