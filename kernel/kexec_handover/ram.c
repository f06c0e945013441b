// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which memory can be handed over?
 *
 * This file owns the answer: memory that was RAM at boot and that does not lie in
 * scratch. It also allocates such memory. The next kernel starts in scratch and
 * overwrites it. Hot-added memory, at whatever address, is not in the memory map
 * that kexec passes to the next kernel: that kernel does not know it until it is
 * hot-added again, long after the page allocator has started. Areas of CMA at a fixed
 * address do not count either: the next kernel reserves them whether or not it has read
 * the map. Nor do pages that hardware reported as bad.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/page-flags.h>
#include <linux/slab.h>

#include "ram.h"
#include "scratch.h"
#include "vacant.h"

unsigned long *kho_ram_special __ro_after_init;
unsigned long kho_ram_nr_stretches __ro_after_init;

/**
 * struct ram_range - a range of PFNs that were RAM at boot
 * @start: first PFN of the range
 * @end: first PFN after it
 *
 * kho_ram_init() writes all fields in a core_initcall; constant from then on.
 */
struct ram_range {
	unsigned long start;
	unsigned long end;
};

/* Sorted; no two of them adjoin. Areas at a fixed address are left out. */
static struct ram_range *boot_ram __ro_after_init;
static unsigned int nr_boot_ram __ro_after_init;

/* Areas at a fixed address, in no order. CMA has no more areas in most kernels. */
static struct ram_range fixed[20] __initdata;
static unsigned int nr_fixed __initdata;

/**
 * kho_ram_fixed - note memory that the next kernel will reserve at the same address
 * @base: physical address of the memory
 * @size: size of the memory in bytes
 *
 * Folios in this memory cannot be preserved.
 *
 * Context: boot, when the memory is reserved.
 */
void __init kho_ram_fixed(phys_addr_t base, phys_addr_t size)
{
	if (nr_fixed < ARRAY_SIZE(fixed))
		fixed[nr_fixed++] = (struct ram_range){ PFN_DOWN(base), PFN_UP(base + size) };
}

/* Returns the lowest area of @fixed that overlaps a range of PFNs, or NULL. */
static const struct ram_range *__init first_fixed(unsigned long pfn, unsigned long end)
{
	const struct ram_range *first = NULL;

	for (unsigned int i = 0; i < nr_fixed; i++) {
		if (fixed[i].start < end && fixed[i].end > pfn &&
		    (!first || fixed[i].start < first->start))
			first = &fixed[i];
	}

	return first;
}

static int __init count_boot_ram(unsigned long pfn, unsigned long nr_pages, void *arg)
{
	++*(unsigned int *)arg;

	return 0;
}

/* @max is the number of entries that boot_ram has room for. */
static void __init add_boot_range(unsigned long pfn, unsigned long end, unsigned int max)
{
	struct ram_range *last = nr_boot_ram ? &boot_ram[nr_boot_ram - 1] : NULL;

	if (last && last->end == pfn)
		last->end = end;
	else if (nr_boot_ram < max)
		boot_ram[nr_boot_ram++] = (struct ram_range){ pfn, end };
}

static int __init add_boot_ram(unsigned long pfn, unsigned long nr_pages, void *arg)
{
	unsigned long end = pfn + nr_pages;
	const struct ram_range *area;

	while ((area = first_fixed(pfn, end))) {
		if (area->start > pfn)
			add_boot_range(pfn, area->start, *(unsigned int *)arg);
		pfn = area->end;
	}
	if (pfn < end)
		add_boot_range(pfn, end, *(unsigned int *)arg);

	return 0;
}

/* Marks all stretches that contain a page of [start, end). */
static void __init mark_special(unsigned long start, unsigned long end)
{
	unsigned long first = start >> KHO_RAM_STRETCH_ORDER;

	if (start < end)
		bitmap_set(kho_ram_special, first,
			   ((end - 1) >> KHO_RAM_STRETCH_ORDER) - first + 1);
}

