/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated machine, and the handover in its memory.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_WORLD_H
#define _KHO_WORLD_H

#include <linux/kho/abi/kexec_handover.h>

#include "../../../kernel/kexec_handover/map.h"

/* RAM of two nodes. A large folio can span their border. The second node has a hole. */
#define RAM_START	0x10000000UL
#define NODE_BORDER	0x20010000UL
#define HOLE_START	0x28000000UL
#define HOLE_END	0x28100000UL
#define RAM_END		0x30000000UL

/* Memory of the firmware, and pages for the map, the FDT and the scratch array. */
#define FIRMWARE_START	0x2ff00000UL
#define OWN_START	0x13000000UL
#define OWN_PAGES	512

#define MAX_FOLIOS	256
#define NR_SCRATCH	3
#define NR_WISHES	4

/**
 * struct world - a handover
 * @fdt: address of the root FDT
 * @fdt_size: size of the root FDT that the new kernel is told
 * @scratch: address of the array of scratch regions
 * @scratch_size: size of the array that the new kernel is told
 * @next: address of the next page that the old kernel has not used
 * @map: the preserved map
 * @folios: the folios that the old kernel preserved
 * @nr_folios: number of @folios
 * @regions: address of the blob with the regions of reserve_mem=, 0 if there is none
 * @nr_regions: number of these regions
 * @same_wishes: the new kernel asks for the same regions as the old one
 * @named: the handover is for a named case
 * @sealed: the handover has a checksum
 * @poor: the new kernel can allocate only @spare_pages pages
 * @spare_pages: see @poor
 * @crowded: memblock has no room for all marks of scratch
 * @crowded_reserved: memblock has no room for another reserved region
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
	u64 regions;
	unsigned int nr_regions;
	bool same_wishes;
	bool named;
	bool sealed;
	bool poor;
	unsigned int spare_pages;
	bool crowded;
	bool crowded_reserved;
};

/**
 * struct reading - what the oracle found in a handover
 * @defect: the first defect, or NULL
 * @folios: the folios if there is no defect, not sorted
 * @nr_folios: number of @folios
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
void world_make(unsigned int nr_regions, bool named);
void world_seal(void);
void world_add(unsigned long pfn, unsigned int order);
u64 world_page(void);
u64 world_place(u64 size);
bool world_receive(void);
const char *world_said(void);

/* regions.c */

void regions_hand_over(unsigned int nr);
const char *regions_settle(void);
phys_addr_t regions_new(unsigned int i);
bool regions_accepted(unsigned int i);
u64 regions_old(unsigned int i, u64 *size);

/* debugfs.c */

const char *debugfs_look(const char *name, bool *found);

/* oracle.c */

void oracle_read(struct reading *reading);

#endif /* _KHO_WORLD_H */
