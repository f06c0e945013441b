// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of vacant memory, see vacant.h: which granules folios take, and which gaps
 * are the largest.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "vacant.h"

/* The test is about memory of that many granules, from PFN 0 on. */
#define GRANULES	4096

static DECLARE_BITMAP(bits, GRANULES);
static DECLARE_BITMAP(expected, GRANULES);
static const struct kho_named named = { bits, GRANULES };
static struct kho_map map;

/*
 * The nodes of the map lie in memory of this kernel, and their granules are named, too, if
 * they are below the end of the memory of the test.
 */
static union kho_map_node *alloc_node(void)
{
	union kho_map_node *node = (void *)get_zeroed_page(GFP_KERNEL);
	unsigned long granule;

	if (!node)
		return NULL;
	granule = PHYS_PFN(virt_to_phys(node)) / KHO_GRANULE_PAGES;
	if (granule < GRANULES)
		__set_bit(granule, expected);

	return node;
}

static void free_node(union kho_map_node *node)
{
	free_page((unsigned long)node);
}

static const struct kho_map_ops test_ops = { .alloc = alloc_node, .free = free_node };

static int make_map(struct kunit *test)
{
	bitmap_zero(bits, GRANULES);
	bitmap_zero(expected, GRANULES);

	return kho_map_init(&map, &test_ops);
}

static void destroy_map(struct kunit *test)
{
	kho_map_destroy(&map);
}

/* Adds a folio, and expects the granules from @first to @last to be named. */
static void add(struct kunit *test, unsigned long pfn, unsigned int order, unsigned long first,
		unsigned long last)
{
	KUNIT_ASSERT_EQ(test, kho_map_add(&map, pfn, order), 0);
	bitmap_set(expected, first, last - first + 1);
}

static void expect_named(struct kunit *test)
{
	kho_vacant_name(&map, &named);
	KUNIT_EXPECT_TRUE(test, bitmap_equal(bits, expected, GRANULES));
}

/* No granule but its own is named for a folio of order 0, at either end of it. */
static void test_singles(struct kunit *test)
{
	const unsigned long g = KHO_GRANULE_PAGES;

	add(test, 0, 0, 0, 0);
	add(test, 2 * g - 1, 0, 1, 1);
	add(test, 7 * g, 0, 7, 7);
	add(test, 1000 * g + 5, 0, 1000, 1000);
	expect_named(test);
}

/* A granule between two small folios of one word is named as well. */
static void test_small(struct kunit *test)
{
	const unsigned long g = KHO_GRANULE_PAGES;

	add(test, 64 * g, 3, 64, 64);
	add(test, 66 * g, 3, 65, 66);
	add(test, 128 * g - 8, 3, 127, 127);
	expect_named(test);
}

static void test_large(struct kunit *test)
{
	const unsigned long g = KHO_GRANULE_PAGES;
	const unsigned int order = ilog2(g);

	add(test, 8 * g, order, 8, 8);
	add(test, 9 * g, order, 9, 9);
	add(test, 11 * g, order, 11, 11);
	add(test, 2048 * g, order + 10, 2048, 3071);
	expect_named(test);
}

/* A folio above the memory that the bitmap covers, and one that is partly above. */
static void test_beyond(struct kunit *test)
{
	const unsigned long g = KHO_GRANULE_PAGES;
	const struct kho_named small = { bits, 3000 };

	KUNIT_ASSERT_EQ(test, kho_map_add(&map, 4095 * g, 0), 0);
	KUNIT_ASSERT_EQ(test, kho_map_add(&map, 2048 * g, ilog2(g) + 10), 0);
	kho_vacant_name(&map, &small);
	bitmap_set(expected, 2048, small.nr - 2048);
	bitmap_clear(expected, small.nr, GRANULES - small.nr);
	KUNIT_EXPECT_TRUE(test, bitmap_equal(bits, expected, GRANULES));
}

/* Gaps are within the range, and consist of whole granules. */
static void test_gaps(struct kunit *test)
{
	const unsigned long g = KHO_GRANULE_PAGES;
	struct kho_gaps gaps = {};

	bitmap_set(bits, 10, 5);
	kho_vacant_find(&named, 1, 20 * g + 3, &gaps);
	KUNIT_ASSERT_EQ(test, gaps.nr, 2);
	KUNIT_EXPECT_EQ(test, gaps.of[0].start, g);
	KUNIT_EXPECT_EQ(test, gaps.of[0].end, 10 * g);
	KUNIT_EXPECT_EQ(test, gaps.of[1].start, 15 * g);
	KUNIT_EXPECT_EQ(test, gaps.of[1].end, 20 * g);
	KUNIT_EXPECT_EQ(test, kho_vacant_sum(&gaps), 14 * g);

	/* A range within a named granule, and one beyond the bitmap. */
	kho_vacant_find(&named, 10 * g + 1, 11 * g - 1, &gaps);
	kho_vacant_find(&named, GRANULES * g, 2 * GRANULES * g, &gaps);
	KUNIT_EXPECT_EQ(test, gaps.nr, 2);
}

/* Of more gaps than there is room for, the largest ones stay, in whatever order they come. */
static void test_largest(struct kunit *test)
{
	const unsigned long nr = 2 * KHO_GAPS;
	struct kho_gaps gaps = {};
	unsigned long sum = 0;

	/* Gaps of 1, 2n, 2, 2n - 1, ... granules. */
	for (unsigned long i = 0, granule = 0; i < nr; i++) {
		unsigned long size = i % 2 ? nr - i / 2 : i / 2 + 1;

		granule += size;
		KUNIT_ASSERT_LT(test, granule, GRANULES);
		__set_bit(granule++, bits);
		if (i == nr - 1)
			bitmap_set(bits, granule, GRANULES - granule);
		if (size > nr - KHO_GAPS)
			sum += size;
	}
	kho_vacant_find(&named, 0, GRANULES * KHO_GRANULE_PAGES, &gaps);
	KUNIT_EXPECT_EQ(test, gaps.nr, KHO_GAPS);
	KUNIT_EXPECT_EQ(test, kho_vacant_sum(&gaps), sum * KHO_GRANULE_PAGES);
}

static struct kunit_case kho_vacant_cases[] = {
	KUNIT_CASE(test_singles),
	KUNIT_CASE(test_small),
	KUNIT_CASE(test_large),
	KUNIT_CASE(test_beyond),
	KUNIT_CASE(test_gaps),
	KUNIT_CASE(test_largest),
	{}
};

static struct kunit_suite kho_vacant_suite = {
	.name = "kho_vacant",
	.init = make_map,
	.exit = destroy_map,
	.test_cases = kho_vacant_cases,
};

kunit_test_suite(kho_vacant_suite);