/*
 * Memory is hot-added by whole sections, so a smaller hole never gets any. To leave
 * such holes out saves 9 instructions for each 2 MiB folio of 2 GiB, on average.
 */
static void __init mark_hole(unsigned long start, unsigned long end)
{
	mark_special(ALIGN(start, PAGES_PER_SECTION), ALIGN_DOWN(end, PAGES_PER_SECTION));
}

static void __init mark_stretches(void)
{
	unsigned long prev_end = 0;

	for (unsigned int i = 0; i < nr_boot_ram; i++) {
		mark_hole(prev_end, min(boot_ram[i].start, max_pfn));
		prev_end = boot_ram[i].end;
	}
	mark_hole(prev_end, max_pfn);

	for (unsigned int i = 0; i < nr_fixed; i++)
		mark_special(fixed[i].start, min(fixed[i].end, max_pfn));
	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		unsigned long pfn = PHYS_PFN(kho_scratch[i].addr);

		mark_special(pfn, pfn + PHYS_PFN(kho_scratch[i].size));
	}
}

/**
 * kho_ram_init - record which memory is RAM at boot
 *
 * Context: may sleep. kho_start(), before any memory is hot-added.
 * Return: 0; -ENOMEM if there is no memory for the list.
 */
int __init kho_ram_init(void)
{
	unsigned int nr = 0;

	walk_system_ram_range(0, max_pfn, &nr, count_boot_ram);
	/* Each area can divide a range. */
	nr += nr_fixed;
	boot_ram = kcalloc(nr, sizeof(*boot_ram), GFP_KERNEL);
	kho_ram_special = bitmap_zalloc(((max_pfn - 1) >> KHO_RAM_STRETCH_ORDER) + 1, GFP_KERNEL);
	if (!boot_ram || !kho_ram_special) {
		kfree(boot_ram);
		bitmap_free(kho_ram_special);
		boot_ram = NULL;
		kho_ram_special = NULL;
		return -ENOMEM;
	}

	walk_system_ram_range(0, max_pfn, &nr, add_boot_ram);
	mark_stretches();

	return 0;
}

/**
 * kho_ram_start - let kho_ram_ordinary() tell which folios can be handed over
 *
 * Context: core_initcall, after kho_ram_init(), when nothing else can fail.
 */
void __init kho_ram_start(void)
{
	/* Pairs with smp_load_acquire() in kho_ram_ordinary(), which reads kho_ram_special. */
	smp_store_release(&kho_ram_nr_stretches, max_pfn >> KHO_RAM_STRETCH_ORDER);
}

/**
 * kho_ram_pages - count the pages of RAM that the next kernel will find
 *
 * Context: any; after kho_ram_init().
 * Return: the number of pages that were RAM at boot, without areas at a fixed address.
 */
unsigned long kho_ram_pages(void)
{
	unsigned long pages = 0;

	for (unsigned int i = 0; i < nr_boot_ram; i++)
		pages += boot_ram[i].end - boot_ram[i].start;

	return pages;
}

/**
 * kho_ram_find_vacant - find memory that the next kernel can start in
 * @named: the granules that the next kernel cannot use
 * @found: where to store the largest gaps
 *
 * Context: any; after kho_ram_init().
 */
void kho_ram_find_vacant(const struct kho_named *named, struct kho_gaps *found)
{
	for (unsigned int i = 0; i < nr_boot_ram; i++)
		kho_vacant_find(named, boot_ram[i].start, boot_ram[i].end, found);
}

static bool was_there_at_boot(unsigned long pfn, unsigned long end)
{
	for (unsigned int i = 0; i < nr_boot_ram; i++) {
		if (pfn < boot_ram[i].end)
			return pfn >= boot_ram[i].start && end <= boot_ram[i].end;
	}

	return false;
}

static bool is_within_stretch(unsigned long pfn, unsigned long end)
{
	return pfn >> KHO_RAM_STRETCH_ORDER == (end - 1) >> KHO_RAM_STRETCH_ORDER;
}

