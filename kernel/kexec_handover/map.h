/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The preserved map: the set of folios that a handover names.
 *
 * A set of (PFN, order) pairs, stored as the tree of bitmaps that
 * include/linux/kho/abi/kexec_handover.h describes. It accesses no struct page and
 * allocates through callbacks, so that KUnit can test all of it. PFN ranges are
 * half open: [pfn, end).
 *
 * Adding, deleting and searching need no lock: nodes are only added, with
 * cmpxchg64(), and bits are changed atomically. Two threads must not add and delete
 * the same folio at the same time.
 */
#ifndef _KHO_MAP_H
#define _KHO_MAP_H

#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/io.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/limits.h>
#include <linux/types.h>

/* The return value of a search that found no folio. No folio begins at this PFN. */
#define KHO_MAP_NONE		ULONG_MAX

/* The largest order that has a key. */
#define KHO_MAP_MAX_ORDER	KHO_MAP_ORDER_0_BIT

/*
 * The largest part of a run of pages, 4 TiB with pages of 4 KiB. The format has no
 * limit; with a larger one the page allocator would count the pages of a compound
 * page beyond what an int can hold.
 */
#define KHO_MAX_RUN_ORDER	30

static_assert(KHO_MAX_FOLIO_ORDER <= KHO_MAX_RUN_ORDER);
static_assert(KHO_MAX_RUN_ORDER <= KHO_MAP_MAX_ORDER);

/**
 * struct kho_map_ops - the allocator of the nodes of a map
 * @alloc: returns a zeroed, page-aligned node in the direct map, or NULL. It may
 *	sleep if all callers of kho_map_add() may sleep.
 * @free: frees a node
 *
 * Constant.
 */
struct kho_map_ops {
	union kho_map_node *(*alloc)(void);
	void (*free)(union kho_map_node *node);
};

/**
 * struct kho_map - a set of folios
 * @root: the top table. kho_map_init() sets it, or kho_check_map() for the incoming
 *	map; kho_map_destroy() or drop_map_once() clears it.
 * @orders: bit n is set if a folio of order n was ever added. kho_map_add() sets
 *	bits, atomically and without a lock, or kho_check_map() for the incoming
 *	map; bits are never cleared while the map is in use.
 * @ops: allocator of the nodes, NULL for the incoming map, to which no nodes are
 *	added. kho_map_init() sets it; constant from then on.
 * @near: by order, the node of level %KHO_MAP_NEAR_LEVEL on the path to the lowest
 *	folios of this order, a short cut past @root; NULL if it is not known.
 *	kho_map_add() sets an entry without a lock after it has set the bit in
 *	@orders, or kho_map_note_near() for the incoming map. Threads that set the
 *	same entry at the same time write the same value.
 */
struct kho_map {
	union kho_map_node *root;
	unsigned long orders;
	const struct kho_map_ops *ops;
	union kho_map_node *near[KHO_MAP_MAX_ORDER + 1];
};

/*
 * With 4 KiB pages, a node of this level covers the order-0 folios of 32 TiB. Below
 * that address, the short cut skips three of the five tables on the way from the
 * root to a leaf: it saves kho_preserve_folio() about 140 instructions.
 */
#define KHO_MAP_NEAR_LEVEL	2
#define KHO_MAP_NEAR_SHIFT	(KHO_MAP_LEAF_SHIFT + KHO_MAP_NEAR_LEVEL * KHO_MAP_TABLE_SHIFT)

/**
 * struct kho_map_folio - a folio found in a map
 * @pfn: its first PFN
 * @order: its order
 *
 * kho_map_find() and kho_map_next() write both fields, in a struct of their caller;
 * prepare_block() in mm/kho_init.c writes them in a struct of its own. No lock.
 */
struct kho_map_folio {
	unsigned long pfn;
	unsigned int order;
};

static inline u64 kho_map_key(unsigned long pfn, unsigned int order)
{
	return BIT_ULL(KHO_MAP_ORDER_0_BIT - order) | ((u64)pfn >> order);
}

static inline unsigned int kho_map_key_order(u64 key)
{
	return KHO_MAP_ORDER_0_BIT - (fls64(key) - 1);
}

static inline unsigned long kho_map_key_pfn(u64 key)
{
	unsigned int order = kho_map_key_order(key);

	return (key ^ BIT_ULL(KHO_MAP_ORDER_0_BIT - order)) << order;
}

/* A node of @level covers 1 << (this value) keys, together with the nodes below it. */
static inline unsigned int kho_map_level_shift(unsigned int level)
{
	return KHO_MAP_LEAF_SHIFT + level * KHO_MAP_TABLE_SHIFT;
}

static inline unsigned int kho_map_index(u64 key, unsigned int level)
{
	return (key >> kho_map_level_shift(level - 1)) & (KHO_MAP_TABLE_ENTRIES - 1);
}

