// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks of an incoming handover.
 *
 * This file owns the checks of the data that the previous kernel left: the root
 * FDT, the scratch regions, the map and the blobs. It checks each of them before
 * boot.c or any other code uses it. If one of them is invalid, it describes the
 * defect in a struct kho_defect, and boot.c refuses the handover; it ignores an
 * invalid blob. If all are valid, kho_check_map() has filled in kho_incoming, see
 * incoming.h. No function here accesses a struct page.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/libfdt.h>
#include <linux/log2.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sort.h>
#include <linux/string.h>

#include <asm/sections.h>

#include "check.h"
#include "checksum.h"
#include "fdt.h"
#include "incoming.h"
#include "scratch.h"

/* Fills in @defect. Returns false, so that a check can end with "return found(...)". */
static bool __init found(struct kho_defect *defect, const char *object, phys_addr_t phys,
			 u64 size, const char *what)
{
	*defect = (struct kho_defect){
		.object = object, .phys = phys, .size = size, .what = what,
	};

	return false;
}

/**
 * kho_check_memblock_has - is all of a range RAM that is in the direct map?
 * @addr: physical address of the range
 * @size: size of the range in bytes
 *
 * memblock_is_region_memory() is not enough. It returns false for a range on two
 * NUMA nodes, which are two regions, but which the previous kernel may have known
 * as one node. And it returns true for memory that is marked MEMBLOCK_NOMAP.
 *
 * Context: boot; memblock knows all RAM.
 * Return: true if all of the range is RAM that is in the direct map; false
 * otherwise, and for an empty range.
 */
bool __init kho_check_memblock_has(phys_addr_t addr, u64 size)
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

/* Returns the defect of a range that a parameter of the handover names, or NULL. */
static const char *__init range_defect(phys_addr_t phys, u64 len)
{
	if (!kho_check_memblock_has(phys, len))
		return "is not in RAM";
	if (memblock_is_region_reserved(phys, len))
		return "is in use";

	return NULL;
}

/**
 * kho_check_fdt - check the root FDT of an incoming handover
 * @phys: physical address of the root FDT
 * @len: size of the root FDT in bytes
 * @defect: filled in if the root FDT is invalid
 *
 * Context: boot; memblock knows all RAM and early_memremap() works.
 * Return: true if the root FDT is valid; false if it is not.
 */
bool __init kho_check_fdt(phys_addr_t phys, u64 len, struct kho_defect *defect)
{
	const char *object = "root FDT", *what;
	void *fdt;

	if (len != KHO_FDT_SIZE)
		return found(defect, object, phys, len, "is not one page in this kernel");
	if (!phys || !PAGE_ALIGNED(phys))
		return found(defect, object, phys, len, "is not aligned to a page");
	what = range_defect(phys, len);
	if (what)
		return found(defect, object, phys, len, what);

	fdt = early_memremap(phys, len);
	if (!fdt)
		return found(defect, object, phys, len, "cannot be mapped");
	what = kho_fdt_defect(fdt);
	early_memunmap(fdt, len);

	return !what || found(defect, object, phys, len, what);
}

/* Returns the defect of region @i of an incoming array, or NULL. */
static const char *__init region_defect(const struct kho_scratch *array, unsigned int i)
{
	const struct kho_scratch *r = &array[i];

	if (!r->size)
		return NULL;
	if (!IS_ALIGNED(r->addr | r->size, KHO_SCRATCH_ALIGN))
		return "is not aligned to a block";
	if (!kho_check_memblock_has(r->addr, r->size))
		return "is not in RAM";

	while (i--) {
		if (kho_region_overlaps(&array[i], r->addr, r->size))
			return "overlaps another scratch region";
	}

	return NULL;
}

/*
 * The array may lie in one of the regions: Linux 7.3 places it there, as it does
 * with all segments of a kexec image. Regions may be empty: Linux 7.3 has an empty
 * region if it reserved none of this kind at cold boot.
 */
static bool __init regions_valid(const struct kho_scratch *array, unsigned int cnt,
				 struct kho_defect *defect)
{
	phys_addr_t size = 0;

	for (unsigned int i = 0; i < cnt; i++) {
		const char *what = region_defect(array, i);

		if (what)
			return found(defect, "scratch region", array[i].addr, array[i].size, what);
		size += array[i].size;
	}

