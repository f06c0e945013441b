/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The preserved map: the set of folios that a handover names.
 *
 * A set of (PFN, order) pairs, stored as the tree of bitmaps that
 * include/linux/kho/abi/kexec_handover.h describes. It knows nothing of struct
 * page and allocates through callbacks, so that all of it can be tested with
 * KUnit. PFN ranges are half open: [pfn, end).
 *
 * Adding, deleting and asking need no lock: nodes are only ever added, by
 * cmpxchg, and bits are changed atomically. A caller must not add and delete
 * the same folio at the same time.
 */
#ifndef _KEXEC_HANDOVER_MAP_H
#define _KEXEC_HANDOVER_MAP_H

#include <linux/bitops.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/limits.h>
#include <linux/types.h>

/* No folio begins here: the answer of a search that found nothing. */
#define KHO_MAP_NONE		ULONG_MAX

/* The largest order that has a key; folios end long before. */
#define KHO_MAP_MAX_ORDER	KHO_MAP_ORDER_0_BIT

/**
 * struct kho_map_ops - where the nodes of a map come from
 * @alloc: a zeroed, page-aligned node in the direct map, or NULL. May sleep if
 *	the callers of kho_map_add() may.
 * @free: takes a node back
 */
struct kho_map_ops {
	union kho_map_node *(*alloc)(void);
	void (*free)(union kho_map_node *node);
};

/**
 * struct kho_map - a set of folios
 * @root: the top table; set for as long as the map is in use
 * @orders: bit n is set if a folio of order n was ever added; only grows
 * @ops: allocator of the nodes; NULL for a map that is only read
 */
struct kho_map {
	union kho_map_node *root;
	unsigned long orders;
	const struct kho_map_ops *ops;
};

/**
 * struct kho_map_folio - a folio found in a map
 * @pfn: its first PFN
 * @order: its order
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

/* Called for each node before its content is read; an error ends the walk. */
typedef int (*kho_map_visit_t)(phys_addr_t node, unsigned int level,
			       u64 first_key, void *arg);

int kho_map_init(struct kho_map *map, const struct kho_map_ops *ops);
void kho_map_destroy(struct kho_map *map);

int kho_map_add(struct kho_map *map, unsigned long pfn, unsigned int order);
bool kho_map_del(struct kho_map *map, unsigned long pfn, unsigned int order);
bool kho_map_test(const struct kho_map *map, unsigned long pfn,
		  unsigned int order);

unsigned int kho_map_block_order(unsigned long pfn, unsigned long end,
				 unsigned int max_order);
int kho_map_reserve_run(struct kho_map *map, unsigned long pfn,
			unsigned long end, unsigned int max_order);
void kho_map_add_run(struct kho_map *map, unsigned long pfn, unsigned long end,
		     unsigned int max_order);
void kho_map_del_run(struct kho_map *map, unsigned long pfn, unsigned long end,
		     unsigned int max_order);

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

int kho_map_walk(const struct kho_map *map, kho_map_visit_t visit, void *arg);

#endif /* _KEXEC_HANDOVER_MAP_H */
