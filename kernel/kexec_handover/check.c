// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the previous kernel handed over: can it be believed?
 *
 * This file owns the incoming map until the first struct page is looked at: it
 * checks all of it, and either notes what is in it for those that come later or
 * refuses the handover as a whole. It knows nothing of struct page.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "kexec_handover_incoming.h"

struct kho_incoming kho_incoming;
struct kho_blocks kho_blocks;

/**
 * kho_memblock_has - is all of this RAM that a kernel may read?
 * @addr: physical address
 * @size: bytes
 *
 * Not memblock_is_region_memory(): memory on two nodes is two regions, and the
 * previous kernel may have known of one. What firmware keeps is a region, too,
 * and not mapped.
 *
 * Context: memblock knows all RAM.
 * Return: true if it is.
 */
bool __init kho_memblock_has(phys_addr_t addr, u64 size)
{
	phys_addr_t end = addr + size;
	struct memblock_region *r;

	if (!size || end < addr)
		return false;

	for_each_mem_region(r) {
		if (!memblock_is_nomap(r) && addr >= r->base && addr < r->base + r->size)
			addr = r->base + r->size;
	}

	return addr >= end;
}

/* Why region @i of an array that came with a handover cannot be, or NULL. */
static const char *__init region_defect(const struct kho_scratch *array,
					unsigned int i)
{
	const struct kho_scratch *r = &array[i];

	if (!r->size)
		return NULL;
	if (!IS_ALIGNED(r->addr | r->size, KHO_SCRATCH_ALIGN))
		return "is not aligned";
	if (!kho_memblock_has(r->addr, r->size))
		return "is not in RAM";

	while (i--) {
		if (kho_region_overlaps(&array[i], r->addr, r->size))
			return "overlaps another";
	}

	return NULL;
}

/**
 * kho_scratch_valid - can these be the scratch regions of the previous kernel?
 * @array: the regions
 * @cnt: number of them
 *
 * The array may lie in one of them. Linux 7.3 puts it there, with all else that a
 * kexec image is loaded with. And there may be empty ones: in what had nothing
 * reserved at cold boot 7.3 expects nothing to be.
 *
 * Context: memblock knows all RAM.
 * Return: true, or false after a message.
 */
bool __init kho_scratch_valid(const struct kho_scratch *array, unsigned int cnt)
{
	phys_addr_t size = 0;

	for (unsigned int i = 0; i < cnt; i++) {
		const char *defect = region_defect(array, i);

		if (defect) {
			kho_refuse("scratch region %u, %pa bytes at %pa, %s", i,
				   &array[i].size, &array[i].addr, defect);
			return false;
		}
		size += array[i].size;
	}
	if (!size)
		kho_refuse("none of %u scratch regions has a size", cnt);

	return size;
}

/**
 * struct check - what a walk over an incoming map is looking for
 * @nodes: where to put the PFNs of its nodes, or NULL to count them
 * @nr_nodes: nodes seen
 * @defect: what is wrong, or NULL
 * @where: the address that it is wrong with
 */
struct check {
	unsigned long *nodes;
	unsigned long nr_nodes;
	const char *defect;
	phys_addr_t where;
};

static int __init found_defect(struct check *check, const char *defect,
			       phys_addr_t where)
{
	check->defect = defect;
	check->where = where;

	return -EINVAL;
}

static u64 __init last_key(unsigned int order)
{
	return kho_map_key(max_pfn - 1, order);
}

/* Can a node that covers @nr keys from @first on name any memory there is? */
static bool __init keys_in_ram(u64 first, u64 nr)
{
	for (unsigned int order = 0; order <= KHO_MAX_FOLIO_ORDER; order++) {
		if (first <= last_key(order) && first + nr > kho_map_key(0, order))
			return true;
	}

	return false;
}

/*
 * Is this address one that a node can have, at this place of the tree? As no
 * node is read that could not name memory, a tree with cycles ends here, too.
 */