	return size;
}

/*
 * A kernel that hands memory over loads the next kernel into scratch. If this kernel
 * lies elsewhere, a kernel without KHO ran in between. That kernel received the
 * handover, did not know it, used preserved memory as free memory, and its loader
 * copied the properties of the device tree that name the handover to this kernel.
 */
static bool __init kernel_in_scratch(const struct kho_scratch *array, unsigned int cnt,
				     struct kho_defect *defect)
{
	phys_addr_t start = __pa_symbol(_text), end = __pa_symbol(_end);

	for (unsigned int i = 0; i < cnt; i++) {
		if (start >= array[i].addr && end - array[i].addr <= array[i].size)
			return true;
	}

	return found(defect, "this kernel", start, end - start,
		     "is not in scratch: another kernel ran in between");
}

/**
 * kho_check_scratch - check the scratch regions of an incoming handover
 * @array_phys: physical address of the array of scratch regions
 * @array_len: size of this array in bytes
 * @defect: filled in if the array or one of the regions is invalid
 *
 * Context: boot; memblock knows all RAM and early_memremap() works. The direct map
 * may not exist yet.
 * Return: true if the array and all regions are valid; false if not.
 */
bool __init kho_check_scratch(phys_addr_t array_phys, u64 array_len, struct kho_defect *defect)
{
	const char *object = "scratch array", *what;
	struct kho_scratch *array;
	unsigned int cnt;
	bool ok;

	if (!array_len || array_len % sizeof(*array) ||
	    array_len > KHO_SCRATCH_MAX * sizeof(*array))
		return found(defect, object, array_phys, array_len, "has an invalid size");
	if (!IS_ALIGNED(array_phys, sizeof(*array)))
		return found(defect, object, array_phys, array_len, "is not aligned");
	what = range_defect(array_phys, array_len);
	if (what)
		return found(defect, object, array_phys, array_len, what);

	array = early_memremap(array_phys, array_len);
	if (!array)
		return found(defect, object, array_phys, array_len, "cannot be mapped");

	cnt = array_len / sizeof(*array);
	found(defect, object, array_phys, array_len, "has empty regions only");
	ok = regions_valid(array, cnt, defect) && kernel_in_scratch(array, cnt, defect);
	early_memunmap(array, array_len);

	return ok;
}

/**
 * struct check - the state of a walk over an incoming map
 * @nodes: array that check_node() writes the PFNs of the nodes to, or NULL to only
 *	count them
 * @nr_nodes: number of nodes that check_node() has seen
 * @defect: filled in if the map is invalid
 */
struct check {
	unsigned long *nodes;
	unsigned long nr_nodes;
	struct kho_defect *defect;
};

static int __init bad_node(struct check *check, phys_addr_t node, const char *what)
{
	found(check->defect, "node of the map", node, PAGE_SIZE, what);

	return -EINVAL;
}

static int __init bad_folio(struct check *check, unsigned long pfn, unsigned int order,
			    const char *what)
{
	found(check->defect, "folio", PFN_PHYS(pfn), (u64)PAGE_SIZE << order, what);

	return -EINVAL;
}

static u64 __init last_key(unsigned int order)
{
	return kho_map_key(max_pfn - 1, order);
}

/*
 * Checks the address of a node before the node is read. Only nodes whose keys name
 * memory that exists pass, so the number of nodes that a walk reads is limited even
 * if entries of the tree point back to nodes above them. check_nodes() refuses such
 * a tree later, because it has a node twice.
 */
static int __init check_node(phys_addr_t node, unsigned int level, u64 key,
			     void *arg)
{
	struct check *check = arg;

	if (!PAGE_ALIGNED(node) || !kho_check_memblock_has(node, PAGE_SIZE))
		return bad_node(check, node, "is not in RAM");
	if (kho_scratch_overlap(node, PAGE_SIZE))
		return bad_node(check, node, "is in scratch");
	if (memblock_overlaps_region(&memblock.reserved, node, PAGE_SIZE))
		return bad_node(check, node, "is in use");
	if (!kho_map_can_name(level, key, max_pfn))
		return bad_node(check, node, "covers no memory that exists");

	if (check->nodes) {
		if (check->nr_nodes == kho_incoming.nr_nodes)
			return bad_node(check, node, "appeared while the map was checked");
		check->nodes[check->nr_nodes] = PHYS_PFN(node);
	}
	check->nr_nodes++;

	return 0;
}