static inline unsigned int kho_map_bit(u64 key)
{
	return key & (KHO_MAP_LEAF_BITS - 1);
}

/*
 * Finds the leaf for a folio by the short cut. Returns true, with the leaf or NULL
 * in @leaf, if there is a short cut for this folio; false if there is none.
 */
static __always_inline bool kho_map_near_leaf(const struct kho_map *map,
					      unsigned long pfn, unsigned int order,
					      unsigned long **leaf)
{
	/* Pairs with smp_store_release() in note_near(). */
	const union kho_map_node *node = READ_ONCE(map->near[order]);
	const u64 key = kho_map_key(pfn, order);

	*leaf = NULL;
	if (unlikely(!node || (u64)pfn >> order >> KHO_MAP_NEAR_SHIFT))
		return false;

	for (unsigned int level = KHO_MAP_NEAR_LEVEL; level; level--) {
		/* Pairs with the cmpxchg64() in get_or_make(). */
		u64 phys = READ_ONCE(node->entry[kho_map_index(key, level)]);

		if (unlikely(!phys))
			return true;
		node = phys_to_virt(phys);
	}
	*leaf = (unsigned long *)node->bits;

	return true;
}

unsigned long *kho_map_far_leaf(const struct kho_map *map, unsigned long pfn,
				unsigned int order);

/* Returns the leaf for a folio, or NULL if there is none. */
static __always_inline unsigned long *kho_map_leaf(const struct kho_map *map,
						   unsigned long pfn, unsigned int order)
{
	unsigned long *leaf;

	if (likely(kho_map_near_leaf(map, pfn, order, &leaf)))
		return leaf;

	return kho_map_far_leaf(map, pfn, order);
}

/**
 * kho_map_test - is exactly this folio in the map?
 * @map: the map
 * @pfn: first PFN of the folio, aligned to its order
 * @order: its order
 *
 * Context: any, never sleeps.
 * Return: true if a folio with this PFN and this order is in the map; false if not.
 */
static __always_inline bool kho_map_test(const struct kho_map *map, unsigned long pfn,
					 unsigned int order)
{
	const unsigned long *leaf = kho_map_leaf(map, pfn, order);

	return leaf && test_bit(kho_map_bit(kho_map_key(pfn, order)), leaf);
}

/**
 * kho_map_order_at - get the order of the folio that begins at a PFN
 * @map: the map
 * @pfn: first PFN of the folio
 *
 * Context: any, never sleeps.
 * Return: the order, the smallest one if folios of several orders begin there; -1
 * if no folio does.
 */
static __always_inline int kho_map_order_at(const struct kho_map *map, unsigned long pfn)
{
	unsigned int order;

	for_each_set_bit(order, &map->orders, KHO_MAP_MAX_ORDER + 1) {
		if (!IS_ALIGNED(pfn, BIT(order)))
			break;
		if (kho_map_test(map, pfn, order))
			return order;
	}

	return -1;
}

/* The type of the callback of kho_map_walk(), see there. */
typedef int (*kho_map_visit_t)(phys_addr_t node, unsigned int level,
			       u64 first_key, void *arg);

int kho_map_init(struct kho_map *map, const struct kho_map_ops *ops);
void kho_map_destroy(struct kho_map *map);

int kho_map_add(struct kho_map *map, unsigned long pfn, unsigned int order);
bool kho_map_del(struct kho_map *map, unsigned long pfn, unsigned int order);

unsigned int kho_map_part_order(unsigned long pfn, unsigned long end,
				unsigned int max_order);
int kho_map_reserve_run(struct kho_map *map, unsigned long pfn,
			unsigned long end, unsigned int max_order);
void kho_map_add_run(struct kho_map *map, unsigned long pfn, unsigned long end,
		     unsigned int max_order);
void kho_map_del_run(struct kho_map *map, unsigned long pfn, unsigned long end,
		     unsigned int max_order);

void kho_map_note_near(struct kho_map *map);
bool kho_map_find(const struct kho_map *map, unsigned long pfn,
		  struct kho_map_folio *folio);

unsigned long kho_map_next_of_order(const struct kho_map *map,
				    unsigned int order, unsigned long pfn,
				    unsigned long end);
bool kho_map_next(const struct kho_map *map, unsigned long pfn,
		  unsigned long end, struct kho_map_folio *folio);
void kho_map_fill_order_0(const struct kho_map *map, unsigned long pfn,
			  unsigned int nr, unsigned long *pages);
void kho_map_fill(const struct kho_map *map, unsigned long pfn,
		  unsigned int nr, unsigned long *pages);

bool kho_map_can_name(unsigned int level, u64 first_key, unsigned long max_pfn);
int kho_map_walk(const struct kho_map *map, kho_map_visit_t visit, void *arg);

#endif /* _KHO_MAP_H */
