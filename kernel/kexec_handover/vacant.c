// SPDX-License-Identifier: GPL-2.0-only
/*
 * Vacant memory: memory in which nothing is preserved.
 *
 * Until the new kernel has read the map, it allocates from scratch only. The map also
 * says which memory it may use from then on. This file finds the largest gaps of
 * that memory and marks them in memblock, so that scratch has to hold only what a
 * kernel needs before that point, however large the machine is.
 *
 * The unit is the granule: KHO_GRANULE_PAGES aligned pages, whose folios of order 0 are
 * one word of a leaf. So the work grows with the number of words in leaves and with the
 * size of memory (a bit for each granule), and not with the number of small folios. Of
 * each NUMA node, at most KHO_GAPS gaps are used, and at most as many of low memory: each
 * one is a region of memblock, whose functions walk all regions.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/bitmap.h>
#include <linux/elfnote.h>
#include <linux/find.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/minmax.h>
#include <linux/nodemask.h>
#include <linux/pfn.h>
#include <linux/printk.h>

#include "scratch.h"
#include "vacant.h"

static_assert(KHO_MAP_LEAF_BITS % KHO_GRANULE_PAGES == 0);

/* It says of this image that scratch needs no room for its struct pages. */
ELFNOTE32(KHO_NOTE_NAME, KHO_NOTE_MAP_EARLY, 1);

/* Memory that was added since the bitmap was allocated has no bits. */
static void name_range(const struct kho_named *named, unsigned long pfn, unsigned long end)
{
	unsigned long granule = pfn / KHO_GRANULE_PAGES;
	unsigned long last = min(kho_named_nr(end), named->nr);

	if (granule < last)
		bitmap_set(named->bits, granule, last - granule);
}

/* Each word of the leaf is a granule. */
static void name_singles(const struct kho_named *named, const union kho_map_node *leaf,
			 unsigned long first)
{
	unsigned long granule = first / KHO_GRANULE_PAGES;

	for (unsigned long i = 0; i < ARRAY_SIZE(leaf->bits); i++) {
		/* Partners, in the outgoing map: set_bit() and test_and_clear_bit() of leaves. */
		if (READ_ONCE(leaf->bits[i]) && granule + i < named->nr)
			__set_bit(granule + i, named->bits);
	}
}

/*
 * Names all memory from the first to the last folio of each word. Where folios are
 * smaller than a granule this names a few granules too many, but needs no loop over the
 * folios.
 */
static void name_words(const struct kho_named *named, const union kho_map_node *leaf,
		       unsigned long first, unsigned int order)
{
	for (unsigned long i = 0; i < ARRAY_SIZE(leaf->bits); i++) {
		/* Partners: as in name_singles(). */
		unsigned long bits = READ_ONCE(leaf->bits[i]);

		if (bits)
			name_range(named, first + ((i * BITS_PER_LONG + __ffs(bits)) << order),
				   first + ((i * BITS_PER_LONG + __fls(bits) + 1) << order));
	}
}

/* Names folios that are granules or larger, one row of adjoining folios at a time. */
static void name_rows(const struct kho_named *named, const union kho_map_node *leaf,
		      unsigned long first, unsigned int order)
{
	unsigned long bit = 0, end;

	for (;; bit = end) {
		bit = find_next_bit(leaf->bits, KHO_MAP_LEAF_BITS, bit);
		if (bit >= KHO_MAP_LEAF_BITS)
			break;
		end = find_next_zero_bit(leaf->bits, KHO_MAP_LEAF_BITS, bit);
		name_range(named, first + (bit << order), first + (end << order));
	}
}

static int name_node(phys_addr_t phys, unsigned int level, u64 key, void *arg)
{
	const union kho_map_node *leaf = phys_to_virt(phys);
	unsigned long first;
	unsigned int order;

	name_range(arg, PHYS_PFN(phys), PHYS_PFN(phys) + 1);
	if (level)
		return 0;

	order = kho_map_key_order(key);
	first = kho_map_key_pfn(key);
	if (!order)
		name_singles(arg, leaf, first);
	else if (BIT(order) < KHO_GRANULE_PAGES)
		name_words(arg, leaf, first, order);
	else
		name_rows(arg, leaf, first, order);

	return 0;
}

/**
 * kho_vacant_name - find the granules that are not vacant
 * @map: the map
 * @named: where to set the bits; the bitmap is zeroed
 *
 * Context: any, never sleeps, with the map kept from being freed. If folios are
 * preserved at the same time, they may be missing.
 */
