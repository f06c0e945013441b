/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The incoming handover: what the previous kernel preserved. See incoming.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_INCOMING_H
#define _KHO_INCOMING_H

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/types.h>

#include "map.h"

/* page->private of the first page of a folio that waits, with its order added. */
#define KHO_WAITING_MARK	0x9bd1c0ff4b484f00UL
#define KHO_WAITING_ORDER	0xffUL

static_assert(sizeof(unsigned long) == sizeof(u64));
static_assert(KHO_MAX_RUN_ORDER <= KHO_WAITING_ORDER);

/**
 * struct kho_incoming - the incoming handover
 * @fdt_phys: address of the root FDT, 0 for none. Set by kho_populate(), cleared
 *	when the handover is refused; constant once kho_memory_init() is over.
 * @fdt: the root FDT in the direct map, NULL if there is no handover or it was
 *	refused. Set by kho_memory_init() when check.c has accepted the handover.
 * @map: the folios. check.c sets it and, with reserve_mem.c, changes it in
 *	kho_memory_init(); constant from then on. Its root is NULL if there is
 *	no handover, and restore.c clears it when the last folio was restored.
 *	From then on readers need rcu_read_lock(), or they see no root.
 * @nodes: PFNs of the nodes of @map, sorted. Set by check.c in
 *	kho_memory_init(). The pages wait, as folios do, until restore.c frees
 *	them with @map.
 * @nr_nodes: number of @nodes
 * @folios: number of folios that were handed over, by order. Set by check.c.
 * @unclaimed: those of them that wait, by order. Restoring a folio decrements it.
 * @nr_unclaimed: the sum of @unclaimed, with the same writers
 * @fdt_kept: @map names the root FDT. Set by check.c.
 */
struct kho_incoming {
	phys_addr_t fdt_phys;
	const void *fdt;
	struct kho_map map;
	unsigned long *nodes;
	unsigned long nr_nodes;
	unsigned long folios[KHO_MAX_RUN_ORDER + 1];
	atomic_long_t unclaimed[KHO_MAX_RUN_ORDER + 1];
	atomic_long_t nr_unclaimed;
	bool fdt_kept;
};

extern struct kho_incoming kho_incoming;

/* The unit in which struct pages are set up, see mm/kho_init.c. */
#define KHO_BLOCK_PAGES		MAX_ORDER_NR_PAGES

static inline unsigned long kho_block_of(unsigned long pfn)
{
	return pfn / KHO_BLOCK_PAGES;
}

/* The size of kho_incoming.nodes: whole pages, since the page allocator gets them. */
static inline size_t kho_incoming_nodes_bytes(unsigned long nr_nodes)
{
	return PAGE_ALIGN(nr_nodes * sizeof(*kho_incoming.nodes));
}

unsigned long kho_incoming_node_from(unsigned long pfn);
bool kho_incoming_node_before(unsigned long i, unsigned long end);
void kho_incoming_name_blocks(unsigned long *named);
bool kho_incoming_keeps(phys_addr_t phys, u64 size);
bool kho_incoming_has(phys_addr_t phys, size_t size);
unsigned long kho_incoming_next(unsigned long pfn, unsigned long end);
bool kho_incoming_forget(unsigned long pfn, unsigned long end);

#endif /* _KHO_INCOMING_H */
