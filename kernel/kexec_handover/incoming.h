/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was handed over, between those who check it, set up its struct pages and
 * give it back: kexec_handover_incoming.c, _blocks.c and _restore.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KEXEC_HANDOVER_INCOMING_H
#define _KEXEC_HANDOVER_INCOMING_H

#include <linux/atomic.h>
#include <linux/mmzone.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "kexec_handover_internal.h"

#define KHO_BLOCK_PAGES		MAX_ORDER_NR_PAGES

static_assert(KHO_BLOCK_PAGES <= KHO_MAP_LEAF_BITS);
static_assert(KHO_BLOCK_PAGES >= BITS_PER_LONG);

/* page->private of the first page of a folio that waits, its order added. */
#define KHO_WAITING_MARK	0x9bd1c0ff4b484f00UL
#define KHO_WAITING_ORDER	0xffUL

static_assert(sizeof(unsigned long) == sizeof(u64));
static_assert(KHO_MAX_FOLIO_ORDER <= KHO_WAITING_ORDER);

/**
 * struct kho_incoming - what was handed over
 * @map: the folios. Its root is NULL if there are none, and again once all are
 *	restored. Readers that may run then hold rcu_read_lock().
 * @nodes: PFNs of the nodes of @map, sorted; withheld as long as @map is used
 * @nr_nodes: number of @nodes
 * @folios: number of folios that were handed over, by order
 * @unclaimed: those of them that wait, by order
 * @nr_unclaimed: the sum of @unclaimed
 * @fdt_phys: the root FDT if @map names it, else 0
 * @finished: all struct pages are initialised
 * @dropped: bit 0 is set by who gives back @nodes
 * @drop_work: gives them back
 */
struct kho_incoming {
	struct kho_map map;
	unsigned long *nodes;
	unsigned long nr_nodes;
	unsigned long folios[KHO_MAX_FOLIO_ORDER + 1];
	atomic_long_t unclaimed[KHO_MAX_FOLIO_ORDER + 1];
	atomic_long_t nr_unclaimed;
	phys_addr_t fdt_phys;
	bool finished;
	unsigned long dropped;
	struct rcu_work drop_work;
};

extern struct kho_incoming kho_incoming;

/**
 * struct kho_blocks - the blocks while struct pages are being initialised
 * @named: bit n is set if block n may have pages that are to be withheld;
 *	constant. NULL if none has, and again once all are set up.
 * @locked: bit n is the lock under which block n is set up
 * @ready: bit n is set once block n is set up
 * @start: the memory that all three are in
 * @bytes: its size
 * @free_work: frees it
 */
struct kho_blocks {
	unsigned long *named;
	unsigned long *locked;
	unsigned long *ready;
	void *start;
	size_t bytes;
	struct rcu_work free_work;
};

extern struct kho_blocks kho_blocks;

static inline unsigned long kho_block_of(unsigned long pfn)
{
	return pfn / KHO_BLOCK_PAGES;
}

/* The memory of kho_incoming.nodes. Whole pages: the page allocator gets them. */
static inline size_t kho_incoming_nodes_bytes(unsigned long nr_nodes)
{
	return PAGE_ALIGN(nr_nodes * sizeof(*kho_incoming.nodes));
}

/* kexec_handover_incoming.c */

unsigned long kho_incoming_node_from(unsigned long pfn);
bool kho_incoming_node_before(unsigned long i, unsigned long end);

/* kexec_handover_blocks.c */

void kho_blocks_set_up(unsigned long pfn, unsigned int order);
void kho_blocks_finish(void);
void kho_free_boot_memory(void *start, size_t bytes);

#endif /* _KEXEC_HANDOVER_INCOMING_H */