void kho_vacant_name(const struct kho_map *map, const struct kho_named *named)
{
	kho_map_walk(map, name_node, (void *)named);
}

/**
 * kho_vacant_name_scratch - leave scratch out of vacant memory
 * @named: where to set the bits
 *
 * Some memory that is allocated at boot could not be moved out of scratch later, and
 * gigantic pages in scratch could not be preserved.
 *
 * Context: any, never sleeps.
 */
void kho_vacant_name_scratch(const struct kho_named *named)
{
	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		unsigned long pfn = PHYS_PFN(kho_scratch[i].addr);

		if (kho_scratch[i].size)
			name_range(named, pfn, pfn + PHYS_PFN(kho_scratch[i].size));
	}
}

static unsigned long length(const struct kho_gap *gap)
{
	return gap->end - gap->start;
}

static void note_gap(struct kho_gaps *found, unsigned long start, unsigned long end)
{
	struct kho_gap *to = &found->of[found->smallest];

	if (found->nr < KHO_GAPS)
		to = &found->of[found->nr++];
	else if (end - start <= length(to))
		return;

	*to = (struct kho_gap){ start, end };
	if (found->nr < KHO_GAPS)
		return;
	for (unsigned int i = 0; i < found->nr; i++) {
		if (length(&found->of[i]) < length(&found->of[found->smallest]))
			found->smallest = i;
	}
}

/**
 * kho_vacant_find - find the largest gaps of vacant memory in a range
 * @named: what kho_vacant_name() has found
 * @start: first PFN of the range
 * @end: first PFN after it
 * @found: the largest gaps that were found so far, in other ranges; zeroed before
 *	the first call
 *
 * Context: any, never sleeps.
 */
void kho_vacant_find(const struct kho_named *named, unsigned long start, unsigned long end,
		     struct kho_gaps *found)
{
	unsigned long granule = kho_named_nr(start), next;
	unsigned long last = min(end / KHO_GRANULE_PAGES, named->nr);

	for (; granule < last; granule = next) {
		granule = find_next_zero_bit(named->bits, last, granule);
		if (granule >= last)
			break;
		next = find_next_bit(named->bits, last, granule);
		note_gap(found, granule * KHO_GRANULE_PAGES, next * KHO_GRANULE_PAGES);
	}
}

/**
 * kho_vacant_sum - sum up gaps
 * @found: the gaps
 *
 * Context: any, never sleeps.
 * Return: the number of pages in all of them.
 */
unsigned long kho_vacant_sum(const struct kho_gaps *found)
{
	unsigned long nr = 0;

	for (unsigned int i = 0; i < found->nr; i++)
		nr += length(&found->of[i]);

	return nr;
}

static void __init find_in_memblock(const struct kho_named *named, int nid, phys_addr_t limit,
				    struct kho_gaps *found)
{
	struct memblock_region *r;

	for_each_mem_region(r) {
		phys_addr_t end = min(r->base + r->size, limit);

		if (memblock_is_nomap(r) || r->base >= end ||
		    (nid != NUMA_NO_NODE && memblock_get_region_node(r) != nid))
			continue;
		kho_vacant_find(named, PFN_UP(r->base), PFN_DOWN(end), found);
	}
}

/* Memory for which memblock has no room in its array of regions is not used. */
static void __init mark_gaps(const struct kho_gaps *found)
{
	for (unsigned int i = 0; i < found->nr; i++)
		memblock_mark_kho_vacant(PFN_PHYS(found->of[i].start),
					 PFN_PHYS(length(&found->of[i])));
}

/**
 * kho_vacant_mark - let memblock allocate from vacant memory
 * @named: the granules that are not vacant, and those of scratch
 *
 * memblock allocates from scratch only what it has no other room for.
 *
 * Context: kho_memory_known(), after the handover was accepted.
 */
void __init kho_vacant_mark(const struct kho_named *named)
{
	static struct kho_gaps found __initdata;
	unsigned long nr = 0;
	int nid;

	/* Some memory must be low, and a node may have many larger gaps. */
	find_in_memblock(named, NUMA_NO_NODE, kho_low_limit(), &found);
	mark_gaps(&found);

	for (nid = first_online_node; nid < MAX_NUMNODES; nid = next_online_node(nid)) {
		found.nr = 0;
		found.smallest = 0;
		find_in_memblock(named, nid, PHYS_ADDR_MAX, &found);
		mark_gaps(&found);
		nr += kho_vacant_sum(&found);
	}

	memblock_set_kho_vacant_first();
	pr_info("map accepted, %lu MiB without preserved memory can be used at once\n",
		nr >> (20 - PAGE_SHIFT));
}
