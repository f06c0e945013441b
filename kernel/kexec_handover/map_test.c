// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the preserved map, see map.h.
 *
 * They check what callers of the map rely on, and the format that another kernel
 * reads: the expected keys and the shape of the tree are numbers that were computed
 * from the description of the format, not with the code under test.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "map.h"

/* The first PFN after the largest physical address. */
#define PFN_END		(1UL << (64 - PAGE_SHIFT))

#define TOP_LEVEL	(KHO_MAP_LEVELS - 1)

/* A folio as one number. In hexadecimal the last two digits are the order. */
#define FOLIO(pfn, order)	((u64)(pfn) << 8 | (order))
#define NOTHING			U64_MAX

/* The map under test. It is empty when a test begins and destroyed after the test. */
static struct kho_map map;

/*
 * The allocator of the map under test. It counts its calls. If fail_in is not 0,
 * the call that decrements it to 0 fails. If race_in is not 0, the call that
 * decrements it to 0 adds the folio race_pfn before it returns, with the error
 * in race_err.
 */
static struct {
	unsigned int allocs;
	unsigned int frees;
	unsigned int fail_in;
	unsigned int race_in;
	unsigned long race_pfn;
	int race_err;
} mem;

static union kho_map_node *alloc_node(void)
{
	union kho_map_node *node;

	if (mem.fail_in && !--mem.fail_in)
		return NULL;
	if (mem.race_in && !--mem.race_in)
		mem.race_err = kho_map_add(&map, mem.race_pfn, 0);

	node = (void *)get_zeroed_page(GFP_KERNEL);
	if (node)
		mem.allocs++;

	return node;
}

static void free_node(union kho_map_node *node)
{
	mem.frees++;
	free_page((unsigned long)node);
}

static const struct kho_map_ops test_ops = {
	.alloc = alloc_node,
	.free = free_node,
};

static unsigned int nodes_in_use(void)
{
	return mem.allocs - mem.frees;
}

static int make_map(struct kunit *test)
{
	memset(&mem, 0, sizeof(mem));

	return kho_map_init(&map, &test_ops);
}

static void drop_map(struct kunit *test)
{
	kho_map_destroy(&map);
	KUNIT_EXPECT_EQ(test, nodes_in_use(), 0);
}

static void make_anew(struct kunit *test)
{
	drop_map(test);
	KUNIT_ASSERT_EQ(test, make_map(test), 0);
}

/* The functions of the map, called for the map under test. */

static int add(unsigned long pfn, unsigned int order)
{
	return kho_map_add(&map, pfn, order);
}

static bool del(unsigned long pfn, unsigned int order)
{
	return kho_map_del(&map, pfn, order);
}

static bool has(unsigned long pfn, unsigned int order)
{
	return kho_map_test(&map, pfn, order);
}

static unsigned long next_of(unsigned int order, unsigned long pfn,
			     unsigned long end)
{
	return kho_map_next_of_order(&map, order, pfn, end);
}

/* Returns NOTHING only if a search that found nothing left @folio unchanged. */
static u64 folio_if(bool found, const struct kho_map_folio *folio)
{
	if (!found && folio->pfn == 0xdead && folio->order == 0xff)
		return NOTHING;

	return FOLIO(folio->pfn, folio->order);
}

static u64 find(unsigned long pfn)
{
	struct kho_map_folio folio = { 0xdead, 0xff };
	bool found = kho_map_find(&map, pfn, &folio);

	return folio_if(found, &folio);
}

static u64 next(unsigned long pfn, unsigned long end)
{
	struct kho_map_folio folio = { 0xdead, 0xff };
	bool found = kho_map_next(&map, pfn, end, &folio);

	return folio_if(found, &folio);
}

/*
 * Parameterised tests run once for each order: test->param_value points to the order.
 */
static const void *each_order(const void *prev, char *desc)
{
	static unsigned int order;

	order = prev ? order + 1 : 0;
	if (order > KHO_MAP_MAX_ORDER)
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "order %u", order);

	return &order;
}

static unsigned int order_of(struct kunit *test)
{
	return *(const unsigned int *)test->param_value;
}

/*
 * Keys
 */

/*
 * Expected values, for each page size: folios and their keys, in ascending order of
 * keys, and the shape of the tree.
 */
struct known_key {
	unsigned long pfn;
	unsigned int order;
	u64 key;
};

#if PAGE_SHIFT == 12
#define RAW_LEVELS	6
#define RAW_TABLE_BITS	9
#define RAW_LEAF_BITS	15

static const struct known_key known_keys[] = {
	{ 0x0000000000000, 52, 0x00000000000001 },
	{ 0x0000000000000, 51, 0x00000000000002 },
	{ 0x8000000000000, 51, 0x00000000000003 },
	{ 0x0000000040000, 18, 0x00000400000001 },
	{ 0x0000000000000, 10, 0x00040000000000 },
	{ 0x0000000000000,  9, 0x00080000000000 },
	{ 0x0000012345600,  9, 0x00080000091a2b },
	{ 0x0000012345678,  3, 0x02000002468acf },
	{ 0x0000000000000,  1, 0x08000000000000 },
	{ 0x0000000000002,  1, 0x08000000000001 },
	{ 0xffffffffffffe,  1, 0x0fffffffffffff },
	{ 0x0000000000000,  0, 0x10000000000000 },
	{ 0x0000000000001,  0, 0x10000000000001 },
	{ 0x000000000003f,  0, 0x1000000000003f },
	{ 0x0000000000040,  0, 0x10000000000040 },
	{ 0x0000000007fff,  0, 0x10000000007fff },
	{ 0x0000000008000,  0, 0x10000000008000 },
	{ 0x0000001000000,  0, 0x10000001000000 },
	{ 0x0000012345678,  0, 0x10000012345678 },
	{ 0x0000200000000,  0, 0x10000200000000 },
	{ 0x0040000000000,  0, 0x10040000000000 },
	{ 0x8000000000000,  0, 0x18000000000000 },
	{ 0xfffffffffffff,  0, 0x1fffffffffffff },
};
#elif PAGE_SHIFT == 14
#define RAW_LEVELS	5
#define RAW_TABLE_BITS	11
#define RAW_LEAF_BITS	17

static const struct known_key known_keys[] = {
	{ 0x0000000000000, 50, 0x00000000000001 },
	{ 0x0000000000000, 49, 0x00000000000002 },
	{ 0x2000000000000, 49, 0x00000000000003 },
	{ 0x0000000010000, 16, 0x00000400000001 },
	{ 0x0000000000000, 10, 0x00010000000000 },
	{ 0x0000000000000,  9, 0x00020000000000 },
	{ 0x0000012345600,  9, 0x00020000091a2b },
	{ 0x0000012345678,  3, 0x00800002468acf },
	{ 0x0000000000000,  1, 0x02000000000000 },
	{ 0x0000000000002,  1, 0x02000000000001 },
	{ 0x3fffffffffffe,  1, 0x03ffffffffffff },
	{ 0x0000000000000,  0, 0x04000000000000 },
	{ 0x0000000000001,  0, 0x04000000000001 },
	{ 0x000000000003f,  0, 0x0400000000003f },
	{ 0x0000000000040,  0, 0x04000000000040 },
	{ 0x000000001ffff,  0, 0x0400000001ffff },
	{ 0x0000000020000,  0, 0x04000000020000 },
	{ 0x0000010000000,  0, 0x04000010000000 },
	{ 0x0000012345678,  0, 0x04000012345678 },
	{ 0x0008000000000,  0, 0x04008000000000 },
	{ 0x2000000000000,  0, 0x06000000000000 },
	{ 0x3ffffffffffff,  0, 0x07ffffffffffff },
};
#elif PAGE_SHIFT == 16
#define RAW_LEVELS	4
#define RAW_TABLE_BITS	13
#define RAW_LEAF_BITS	19

