// SPDX-License-Identifier: GPL-2.0-only
/*
 * The preserved map, see map.h.
 *
 * This file owns the tree of bitmaps: how a folio becomes a key, how nodes come
 * into being, and the searches over it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/find.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "map.h"

#define LEAF_MASK	(KHO_MAP_LEAF_BITS - 1)
#define TOP_LEVEL	(KHO_MAP_LEVELS - 1)

static_assert(KHO_MAP_MAX_ORDER < BITS_PER_LONG);

/**
 * kho_map_init - make an empty map
 * @map: the map
 * @ops: allocator of its nodes
 *
 * Context: as @ops->alloc.
 * Return: 0 or -ENOMEM.
 */
int kho_map_init(struct kho_map *map, const struct kho_map_ops *ops)
{
	*map = (struct kho_map){ .root = ops->alloc(), .ops = ops };

	return map->root ? 0 : -ENOMEM;
}

static void free_subtree(struct kho_map *map, union kho_map_node *node,
			 unsigned int level)
{
	for (int i = 0; level && i < KHO_MAP_TABLE_ENTRIES; i++) {
		if (node->entry[i])
			free_subtree(map, phys_to_virt(node->entry[i]), level - 1);
	}
	map->ops->free(node);
}

/**
 * kho_map_destroy - free all nodes of a map
 * @map: a map that nobody uses any more
 */
void kho_map_destroy(struct kho_map *map)
{
	if (map->root)
		free_subtree(map, map->root, TOP_LEVEL);
	map->root = NULL;
	map->orders = 0;
	memset(map->near, 0, sizeof(map->near));
}

/*
 * The node that table entry @slot points to, made if there is none. Two callers
 * may race to make it: the loser frees its own and uses the winner's.
 */
static union kho_map_node *get_or_make(struct kho_map *map, u64 *slot)
{
	union kho_map_node *node;
	u64 phys = READ_ONCE(*slot);

	if (likely(phys))
		return phys_to_virt(phys);

	node = map->ops->alloc();
	if (!node)
		return NULL;

	/* Orders the zeroing of the node before its address can be seen. */
	phys = cmpxchg64(slot, 0, virt_to_phys(node));
	if (!phys)
		return node;

	map->ops->free(node);
	return phys_to_virt(phys);
}

/* The node of @level on the path to @key, or NULL if there is none. */
static union kho_map_node *find_node(const struct kho_map *map, u64 key,
				     unsigned int to_level)
{
	/* Read once: restore.c may be about to drop the map. */
	union kho_map_node *node = READ_ONCE(map->root);

	for (unsigned int level = TOP_LEVEL; node && level > to_level; level--) {
		/* Pairs with the cmpxchg64() in get_or_make(). */
		u64 phys = READ_ONCE(node->entry[kho_map_index(key, level)]);

		if (!phys)
			return NULL;
		node = phys_to_virt(phys);
	}

	return node;
}

/* For kho_map_leaf(). */
unsigned long *kho_map_far_leaf(const struct kho_map *map, unsigned long pfn,
				unsigned int order)
{
	union kho_map_node *node = find_node(map, kho_map_key(pfn, order), 0);

	return node ? node->bits : NULL;
}

static void note_near(struct kho_map *map, unsigned int order)
{
	union kho_map_node *node = find_node(map, kho_map_key(0, order), KHO_MAP_NEAR_LEVEL);

	/* Pairs with READ_ONCE() in kho_map_near_leaf(): may be another CPU's node. */
	smp_store_release(&map->near[order], node);
}

/**
 * kho_map_note_near - find the short cuts in a map that was made elsewhere
 * @map: a map whose root and orders are set
 */
void kho_map_note_near(struct kho_map *map)
{
	unsigned int order;

	for_each_set_bit(order, &map->orders, KHO_MAP_MAX_ORDER + 1)
		note_near(map, order);
}

/* The leaf for @key, made if there is none; NULL if that fails. */
static unsigned long *make_leaf(struct kho_map *map, u64 key)
{
	union kho_map_node *node = map->root;

	for (unsigned int level = TOP_LEVEL; level; level--) {
		node = get_or_make(map, &node->entry[kho_map_index(key, level)]);
		if (!node)
			return NULL;
	}

	return node->bits;
}

/**
 * kho_map_add - add a folio
 * @map: the map
 * @pfn: first PFN of the folio, aligned to its order
 * @order: its order, at most KHO_MAP_MAX_ORDER
 *
 * Adding a folio that is there already changes nothing.
 *
 * Context: as the map's allocator.
 * Return: 0, or -ENOMEM and the set is as it was.
 */
int kho_map_add(struct kho_map *map, unsigned long pfn, unsigned int order)
{
	u64 key = kho_map_key(pfn, order);
	unsigned long *leaf = make_leaf(map, key);

	if (!leaf)
		return -ENOMEM;

	if (unlikely(!test_bit(order, &map->orders)))
		set_bit(order, &map->orders);
	if (unlikely(!READ_ONCE(map->near[order])))
		note_near(map, order);
	set_bit(kho_map_bit(key), leaf);

	return 0;
}

