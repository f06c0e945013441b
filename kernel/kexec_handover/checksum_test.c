// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the checksum of a handover, see checksum.c.
 *
 * They check that each change in the root FDT or in a node of the map is detected,
 * and that a handover without a checksum is accepted.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/libfdt.h>
#include <linux/unaligned.h>

#include <linux/kho/abi/kexec_handover.h>

#include "checksum.h"
#include "fdt.h"
#include "map.h"

static union kho_map_node *alloc_node(void)
{
	return (void *)get_zeroed_page(GFP_KERNEL);
}

static void free_node(union kho_map_node *node)
{
	free_page((unsigned long)node);
}

static const struct kho_map_ops test_ops = {
	.alloc = alloc_node,
	.free = free_node,
};

/* A PFN whose folio of order 0 is in another leaf than those of the first pages. */
#define FAR_PFN		(BIT(KHO_MAP_LEAF_SHIFT) + 0x2345)

/* A handover of three folios and a blob, with its checksum. */
static struct kho_map map;
static u8 *fdt;

static int make_handover(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_KEXEC_HANDOVER_CHECKSUM))
		kunit_skip(test, "there is no CONFIG_KEXEC_HANDOVER_CHECKSUM");

	memset(&map, 0, sizeof(map));
	fdt = kunit_kzalloc(test, KHO_FDT_SIZE, GFP_KERNEL);
	if (!fdt || kho_map_init(&map, &test_ops) || kho_map_add(&map, 5, 0) ||
	    kho_map_add(&map, FAR_PFN, 0) || kho_map_add(&map, 0x400, 9) ||
	    kho_fdt_create(fdt, virt_to_phys(map.root)) || kho_checksum_prepare(fdt) ||
	    kho_fdt_add(fdt, "blob", 0x5000, 100))
		return -ENOMEM;
	if (!fdt_getprop(fdt, 0, KHO_FDT_PROP_CHECKSUM, NULL))
		kunit_skip(test, "kho_checksum=off");
	kho_checksum_set(fdt, &map);

	return 0;
}

static void drop_handover(struct kunit *test)
{
	if (map.root)
		kho_map_destroy(&map);
}

static void test_matches(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, kho_fdt_defect(fdt));
	KUNIT_EXPECT_TRUE(test, kho_checksum_matches(fdt, &map));
	kho_checksum_set(fdt, &map);
	KUNIT_EXPECT_TRUE(test, kho_checksum_matches(fdt, &map));
}

/*
 * Changes one byte after the other of the root FDT: all of the first 512, and each
 * 61st after them. Only changes with which libfdt still finds the property count.
 */
static void test_fdt_changes(struct kunit *test)
{
	for (size_t i = sizeof(struct fdt_header); i < KHO_FDT_SIZE; i += i < 512 ? 1 : 61) {
		fdt[i] ^= 0x10;
		if (!kho_fdt_defect(fdt) && fdt_getprop(fdt, 0, KHO_FDT_PROP_CHECKSUM, NULL))
			KUNIT_EXPECT_FALSE_MSG(test, kho_checksum_matches(fdt, &map),
					       "byte %zu", i);
		fdt[i] ^= 0x10;
	}
	KUNIT_EXPECT_TRUE(test, kho_checksum_matches(fdt, &map));
}

static void test_map_changes(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, kho_map_add(&map, 6, 0), 0);
	KUNIT_EXPECT_FALSE(test, kho_checksum_matches(fdt, &map));
	KUNIT_ASSERT_TRUE(test, kho_map_del(&map, 6, 0));
	KUNIT_EXPECT_TRUE(test, kho_checksum_matches(fdt, &map));

	KUNIT_ASSERT_TRUE(test, kho_map_del(&map, FAR_PFN, 0));
	KUNIT_EXPECT_FALSE(test, kho_checksum_matches(fdt, &map));
	KUNIT_ASSERT_EQ(test, kho_map_add(&map, FAR_PFN, 0), 0);
	KUNIT_EXPECT_TRUE(test, kho_checksum_matches(fdt, &map));

	/* This leaves a new leaf without a bit set. */
	KUNIT_ASSERT_EQ(test, kho_map_add(&map, 0, 3), 0);
	KUNIT_ASSERT_TRUE(test, kho_map_del(&map, 0, 3));
	KUNIT_EXPECT_FALSE(test, kho_checksum_matches(fdt, &map));
}

/* Two leaves swap their content, while the entries that point to them stay. */
static void test_nodes_change_places(struct kunit *test)
{
	unsigned long *first = kho_map_leaf(&map, 5, 0);
	unsigned long *second = kho_map_leaf(&map, FAR_PFN, 0);
	union kho_map_node *copy = kunit_kmalloc(test, sizeof(*copy), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, copy);
	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_ASSERT_PTR_NE(test, first, second);
	memcpy(copy, first, sizeof(*copy));
	memcpy(first, second, sizeof(*copy));
	memcpy(second, copy, sizeof(*copy));
	KUNIT_EXPECT_FALSE(test, kho_checksum_matches(fdt, &map));
}

static void test_length(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, fdt_setprop_u32(fdt, 0, KHO_FDT_PROP_CHECKSUM, 0), 0);
	KUNIT_EXPECT_FALSE(test, kho_checksum_matches(fdt, &map));
	KUNIT_ASSERT_EQ(test, fdt_setprop_empty(fdt, 0, KHO_FDT_PROP_CHECKSUM), 0);
	KUNIT_EXPECT_FALSE(test, kho_checksum_matches(fdt, &map));
}

static void test_is_optional(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, fdt_delprop(fdt, 0, KHO_FDT_PROP_CHECKSUM), 0);
	KUNIT_EXPECT_TRUE(test, kho_checksum_matches(fdt, &map));
	kho_checksum_set(fdt, &map);
	KUNIT_EXPECT_NULL(test, fdt_getprop(fdt, 0, KHO_FDT_PROP_CHECKSUM, NULL));
	KUNIT_EXPECT_TRUE(test, kho_checksum_matches(fdt, &map));
}

static struct kunit_case kho_checksum_cases[] = {
	KUNIT_CASE(test_matches),
	KUNIT_CASE(test_fdt_changes),
	KUNIT_CASE(test_map_changes),
	KUNIT_CASE(test_nodes_change_places),
	KUNIT_CASE(test_length),
	KUNIT_CASE(test_is_optional),
	{}
};

static struct kunit_suite kho_checksum_suite = {
	.name = "kho_checksum",
	.init = make_handover,
	.exit = drop_handover,
	.test_cases = kho_checksum_cases,
};

kunit_test_suite(kho_checksum_suite);