static const struct known_key known_keys[] = {
	{ 0x0000000000000, 48, 0x00000000000001 },
	{ 0x0000000000000, 47, 0x00000000000002 },
	{ 0x0800000000000, 47, 0x00000000000003 },
	{ 0x0000000004000, 14, 0x00000400000001 },
	{ 0x0000000000000, 10, 0x00004000000000 },
	{ 0x0000000000000,  9, 0x00008000000000 },
	{ 0x0000012345600,  9, 0x00008000091a2b },
	{ 0x0000012345678,  3, 0x00200002468acf },
	{ 0x0000000000000,  1, 0x00800000000000 },
	{ 0x0000000000002,  1, 0x00800000000001 },
	{ 0x0fffffffffffe,  1, 0x00ffffffffffff },
	{ 0x0000000000000,  0, 0x01000000000000 },
	{ 0x0000000000001,  0, 0x01000000000001 },
	{ 0x000000000003f,  0, 0x0100000000003f },
	{ 0x0000000000040,  0, 0x01000000000040 },
	{ 0x000000007ffff,  0, 0x0100000007ffff },
	{ 0x0000000080000,  0, 0x01000000080000 },
	{ 0x0000012345678,  0, 0x01000012345678 },
	{ 0x0000100000000,  0, 0x01000100000000 },
	{ 0x0200000000000,  0, 0x01200000000000 },
	{ 0x0800000000000,  0, 0x01800000000000 },
	{ 0x0ffffffffffff,  0, 0x01ffffffffffff },
};
#endif

static void test_key_values(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(known_keys); i++) {
		const struct known_key *known = &known_keys[i];

		KUNIT_EXPECT_EQ(test, kho_map_key(known->pfn, known->order), known->key);
		KUNIT_EXPECT_EQ(test, kho_map_key_pfn(known->key), known->pfn);
		KUNIT_EXPECT_EQ(test, kho_map_key_order(known->key), known->order);
	}
}

/*
 * If the address space has nr folios of an order then their keys are
 * nr .. 2 * nr - 1. The keys of the next smaller order begin after them. Within an
 * order keys ascend with the address.
 */
static void test_key_ranges(struct kunit *test)
{
	unsigned int order = order_of(test);
	unsigned long nr = PFN_END >> order;

	KUNIT_EXPECT_EQ(test, kho_map_key(0, order), nr);
	KUNIT_EXPECT_EQ(test, kho_map_key((nr - 1) << order, order), 2 * nr - 1);
	if (order)
		KUNIT_EXPECT_EQ(test, kho_map_key(0, order - 1), 2 * nr);

	for (unsigned long n = 1; n < nr; n *= 2) {
		KUNIT_EXPECT_EQ(test, kho_map_key((n - 1) << order, order), nr + n - 1);
		KUNIT_EXPECT_EQ(test, kho_map_key(n << order, order), nr + n);
	}
}

static void test_key_round_trip(struct kunit *test)
{
	unsigned int order = order_of(test);
	unsigned long last = (PFN_END >> order) - 1;

	for (unsigned long n = 0; n <= last; n = 2 * n + 1) {
		unsigned long pfn = n << order;
		u64 key = kho_map_key(pfn, order);

		KUNIT_EXPECT_EQ(test, kho_map_key_order(key), order);
		KUNIT_EXPECT_EQ(test, kho_map_key_pfn(key), pfn);

		/* Searches rely on all pages of a folio having the same key. */
		KUNIT_EXPECT_EQ(test, kho_map_key(pfn + BIT(order) - 1, order), key);
	}
}

/*
 * Add, delete, test
 */

static void test_empty(struct kunit *test)
{
	unsigned int order = order_of(test);
	unsigned long last = PFN_END - BIT(order);

	KUNIT_EXPECT_FALSE(test, has(0, order));
	KUNIT_EXPECT_FALSE(test, has(last, order));
	KUNIT_EXPECT_FALSE(test, del(0, order));
	KUNIT_EXPECT_FALSE(test, del(last, order));
	KUNIT_EXPECT_EQ(test, find(0), NOTHING);
	KUNIT_EXPECT_EQ(test, find(last), NOTHING);
	KUNIT_EXPECT_EQ(test, next_of(order, 0, PFN_END), KHO_MAP_NONE);
	KUNIT_EXPECT_EQ(test, next(0, PFN_END), NOTHING);

	/* Deleting and searching allocate no nodes. */
	KUNIT_EXPECT_EQ(test, mem.allocs, 1);
}

/* Adding or deleting a folio does not change its neighbour. */
static void check_border(struct kunit *test, unsigned int order, unsigned long n)
{
	unsigned long below = (n - 1) << order;
	unsigned long above = n << order;
	unsigned long end = above + BIT(order);

	KUNIT_ASSERT_EQ(test, add(below, order), 0);
	KUNIT_ASSERT_TRUE(test, has(below, order));
	KUNIT_ASSERT_FALSE(test, has(above, order));
	KUNIT_ASSERT_EQ(test, find(below), FOLIO(below, order));
	KUNIT_ASSERT_EQ(test, find(above), NOTHING);
	KUNIT_ASSERT_EQ(test, next_of(order, below, end), below);
	KUNIT_ASSERT_EQ(test, next_of(order, above, end), KHO_MAP_NONE);

	KUNIT_ASSERT_EQ(test, add(above, order), 0);
	KUNIT_ASSERT_TRUE(test, has(below, order));
	KUNIT_ASSERT_TRUE(test, has(above, order));
	KUNIT_ASSERT_EQ(test, next_of(order, below, end), below);
	KUNIT_ASSERT_EQ(test, next_of(order, above, end), above);

	KUNIT_ASSERT_TRUE(test, del(below, order));
	KUNIT_ASSERT_FALSE(test, has(below, order));
	KUNIT_ASSERT_TRUE(test, has(above, order));
	KUNIT_ASSERT_EQ(test, find(below), NOTHING);
	KUNIT_ASSERT_EQ(test, find(above), FOLIO(above, order));
	KUNIT_ASSERT_EQ(test, next_of(order, below, end), above);
	KUNIT_ASSERT_EQ(test, next_of(order, below, above), KHO_MAP_NONE);

	KUNIT_ASSERT_TRUE(test, del(above, order));
	KUNIT_ASSERT_FALSE(test, has(above, order));
	KUNIT_ASSERT_EQ(test, next_of(order, below, end), KHO_MAP_NONE);
}

/* Words, leaves and tables all end at powers of two, so test the folios around these. */
static void test_borders(struct kunit *test)
{
	unsigned int order = order_of(test);
	unsigned long nr = PFN_END >> order;

	for (unsigned long n = 1; n < nr; n *= 2)
		check_border(test, order, n);
	if (nr > 1)
		check_border(test, order, nr - 1);
}

/* The last key of one order and the first of the next smaller one are neighbours. */
static void test_orders_meet(struct kunit *test)
{
	unsigned int order = order_of(test);
	unsigned long last = PFN_END - BIT(order);

	KUNIT_ASSERT_EQ(test, add(last, order), 0);
	KUNIT_EXPECT_TRUE(test, has(last, order));
	KUNIT_EXPECT_EQ(test, next_of(order, 0, PFN_END), last);
	KUNIT_EXPECT_EQ(test, next_of(order, PFN_END - 1, PFN_END), last);
	KUNIT_EXPECT_EQ(test, next_of(order, 0, last), KHO_MAP_NONE);
	KUNIT_EXPECT_EQ(test, next(0, PFN_END), FOLIO(last, order));
	if (!order)
		return;

	KUNIT_EXPECT_FALSE(test, has(0, order - 1));
	KUNIT_EXPECT_EQ(test, next_of(order - 1, 0, PFN_END), KHO_MAP_NONE);

	KUNIT_ASSERT_EQ(test, add(0, order - 1), 0);
	KUNIT_EXPECT_EQ(test, next_of(order - 1, 0, PFN_END), 0);
	KUNIT_EXPECT_EQ(test, next_of(order, 0, PFN_END), last);

	KUNIT_EXPECT_TRUE(test, del(last, order));
	KUNIT_EXPECT_EQ(test, next_of(order, 0, PFN_END), KHO_MAP_NONE);
	KUNIT_EXPECT_EQ(test, next_of(order - 1, 0, PFN_END), 0);
}

