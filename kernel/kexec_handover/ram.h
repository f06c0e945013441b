/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which memory can be handed over, see ram.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_RAM_H
#define _KHO_RAM_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "map.h"

struct folio;
struct kho_gaps;
struct kho_named;

/*
 * A stretch is the memory that one leaf of the map covers with folios of order 0.
 * Bit n of kho_ram_special is set if some memory of stretch n cannot be handed over,
 * because it lies in scratch or in an area at a fixed address, or because it was not RAM
 * at boot. Only folios in such a stretch have to be compared with each region.
 * kho_ram_nr_stretches is the number of stretches below max_pfn at boot, without the last
 * one if memory ends within it. kho_ram_init() sets the one and kho_ram_start() the other
 * in a core_initcall; they are 0 before that and constant from then on.
 */
#define KHO_RAM_STRETCH_ORDER	KHO_MAP_LEAF_SHIFT

extern unsigned long *kho_ram_special;
extern unsigned long kho_ram_nr_stretches;

/* Returns true if all memory of the folio's stretch can be handed over. */
static __always_inline bool kho_ram_ordinary(unsigned long pfn, unsigned int order)
{
	unsigned long stretch = pfn >> KHO_RAM_STRETCH_ORDER;

	/* With pages of 64 KiB a stretch is larger than any folio. */
	return order <= min(KHO_RAM_STRETCH_ORDER, KHO_MAX_FOLIO_ORDER) &&
	       /* Pairs with smp_store_release() in kho_ram_start(). */
	       stretch < smp_load_acquire(&kho_ram_nr_stretches) &&
	       !test_bit(stretch, kho_ram_special);
}

/* Returns how many bad pages this kernel knows. */
static inline long kho_ram_nr_bad(void)
{
#ifdef CONFIG_MEMORY_FAILURE
	return atomic_long_read(&num_poisoned_pages);
#else
	return 0;
#endif
}

int kho_ram_init(void);
void kho_ram_start(void);
unsigned long kho_ram_pages(void);
void kho_ram_find_vacant(const struct kho_named *named, struct kho_gaps *found);
struct folio *kho_ram_alloc_folio(unsigned int order);
bool kho_ram_is_ram(u64 phys, u64 size);

#endif /* _KHO_RAM_H */