/**
 * kho_ram_can_go_out - can memory be handed over to the next kernel?
 * @pfn: first PFN of the memory
 * @end: first PFN after it
 *
 * Context: any, never sleeps; after kho_ram_init().
 * Return: true if all of the memory was RAM at boot and none of it lies in scratch or in
 * an area at a fixed address; false if not.
 */
bool kho_ram_can_go_out(unsigned long pfn, unsigned long end)
{
	if (likely(is_within_stretch(pfn, end) && kho_ram_ordinary(pfn, 0)))
		return true;

	return !kho_scratch_overlap(PFN_PHYS(pfn), PFN_PHYS(end - pfn)) &&
	       was_there_at_boot(pfn, end);
}

static bool folio_can_go_out(struct folio *folio)
{
	/* The page allocator gives scratch to movable allocations only. This is none. */
	WARN_ON_ONCE(kho_scratch_overlap(PFN_PHYS(folio_pfn(folio)), folio_size(folio)));

	return kho_ram_can_go_out(folio_pfn(folio), folio_pfn(folio) + folio_nr_pages(folio));
}

/* Allocates a folio that can be handed over, in low memory or on any NUMA node. */
static struct folio *alloc_elsewhere(unsigned int order)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN;
	struct folio *folio = folio_alloc(gfp | GFP_DMA32, order);
	int nid;

	if (folio && folio_can_go_out(folio))
		return folio;
	if (folio)
		folio_put(folio);

	for_each_online_node(nid) {
		folio = __folio_alloc_node(gfp | __GFP_THISNODE, order, nid);
		if (folio && folio_can_go_out(folio))
			return folio;
		if (folio)
			folio_put(folio);
	}

	return NULL;
}

/**
 * kho_ram_alloc_folio - allocate memory that can be handed over
 * @order: order of the folio
 *
 * If the page allocator returns hot-added memory, this tries low memory and then
 * each NUMA node.
 *
 * Context: may sleep; after kho_ram_init().
 * Return: a zeroed folio, which is not preserved yet; NULL if no memory is free that
 * can be handed over.
 */
struct folio *kho_ram_alloc_folio(unsigned int order)
{
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, order);

	if (!folio || likely(folio_can_go_out(folio)))
		return folio;
	folio_put(folio);

	return alloc_elsewhere(order);
}

static int count_ram(unsigned long start_pfn, unsigned long nr_pages, void *arg)
{
	*(unsigned long *)arg += nr_pages;

	return 0;
}

/**
 * kho_ram_is_ram - is all of a range RAM?
 * @phys: physical address of the range
 * @size: size of the range in bytes
 *
 * Checks an address that another kernel has written before it is read.
 * region_intersects() is not enough: it returns REGION_INTERSECTS for a range of RAM
 * with a hole in it.
 *
 * Context: process context or boot, from kho_memory_init() on.
 * Return: true if all of the range is RAM; false if not, and for an empty range.
 */
bool kho_ram_is_ram(u64 phys, u64 size)
{
	unsigned long first = PHYS_PFN(phys), nr, found = 0;

	if (!size || phys + size <= phys)
		return false;

	nr = PHYS_PFN(phys + size - 1) - first + 1;
	walk_system_ram_range(first, nr, &found, count_ram);

	return found == nr;
}

/**
 * kho_ram_has_bad - is a page of a range bad?
 * @pfn: first PFN of the range, whose struct pages are initialised
 * @end: first PFN after it
 *
 * Looks at each page only if the kernel knows of bad pages.
 *
 * Context: any, never sleeps.
 * Return: true if a page of the range is known to be bad; false if none is.
 */
bool kho_ram_has_bad(unsigned long pfn, unsigned long end)
{
	if (likely(!kho_ram_nr_bad()))
		return false;

	for (; pfn < end; pfn++) {
		/* Memory of a folio that was restored and freed may have been hot-removed. */
		if (pfn_valid(pfn) && is_page_hwpoison(pfn_to_page(pfn)))
			return true;
	}

	return false;
}