static void test_add_twice(struct kunit *test)
{
	unsigned int order = order_of(test);

	KUNIT_ASSERT_EQ(test, add(0, order), 0);
	KUNIT_EXPECT_EQ(test, nodes_in_use(), KHO_MAP_LEVELS);
	KUNIT_EXPECT_EQ(test, add(0, order), 0);
	KUNIT_EXPECT_EQ(test, nodes_in_use(), KHO_MAP_LEVELS);
	KUNIT_EXPECT_TRUE(test, has(0, order));

	/* The map is a set: a folio that was added twice is gone when it is deleted once. */
	KUNIT_EXPECT_TRUE(test, del(0, order));
	KUNIT_EXPECT_FALSE(test, has(0, order));
	KUNIT_EXPECT_FALSE(test, del(0, order));
	KUNIT_EXPECT_FALSE(test, has(0, order));

	KUNIT_EXPECT_EQ(test, add(0, order), 0);
	KUNIT_EXPECT_TRUE(test, has(0, order));
}

/* Folios of different orders that begin at the same PFN are different folios. */
static void test_orders_differ(struct kunit *test)
{
	unsigned int order = order_of(test), other;

	KUNIT_ASSERT_EQ(test, add(0, order), 0);
	for (other = 0; other <= KHO_MAP_MAX_ORDER; other++) {
		KUNIT_EXPECT_EQ(test, has(0, other), other == order);
		KUNIT_EXPECT_EQ(test, next_of(other, 0, PFN_END),
				other == order ? 0 : KHO_MAP_NONE);
		if (other != order)
			KUNIT_EXPECT_FALSE(test, del(0, other));
	}

	for (other = 0; other <= KHO_MAP_MAX_ORDER; other++)
		KUNIT_ASSERT_EQ(test, add(0, other), 0);
	KUNIT_EXPECT_TRUE(test, del(0, order));
	for (other = 0; other <= KHO_MAP_MAX_ORDER; other++)
		KUNIT_EXPECT_EQ(test, has(0, other), other != order);
}

/*
 * Searches
 */

static void test_find_smallest(struct kunit *test)
{
	int order;

	for (order = KHO_MAP_MAX_ORDER; order >= 0; order--) {
		KUNIT_ASSERT_EQ(test, add(0, order), 0);
		KUNIT_EXPECT_EQ(test, find(0), FOLIO(0, order));
	}
	for (order = 0; order < KHO_MAP_MAX_ORDER; order++) {
		KUNIT_EXPECT_TRUE(test, del(0, order));
		KUNIT_EXPECT_EQ(test, find(0), FOLIO(0, order + 1));
	}
	KUNIT_EXPECT_TRUE(test, del(0, order));
	KUNIT_EXPECT_EQ(test, find(0), NOTHING);
}

static void test_find_no_tail(struct kunit *test)
{
	unsigned int order = order_of(test);
	unsigned long pfn = order < KHO_MAP_MAX_ORDER ? BIT(order) : 0;

	KUNIT_ASSERT_EQ(test, add(pfn, order), 0);
	KUNIT_EXPECT_EQ(test, find(pfn), FOLIO(pfn, order));

	/* No tail page is found, whatever smaller orders its PFN is aligned to. */
	for (unsigned int i = 0; i < order; i++)
		KUNIT_EXPECT_EQ(test, find(pfn + BIT(i)), NOTHING);
	if (pfn) {
		KUNIT_EXPECT_EQ(test, find(pfn + BIT(order)), NOTHING);
		KUNIT_EXPECT_EQ(test, find(0), NOTHING);
		KUNIT_EXPECT_EQ(test, find(pfn - 1), NOTHING);
	}

	/* A folio is found where a larger folio has a tail page, if the map has both. */
	if (order) {
		KUNIT_ASSERT_EQ(test, add(pfn + 1, 0), 0);
		KUNIT_EXPECT_EQ(test, find(pfn + 1), FOLIO(pfn + 1, 0));
		KUNIT_EXPECT_EQ(test, find(pfn), FOLIO(pfn, order));
	}
}

/* Searches ranges around the folio number @n of an order, the only folio in the map. */
static void check_ends(struct kunit *test, unsigned int order, unsigned long n)
{
	unsigned long pfn = n << order;
	unsigned long end = pfn + BIT(order);

	KUNIT_ASSERT_EQ(test, add(pfn, order), 0);

	KUNIT_ASSERT_EQ(test, next_of(order, 0, pfn), KHO_MAP_NONE);
	KUNIT_ASSERT_EQ(test, next_of(order, 0, pfn + 1), pfn);
	KUNIT_ASSERT_EQ(test, next_of(order, pfn, pfn + 1), pfn);
	KUNIT_ASSERT_EQ(test, next_of(order, pfn, end), pfn);
	KUNIT_ASSERT_EQ(test, next_of(order, pfn, PFN_END), pfn);
	KUNIT_ASSERT_EQ(test, next_of(order, end - 1, end), pfn);
	KUNIT_ASSERT_EQ(test, next_of(order, end - 1, PFN_END), pfn);
	KUNIT_ASSERT_EQ(test, next_of(order, end, PFN_END), KHO_MAP_NONE);

	KUNIT_ASSERT_EQ(test, next(0, pfn), NOTHING);
	KUNIT_ASSERT_EQ(test, next(0, pfn + 1), FOLIO(pfn, order));
	KUNIT_ASSERT_EQ(test, next(pfn, pfn + 1), FOLIO(pfn, order));
	KUNIT_ASSERT_EQ(test, next(end - 1, end), FOLIO(pfn, order));
	KUNIT_ASSERT_EQ(test, next(end, PFN_END), NOTHING);

	/* An empty range contains no folio, even if it lies in the middle of one. */
	KUNIT_ASSERT_EQ(test, next_of(order, pfn, pfn), KHO_MAP_NONE);
	KUNIT_ASSERT_EQ(test, next_of(order, end - 1, end - 1), KHO_MAP_NONE);
	KUNIT_ASSERT_EQ(test, next_of(order, end, pfn), KHO_MAP_NONE);
	KUNIT_ASSERT_EQ(test, next(end - 1, end - 1), NOTHING);
	KUNIT_ASSERT_EQ(test, next(end, pfn), NOTHING);

	KUNIT_ASSERT_TRUE(test, del(pfn, order));
}

/* Ranges are half open. A folio that reaches into a range from below is found. */
static void test_range_ends(struct kunit *test)
{
	static const unsigned long numbers[] = {
		0, 1, 62, 63, 64, 65, KHO_MAP_LEAF_BITS - 1, KHO_MAP_LEAF_BITS,
		KHO_MAP_LEAF_BITS * KHO_MAP_TABLE_ENTRIES - 1,
		KHO_MAP_LEAF_BITS * KHO_MAP_TABLE_ENTRIES,
	};
	unsigned int order = order_of(test);
	unsigned long nr = PFN_END >> order;

	for (int i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i] < nr)
			check_ends(test, order, numbers[i]);
	}
	check_ends(test, order, nr - 1);
}

/* Repeated searches, each from the end of the last folio, find all folios in order. */
static void check_sequence(struct kunit *test, const struct kho_map_folio *want,
			   int nr)
{
	unsigned long pfn = 0;

	for (int i = 0; i < nr; i++) {
		KUNIT_ASSERT_EQ(test, next(pfn, PFN_END), FOLIO(want[i].pfn, want[i].order));
		KUNIT_ASSERT_EQ(test, next(pfn, want[i].pfn), NOTHING);
		pfn = want[i].pfn + BIT(want[i].order);
	}
	KUNIT_ASSERT_EQ(test, next(pfn, PFN_END), NOTHING);
}

