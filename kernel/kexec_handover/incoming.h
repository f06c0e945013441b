/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The incoming handover: what the previous kernel preserved. See incoming.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_INCOMING_H
#define _KHO_INCOMING_H

#include <linux/atomic.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/types.h>

#include "map.h"

/*
 * page->private of the first page of a waiting folio is KHO_WAITING_MARK with the
 * order of the folio in the bits of KHO_WAITING_ORDER.
 */
#define KHO_WAITING_MARK	0x9bd1c0ff4b484f00UL
#define KHO_WAITING_ORDER	0xffUL

static_assert(sizeof(unsigned long) == sizeof(u64));
static_assert(KHO_MAX_RUN_ORDER <= KHO_WAITING_ORDER);

/**
 * struct kho_incoming - the incoming handover
 * @fdt_phys: physical address of the root FDT, 0 for none. kho_populate() sets it;
 *	forget_handover() in boot.c clears it, when kho_memory_known() or
 *	kho_memory_init() refuses the handover; constant once kho_memory_init() has
 *	returned.
 * @fdt: the root FDT in the direct map, NULL if there is no handover or it was
 *	refused. use_map() in boot.c sets it, when kho_memory_known() accepts the
 *	handover; kho_check_discard() clears it, if kho_memory_init() refuses the
 *	handover after all; constant once that has returned.
 * @map: the folios that were handed over. kho_check_map() fills it in, for
 *	kho_memory_known(); kho_incoming_forget() removes regions of reserve_mem= from
 *	it, for kho_memory_init(). From then on only its root changes. The root is NULL
 *	if there is no handover. From kho_restore_finish() on, drop_map_once() in
 *	restore.c clears the root when no folio waits any more, so readers after boot
 *	need rcu_read_lock() and must check the root.
 * @nodes: PFNs of the nodes of @map, sorted. kho_check_map() allocates and fills the
 *	array. drop_map() in restore.c frees the pages of the nodes and the array, a
 *	grace period of RCU after the root of @map is cleared.
 * @nr_nodes: number of @nodes. kho_check_map() sets it; constant after kho_memory_init().
 * @folios: number of folios that were handed over, by order. kho_check_map() sets
 *	it; constant after kho_memory_init().
 * @unclaimed: number of folios that wait for their owner, by order. kho_check_map()
 *	sets it; kho_incoming_forget() decrements it, for kho_memory_init(), and
 *	count_taken() in restore.c when a folio is restored; atomic, no lock.
 * @nr_unclaimed: the sum of @unclaimed, with the same writers
 * @kexecs: the number of kexecs since cold boot, 0 if it is not known. kho_start(), a
 *	core_initcall, sets it; constant from then on.
 * @release: the release of the previous kernel, empty if it is not known.
 *	read_metadata() in start.c sets it, for kho_start(); constant from then on.
 * @fdt_kept: true if @map names the root FDT. kho_check_map() sets it;
 *	forget_handover() clears it; constant once kho_memory_init() has returned.
 *
 * When the handover is refused, kho_check_discard() also clears all fields but @fdt_phys
 * and @fdt_kept. Until kho_memory_init() returns, one CPU runs with interrupts off, and
 * the fields need no lock.
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
	u32 kexecs;
	char release[sizeof(((struct kho_kexec_metadata *)NULL)->previous_release)];
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
bool kho_incoming_keeps(phys_addr_t phys, u64 size);
bool kho_incoming_has(phys_addr_t phys, size_t size);
unsigned long kho_incoming_next(unsigned long pfn, unsigned long end);
bool kho_incoming_forget(unsigned long pfn, unsigned long end);

#endif /* _KHO_INCOMING_H */