static int __init check_node(phys_addr_t node, unsigned int level, u64 key,
			     void *arg)
{
	u64 nr = 1ULL << (KHO_MAP_LEAF_SHIFT + level * KHO_MAP_TABLE_SHIFT);
	struct check *check = arg;

	if (!PAGE_ALIGNED(node) || !kho_memblock_has(node, PAGE_SIZE))
		return found_defect(check, "node of the map is not in RAM", node);
	if (kho_scratch_overlap(node, PAGE_SIZE))
		return found_defect(check, "node of the map is in scratch", node);
	if (memblock_overlaps_region(&memblock.reserved, node, PAGE_SIZE))
		return found_defect(check, "node of the map is in use", node);
	if (!keys_in_ram(key, nr))
		return found_defect(check, "node of the map names no memory", node);

	if (check->nodes)
		check->nodes[check->nr_nodes] = PHYS_PFN(node);
	check->nr_nodes++;

	return 0;
}

/* Does a folio of @order in [pfn, end) overlap one of a larger order? */
static bool __init larger_overlaps(unsigned int order, unsigned long pfn,
				   unsigned long end)
{
	const struct kho_map *map = &kho_incoming.map;
	unsigned int larger = order;

	for_each_set_bit_from(larger, &map->orders, KHO_MAX_FOLIO_ORDER + 1) {
		unsigned long next = pfn, found;

		if (larger == order)
			continue;

		while ((found = kho_map_next_of_order(map, larger, next, end)) != KHO_MAP_NONE) {
			next = min(found + BIT(larger), end);
			found = kho_map_next_of_order(map, order, max(found, pfn), next);
			if (found != KHO_MAP_NONE)
				return true;
		}
	}

	return false;
}

/* With large orders too many at times, which does no harm. */
static void __init name_blocks(unsigned long pfn, unsigned long end)
{
	unsigned long block = kho_block_of(pfn), last = kho_block_of(end - 1);

	do {
		__set_bit(block, kho_blocks.named);
	} while (block++ < last);
}

/*
 * Looks at the bits of a leaf a word at a time: the work is per node, however
 * many folios the node names. All leaves must have been through count_leaf().
 */
static int __init check_leaf(phys_addr_t node, unsigned int level, u64 key,
			     void *arg)
{
	const union kho_map_node *leaf = phys_to_virt(node);
	unsigned long first;
	unsigned int order;
	bool largest;

	if (level)
		return 0;

	order = kho_map_key_order(key);
	largest = !(kho_incoming.map.orders >> order >> 1);
	first = kho_map_key_pfn(key);
	for (unsigned long i = 0; i < ARRAY_SIZE(leaf->bits); i++) {
		unsigned long bits = leaf->bits[i], pfn, end;

		if (!bits)
			continue;

		pfn = first + ((i * BITS_PER_LONG + __ffs(bits)) << order);
		end = first + ((i * BITS_PER_LONG + __fls(bits) + 1) << order);
		if (!largest && larger_overlaps(order, pfn, end))
			return found_defect(arg, "folios overlap", PFN_PHYS(pfn));
		name_blocks(pfn, end);
	}

	return 0;
}

static int __init count_leaf(phys_addr_t node, unsigned int level, u64 key,
			     void *arg)
{
	const union kho_map_node *leaf = phys_to_virt(node);
	unsigned int order;
	unsigned long nr;
	u64 last;

	if (level)
		return 0;

	order = kho_map_key_order(key);
	nr = bitmap_weight(leaf->bits, KHO_MAP_LEAF_BITS);
	if (!nr)
		return 0;

	/* The last one must end in memory, too: check_leaf() has bits for no more. */
	last = key + find_last_bit(leaf->bits, KHO_MAP_LEAF_BITS);
	if (order > KHO_MAX_FOLIO_ORDER || last > last_key(order) ||
	    kho_map_key_pfn(last) + BIT(order) > max_pfn)
		return found_defect(arg, "folio is not in RAM",
				    PFN_PHYS(kho_map_key_pfn(last)));

	__set_bit(order, &kho_incoming.map.orders);
	kho_incoming.folios[order] += nr;

	return 0;
}