static void test_next_across_orders(struct kunit *test)
{
	static const struct kho_map_folio folios[] = {
		{ 1, 0 }, { 2, 1 }, { 4, 2 }, { 8, 0 }, { 9, 0 }, { 12, 1 },
		{ 16, 4 }, { 32, 0 }, { 62, 1 }, { 64, 6 }, { 128, 0 },
		{ 512, 9 }, { 1024, 0 }, { 0x8000, 3 }, { 0x40000, 18 },
		{ 0x80000, 0 }, { 0x80400, 10 },
	};

	/* Add them in descending order, so that the sequence of adding does not matter. */
	for (int i = ARRAY_SIZE(folios) - 1; i >= 0; i--)
		KUNIT_ASSERT_EQ(test, add(folios[i].pfn, folios[i].order), 0);
	check_sequence(test, folios, ARRAY_SIZE(folios));

	/* A folio that reaches into the range is found before one that begins in it. */
	KUNIT_EXPECT_EQ(test, next(31, 64), FOLIO(16, 4));
	KUNIT_EXPECT_EQ(test, next(63, 64), FOLIO(62, 1));
	KUNIT_EXPECT_EQ(test, next(1023, 1025), FOLIO(512, 9));
	KUNIT_EXPECT_EQ(test, next(0x7ffff, PFN_END), FOLIO(0x40000, 18));
	KUNIT_EXPECT_EQ(test, next(0x80000, PFN_END), FOLIO(0x80000, 0));
	KUNIT_EXPECT_EQ(test, next(129, 512), NOTHING);
}

static void test_next_overlapping(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, add(512, 9), 0);
	KUNIT_ASSERT_EQ(test, add(512, 3), 0);
	KUNIT_ASSERT_EQ(test, add(520, 3), 0);
	KUNIT_ASSERT_EQ(test, add(520, 0), 0);

	KUNIT_EXPECT_EQ(test, next(0, PFN_END), FOLIO(512, 3));
	KUNIT_EXPECT_EQ(test, next(519, PFN_END), FOLIO(512, 3));
	KUNIT_EXPECT_EQ(test, next(520, 521), FOLIO(512, 9));
	KUNIT_EXPECT_EQ(test, next(521, PFN_END), FOLIO(512, 9));

	KUNIT_ASSERT_TRUE(test, del(512, 9));
	KUNIT_EXPECT_EQ(test, next(520, 521), FOLIO(520, 0));
	KUNIT_EXPECT_EQ(test, next(521, PFN_END), FOLIO(520, 3));
}

/*
 * Terabytes lie between these folios. A search that looked up each leaf between them
 * would take too long.
 */
