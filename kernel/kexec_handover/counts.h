/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much is handed over to the next kernel, see counts.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_COUNTS_H
#define _KHO_COUNTS_H

#include <linux/types.h>

#include "map.h"

/**
 * struct kho_counts - numbers of folios that are handed over
 * @folios: number of folios, by order
 * @nodes: number of nodes of the map
 *
 * kho_count_outgoing() writes all fields of its caller's struct.
 */
struct kho_counts {
	unsigned long folios[KHO_MAX_RUN_ORDER + 1];
	unsigned long nodes;
};

void kho_count_outgoing(const struct kho_map *map, struct kho_counts *counts);
u64 kho_count_bytes(const unsigned long *folios);

#endif /* _KHO_COUNTS_H */