/**
 * kho_map_del - delete a folio
 * @map: the map
 * @pfn: first PFN of the folio, aligned to its order
 * @order: its order
 *
 * Context: any.
 * Return: true if it was there.
 */
bool kho_map_del(struct kho_map *map, unsigned long pfn, unsigned int order)
{
	unsigned long *leaf = kho_map_leaf(map, pfn, order);

	return leaf && test_and_clear_bit(kho_map_bit(kho_map_key(pfn, order)), leaf);
}

/**
 * kho_map_part_order - order of the part that a run of pages begins with
 * @pfn: first PFN of the run
 * @end: first PFN after it, more than @pfn
 * @max_order: the largest order that a part may have
 *
 * A run is in the map as its parts: the largest aligned powers of two of pages that
 * it splits into, from its first page on.
 *
 * Context: any.
 * Return: the order.
 */
unsigned int kho_map_part_order(unsigned long pfn, unsigned long end,
				 unsigned int max_order)
{
	return min(__ffs(pfn | BIT(max_order)), __fls(end - pfn));
}

/**
 * kho_map_reserve_run - see to it that kho_map_add_run() cannot fail
 * @map: the map
 * @pfn: first PFN of the run
 * @end: first PFN after it
 * @max_order: the largest order that a part may have
 *
 * Context: as the map's allocator.
 * Return: 0 or -ENOMEM. The set is as it was in any case.
 */
int kho_map_reserve_run(struct kho_map *map, unsigned long pfn,
			unsigned long end, unsigned int max_order)
{
	unsigned int order;

	for (; pfn < end; pfn += BIT(order)) {
		order = kho_map_part_order(pfn, end, max_order);
		if (!make_leaf(map, kho_map_key(pfn, order)))
			return -ENOMEM;
	}

	return 0;
}

/**
 * kho_map_add_run - add the parts that a run of pages splits into
 * @map: the map
 * @pfn: first PFN of the run
 * @end: first PFN after it
 * @max_order: the largest order that a part may have
 *
 * Context: any, after kho_map_reserve_run() with the same arguments.
 */
void kho_map_add_run(struct kho_map *map, unsigned long pfn, unsigned long end,
		     unsigned int max_order)
{
	unsigned int order;

	for (; pfn < end; pfn += BIT(order)) {
		order = kho_map_part_order(pfn, end, max_order);
		kho_map_add(map, pfn, order);
	}
}

/**
 * kho_map_del_run - delete the parts that a run of pages splits into
 * @map: the map
 * @pfn: first PFN of the run
 * @end: first PFN after it
 * @max_order: the largest order that a part may have
 *
 * Context: any.
 */
void kho_map_del_run(struct kho_map *map, unsigned long pfn, unsigned long end,
		     unsigned int max_order)
{
	unsigned int order;

	for (; pfn < end; pfn += BIT(order)) {
		order = kho_map_part_order(pfn, end, max_order);
		kho_map_del(map, pfn, order);
	}
}

/**
 * kho_map_find - the folio that begins at a PFN
 * @map: the map
 * @pfn: first PFN of the folio
 * @folio: where to put what was found; untouched if nothing was
 *
 * Context: any.
 * Return: true if a folio of the map begins at @pfn.
 */
bool kho_map_find(const struct kho_map *map, unsigned long pfn,
		  struct kho_map_folio *folio)
{
	int order = kho_map_order_at(map, pfn);

	if (order < 0)
		return false;
	*folio = (struct kho_map_folio){ pfn, order };

	return true;
}

/**
 * kho_map_next_of_order - search a range for a folio of one order
 * @map: the map
 * @order: the order
 * @pfn: first PFN of the range
 * @end: first PFN after the range; ULONG_MAX for all there are
 *
 * Context: any.
 * Return: first PFN of the lowest folio of @order that has a page in
 * [@pfn, @end), which may lie below @pfn, or KHO_MAP_NONE.
 */
unsigned long kho_map_next_of_order(const struct kho_map *map,
				    unsigned int order, unsigned long pfn,
				    unsigned long end)
{
	u64 key = kho_map_key(pfn, order);
	u64 last = kho_map_key(min(end, BIT(KHO_MAP_ORDER_0_BIT)) - 1, order);

	if (pfn >= end)
		return KHO_MAP_NONE;

	while (key <= last) {
		/* As in find_node(). */
		const union kho_map_node *node = READ_ONCE(map->root);
		unsigned int level = TOP_LEVEL;
		unsigned long bit, nbits;

		if (!node)
			break;
		while (level) {
			u64 phys = READ_ONCE(node->entry[kho_map_index(key, level)]);

			if (!phys)
				break;
			node = phys_to_virt(phys);
			level--;
		}

		if (level) {
			unsigned int shift = kho_map_level_shift(level - 1);

			/* Step over all that the missing node would cover. */
			key = ((key >> shift) + 1) << shift;
			continue;
		}

		nbits = min_t(u64, last - (key & ~(u64)LEAF_MASK) + 1, KHO_MAP_LEAF_BITS);
		bit = find_next_bit(node->bits, nbits, key & LEAF_MASK);
		key &= ~(u64)LEAF_MASK;
		if (bit < nbits)
			return kho_map_key_pfn(key + bit);
		key += KHO_MAP_LEAF_BITS;
	}

	return KHO_MAP_NONE;
}