static void test_sparse(struct kunit *test)
{
	static const struct kho_map_folio folios[] = {
		{ 0, 0 }, { BIT(28), 0 }, { BIT(28) + BIT(18), 18 },
		{ BIT(31) - 1, 0 }, { BIT(33), 9 }, { BIT(40) - 512, 9 },
		{ BIT(42), 10 }, { BIT(45) + BIT(18), 18 }, { BIT(46), 0 },
		{ PFN_END - 1, 0 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(folios); i++)
		KUNIT_ASSERT_EQ(test, add(folios[i].pfn, folios[i].order), 0);
	check_sequence(test, folios, ARRAY_SIZE(folios));
	KUNIT_EXPECT_EQ(test, next_of(0, 1, PFN_END), BIT(28));
	KUNIT_EXPECT_EQ(test, next_of(0, BIT(31), PFN_END), BIT(46));
	KUNIT_EXPECT_EQ(test, next_of(9, 0, PFN_END), BIT(33));
	KUNIT_EXPECT_EQ(test, next_of(10, 0, BIT(42)), KHO_MAP_NONE);
	KUNIT_EXPECT_EQ(test, next_of(18, BIT(29), PFN_END), BIT(45) + BIT(18));
	KUNIT_EXPECT_EQ(test, next_of(17, 0, PFN_END), KHO_MAP_NONE);

	/* Nodes without folios stay in the tree. Searches must continue after them. */
	for (i = 1; i < ARRAY_SIZE(folios) - 1; i++)
		KUNIT_EXPECT_TRUE(test, del(folios[i].pfn, folios[i].order));
	KUNIT_EXPECT_EQ(test, next_of(0, 1, PFN_END), PFN_END - 1);
	KUNIT_EXPECT_EQ(test, next(1, PFN_END), FOLIO(PFN_END - 1, 0));
	KUNIT_EXPECT_EQ(test, next(1, PFN_END - 1), NOTHING);
}

/*
 * Filling bitmaps
 */

/* One word more than the largest range, to check that no bit is set after its end. */
#define PAGES_BITS	(KHO_MAP_LEAF_BITS + 8 * sizeof(long))

static DECLARE_BITMAP(pages, PAGES_BITS);
static DECLARE_BITMAP(want, PAGES_BITS);

static void clear_pages(void)
{
	bitmap_zero(pages, PAGES_BITS);
	bitmap_zero(want, PAGES_BITS);
}

static void want_pages(unsigned long from, unsigned long nr)
{
	while (nr--)
		__set_bit(from++, want);
}

static void expect_pages(struct kunit *test)
{
	KUNIT_ASSERT_TRUE_MSG(test, bitmap_equal(pages, want, PAGES_BITS),
			      "pages %*pbl, not %*pbl",
			      (int)PAGES_BITS, pages, (int)PAGES_BITS, want);
}

static void test_fill_order_0(struct kunit *test)
{
	static const unsigned long offsets[] = { 0, 1, 62, 63, 64, 100, 127 };
	static const unsigned int sizes[] = {
		BITS_PER_LONG, 128, MAX_ORDER_NR_PAGES, KHO_MAP_LEAF_BITS,
	};

	for (int s = 0; s < ARRAY_SIZE(sizes); s++) {
		unsigned int nr = sizes[s];
		unsigned long pfn = 3 * KHO_MAP_LEAF_BITS - nr;

		make_anew(test);
		clear_pages();
		kho_map_fill_order_0(&map, pfn, nr, pages);
		expect_pages(test);

		/* Only folios of order 0 are found, and only those in the range. */
		KUNIT_ASSERT_EQ(test, add(pfn - 1, 0), 0);
		KUNIT_ASSERT_EQ(test, add(pfn + nr, 0), 0);
		KUNIT_ASSERT_EQ(test, add(pfn + 32, 2), 0);
		KUNIT_ASSERT_EQ(test, add(pfn + nr - 1, 0), 0);
		want_pages(nr - 1, 1);
		for (int i = 0; i < ARRAY_SIZE(offsets) && offsets[i] < nr; i++) {
			KUNIT_ASSERT_EQ(test, add(pfn + offsets[i], 0), 0);
			want_pages(offsets[i], 1);
		}

		/* Bits that were set before stay set. */
		__set_bit(5, pages);
		__set_bit(63, pages);
		want_pages(5, 1);
		kho_map_fill_order_0(&map, pfn, nr, pages);
		expect_pages(test);
	}
}

static void test_fill_mixed(struct kunit *test)
{
	static const struct kho_map_folio folios[] = {
		{ 0, 0 }, { 2, 1 }, { 4, 2 }, { 9, 0 }, { 60, 2 }, { 64, 6 },
		{ 191, 0 }, { 192, 0 }, { 200, 3 }, { 256, 8 },
		{ MAX_ORDER_NR_PAGES / 2, 5 }, { MAX_ORDER_NR_PAGES - 2, 1 },
	};
	unsigned long pfn = 32 * MAX_ORDER_NR_PAGES;

	clear_pages();
	kho_map_fill(&map, pfn, MAX_ORDER_NR_PAGES, pages);
	expect_pages(test);

	for (int i = 0; i < ARRAY_SIZE(folios); i++) {
		KUNIT_ASSERT_EQ(test, add(pfn + folios[i].pfn, folios[i].order), 0);
		want_pages(folios[i].pfn, BIT(folios[i].order));
	}

	/* Folios right before and after the block. */
	KUNIT_ASSERT_EQ(test, add(pfn - 1, 0), 0);
	KUNIT_ASSERT_EQ(test, add(pfn - 64, 5), 0);
	KUNIT_ASSERT_EQ(test, add(pfn + MAX_ORDER_NR_PAGES, 0), 0);
	KUNIT_ASSERT_EQ(test, add(pfn + MAX_ORDER_NR_PAGES + 64, 6), 0);

	__set_bit(5, pages);
	__set_bit(8, pages);
	want_pages(8, 1);
	kho_map_fill(&map, pfn, MAX_ORDER_NR_PAGES, pages);
	expect_pages(test);
}

/* Fills the bitmap for the block of @pfn. The map has only the folio [first, end). */
static void check_fill(struct kunit *test, unsigned long pfn,
		       unsigned long first, unsigned long end)
{
	pfn = ALIGN_DOWN(pfn, MAX_ORDER_NR_PAGES);

	clear_pages();
	for (unsigned int i = 0; i < MAX_ORDER_NR_PAGES; i++)
		__assign_bit(i, want, pfn + i >= first && pfn + i < end);
	kho_map_fill(&map, pfn, MAX_ORDER_NR_PAGES, pages);
	expect_pages(test);
}

/* All bits are set in the blocks of a large folio, and none in the blocks around it. */
static void test_fill_order(struct kunit *test)
{
	unsigned int order = order_of(test);
	unsigned long first = order < KHO_MAP_MAX_ORDER ? BIT(order) : 0;
	unsigned long end = first + BIT(order);

	KUNIT_ASSERT_EQ(test, add(first, order), 0);
	check_fill(test, first, first, end);
	check_fill(test, first + BIT(order) / 2, first, end);
	check_fill(test, end - 1, first, end);
	if (first)
		check_fill(test, first - 1, first, end);
	if (end < PFN_END)
		check_fill(test, end, first, end);
}

/*
 * Random operations. They are compared with an array that has the folio of each page
 * in a window of PFNs. The window lies around a border between two tables.
 */

#define SEED		0x6b686f34
#define STEPS		30000
#define GIGANTIC	18
#define BORDER		(KHO_MAP_LEAF_BITS * KHO_MAP_TABLE_ENTRIES)
#define WINDOW_START	(BORDER - KHO_MAP_LEAF_BITS)
#define WINDOW_END	(BORDER + MAX(BIT(GIGANTIC), KHO_MAP_LEAF_BITS))

/**
 * struct plain - the contents that the map should have, as an array
 * @rnd: state of the random numbers
 * @order: for each page of the window 1 + order of its folio, 0 if it has none
 */
struct plain {
	struct rnd_state rnd;
	u8 order[WINDOW_END - WINDOW_START];
};

static u32 random_below(struct plain *plain, u32 ceil)
{
	return prandom_u32_state(&plain->rnd) % ceil;
}

static u8 *page_at(struct plain *plain, unsigned long pfn)
{
	return &plain->order[pfn - WINDOW_START];
}

/* Returns the folio that @pfn is a page of. */
static u64 plain_folio(struct plain *plain, unsigned long pfn)
{
	unsigned int order;

	if (!*page_at(plain, pfn))
		return NOTHING;
	order = *page_at(plain, pfn) - 1;

	return FOLIO(ALIGN_DOWN(pfn, BIT(order)), order);
}

static bool plain_has(struct plain *plain, unsigned long pfn, unsigned int order)
{
	return plain_folio(plain, pfn) == FOLIO(pfn, order);
}

static u64 plain_next(struct plain *plain, unsigned long pfn, unsigned long end)
{
	for (; pfn < min(end, WINDOW_END); pfn++) {
		if (*page_at(plain, pfn))
			return plain_folio(plain, pfn);
	}

	return NOTHING;
}

static unsigned long plain_next_of(struct plain *plain, unsigned int order,
				   unsigned long pfn, unsigned long end)
{
	for (; pfn < min(end, WINDOW_END); pfn++) {
		if (*page_at(plain, pfn) == order + 1)
			return ALIGN_DOWN(pfn, BIT(order));
	}

	return KHO_MAP_NONE;
}

/* Seven of eight PFNs lie near the border, so that folios often overlap. */
static unsigned long random_pfn(struct plain *plain)
{
	if (random_below(plain, 8))
		return BORDER - 4096 + random_below(plain, 8192);

	return WINDOW_START + random_below(plain, WINDOW_END - WINDOW_START);
}

static unsigned int random_order(struct plain *plain)
{
	if (!random_below(plain, 128))
		return GIGANTIC;

	return min(random_below(plain, 12), random_below(plain, 12));
}

/* The range from @pfn to this end can be empty or reach past the window. */
static unsigned long random_end(struct plain *plain, unsigned long pfn)
{
	return pfn + (prandom_u32_state(&plain->rnd) >> (12 + random_below(plain, 20)));
}

static void random_add(struct kunit *test, struct plain *plain)
{
	unsigned int order = random_order(plain);
	unsigned long pfn = ALIGN_DOWN(random_pfn(plain), BIT(order));
	unsigned long end = pfn + BIT(order);
	u64 folio;

	if (pfn < WINDOW_START || end > WINDOW_END)
		return;

	while ((folio = plain_next(plain, pfn, end)) != NOTHING) {
		unsigned long start = folio >> 8;

		KUNIT_ASSERT_TRUE(test, del(start, folio & 0xff));
		memset(page_at(plain, start), 0, BIT(folio & 0xff));
	}
	KUNIT_ASSERT_EQ(test, add(pfn, order), 0);
	memset(page_at(plain, pfn), order + 1, BIT(order));
}

static void random_del(struct kunit *test, struct plain *plain)
{
	unsigned long pfn = random_pfn(plain);
	unsigned int order = random_order(plain);
	bool there;

	/* In half of the cases choose an order with which the map has a folio at @pfn. */
	if (*page_at(plain, pfn) && random_below(plain, 2))
		order = *page_at(plain, pfn) - 1;
	pfn = ALIGN_DOWN(pfn, BIT(order));
	if (pfn < WINDOW_START)
		return;

	there = plain_has(plain, pfn, order);
	KUNIT_ASSERT_EQ(test, del(pfn, order), there);
	if (there)
		memset(page_at(plain, pfn), 0, BIT(order));
}

static void random_query(struct kunit *test, struct plain *plain)
{
	unsigned long pfn = random_pfn(plain);
	unsigned long end = random_end(plain, pfn);
	unsigned int order = random_order(plain);
	u64 folio = plain_folio(plain, pfn);
	unsigned long head;

	KUNIT_ASSERT_EQ(test, find(pfn), folio >> 8 == pfn ? folio : NOTHING);
	KUNIT_ASSERT_EQ(test, next(pfn, end), plain_next(plain, pfn, end));
	KUNIT_ASSERT_EQ(test, next_of(order, pfn, end),
			plain_next_of(plain, order, pfn, end));

	head = ALIGN_DOWN(pfn, BIT(order));
	if (head >= WINDOW_START)
		KUNIT_ASSERT_EQ(test, has(head, order), plain_has(plain, head, order));
}

static void random_fill(struct kunit *test, struct plain *plain)
{
	static const unsigned int sizes[] = {
		BITS_PER_LONG, 256, MAX_ORDER_NR_PAGES, KHO_MAP_LEAF_BITS,
	};
	unsigned int nr = sizes[random_below(plain, ARRAY_SIZE(sizes))];
	unsigned long pfn = ALIGN_DOWN(random_pfn(plain), nr);
	unsigned int i;

	clear_pages();
	kho_map_fill_order_0(&map, pfn, nr, pages);
	for (i = 0; i < nr; i++)
		__assign_bit(i, want, *page_at(plain, pfn + i) == 1);
	expect_pages(test);

	clear_pages();
	kho_map_fill(&map, pfn, nr, pages);
	for (i = 0; i < nr; i++)
		__assign_bit(i, want, *page_at(plain, pfn + i));
	expect_pages(test);
}

/*
 * On a busy host the long tests run long enough for a stall warning of RCU. The first
 * call lets the thread of RCU run, the second reports a quiescent state to it.
 */
static void let_others_run(void)
{
	cond_resched();
	cond_resched();
}

static void test_random(struct kunit *test)
{
	struct plain *plain;
	unsigned long pfn;
	u64 folio;

	plain = kunit_kzalloc(test, sizeof(*plain), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	kunit_info(test, "%u steps from seed 0x%x\n", STEPS, SEED);
	prandom_seed_state(&plain->rnd, SEED);

	for (int step = 0; step < STEPS; step++) {
		random_add(test, plain);
		random_del(test, plain);
		random_query(test, plain);
		if (step % 16 == 0)
			random_fill(test, plain);
		/* On a busy host this loop runs long enough for a stall warning of RCU. */
		cond_resched();
	}

	for (pfn = 0; pfn < PFN_END; pfn = (folio >> 8) + BIT(folio & 0xff)) {
		folio = plain_next(plain, max(pfn, WINDOW_START), WINDOW_END);
		KUNIT_ASSERT_EQ(test, next(pfn, PFN_END), folio);
		if (folio == NOTHING)
			break;
		KUNIT_ASSERT_TRUE(test, del(folio >> 8, folio & 0xff));
	}
	KUNIT_EXPECT_EQ(test, next(0, PFN_END), NOTHING);
}

/*
 * Runs of pages: the parts that they split into; all parts are added, or none
 */

#define RUN_MAX_ORDER	18

static void add_run(struct kunit *test, unsigned long pfn, unsigned long end)
{
	KUNIT_ASSERT_EQ(test, kho_map_reserve_run(&map, pfn, end, RUN_MAX_ORDER), 0);
	KUNIT_ASSERT_EQ(test, next(0, PFN_END), NOTHING);
	kho_map_add_run(&map, pfn, end, RUN_MAX_ORDER);
}

static void del_run(struct kunit *test, unsigned long pfn, unsigned long end)
{
	kho_map_del_run(&map, pfn, end, RUN_MAX_ORDER);
	KUNIT_ASSERT_EQ(test, next(0, PFN_END), NOTHING);
}

/* Linux 7.3 splits a run into the same parts. The expected parts were found by hand. */
static void test_run_blocks(struct kunit *test)
{
	static const struct kho_map_folio one[] = { { 7, 0 } };
	static const struct kho_map_folio odd[] = {
		{ 1, 0 }, { 2, 1 }, { 4, 2 }, { 8, 3 }, { 16, 1 }, { 18, 0 },
	};
	static const struct kho_map_folio whole[] = { { 1024, 10 } };
	static const struct kho_map_folio largest[] = {
		{ 0, 18 }, { 0x40000, 18 }, { 0x80000, 18 }, { 0xc0000, 0 },
	};
	static const struct kho_map_folio leaves[] = {
		{ 0x7fff, 0 }, { 0x8000, 15 }, { 0x10000, 0 },
	};

	add_run(test, 7, 8);
	check_sequence(test, one, ARRAY_SIZE(one));
	del_run(test, 7, 8);

	add_run(test, 1, 19);
	check_sequence(test, odd, ARRAY_SIZE(odd));
	del_run(test, 1, 19);

	add_run(test, 1024, 2048);
	check_sequence(test, whole, ARRAY_SIZE(whole));
	del_run(test, 1024, 2048);

	add_run(test, 0, 0xc0001);
	check_sequence(test, largest, ARRAY_SIZE(largest));
	del_run(test, 0, 0xc0001);

	add_run(test, 0x7fff, 0x10001);
	check_sequence(test, leaves, ARRAY_SIZE(leaves));
	del_run(test, 0x7fff, 0x10001);
}

/* Parts follow each other without a gap, and no part could have been larger. */
static void check_run(struct kunit *test, unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		struct kho_map_folio block = {};
		unsigned long twice;

		KUNIT_ASSERT_TRUE(test, kho_map_next(&map, pfn, PFN_END, &block));
		KUNIT_ASSERT_EQ(test, block.pfn, pfn);
		KUNIT_ASSERT_TRUE(test, IS_ALIGNED(pfn, BIT(block.order)));
		KUNIT_ASSERT_LE(test, block.order, RUN_MAX_ORDER);
		KUNIT_ASSERT_LE(test, pfn + BIT(block.order), end);

		twice = 2 * BIT(block.order);
		KUNIT_ASSERT_TRUE(test, block.order == RUN_MAX_ORDER ||
				  !IS_ALIGNED(pfn, twice) || pfn + twice > end);
		pfn += BIT(block.order);
	}
	KUNIT_ASSERT_EQ(test, next(end, PFN_END), NOTHING);
}

static void test_run_random(struct kunit *test)
{
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 612);
	for (int i = 0; i < 200; i++) {
		unsigned long pfn = prandom_u32_state(&rnd) >> prandom_u32_state(&rnd) % 32;
		unsigned long nr = 1 + (prandom_u32_state(&rnd) >> (12 + i % 20));

		add_run(test, pfn, pfn + nr);
		check_run(test, pfn, pfn + nr);
		del_run(test, pfn, pfn + nr);
		let_others_run();
	}
}

