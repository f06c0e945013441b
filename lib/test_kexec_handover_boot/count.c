// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often is each struct page initialised?
 *
 * With test_kho_count on the command line, this file counts, for each PFN, the
 * calls of __init_single_page(). At the end of boot each struct page that there
 * is has to have seen exactly one, whoever made it. What came out is said in the
 * log and in /sys/kernel/debug/test_kho_folios/stats.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/test_kexec_handover.h>

#include "count.h"

/* A counter for each PFN below @nr_counters. */
static u8 *counters;
static unsigned long nr_counters;
static bool counting;

/* All calls there were. */
static atomic_long_t total;

static struct page_counts counts;

static int __init count_param(char *arg)
{
	counting = true;
	return 0;
}
early_param("test_kho_count", count_param);

/*
 * The first struct pages are initialised when there is but memblock: that it is
 * called after boot, with memory hotplug, cannot be.
 */
static bool __ref counters_ready(void)
{
	if (counters || !counting)
		return counters;

	nr_counters = ALIGN(max_pfn, PAGES_PER_SECTION);
	counters = memblock_alloc(nr_counters, PAGE_SIZE);
	if (!counters) {
		pr_err("no memory to count struct pages\n");
		counting = false;
	}

	return counters;
}

/*
 * memblock initialises the struct page of a reserved page once for each region
 * that has a part of it. Nobody else may, and folios that were handed over are
 * in no such region.
 */
static bool __ref again_by_memblock(unsigned long pfn)
{
	return counters[pfn] &&
	       memblock_overlaps_region(&memblock.reserved, PFN_PHYS(pfn), PAGE_SIZE);
}

void test_kho_count_page(unsigned long pfn)
{
	if (!counting || system_state >= SYSTEM_RUNNING || !counters_ready())
		return;

	atomic_long_inc(&total);
	if (pfn >= nr_counters)
		return;
	if (again_by_memblock(pfn))
		counts.reserved_again++;
	/* Two CPUs at one struct page are just what must not happen. */
	else if (counters[pfn] < U8_MAX)
		counters[pfn]++;
}

/* How many struct pages were initialised by now. */
unsigned long initialised_pages(void)
{
	return atomic_long_read(&total);
}

const struct page_counts *page_counts(void)
{
	return &counts;
}

static void __init complain(unsigned long pfn, unsigned int count)
{
	pr_err_ratelimited("wrong: struct page of PFN %#lx was initialised %u times\n",
			   pfn, count);
}

static void __init look_at(unsigned long pfn, unsigned int count)
{
	if (count == 1) {
		counts.once++;
		return;
	}

	if (count)
		counts.more++;
	else
		counts.never++;
	complain(pfn, count);
}

static int __init look_at_counters(void)
{
	if (!counters)
		return 0;

	for (unsigned long pfn = 0; pfn < nr_counters; pfn++) {
		if (pfn_valid(pfn))
			look_at(pfn, counters[pfn]);
	}
	pr_info("struct pages initialised once %lu, never %lu, more often %lu, reserved ones again %lu\n",
		counts.once, counts.never, counts.more, counts.reserved_again);

	return 0;
}
late_initcall(look_at_counters);