static bool __init range_is_named(unsigned long start, unsigned long end,
				  struct check *check, const char *defect)
{
	struct kho_map_folio folio;

	if (!kho_map_next(&kho_incoming.map, start, end, &folio))
		return false;

	found_defect(check, defect, PFN_PHYS(folio.pfn));
	return true;
}

/*
 * No folio may touch what is not RAM, or scratch, or what this kernel uses
 * already. Asked the other way round, there are few ranges to look at.
 */
static bool __init check_ranges(struct check *check)
{
	struct memblock_region *r;
	unsigned long prev_end = 0;

	for_each_mem_region(r) {
		if (memblock_is_nomap(r))
			continue;
		if (range_is_named(prev_end, PFN_UP(r->base), check, "folio is not in RAM"))
			return false;
		prev_end = PFN_DOWN(r->base + r->size);
	}
	if (range_is_named(prev_end, max(prev_end, max_pfn), check, "folio is not in RAM"))
		return false;

	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		unsigned long start = PHYS_PFN(kho_scratch[i].addr);
		unsigned long nr = PHYS_PFN(kho_scratch[i].size);

		if (nr && range_is_named(start, start + nr, check, "folio is in scratch"))
			return false;
	}

	for_each_reserved_mem_region(r) {
		if (range_is_named(PFN_DOWN(r->base), PFN_UP(r->base + r->size), check,
				   "folio is in use"))
			return false;
	}

	return true;
}

/* Nodes may meet in the middle of what would be a folio. None belongs to two. */
static bool __init check_node_borders(struct check *check)
{
	unsigned long start, end, prev_end = 0;
	int i, nid, prev_nid = NUMA_NO_NODE;
	struct kho_map_folio folio;

	for_each_mem_pfn_range(i, MAX_NUMNODES, &start, &end, &nid) {
		if (prev_end && start == prev_end && nid != prev_nid &&
		    kho_map_next(&kho_incoming.map, start - 1, start, &folio) &&
		    folio.pfn + BIT(folio.order) > start) {
			found_defect(check, "folio is on two nodes", PFN_PHYS(folio.pfn));
			return false;
		}
		prev_end = end;
		prev_nid = nid;
	}

	return true;
}