/* A run that needs leaves of several orders, and two leaves of order 0. */
static void test_run_no_memory(struct kunit *test)
{
	const unsigned long pfn = KHO_MAP_LEAF_BITS - 1, end = pfn + 8;
	unsigned int nodes, nth;

	add_run(test, pfn, end);
	nodes = nodes_in_use();

	for (nth = 1; nth < nodes; nth++) {
		make_anew(test);
		mem.fail_in = nth;
		KUNIT_ASSERT_EQ(test, kho_map_reserve_run(&map, pfn, end, RUN_MAX_ORDER),
				-ENOMEM);
		KUNIT_EXPECT_EQ(test, next(0, PFN_END), NOTHING);
		KUNIT_EXPECT_EQ(test, map.orders, 0UL);

		add_run(test, pfn, end);
		check_run(test, pfn, end);
		KUNIT_EXPECT_EQ(test, nodes_in_use(), nodes);
	}
}

/*
 * Nodes: allocations that fail, two callers that allocate the same node, freeing
 */

/*
 * The map has folio 0; adding another folio allocates @missing nodes. Lets each of
 * these allocations fail in turn.
 */
static void check_no_memory(struct kunit *test, unsigned long pfn,
			    unsigned int order, unsigned int missing)
{
	for (unsigned int nth = 1; nth <= missing; nth++) {
		unsigned long orders;

		make_anew(test);
		KUNIT_ASSERT_EQ(test, add(0, 0), 0);
		orders = map.orders;

		mem.fail_in = nth;
		KUNIT_ASSERT_EQ(test, add(pfn, order), -ENOMEM);
		KUNIT_ASSERT_EQ(test, mem.fail_in, 0);

		KUNIT_EXPECT_FALSE(test, has(pfn, order));
		KUNIT_EXPECT_FALSE(test, del(pfn, order));
		KUNIT_EXPECT_EQ(test, find(pfn), pfn ? NOTHING : FOLIO(0, 0));
		KUNIT_EXPECT_EQ(test, next_of(order, 1, PFN_END), KHO_MAP_NONE);
		KUNIT_EXPECT_EQ(test, next(0, PFN_END), FOLIO(0, 0));
		KUNIT_EXPECT_EQ(test, next(1, PFN_END), NOTHING);
		KUNIT_EXPECT_EQ(test, map.orders, orders);

		/* Adding the folio again succeeds and allocates the nodes that are missing. */
		KUNIT_ASSERT_EQ(test, add(pfn, order), 0);
		KUNIT_EXPECT_TRUE(test, has(pfn, order));
		KUNIT_EXPECT_TRUE(test, has(0, 0));
		KUNIT_EXPECT_EQ(test, nodes_in_use(), KHO_MAP_LEVELS + missing);
	}

	/* Adding the folio allocates no more than @missing nodes. */
	make_anew(test);
	KUNIT_ASSERT_EQ(test, add(0, 0), 0);
	mem.fail_in = missing + 1;
	KUNIT_EXPECT_EQ(test, add(pfn, order), 0);
	KUNIT_EXPECT_EQ(test, mem.fail_in, 1);
	KUNIT_EXPECT_EQ(test, nodes_in_use(), KHO_MAP_LEVELS + missing);
}

