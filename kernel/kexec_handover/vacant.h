/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Vacant memory: memory in which nothing is preserved. See vacant.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_VACANT_H
#define _KHO_VACANT_H

#include <linux/bits.h>
#include <linux/math.h>
#include <linux/types.h>

#include "map.h"

/* The number of folios of order 0 that one word of a leaf names. */
#define KHO_GRANULE_PAGES	BITS_PER_LONG

/**
 * struct kho_named - the granules of memory that are not vacant
 * @bits: bit n is set if granule n contains a page of a preserved folio, or of a node
 *	of the map. Other bits may be set, too.
 * @nr: number of bits
 *
 * The caller of kho_vacant_name() allocates and frees the bitmap: use_map() in boot.c for
 * the incoming map, vacant_pages() in image.c for the outgoing one. No lock.
 */
struct kho_named {
	unsigned long *bits;
	unsigned long nr;
};

/* The number of bits that are needed for all memory below @end. */
static inline unsigned long kho_named_nr(unsigned long end)
{
	return DIV_ROUND_UP(end, KHO_GRANULE_PAGES);
}

static inline size_t kho_named_bytes(unsigned long nr)
{
	return BITS_TO_LONGS(nr) * sizeof(long);
}

/* The number of gaps that are used of each NUMA node, and of low memory, at most. */
#define KHO_GAPS		16

/**
 * struct kho_gap - a range of vacant memory
 * @start: its first PFN
 * @end: the first PFN after it
 *
 * kho_vacant_find() writes both fields, in the struct kho_gaps of its caller. No lock.
 */
struct kho_gap {
	unsigned long start;
	unsigned long end;
};

/**
 * struct kho_gaps - the largest gaps that were found
 * @nr: number of entries in @of
 * @smallest: index of the smallest of them, once there are %KHO_GAPS
 * @of: the gaps, in no order
 *
 * kho_vacant_find() writes all fields, in a struct of its caller, which sets @nr and
 * @smallest to 0 first. No lock.
 */
struct kho_gaps {
	unsigned int nr;
	unsigned int smallest;
	struct kho_gap of[KHO_GAPS];
};

void kho_vacant_name(const struct kho_map *map, const struct kho_named *named);
void kho_vacant_name_scratch(const struct kho_named *named);
void kho_vacant_find(const struct kho_named *named, unsigned long start, unsigned long end,
		     struct kho_gaps *found);
unsigned long kho_vacant_sum(const struct kho_gaps *found);
void kho_vacant_mark(const struct kho_named *named);

#endif /* _KHO_VACANT_H */
