/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that handovers are made for, and the handover that is in it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_WORLD_H
#define _KHO_WORLD_H

#include <linux/kho/abi/kexec_handover.h>

#include "../../../kernel/kexec_handover/map.h"

/* Two nodes, which meet in the middle of a block, and a hole in the second one. */
#define RAM_START	0x10000000UL
#define NODE_BORDER	0x20010000UL
#define HOLE_START	0x28000000UL
#define HOLE_END	0x28100000UL
#define RAM_END		0x30000000UL

/* What firmware has taken, and where the old kernel keeps what it hands over. */
#define FIRMWARE_START	0x2ff00000UL
#define OWN_START	0x13000000UL
#define OWN_PAGES	512

#define MAX_FOLIOS	256
#define NR_SCRATCH	3

/**
 * struct world - a handover
 * @fdt: address of the root FDT
 * @fdt_size: its size, as the parameters say
 * @scratch: address of the array of scratch regions
 * @scratch_size: its size, as the parameters say
 * @next: address of the next page that the old kernel has not used
 * @map: its map
 * @folios: what it preserved
 * @nr_folios: number of them
 * @sealed: it has a checksum
 * @poor: the new kernel has just @spare_pages pages to allocate
 * @spare_pages: see @poor
 */
struct world {
	u64 fdt;
	u64 fdt_size;
	u64 scratch;
	u64 scratch_size;
	u64 next;
	struct kho_map map;
	struct kho_map_folio folios[MAX_FOLIOS];
	unsigned int nr_folios;
	bool sealed;
	bool poor;
	unsigned int spare_pages;
};

/**
 * struct reading - what an independent reader thinks of a handover
 * @defect: what is wrong, or NULL
 * @folios: the folios if nothing is, in no order
 * @nr_folios: number of them
 * @nr_nodes: number of nodes of the map
 */
struct reading {
	const char *defect;
	struct kho_map_folio folios[RAM_END / PAGE_SIZE];
	unsigned int nr_folios;
	unsigned int nr_nodes;
};

extern struct world world;

/* world.c */

u64 random_below(u64 limit);
void random_seed(u64 seed);
void world_init(void);
void world_make(void);
void world_seal(void);
void world_add(unsigned long pfn, unsigned int order);
u64 world_page(void);
bool world_receive(void);
const char *world_said(void);

/* oracle.c */

void oracle_read(struct reading *reading);

#endif /* _KHO_WORLD_H */
