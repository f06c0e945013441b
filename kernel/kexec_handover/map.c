// SPDX-License-Identifier: GPL-2.0-only
/*
 * The preserved map, see map.h.
 *
 * This file owns the tree of bitmaps: how nodes are allocated and linked, and the
 * searches over the tree.
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
 * @map: the map, not in use
 * @ops: allocator of its nodes
 *
 * Context: as @ops->alloc.
 * Return: 0; -ENOMEM if there is no memory for the root.
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
 * @map: a map that no other thread uses any more
 *
 * Context: as @map->ops->free.
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
 * Returns the node that table entry @slot points to, and allocates it if there is
 * none. If two callers allocate it at the same time, the one whose cmpxchg64() comes
 * second frees its node and uses the node of the first.
 */
static union kho_map_node *get_or_make(struct kho_map *map, u64 *slot)
{
	union kho_map_node *node;
	/* Pairs with cmpxchg64() below, by the address dependency. */
	u64 phys = READ_ONCE(*slot);

	if (likely(phys))
		return phys_to_virt(phys);

	node = map->ops->alloc();
	if (!node)
		return NULL;

	/*
	 * The node is zeroed before other CPUs can see its address. Pairs with
	 * READ_ONCE() of the entry above, and in find_node(), kho_map_near_leaf(),
	 * kho_map_next_of_order() and walk_subtree().
	 */
	phys = cmpxchg64(slot, 0, virt_to_phys(node));
	if (!phys)
		return node;

	map->ops->free(node);
	return phys_to_virt(phys);
}

