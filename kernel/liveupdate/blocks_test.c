// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of block lists, see blocks.c.
 *
 * They write lists of lengths around the size of a block, and check each byte that the
 * next kernel would read. They need kho=on, since blocks are preserved. Only another kernel
 * can hand over a valid list, so the test of luo_blocks_read() has invalid lists only.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/kho/abi/block.h>

#include "../kexec_handover/outgoing.h"
#include "blocks.h"

/* The size does not divide the room for entries in a block, so some bytes are left over. */
#define ENTRY_SIZE	80
#define PER_BLOCK	((PAGE_SIZE - sizeof(struct kho_block_header)) / ENTRY_SIZE)

static struct luo_blocks blocks;

static int begin(struct kunit *test)
{
	if (!kho_is_enabled())
		kunit_skip(test, "KHO is off");
	luo_blocks_init(&blocks, ENTRY_SIZE);

	return 0;
}

static void resize(struct kunit *test, unsigned long nr)
{
	while (blocks.nr < nr)
		KUNIT_ASSERT_EQ(test, luo_blocks_add(&blocks), 0);
	while (blocks.nr > nr)
		luo_blocks_del(&blocks);
}

static void free_all(struct kunit *test)
{
	while (blocks.nr)
		luo_blocks_del(&blocks);
}

static bool is_preserved(phys_addr_t phys)
{
	return !kho_map_order_at(&kho_out.map, PHYS_PFN(phys));
}

/* Expects exactly the blocks that @nr entries need, and that they are preserved. */
static void expect_blocks(struct kunit *test, unsigned long nr)
{
	const struct kho_block_header *block;
	unsigned long nr_blocks = 0;

	KUNIT_EXPECT_EQ(test, blocks.nr, nr);
	for (phys_addr_t phys = luo_blocks_addr(&blocks); phys; phys = block->next) {
		KUNIT_ASSERT_TRUE(test, PAGE_ALIGNED(phys));
		KUNIT_EXPECT_TRUE(test, is_preserved(phys));
		block = phys_to_virt(phys);
		KUNIT_ASSERT_LE(test, ++nr_blocks, DIV_ROUND_UP(nr, PER_BLOCK));
	}
	KUNIT_EXPECT_EQ(test, nr_blocks, DIV_ROUND_UP(nr, PER_BLOCK));
}

/* Writes the entries 1 to @nr, each of which is filled with its number. */
static void write_entries(struct kunit *test, unsigned long nr)
{
	u8 *entry;

	luo_blocks_begin(&blocks);
	for (unsigned long i = 1; i <= nr; i++) {
		entry = luo_blocks_next(&blocks);
		KUNIT_ASSERT_NOT_NULL(test, entry);
		KUNIT_EXPECT_NULL(test, memchr_inv(entry, 0, ENTRY_SIZE));
		memset(entry, i, ENTRY_SIZE);
	}
	KUNIT_EXPECT_NULL(test, luo_blocks_next(&blocks));
	KUNIT_EXPECT_NULL(test, luo_blocks_next(&blocks));
}

/* Expects the entries of @block to start with @number + 1, and zeroes after the last one. */
static void expect_entries(struct kunit *test, const struct kho_block_header *block,
			   unsigned long number)
{
	const u8 *entry = (const u8 *)(block + 1), *end = (const u8 *)block + PAGE_SIZE;

	KUNIT_EXPECT_NE(test, block->count, 0);
	KUNIT_ASSERT_LE(test, block->count, PER_BLOCK);
	for (u64 i = 0; i < block->count; i++, entry += ENTRY_SIZE)
		KUNIT_EXPECT_NULL(test, memchr_inv(entry, ++number, ENTRY_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(entry, 0, end - entry));
}

static void expect_written(struct kunit *test, unsigned long nr)
{
	const struct kho_block_header *block;
	unsigned long number = 0;

	for (phys_addr_t phys = luo_blocks_addr(&blocks); phys; phys = block->next) {
		block = phys_to_virt(phys);
		/* Only the first block can have room left. */
		if (number)
			KUNIT_EXPECT_EQ(test, block->count, PER_BLOCK);
		expect_entries(test, block, number);
		number += block->count;
	}
	KUNIT_EXPECT_EQ(test, number, nr);
}

static const unsigned long lengths[] = {
	0, 1, 2, PER_BLOCK - 1, PER_BLOCK, PER_BLOCK + 1, 2 * PER_BLOCK - 1, 2 * PER_BLOCK,
	2 * PER_BLOCK + 1, 5 * PER_BLOCK, 5 * PER_BLOCK + 7,
};

/* Resizes the list from each length to each other one: the earlier length has no effect. */
static void test_lengths(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (int j = 0; j < ARRAY_SIZE(lengths); j++) {
			resize(test, lengths[i]);
			expect_blocks(test, lengths[i]);
			write_entries(test, lengths[i]);
			resize(test, lengths[j]);
			expect_blocks(test, lengths[j]);
			write_entries(test, lengths[j]);
			expect_written(test, lengths[j]);
		}
	}
}

