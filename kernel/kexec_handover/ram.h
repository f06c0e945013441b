/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which memory can be handed over, see ram.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_RAM_H
#define _KHO_RAM_H

#include <linux/bitops.h>
#include <linux/types.h>

#include "map.h"

struct folio;

/*
 * A stretch is as much memory as one leaf of the map covers with folios of order
 * 0. Bit n of kho_ram_special is set if some memory of stretch n cannot be handed
 * over, because it lies in scratch or because the next kernel does not know it at
 * boot. Only folios there have to be compared with each region. kho_ram_init()
 * sets both in a core_initcall; until then there are no stretches. The stretch in
 * which memory ends does not count.
 */
#define KHO_RAM_STRETCH_ORDER	KHO_MAP_LEAF_SHIFT

extern unsigned long *kho_ram_special;
extern unsigned long kho_ram_nr_stretches;

/* Is it known at a glance that this folio can be handed over? */
static __always_inline bool kho_ram_ordinary(unsigned long pfn, unsigned int order)
{
	unsigned long stretch = pfn >> KHO_RAM_STRETCH_ORDER;

	return order <= KHO_RAM_STRETCH_ORDER && stretch < kho_ram_nr_stretches &&
	       !test_bit(stretch, kho_ram_special);
}

int kho_ram_init(void);
bool kho_ram_can_go_out(unsigned long pfn, unsigned long end);
struct folio *kho_ram_alloc_folio(unsigned int order);
bool kho_ram_is_ram(u64 phys, u64 size);

#endif /* _KHO_RAM_H */
