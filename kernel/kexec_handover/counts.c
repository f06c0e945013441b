// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much is handed over to the next kernel.
 *
 * This file counts the folios of a map by their order. The files in sysfs and in
 * debugfs show the numbers. Nothing is counted while memory is preserved, so that
 * preserving costs nothing for these files.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/io.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "counts.h"
#include "map.h"

static int count_node(phys_addr_t node, unsigned int level, u64 key, void *arg)
{
	const union kho_map_node *leaf = phys_to_virt(node);
	struct kho_counts *counts = arg;
	unsigned long nr;

	cond_resched();
	counts->nodes++;
	if (level)
		return 0;

	nr = bitmap_weight(leaf->bits, KHO_MAP_LEAF_BITS);
	if (nr && kho_map_key_order(key) <= KHO_MAX_RUN_ORDER)
		counts->folios[kho_map_key_order(key)] += nr;

	return 0;
}

/**
 * kho_count_outgoing - count the folios that are preserved
 * @map: the outgoing map, which may change during the call
 * @counts: where to store the numbers
 *
 * Context: may sleep.
 */
void kho_count_outgoing(const struct kho_map *map, struct kho_counts *counts)
{
	memset(counts, 0, sizeof(*counts));
	kho_map_walk(map, count_node, counts);
}

/**
 * kho_count_bytes - how large are folios?
 * @folios: number of folios, by order up to %KHO_MAX_RUN_ORDER
 *
 * Context: any.
 * Return: the size of all of them, in bytes.
 */
u64 kho_count_bytes(const unsigned long *folios)
{
	u64 bytes = 0;

	for (unsigned int order = 0; order <= KHO_MAX_RUN_ORDER; order++)
		bytes += (u64)folios[order] << (PAGE_SHIFT + order);

	return bytes;
}