/**
 * kho_map_next - search a range for a folio of any order
 * @map: the map
 * @pfn: first PFN of the range
 * @end: first PFN after the range
 * @folio: where to put what was found; untouched if nothing was
 *
 * Finds the folio that begins lowest among those that have a page in
 * [@pfn, @end). It may begin below @pfn. In a map with overlapping folios, of
 * those that begin at the same PFN the smallest is found.
 *
 * Context: any.
 * Return: true if there is one.
 */
bool kho_map_next(const struct kho_map *map, unsigned long pfn,
		  unsigned long end, struct kho_map_folio *folio)
{
	unsigned long best = KHO_MAP_NONE;
	unsigned int order;

	for_each_set_bit(order, &map->orders, KHO_MAP_MAX_ORDER + 1) {
		unsigned long found = kho_map_next_of_order(map, order, pfn, end);

		if (found >= best)
			continue;
		best = found;
		*folio = (struct kho_map_folio){ found, order };
		/* Only what begins below is of interest from here on. */
		end = max(min(end, best), pfn + 1);
	}

	return best != KHO_MAP_NONE;
}

/**
 * kho_map_fill_order_0 - mark the pages of a block that are folios of order 0
 * @map: the map
 * @pfn: first PFN of the block, aligned to @nr
 * @nr: pages in the block, a power of two, at least BITS_PER_LONG and at most
 *	KHO_MAP_LEAF_BITS
 * @pages: bitmap of @nr bits. Those of the pages that are found get set, the
 *	others stay.
 *
 * Context: any.
 */
void kho_map_fill_order_0(const struct kho_map *map, unsigned long pfn,
			  unsigned int nr, unsigned long *pages)
{
	const unsigned long *leaf = kho_map_leaf(map, pfn, 0);

	/* The block is a run of whole words of one leaf. */
	if (leaf)
		bitmap_or(pages, pages, leaf + BIT_WORD(kho_map_bit(kho_map_key(pfn, 0))), nr);
}

/**
 * kho_map_fill - mark the pages of a block that belong to folios of a map
 * @map: the map
 * @pfn: first PFN of the block, aligned to @nr
 * @nr: as for kho_map_fill_order_0()
 * @pages: as for kho_map_fill_order_0()
 *
 * Context: any.
 */
void kho_map_fill(const struct kho_map *map, unsigned long pfn,
		  unsigned int nr, unsigned long *pages)
{
	unsigned long end = pfn + nr;
	unsigned int order = 1;

	kho_map_fill_order_0(map, pfn, nr, pages);

	for_each_set_bit_from(order, &map->orders, KHO_MAP_MAX_ORDER + 1) {
		unsigned long next = pfn, found;

		while ((found = kho_map_next_of_order(map, order, next, end)) != KHO_MAP_NONE) {
			unsigned long from = max(found, pfn);

			next = min(found + BIT(order), end);
			bitmap_set(pages, from - pfn, next - from);
		}
	}
}

/**
 * kho_map_can_name - can a node name any memory that there is?
 * @level: its level
 * @first_key: the first key that it covers
 * @max_pfn: first PFN after all memory
 *
 * A walk that goes into such nodes only comes to an end, whatever is written in
 * them: there are so few places in the tree that name memory.
 *
 * Context: any.
 * Return: true if it can, with folios or parts of runs of any order.
 */
bool kho_map_can_name(unsigned int level, u64 first_key, unsigned long max_pfn)
{
	const u64 nr = 1ULL << kho_map_level_shift(level);

	for (unsigned int order = 0; order <= KHO_MAX_RUN_ORDER; order++) {
		if (first_key <= kho_map_key(max_pfn - 1, order) &&
		    first_key + nr > kho_map_key(0, order))
			return true;
	}

	return false;
}

static int walk_subtree(phys_addr_t phys, unsigned int level, u64 key,
			kho_map_visit_t visit, void *arg)
{
	const union kho_map_node *node = phys_to_virt(phys);
	int err = visit(phys, level, key, arg);

	for (u64 i = 0; !err && level && i < KHO_MAP_TABLE_ENTRIES; i++) {
		if (node->entry[i])
			err = walk_subtree(node->entry[i], level - 1,
					   key | i << kho_map_level_shift(level - 1),
					   visit, arg);
	}

	return err;
}

/**
 * kho_map_walk - visit all nodes, a table before what it points to
 * @map: the map; nobody adds to it meanwhile
 * @visit: called with the address and level of the node, the first key that it
 *	covers, and @arg, before anything is read from the node: it can check an
 *	address that is not trusted. What it returns other than 0 ends the walk.
 * @arg: for @visit
 *
 * Context: as @visit.
 * Return: what the last @visit returned.
 */
int kho_map_walk(const struct kho_map *map, kho_map_visit_t visit, void *arg)
{
	return walk_subtree(virt_to_phys(map->root), TOP_LEVEL, 0, visit, arg);
}