static void test_no_memory(struct kunit *test)
{
	unsigned long pfn = KHO_MAP_LEAF_BITS;

	check_no_memory(test, pfn - 1, 0, 0);
	/* With 16 KiB pages the root has only one entry for order 0: PFN_END ends the loop. */
	for (unsigned int missing = 1; missing <= TOP_LEVEL && pfn < PFN_END; missing++) {
		check_no_memory(test, pfn, 0, missing);
		pfn *= KHO_MAP_TABLE_ENTRIES;
	}
	check_no_memory(test, 512, 9, TOP_LEVEL);
	check_no_memory(test, 0, KHO_MAP_MAX_ORDER, TOP_LEVEL);
}

static void test_no_root(struct kunit *test)
{
	drop_map(test);

	mem.fail_in = 1;
	KUNIT_EXPECT_EQ(test, kho_map_init(&map, &test_ops), -ENOMEM);
	drop_map(test);

	KUNIT_ASSERT_EQ(test, kho_map_init(&map, &test_ops), 0);
	KUNIT_EXPECT_EQ(test, add(0, 0), 0);
}

/*
 * While add() allocates its nth node, another caller adds @pfn and allocates all
 * missing nodes down to the leaf.
 */
static void check_race(struct kunit *test, unsigned int nth, unsigned long pfn,
		       unsigned int nodes)
{
	make_anew(test);
	mem.race_in = nth;
	mem.race_pfn = pfn;
	KUNIT_ASSERT_EQ(test, add(0, 0), 0);
	KUNIT_ASSERT_EQ(test, mem.race_in, 0);
	KUNIT_ASSERT_EQ(test, mem.race_err, 0);

	KUNIT_EXPECT_TRUE(test, has(0, 0));
	KUNIT_EXPECT_TRUE(test, has(pfn, 0));
	KUNIT_EXPECT_EQ(test, next(0, PFN_END), FOLIO(0, 0));
	KUNIT_EXPECT_EQ(test, next(1, PFN_END), FOLIO(pfn, 0));

	/* Only the node that lost the race was freed. */
	KUNIT_EXPECT_EQ(test, nodes_in_use(), nodes);
	KUNIT_EXPECT_EQ(test, mem.frees, 1);
}

static void test_lost_race(struct kunit *test)
{
	for (unsigned int nth = 1; nth <= TOP_LEVEL; nth++)
		check_race(test, nth, 1, KHO_MAP_LEVELS);

	/* If the folio of the other caller has another leaf, only tables are shared. */
	for (unsigned int nth = 1; nth < TOP_LEVEL; nth++)
		check_race(test, nth, KHO_MAP_LEAF_BITS, KHO_MAP_LEVELS + 1);
}

static void test_destroy(struct kunit *test)
{
	unsigned int order;

	for (order = 0; order <= KHO_MAP_MAX_ORDER; order++) {
		KUNIT_ASSERT_EQ(test, add(0, order), 0);
		KUNIT_ASSERT_EQ(test, add(PFN_END - BIT(order), order), 0);
	}

	/* Fill a table, so that its first and its last entry are freed as well. */
	for (unsigned long i = 0; i < KHO_MAP_TABLE_ENTRIES; i++)
		KUNIT_ASSERT_EQ(test, add(i * KHO_MAP_LEAF_BITS, 0), 0);
	KUNIT_EXPECT_GT(test, nodes_in_use(), KHO_MAP_TABLE_ENTRIES);
	KUNIT_EXPECT_EQ(test, mem.frees, 0);

	/* Deleting folios frees no nodes, since other threads may be reading them. */
	for (order = 0; order <= KHO_MAP_MAX_ORDER; order++)
		KUNIT_EXPECT_TRUE(test, del(0, order));
	KUNIT_EXPECT_EQ(test, mem.frees, 0);

	drop_map(test);
	KUNIT_EXPECT_NULL(test, map.root);
	drop_map(test);
}

/*
 * Short cuts: they lead to the same leaf as a search from the root, also for the last
 * folio of an order that they cover. The next folio, if there is one, has none.
 */
static void test_short_cuts(struct kunit *test)
{
	const unsigned int order = order_of(test);
	const unsigned long nr = PFN_END >> order;
	const unsigned long far = BIT(KHO_MAP_NEAR_SHIFT);
	const unsigned long last = min(nr, far) - 1;
	struct kho_map raw = { .root = map.root };
	unsigned long *leaf;

	/* Adding a folio that is above those that a short cut covers creates none. */
	if (far < nr) {
		KUNIT_ASSERT_EQ(test, add(far << order, order), 0);
		KUNIT_EXPECT_NULL(test, map.near[order]);
		KUNIT_EXPECT_FALSE(test, has(0, order));
		KUNIT_EXPECT_TRUE(test, has(far << order, order));
	}

	KUNIT_ASSERT_EQ(test, add(last << order, order), 0);
	KUNIT_EXPECT_NOT_NULL(test, map.near[order]);
	KUNIT_EXPECT_TRUE(test, kho_map_near_leaf(&map, last << order, order, &leaf));
	KUNIT_EXPECT_PTR_EQ(test, leaf, kho_map_far_leaf(&map, last << order, order));
	if (far < nr)
		KUNIT_EXPECT_FALSE(test, kho_map_near_leaf(&map, far << order, order, &leaf));

	/* The next kernel has the same tree, but finds the short cuts itself. */
	KUNIT_EXPECT_FALSE(test, kho_map_near_leaf(&raw, last << order, order, &leaf));
	KUNIT_EXPECT_TRUE(test, kho_map_test(&raw, last << order, order));
	raw.orders = map.orders;
	kho_map_note_near(&raw);
	KUNIT_EXPECT_PTR_EQ(test, raw.near[order], map.near[order]);
	KUNIT_EXPECT_TRUE(test, kho_map_test(&raw, last << order, order));

	/* A map without a root and without short cuts has no folio. */
	raw = (struct kho_map){};
	KUNIT_EXPECT_FALSE(test, kho_map_test(&raw, last << order, order));

	drop_map(test);
	KUNIT_EXPECT_NULL(test, map.near[order]);
}

/*
 * Walks
 */

/**
 * struct walk - the state of a walk that watch() checks
 * @test: the test
 * @nr: number of nodes visited so far
 * @nr_leaves: number of leaves among them
 * @stop_at: number of the visit that returns @err, from 1 on; 0 for none
 * @err: what this visit returns
 * @node: physical addresses of the nodes visited
 * @above: by level, physical address of the node visited last
 * @above_key: by level, first key of the node visited last
 */
struct walk {
	struct kunit *test;
	unsigned int nr;
	unsigned int nr_leaves;
	unsigned int stop_at;
	int err;
	phys_addr_t node[128];
	phys_addr_t above[KHO_MAP_LEVELS];
	u64 above_key[KHO_MAP_LEVELS];
};

/* Returns the number of keys that a node covers. */
static u64 span(unsigned int level)
{
	return level ? span(level - 1) * KHO_MAP_TABLE_ENTRIES : KHO_MAP_LEAF_BITS;
}

static int watch(phys_addr_t node, unsigned int level, u64 first_key, void *arg)
{
	struct walk *walk = arg;
	struct kunit *test = walk->test;

	KUNIT_ASSERT_LE(test, level, TOP_LEVEL);
	KUNIT_ASSERT_LT(test, walk->nr, ARRAY_SIZE(walk->node));
	for (unsigned int i = 0; i < walk->nr; i++)
		KUNIT_EXPECT_NE(test, walk->node[i], node);

	if (level == TOP_LEVEL) {
		KUNIT_EXPECT_EQ(test, walk->nr, 0);
		KUNIT_EXPECT_EQ(test, node, virt_to_phys(map.root));
		KUNIT_EXPECT_EQ(test, first_key, 0);
	} else {
		u64 offset = first_key - walk->above_key[level + 1];
		union kho_map_node *parent;

		KUNIT_ASSERT_NE(test, walk->above[level + 1], 0);
		KUNIT_ASSERT_EQ(test, offset % span(level), 0);
		KUNIT_ASSERT_LT(test, offset / span(level), KHO_MAP_TABLE_ENTRIES);
		parent = phys_to_virt(walk->above[level + 1]);
		KUNIT_EXPECT_EQ(test, parent->entry[offset / span(level)], node);
	}

	walk->node[walk->nr++] = node;
	walk->nr_leaves += !level;
	walk->above[level] = node;
	walk->above_key[level] = first_key;

	return walk->nr == walk->stop_at ? walk->err : 0;
}