/* A kexec that was given up half-way is tried again. */
static void test_begin_twice(struct kunit *test)
{
	const unsigned long nr = 2 * PER_BLOCK + 3;

	resize(test, nr);
	write_entries(test, nr);
	write_entries(test, nr);
	expect_written(test, nr);

	luo_blocks_begin(&blocks);
	for (int i = 0; i < 5; i++)
		KUNIT_EXPECT_NOT_NULL(test, luo_blocks_next(&blocks));
	write_entries(test, nr);
	expect_written(test, nr);
}

/* At the border of a block each step allocates one or frees one, and leaks none. */
static void test_back_and_forth(struct kunit *test)
{
	phys_addr_t front;

	for (int i = 0; i < 50; i++) {
		resize(test, 3 * PER_BLOCK + 1);
		front = luo_blocks_addr(&blocks);
		KUNIT_EXPECT_TRUE(test, is_preserved(front));
		resize(test, 3 * PER_BLOCK);
		expect_blocks(test, 3 * PER_BLOCK);
		KUNIT_EXPECT_FALSE(test, is_preserved(front));
	}
}

static void test_empty(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, luo_blocks_addr(&blocks), 0);
	resize(test, PER_BLOCK + 1);
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, luo_blocks_addr(&blocks), 0);
	KUNIT_EXPECT_EQ(test, blocks.nr_blocks, 0);
	luo_blocks_begin(&blocks);
	KUNIT_EXPECT_NULL(test, luo_blocks_next(&blocks));
}

/* An entry can be as large as all that a block has for entries. */
static void test_large_entry(struct kunit *test)
{
	luo_blocks_init(&blocks, PAGE_SIZE - sizeof(struct kho_block_header));
	KUNIT_EXPECT_EQ(test, blocks.per_block, 1);
	for (int i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, luo_blocks_add(&blocks), 0);
	KUNIT_EXPECT_EQ(test, blocks.nr_blocks, 3);
	luo_blocks_begin(&blocks);
	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_NOT_NULL(test, luo_blocks_next(&blocks));
	KUNIT_EXPECT_NULL(test, luo_blocks_next(&blocks));
}

static int count_entry(const void *entry, void *arg)
{
	++*(int *)arg;

	return 0;
}

/* None of these is the address of a folio that waits. */
static void test_read_refuses(struct kunit *test)
{
	const phys_addr_t wrong[] = {
		1, PAGE_SIZE + 8, PAGE_SIZE, PFN_PHYS(max_pfn), PFN_PHYS(max_pfn) + PAGE_SIZE,
		BIT_ULL(52), ~0ULL, PAGE_MASK,
	};
	int entries = 0;

	KUNIT_EXPECT_EQ(test, luo_blocks_read(0, ENTRY_SIZE, count_entry, &entries), 0);
	for (int i = 0; i < ARRAY_SIZE(wrong); i++) {
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    luo_blocks_read(wrong[i], ENTRY_SIZE, count_entry, &entries),
				    "%#llx", (u64)wrong[i]);
		luo_blocks_free(wrong[i]);
	}

	/* The list is preserved by this kernel, and was not handed over by the previous one. */
	resize(test, 1);
	write_entries(test, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, luo_blocks_read(luo_blocks_addr(&blocks), ENTRY_SIZE,
						       count_entry, &entries));
	luo_blocks_free(luo_blocks_addr(&blocks));
	expect_written(test, 1);
	KUNIT_EXPECT_EQ(test, entries, 0);
}

static struct kunit_case luo_blocks_cases[] = {
	KUNIT_CASE(test_lengths),
	KUNIT_CASE(test_begin_twice),
	KUNIT_CASE(test_back_and_forth),
	KUNIT_CASE(test_empty),
	KUNIT_CASE(test_large_entry),
	KUNIT_CASE(test_read_refuses),
	{}
};

static struct kunit_suite luo_blocks_suite = {
	.name = "luo_blocks",
	.init = begin,
	.exit = free_all,
	.test_cases = luo_blocks_cases,
};

kunit_test_suite(luo_blocks_suite);