/* Does a folio of @order in [pfn, end) overlap one of a larger order? */
static bool __init larger_overlaps(unsigned int order, unsigned long pfn,
				   unsigned long end)
{
	const struct kho_map *map = &kho_incoming.map;
	unsigned int larger = order;

	for_each_set_bit_from(larger, &map->orders, KHO_MAX_RUN_ORDER + 1) {
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

/*
 * Checks a leaf for folios that a larger folio overlaps. It handles one word of
 * bits at a time, so that the work grows with the number of leaves, not of folios.
 * It reads map.orders, which is complete once count_leaf() has seen all leaves.
 */
static int __init check_leaf(phys_addr_t node, unsigned int level, u64 key,
			     void *arg)
{
	const union kho_map_node *leaf = phys_to_virt(node);
	unsigned long first;
	unsigned int order;

	if (level)
		return 0;

	order = kho_map_key_order(key);
	/* The map has no folio of a larger order. */
	if (!(kho_incoming.map.orders >> order >> 1))
		return 0;

	first = kho_map_key_pfn(key);
	for (unsigned long i = 0; i < ARRAY_SIZE(leaf->bits); i++) {
		unsigned long bits = leaf->bits[i], pfn, end;

		if (!bits)
			continue;

		pfn = first + ((i * BITS_PER_LONG + __ffs(bits)) << order);
		end = first + ((i * BITS_PER_LONG + __fls(bits) + 1) << order);
		if (larger_overlaps(order, pfn, end))
			return bad_folio(arg, pfn, order, "overlaps a larger folio");
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

	/*
	 * If the last folio ends below max_pfn then all do. Later checks compute with
	 * PFNs up to max_pfn only.
	 */
	last = key + find_last_bit(leaf->bits, KHO_MAP_LEAF_BITS);
	if (order > KHO_MAX_RUN_ORDER || last > last_key(order) ||
	    kho_map_key_pfn(last) + BIT(order) > max_pfn)
		return bad_folio(arg, kho_map_key_pfn(last), order, "is not in RAM");

	__set_bit(order, &kho_incoming.map.orders);
	kho_incoming.folios[order] += nr;

	return 0;
}

static bool __init range_is_named(unsigned long start, unsigned long end,
				  struct check *check, const char *what)
{
	struct kho_map_folio folio;

	if (!kho_map_next(&kho_incoming.map, start, end, &folio))
		return false;
	bad_folio(check, folio.pfn, folio.order, what);

	return true;
}

static bool __init check_reserved(struct check *check)
{
	struct memblock_region *r;

	for_each_reserved_mem_region(r) {
		if (range_is_named(PFN_DOWN(r->base), PFN_UP(r->base + r->size), check,
				   "is in use"))
			return false;
	}

	return true;
}

/*
 * No folio may overlap a hole in RAM, scratch, or memory that this kernel has
 * reserved. There are many folios, but only few such ranges: so search the map for
 * a folio in each of the ranges.
 */
static bool __init check_ranges(struct check *check)
{
	struct memblock_region *r;
	unsigned long prev_end = 0;

	for_each_mem_region(r) {
		if (memblock_is_nomap(r))
			continue;
		if (range_is_named(prev_end, PFN_UP(r->base), check, "is not in RAM"))
			return false;
		prev_end = PFN_DOWN(r->base + r->size);
	}
	if (range_is_named(prev_end, max(prev_end, max_pfn), check, "is not in RAM"))
		return false;

	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		unsigned long start = PHYS_PFN(kho_scratch[i].addr);
		unsigned long nr = PHYS_PFN(kho_scratch[i].size);

		if (nr && range_is_named(start, start + nr, check, "is in scratch"))
			return false;
	}

	return check_reserved(check);
}

/*
 * NUMA nodes whose memory adjoins: a folio that spans the border is invalid, since
 * a folio belongs to one NUMA node.
 */
static bool __init check_node_borders(struct check *check)
{
	unsigned long start, end, prev_end = 0;
	int i, nid, prev_nid = NUMA_NO_NODE;
	struct kho_map_folio folio;

	for_each_mem_pfn_range(i, MAX_NUMNODES, &start, &end, &nid) {
		if (prev_end && start == prev_end && nid != prev_nid &&
		    kho_map_next(&kho_incoming.map, start - 1, start, &folio) &&
		    folio.pfn + BIT(folio.order) > start) {
			bad_folio(check, folio.pfn, folio.order, "is on two NUMA nodes");
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

/* No node of the map may occur in the tree twice or lie in a folio that the map names. */
static bool __init check_nodes(struct check *check)
{
	const unsigned long *nodes = kho_incoming.nodes;

	sort(kho_incoming.nodes, kho_incoming.nr_nodes, sizeof(*nodes), cmp_pfn, NULL);

	for (unsigned long i = 0; i < kho_incoming.nr_nodes; i++) {
		if (i && nodes[i] == nodes[i - 1]) {
			bad_node(check, PFN_PHYS(nodes[i]), "is in the map twice");
			return false;
		}
		if (range_is_named(nodes[i], nodes[i] + 1, check, "holds a node of the map"))
			return false;
	}

	return true;
}

static bool __init alloc_nodes(unsigned long nr_nodes)
{
	kho_incoming.nodes = memblock_alloc_raw(kho_incoming_nodes_bytes(nr_nodes), PAGE_SIZE);

	return kho_incoming.nodes;
}

/*
 * Each kernel preserves the folios of its blobs. If the root FDT names blobs and
 * the map names no folio, then something has overwritten the map with zeros.
 */
static bool __init blobs_but_no_folio(const void *fdt)
{
	return !kho_incoming.map.orders && fdt_first_subnode(fdt, 0) >= 0;
}

static bool __init map_valid(struct check *check, phys_addr_t map_root)
{
	const phys_addr_t fdt_phys = kho_incoming.fdt_phys;
	const void *fdt = phys_to_virt(fdt_phys);
	struct kho_map *map = &kho_incoming.map;
	struct kho_map_folio folio;

	if (check_node(map_root, KHO_MAP_LEVELS - 1, 0, check))
		return false;
	if (kho_scratch_overlap(fdt_phys, KHO_FDT_SIZE))
		return found(check->defect, "root FDT", fdt_phys, KHO_FDT_SIZE, "is in scratch");

	map->root = phys_to_virt(map_root);
	check->nr_nodes = 0;
	if (kho_map_walk(map, check_node, check) || kho_map_walk(map, count_leaf, check))
		return false;
	if (blobs_but_no_folio(fdt))
		return found(check->defect, "root FDT", fdt_phys, KHO_FDT_SIZE,
			     "names blobs, but the map names no folio");

	kho_map_note_near(map);
	kho_incoming.nr_nodes = check->nr_nodes;
	if (!alloc_nodes(kho_incoming.nr_nodes))
		return found(check->defect, "map", map_root, kho_incoming.nr_nodes * PAGE_SIZE,
			     "needs more memory to be read than there is");

	/*
	 * If the map names the page of the root FDT, as ours does, then the page waits
	 * like other folios and must not be reserved: check_ranges() would refuse it.
	 */
	if (kho_map_find(map, PHYS_PFN(fdt_phys), &folio)) {
		memblock_phys_free(fdt_phys, KHO_FDT_SIZE);
		kho_incoming.fdt_kept = true;
	}

	check->nodes = kho_incoming.nodes;
	check->nr_nodes = 0;
	if (kho_map_walk(map, check_node, check))
		return false;
	if (check->nr_nodes != kho_incoming.nr_nodes)
		return found(check->defect, "map", map_root, check->nr_nodes * PAGE_SIZE,
			     "lost nodes while it was checked");

	if (!check_nodes(check) || kho_map_walk(map, check_leaf, check) ||
	    !check_ranges(check) || !check_node_borders(check))
		return false;

	return kho_checksum_matches(fdt, map) ||
	       found(check->defect, "root FDT", fdt_phys, KHO_FDT_SIZE,
		     "and map differ from the checksum of the previous kernel");
}

/**
 * kho_check_discard - undo kho_check_map()
 *
 * Clears kho_incoming, but for the address of the root FDT and whether the map names it,
 * and frees what kho_check_map() has allocated.
 *
 * Context: kho_memory_known(), before the handover is accepted, or kho_memory_init() if
 * it is refused after all.
 */
void __init kho_check_discard(void)
{
	const phys_addr_t fdt_phys = kho_incoming.fdt_phys;
	const bool fdt_kept = kho_incoming.fdt_kept;

	if (kho_incoming.nodes)
		memblock_free(kho_incoming.nodes, kho_incoming_nodes_bytes(kho_incoming.nr_nodes));
	memset(&kho_incoming, 0, sizeof(kho_incoming));
	kho_incoming.fdt_phys = fdt_phys;
	kho_incoming.fdt_kept = fdt_kept;
}

/**
 * kho_check_map - check the map that the root FDT names
 * @defect: filled in if the map is invalid
 *
 * Context: kho_memory_known(), after kho_check_fdt() has accepted the root FDT at
 * kho_incoming.fdt_phys.
 * Return: true if the map is valid and now in kho_incoming; false if it is invalid
 * or there is no memory for the list of its nodes, with kho_incoming unchanged but for
 * @fdt_kept.
 */
bool __init kho_check_map(struct kho_defect *defect)
{
	struct check check = { .defect = defect };
	u64 map_root = 0;

	/*
	 * kho_check_fdt() has checked the property, but the page may have been
	 * overwritten since. If the property is gone then map_root stays 0, which
	 * check_node() checks like any other address.
	 */
	kho_fdt_u64(phys_to_virt(kho_incoming.fdt_phys), 0, KHO_FDT_PROP_MAP, &map_root);
	if (!map_valid(&check, map_root)) {
		kho_check_discard();
		return false;
	}

	for (unsigned int order = 0; order <= KHO_MAX_RUN_ORDER; order++) {
		atomic_long_set(&kho_incoming.unclaimed[order], kho_incoming.folios[order]);
		atomic_long_add(kho_incoming.folios[order], &kho_incoming.nr_unclaimed);
	}

	return true;
}

/**
 * kho_check_reserved - check the memory that was reserved since kho_check_map()
 * @defect: filled in if a preserved folio is in use
 *
 * An area at an address of its own, like cma=SIZE@ADDRESS, is reserved in memblock
 * without asking which memory may be used.
 *
 * Context: kho_memory_init(), after kho_check_map() has accepted the map.
 * Return: true if all folios and nodes of the map are still free in memblock; false if
 * not.
 */
bool __init kho_check_reserved(struct kho_defect *defect)
{
	struct check check = { .defect = defect };
	struct memblock_region *r;

	for_each_reserved_mem_region(r) {
		unsigned long i = kho_incoming_node_from(PFN_DOWN(r->base));

		if (kho_incoming_node_before(i, PFN_UP(r->base + r->size))) {
			bad_node(&check, PFN_PHYS(kho_incoming.nodes[i]), "is in use");
			return false;
		}
	}

	return check_reserved(&check);
}

/**
 * kho_check_blobs - remove blobs that were not preserved from the root FDT
 *
 * The map does not name the memory of such a blob, so the page allocator will get
 * it. Without its node in the root FDT, kho_retrieve_subtree() does not find the
 * blob, and its owner does not read memory that holds something else by then.
 *
 * Context: kho_memory_known(), after kho_check_map() has accepted the map.
 */
void __init kho_check_blobs(void)
{
	void *fdt = phys_to_virt(kho_incoming.fdt_phys);
	int node = fdt_first_subnode(fdt, 0), next;

	for (; node >= 0; node = next) {
		const char *name = fdt_get_name(fdt, node, NULL);
		u64 phys, size;

		next = fdt_next_subnode(fdt, node);
		if (kho_fdt_u64(fdt, node, KHO_FDT_PROP_DATA, &phys) ||
		    kho_fdt_u64(fdt, node, KHO_FDT_PROP_SIZE, &size) ||
		    !kho_check_memblock_has(phys, size) || kho_incoming_keeps(phys, size))
			continue;

		pr_warn("blob %s, %llu bytes at %#llx, was not preserved: ignored\n",
			name ?: "(without a name)", size, phys);
		/*
		 * libfdt cannot remove a damaged node whose end it does not find. Remove
		 * the address of the blob then, so that kho_fdt_get() fails for it.
		 */
		if (fdt_nop_node(fdt, node))
			fdt_nop_property(fdt, node, KHO_FDT_PROP_DATA);
	}
}