static struct walk *new_walk(struct kunit *test)
{
	struct walk *walk = kunit_kzalloc(test, sizeof(*walk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, walk);
	walk->test = test;

	return walk;
}

static void add_scattered(struct kunit *test)
{
	static const struct kho_map_folio folios[] = {
		{ 0, 0 }, { 1, 0 }, { KHO_MAP_LEAF_BITS - 1, 0 },
		{ KHO_MAP_LEAF_BITS, 0 }, { BIT(30), 0 }, { PFN_END - 1, 0 },
		{ 0, 9 }, { 512, 9 }, { BIT(40), 9 }, { BIT(40), 18 },
		{ 0, KHO_MAP_MAX_ORDER },
	};

	for (int i = 0; i < ARRAY_SIZE(folios); i++)
		KUNIT_ASSERT_EQ(test, add(folios[i].pfn, folios[i].order), 0);
}

static void test_walk(struct kunit *test)
{
	struct walk *walk = new_walk(test);

	KUNIT_EXPECT_EQ(test, kho_map_walk(&map, watch, walk), 0);
	KUNIT_EXPECT_EQ(test, walk->nr, 1);

	add_scattered(test);
	walk = new_walk(test);
	KUNIT_EXPECT_EQ(test, kho_map_walk(&map, watch, walk), 0);
	KUNIT_EXPECT_EQ(test, walk->nr, nodes_in_use());

	/* Three folios share the first leaf, and two the first one of order 9. */
	KUNIT_EXPECT_EQ(test, walk->nr_leaves, 8);
}

static void test_walk_stops(struct kunit *test)
{
	add_scattered(test);

	for (unsigned int i = 1; i <= nodes_in_use(); i++) {
		struct walk *walk = new_walk(test);

		walk->stop_at = i;
		walk->err = i % 2 ? -EINTR : 1;
		KUNIT_EXPECT_EQ(test, kho_map_walk(&map, watch, walk), walk->err);
		KUNIT_EXPECT_EQ(test, walk->nr, i);
	}
}

/* The address of a node in memory that does not exist: a walk must not read it. */
#define BAD_NODE	BIT_ULL(45)

static int refuse_bad(phys_addr_t node, unsigned int level, u64 first_key, void *arg)
{
	unsigned int *nr = arg;

	++*nr;

	return node == BAD_NODE ? -EFAULT : 0;
}

static void test_walk_bad_node(struct kunit *test)
{
	u64 *entry = &map.root->entry[KHO_MAP_TABLE_ENTRIES - 1];
	unsigned int nr = 0;
	int err;

	KUNIT_ASSERT_EQ(test, add(0, 0), 0);
	*entry = BAD_NODE;
	err = kho_map_walk(&map, refuse_bad, &nr);
	*entry = 0;

	KUNIT_EXPECT_EQ(test, err, -EFAULT);
	KUNIT_EXPECT_EQ(test, nr, KHO_MAP_LEVELS + 1);
}

/*
 * Layout
 */

struct raw_map {
	unsigned int nr_nodes;
	unsigned int nr_keys;
	u64 key[ARRAY_SIZE(known_keys)];
};

/*
 * Reads the tree as another kernel would, with numbers only. @index has the bits of
 * the key above those that this node covers. Keys for which raw->key has no room are
 * only counted.
 */
static void read_raw(struct raw_map *raw, u64 addr, int level, u64 index)
{
	const u64 *page = phys_to_virt(addr);

	raw->nr_nodes++;
	if (level) {
		for (int i = 0; i < 1 << RAW_TABLE_BITS; i++) {
			if (page[i])
				read_raw(raw, page[i], level - 1, index << RAW_TABLE_BITS | i);
		}
		return;
	}

	for (int i = 0; i < 1 << RAW_LEAF_BITS; i++) {
		if (!(page[i / 64] >> (i % 64) & 1))
			continue;
		if (raw->nr_keys < ARRAY_SIZE(raw->key))
			raw->key[raw->nr_keys] = index << RAW_LEAF_BITS | i;
		raw->nr_keys++;
	}
}

static void test_layout(struct kunit *test)
{
	struct raw_map *raw;
	int i;

	for (i = 0; i < ARRAY_SIZE(known_keys); i++)
		KUNIT_ASSERT_EQ(test, add(known_keys[i].pfn, known_keys[i].order), 0);

	raw = kunit_kzalloc(test, sizeof(*raw), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, raw);
	read_raw(raw, virt_to_phys(map.root), RAW_LEVELS - 1, 0);
	KUNIT_EXPECT_EQ(test, raw->nr_nodes, nodes_in_use());
	KUNIT_ASSERT_EQ(test, raw->nr_keys, ARRAY_SIZE(known_keys));
	for (i = 0; i < ARRAY_SIZE(known_keys); i++)
		KUNIT_EXPECT_EQ(test, raw->key[i], known_keys[i].key);

	/* Delete every second folio, to check that the right bits are cleared. */
	for (i = 0; i < ARRAY_SIZE(known_keys); i += 2)
		KUNIT_EXPECT_TRUE(test, del(known_keys[i].pfn, known_keys[i].order));
	memset(raw, 0, sizeof(*raw));
	read_raw(raw, virt_to_phys(map.root), RAW_LEVELS - 1, 0);
	KUNIT_ASSERT_EQ(test, raw->nr_keys, ARRAY_SIZE(known_keys) / 2);
	for (i = 1; i < ARRAY_SIZE(known_keys); i += 2)
		KUNIT_EXPECT_EQ(test, raw->key[i / 2], known_keys[i].key);
}

static struct kunit_case kho_map_cases[] = {
	KUNIT_CASE(test_key_values),
	KUNIT_CASE_PARAM(test_key_ranges, each_order),
	KUNIT_CASE_PARAM(test_key_round_trip, each_order),
	KUNIT_CASE_PARAM(test_empty, each_order),
	KUNIT_CASE_PARAM(test_borders, each_order),
	KUNIT_CASE_PARAM(test_orders_meet, each_order),
	KUNIT_CASE_PARAM(test_add_twice, each_order),
	KUNIT_CASE_PARAM(test_orders_differ, each_order),
	KUNIT_CASE(test_find_smallest),
	KUNIT_CASE_PARAM(test_find_no_tail, each_order),
	KUNIT_CASE_PARAM(test_range_ends, each_order),
	KUNIT_CASE(test_next_across_orders),
	KUNIT_CASE(test_next_overlapping),
	KUNIT_CASE(test_sparse),
	KUNIT_CASE(test_fill_order_0),
	KUNIT_CASE(test_fill_mixed),
	KUNIT_CASE_PARAM(test_fill_order, each_order),
	KUNIT_CASE(test_random),
	KUNIT_CASE(test_run_blocks),
	KUNIT_CASE(test_run_random),
	KUNIT_CASE(test_run_no_memory),
	KUNIT_CASE(test_no_memory),
	KUNIT_CASE(test_no_root),
	KUNIT_CASE(test_lost_race),
	KUNIT_CASE(test_destroy),
	KUNIT_CASE_PARAM(test_short_cuts, each_order),
	KUNIT_CASE(test_walk),
	KUNIT_CASE(test_walk_stops),
	KUNIT_CASE(test_walk_bad_node),
	KUNIT_CASE(test_layout),
	{}
};

static struct kunit_suite kho_map_suite = {
	.name = "kho_map",
	.init = make_map,
	.exit = drop_map,
	.test_cases = kho_map_cases,
};

kunit_test_suite(kho_map_suite);