static int __init cmp_pfn(const void *a, const void *b)
{
	const unsigned long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool __init check_nodes(struct check *check)
{
	const unsigned long *nodes = kho_incoming.nodes;

	sort(kho_incoming.nodes, kho_incoming.nr_nodes, sizeof(*nodes), cmp_pfn, NULL);

	for (unsigned long i = 0; i < kho_incoming.nr_nodes; i++) {
		if (i && nodes[i] == nodes[i - 1]) {
			found_defect(check, "node of the map is in it twice", PFN_PHYS(nodes[i]));
			return false;
		}
		if (range_is_named(nodes[i], nodes[i] + 1, check, "folio is a node of the map"))
			return false;
		__set_bit(kho_block_of(nodes[i]), kho_blocks.named);
	}

	return true;
}

static bool __init checksum_matches(struct check *check, phys_addr_t fdt_phys)
{
	if (kho_checksum_matches(phys_to_virt(fdt_phys), &kho_incoming.map))
		return true;

	found_defect(check, "root FDT and map do not have the checksum that they left with",
		     fdt_phys);
	return false;
}

static bool __init alloc_boot_data(unsigned long nr_nodes)
{
	size_t bytes = BITS_TO_LONGS(kho_block_of(max_pfn - 1) + 1) * sizeof(long);

	kho_incoming.nodes = memblock_alloc_raw(kho_incoming_nodes_bytes(nr_nodes), PAGE_SIZE);
	kho_blocks.bytes = PAGE_ALIGN(3 * bytes);
	kho_blocks.start = memblock_alloc(kho_blocks.bytes, PAGE_SIZE);
	if (!kho_incoming.nodes || !kho_blocks.start)
		return false;

	kho_blocks.named = kho_blocks.start;
	kho_blocks.locked = kho_blocks.start + bytes;
	kho_blocks.ready = kho_blocks.start + 2 * bytes;

	return true;
}

static void __init free_boot_data(unsigned long nr_nodes)
{
	if (kho_incoming.nodes)
		memblock_free(kho_incoming.nodes, kho_incoming_nodes_bytes(nr_nodes));
	if (kho_blocks.start)
		memblock_free(kho_blocks.start, kho_blocks.bytes);
	kho_incoming.nodes = NULL;
	kho_blocks.named = NULL;
	kho_blocks.start = NULL;
}

static bool __init check_map(struct check *check, phys_addr_t map_root,
			     phys_addr_t fdt_phys)
{
	struct kho_map *map = &kho_incoming.map;
	struct kho_map_folio folio;

	if (check_node(map_root, KHO_MAP_LEVELS - 1, 0, check))
		return false;

	if (kho_scratch_overlap(fdt_phys, KHO_FDT_SIZE)) {
		found_defect(check, "root FDT is in scratch", fdt_phys);
		return false;
	}

	map->root = phys_to_virt(map_root);
	check->nr_nodes = 0;
	if (kho_map_walk(map, check_node, check) || kho_map_walk(map, count_leaf, check))
		return false;

	kho_map_note_near(map);
	kho_incoming.nr_nodes = check->nr_nodes;
	if (!alloc_boot_data(kho_incoming.nr_nodes)) {
		found_defect(check, "no memory to read the map", map_root);
		return false;
	}

	/* If the root FDT is a folio like others then the map keeps it. */
	if (kho_map_find(map, PHYS_PFN(fdt_phys), &folio)) {
		memblock_phys_free(fdt_phys, KHO_FDT_SIZE);
		kho_incoming.fdt_phys = fdt_phys;
	}

	check->nodes = kho_incoming.nodes;
	check->nr_nodes = 0;
	kho_map_walk(map, check_node, check);

	return check_nodes(check) && !kho_map_walk(map, check_leaf, check) &&
	       check_ranges(check) && check_node_borders(check) &&
	       checksum_matches(check, fdt_phys);
}

/**
 * kho_incoming_accept - check a map and let it withhold what it names
 * @map_root: address of its root node
 * @fdt_phys: address of the root FDT
 *
 * Context: just before memblock hands memory to the page allocator.
 * Return: true; or false, after a message and with nothing changed.
 */
bool __init kho_incoming_accept(phys_addr_t map_root, phys_addr_t fdt_phys)
{
	struct check check = {};

	if (!check_map(&check, map_root, fdt_phys)) {
		kho_refuse("%s, at %pa", check.defect, &check.where);
		if (kho_incoming.fdt_phys)
			memblock_reserve(fdt_phys, KHO_FDT_SIZE);
		free_boot_data(kho_incoming.nr_nodes);
		memset(&kho_incoming, 0, sizeof(kho_incoming));
		return false;
	}

	for (unsigned int order = 0; order <= KHO_MAX_FOLIO_ORDER; order++) {
		atomic_long_set(&kho_incoming.unclaimed[order], kho_incoming.folios[order]);
		atomic_long_add(kho_incoming.folios[order], &kho_incoming.nr_unclaimed);
	}

	return true;
}

/**
 * kho_incoming_node_from - find a node of the map
 * @pfn: a PFN
 *
 * Few blocks have any.
 *
 * Context: boot.
 * Return: index of the first node that lies at or behind @pfn.
 */
unsigned long __init kho_incoming_node_from(unsigned long pfn)
{
	unsigned long low = 0, high = kho_incoming.nr_nodes;

	while (low < high) {
		unsigned long mid = low + (high - low) / 2;

		if (kho_incoming.nodes[mid] < pfn)
			low = mid + 1;
		else
			high = mid;
	}

	return low;
}

/**
 * kho_incoming_node_before - is there another node of the map in a range?
 * @i: its index
 * @end: first PFN behind the range
 *
 * Context: boot.
 * Return: true if there is a node of this index, and it is below @end.
 */
bool __init kho_incoming_node_before(unsigned long i, unsigned long end)
{
	return i < kho_incoming.nr_nodes && kho_incoming.nodes[i] < end;
}

/**
 * kho_incoming_keeps - is memory all in folios that were handed over?
 * @phys: physical address
 * @size: bytes, of RAM
 *
 * Context: kho_memory_init().
 * Return: true if it is.
 */
bool __init kho_incoming_keeps(phys_addr_t phys, u64 size)
{
	unsigned long pfn = PHYS_PFN(phys), end = PHYS_PFN(phys + size - 1) + 1;
	struct kho_map_folio folio;

	for (; pfn < end; pfn = folio.pfn + BIT(folio.order)) {
		if (!kho_map_find(&kho_incoming.map, pfn, &folio))
			return false;
	}

	return true;
}

/**
 * kho_incoming_has - is memory part of one folio that was handed over?
 * @phys: the address that the folio begins at
 * @size: bytes
 *
 * Context: kho_memory_init().
 * Return: true if it is.
 */
bool __init kho_incoming_has(phys_addr_t phys, size_t size)
{
	struct kho_map_folio folio;

	return PAGE_ALIGNED(phys) && kho_map_find(&kho_incoming.map, PHYS_PFN(phys), &folio) &&
	       size <= PAGE_SIZE << folio.order;
}

/**
 * kho_incoming_next - find what memblock must not give away
 * @pfn: first PFN of a range
 * @end: first PFN behind it
 *
 * Context: kho_memory_init().
 * Return: the lowest PFN of a folio or a node of the map that has a page in the
 * range, which may be below @pfn; %KHO_MAP_NONE if there is none.
 */
unsigned long __init kho_incoming_next(unsigned long pfn, unsigned long end)
{
	unsigned long i = kho_incoming_node_from(pfn), next = KHO_MAP_NONE;
	struct kho_map_folio folio;

	if (kho_incoming_node_before(i, end))
		next = kho_incoming.nodes[i];
	if (kho_map_next(&kho_incoming.map, pfn, end, &folio))
		next = min(next, folio.pfn);

	return next;
}

/* The folio that begins at @pfn, if all of it is below @end. */
static bool __init folio_within(unsigned long pfn, unsigned long end,
				struct kho_map_folio *folio)
{
	return kho_map_find(&kho_incoming.map, pfn, folio) && BIT(folio->order) <= end - pfn;
}

/**
 * kho_incoming_forget - leave a range of what was handed over to memblock
 * @pfn: first PFN of the range
 * @end: first PFN behind it
 *
 * The folios there count as restored, and no struct page was touched.
 *
 * Context: between kho_incoming_accept() and kho_incoming_start().
 * Return: true; or false, with nothing changed, if the range does not consist
 * of whole folios.
 */
bool __init kho_incoming_forget(unsigned long pfn, unsigned long end)
{
	struct kho_map_folio folio;
	unsigned long p;

	for (p = pfn; p < end; p += BIT(folio.order)) {
		if (!folio_within(p, end, &folio))
			return false;
	}
	for (p = pfn; p < end && folio_within(p, end, &folio); p += BIT(folio.order)) {
		kho_map_del(&kho_incoming.map, p, folio.order);
		atomic_long_dec(&kho_incoming.unclaimed[folio.order]);
		atomic_long_dec(&kho_incoming.nr_unclaimed);
	}

	return true;
}