/* Returns the node of level @to_level on the path to @key, or NULL if there is none. */
static union kho_map_node *find_node(const struct kho_map *map, u64 key,
				     unsigned int to_level)
{
	/* Pairs with WRITE_ONCE() in drop_map_once(), which clears the root. */
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

/**
 * kho_map_far_leaf - find the leaf for a folio, without a short cut
 * @map: the map
 * @pfn: first PFN of the folio, aligned to its order
 * @order: its order
 *
 * Context: any, never sleeps. kho_map_leaf() calls it.
 * Return: the bits of the leaf; NULL if there is no leaf for the folio.
 */
unsigned long *kho_map_far_leaf(const struct kho_map *map, unsigned long pfn,
				unsigned int order)
{
	union kho_map_node *node = find_node(map, kho_map_key(pfn, order), 0);

	return node ? node->bits : NULL;
}

static void note_near(struct kho_map *map, unsigned int order)
{
	union kho_map_node *node = find_node(map, kho_map_key(0, order), KHO_MAP_NEAR_LEVEL);

	/*
	 * Another CPU may have allocated the node. Pairs with READ_ONCE() in
	 * kho_map_near_leaf(), by the address dependency.
	 */
	smp_store_release(&map->near[order], node);
}

/**
 * kho_map_note_near - find the short cuts in a map that the previous kernel made
 * @map: a map whose root and orders are set
 *
 * Context: any, never sleeps.
 */
void kho_map_note_near(struct kho_map *map)
{
	unsigned int order;

	for_each_set_bit(order, &map->orders, KHO_MAP_MAX_ORDER + 1)
		note_near(map, order);
}

/* Returns the leaf for a folio, and allocates it if there is none. NULL if that fails. */
static unsigned long *make_leaf(struct kho_map *map, unsigned long pfn, unsigned int order)
{
	unsigned long *leaf = kho_map_leaf(map, pfn, order);
	union kho_map_node *node = map->root;
	u64 key = kho_map_key(pfn, order);

	if (likely(leaf))
		return leaf;

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
 * Adding a folio that is in the map already changes nothing.
 *
 * Context: as @map->ops->alloc. Other threads may add and delete other folios.
 * Return: 0; -ENOMEM if there is no memory for a node. The set of folios is as it
 * was then.
 */
int kho_map_add(struct kho_map *map, unsigned long pfn, unsigned int order)
{
	unsigned long *leaf = make_leaf(map, pfn, order);

	if (!leaf)
		return -ENOMEM;

	if (unlikely(!test_bit(order, &map->orders)))
		set_bit(order, &map->orders);
	/* Pairs with smp_store_release() in note_near(). */
	if (unlikely(!READ_ONCE(map->near[order])))
		note_near(map, order);
	set_bit(kho_map_bit(kho_map_key(pfn, order)), leaf);

	return 0;
}

/**
 * kho_map_del - delete a folio
 * @map: the map
 * @pfn: first PFN of the folio, aligned to its order
 * @order: its order
 *
 * Context: any, never sleeps.
 * Return: true if it was in the map; false if it was not.
 */
bool kho_map_del(struct kho_map *map, unsigned long pfn, unsigned int order)
{
	unsigned long *leaf = kho_map_leaf(map, pfn, order);

	return leaf && test_and_clear_bit(kho_map_bit(kho_map_key(pfn, order)), leaf);
}

/**
 * kho_map_part_order - get the order of the first part of a run of pages
 * @pfn: first PFN of the run
 * @end: first PFN after it, more than @pfn
 * @max_order: the largest order that a part may have
 *
 * The map contains a run as its parts: from the first page of the run on, each part
 * is the largest aligned power of two of pages that fits into the rest of the run.
 *
 * Context: any, never sleeps.
 * Return: the order.
 */
unsigned int kho_map_part_order(unsigned long pfn, unsigned long end,
				unsigned int max_order)
{
	return min(__ffs(pfn | BIT(max_order)), __fls(end - pfn));
}

/**
 * kho_map_reserve_run - allocate the nodes that kho_map_add_run() needs
 * @map: the map
 * @pfn: first PFN of the run
 * @end: first PFN after it
 * @max_order: the largest order that a part may have
 *
 * Context: as @map->ops->alloc.
 * Return: 0; -ENOMEM if there is no memory for a node. The set of folios does not
 * change in either case.
 */
int kho_map_reserve_run(struct kho_map *map, unsigned long pfn,
			unsigned long end, unsigned int max_order)
{
	unsigned int order;

	for (; pfn < end; pfn += BIT(order)) {
		order = kho_map_part_order(pfn, end, max_order);
		if (!make_leaf(map, pfn, order))
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
 * Context: any, never sleeps; after kho_map_reserve_run() with the same arguments.
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
 * kho_map_find - find the folio that begins at a PFN
 * @map: the map
 * @pfn: first PFN of the folio
 * @folio: where to store the folio that was found; unchanged if there is none
 *
 * Context: any, never sleeps.
 * Return: true if a folio of the map begins at @pfn; false if none does.
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
 * Context: any, never sleeps.
 * Return: first PFN of the lowest folio of @order that has a page in
 * [@pfn, @end), which may lie below @pfn; %KHO_MAP_NONE if there is none.
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
		/* Pairs with WRITE_ONCE() in drop_map_once(), which clears the root. */
		const union kho_map_node *node = READ_ONCE(map->root);
		unsigned int level = TOP_LEVEL;
		unsigned long bit, nbits;

		if (!node)
			break;
		while (level) {
			/* Pairs with cmpxchg64() in get_or_make(). */
			u64 phys = READ_ONCE(node->entry[kho_map_index(key, level)]);

			if (!phys)
				break;
			node = phys_to_virt(phys);
			level--;
		}

		if (level) {
			unsigned int shift = kho_map_level_shift(level - 1);

			/* Step over all keys that the missing node would cover. */
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
 * @folio: where to store the folio that was found; unchanged if there is none
 *
 * Finds the folio with the lowest first PFN among those that have a page in
 * [@pfn, @end). It may begin below @pfn. If folios of several orders begin at the
 * same PFN, the smallest of them is found.
 *
 * Context: any, never sleeps.
 * Return: true if there is one; false if there is none.
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
		/* From here on, search only for folios that begin below the one found. */
		end = max(min(end, best), pfn + 1);
	}

	return best != KHO_MAP_NONE;
}

/**
 * kho_map_fill_order_0 - mark the pages of a range that are folios of order 0
 * @map: the map
 * @pfn: first PFN of the range, aligned to @nr
 * @nr: number of pages in the range, a power of two, at least BITS_PER_LONG and at
 *	most KHO_MAP_LEAF_BITS
 * @pages: bitmap of @nr bits. The bits of pages that are found are set, the other bits
 *	stay as they are.
 *
 * Context: any, never sleeps.
 */
void kho_map_fill_order_0(const struct kho_map *map, unsigned long pfn,
			  unsigned int nr, unsigned long *pages)
{
	const unsigned long *leaf = kho_map_leaf(map, pfn, 0);

	/* The bits of the range are whole words of one leaf. */
	if (leaf)
		bitmap_or(pages, pages, leaf + BIT_WORD(kho_map_bit(kho_map_key(pfn, 0))), nr);
}

/**
 * kho_map_fill - mark the pages of a range that belong to folios of a map
 * @map: the map
 * @pfn: first PFN of the range, aligned to @nr
 * @nr: number of pages in the range, as for kho_map_fill_order_0()
 * @pages: bitmap of @nr bits, as for kho_map_fill_order_0()
 *
 * Context: any, never sleeps.
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
 * kho_map_can_name - can a node name a folio in memory that exists?
 * @level: level of the node
 * @first_key: first key that the node covers
 * @max_pfn: first PFN after all memory
 *
 * Few places in the tree can name such a folio. So a walk that only reads nodes for
 * which this returns true visits a limited number of nodes, whatever their content is.
 *
 * Context: any, never sleeps.
 * Return: true if one of the keys of the node names a folio or a part of a run that
 * begins below @max_pfn; false if none does.
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
		/* Pairs with cmpxchg64() in get_or_make(). */
		u64 entry = READ_ONCE(node->entry[i]);

		if (entry)
			err = walk_subtree(entry, level - 1,
					   key | i << kho_map_level_shift(level - 1),
					   visit, arg);
	}

	return err;
}

/**
 * kho_map_walk - visit all nodes, each table before the nodes that it points to
 * @map: the map
 * @visit: called with the physical address and the level of the node, the first key
 *	that it covers, and @arg. The walk reads a node after @visit has returned 0
 *	for it, so @visit can check an address that is not trusted. A value other
 *	than 0 ends the walk.
 * @arg: the last argument of @visit
 *
 * Nodes that are added during the walk may be visited or not.
 *
 * Context: as @visit.
 * Return: the value that the last @visit returned.
 */
int kho_map_walk(const struct kho_map *map, kho_map_visit_t visit, void *arg)
{
	return walk_subtree(virt_to_phys(map->root), TOP_LEVEL, 0, visit, arg);
}
