// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts how often each struct page is initialised.
 *
 * With test_kho_count on the command line, this file counts the calls of
 * __init_single_page() for each PFN. At the end of boot, each struct page must have
 * been initialised exactly once, no matter by which caller. The log and
 * /sys/kernel/debug/test_kho_folios/stats have the result.
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

/* Number of calls of test_kho_count_page() during boot. */
static atomic_long_t total;

static struct page_counts counts;

static int __init count_param(char *arg)
{
	counting = true;
	return 0;
}
early_param("test_kho_count", count_param);

/*
 * The first struct pages are initialised while memblock is the only allocator. This
 * can be __ref, because test_kho_count_page() does not call it after boot, when the
 * struct pages of hot-added memory are initialised.
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
 * memblock initialises the struct page of a reserved page once for each reserved
 * region that contains a part of the page. No other code may initialise a struct page
 * twice, and preserved folios are not in reserved regions.
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
	/* Not atomic, since two CPUs must never initialise the same struct page. */
	else if (counters[pfn] < U8_MAX)
		counters[pfn]++;
}

/* Returns how often any struct page was initialised so far. */
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
	pr_info("struct pages: %lu initialised once, %lu never, %lu more than once; %lu reserved ones again\n",
		counts.once, counts.never, counts.more, counts.reserved_again);

	return 0;
}
late_initcall(look_at_counters);
