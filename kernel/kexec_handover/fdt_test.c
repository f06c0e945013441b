// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the root FDT, see fdt.c.
 *
 * They check that each blob that was added is found, that an error leaves the root
 * FDT as it was, and that damaged root FDTs are refused or read without a fault.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/libfdt.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/sprintf.h>
#include <linux/string.h>

#include <linux/kho/abi/kexec_handover.h>

#include "fdt.h"

#define MAP		0x123456789000ULL
#define NAME_MAX_LEN	31

/* The FDT under test: without blobs when a test begins. */
static void *fdt;

static int make_fdt(struct kunit *test)
{
	fdt = kunit_kzalloc(test, KHO_FDT_SIZE, GFP_KERNEL);

	return fdt ? kho_fdt_create(fdt, MAP) : -ENOMEM;
}

static void *copy_of_fdt(struct kunit *test)
{
	void *copy = kunit_kzalloc(test, KHO_FDT_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, fdt, KHO_FDT_SIZE);

	return copy;
}

/* The value of variables that the function under test must not write. */
#define UNTOUCHED	0xdead

static void expect_blob(struct kunit *test, const char *name, u64 phys, u64 size)
{
	phys_addr_t found = UNTOUCHED;
	size_t bytes = UNTOUCHED;

	KUNIT_EXPECT_EQ_MSG(test, kho_fdt_get(fdt, name, &found, &bytes), 0, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, found, phys, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, bytes, size, "%s", name);
}

static void expect_no_blob(struct kunit *test, const char *name, int err)
{
	phys_addr_t found = UNTOUCHED;
	size_t bytes = UNTOUCHED;

	KUNIT_EXPECT_EQ_MSG(test, kho_fdt_get(fdt, name, &found, &bytes), err, "%s", name);
	KUNIT_EXPECT_EQ(test, found, UNTOUCHED);
	KUNIT_EXPECT_EQ(test, bytes, UNTOUCHED);
}

static void test_create(struct kunit *test)
{
	u64 map = 0;

	KUNIT_EXPECT_EQ(test, fdt_totalsize(fdt), KHO_FDT_SIZE);
	KUNIT_EXPECT_NULL(test, kho_fdt_defect(fdt));
	KUNIT_EXPECT_EQ(test, kho_fdt_u64(fdt, 0, "preserved-memory-map", &map), 0);
	KUNIT_EXPECT_EQ(test, map, MAP);
	expect_no_blob(test, "", -ENOENT);
	expect_no_blob(test, "blob", -ENOENT);
}

/* Values have the byte order of the machine, and properties the names of the format. */
static void test_layout(struct kunit *test)
{
	u64 phys = 0x1122334455667788, size = 0x99;
	const void *raw;
	int node, len;

	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "blob", phys, size), 0);
	node = fdt_path_offset(fdt, "/blob");
	KUNIT_ASSERT_GT(test, node, 0);
	raw = fdt_getprop(fdt, node, "preserved-data", &len);
	KUNIT_ASSERT_EQ(test, len, 8);
	KUNIT_EXPECT_MEMEQ(test, raw, &phys, 8);
	raw = fdt_getprop(fdt, node, "blob-size", &len);
	KUNIT_ASSERT_EQ(test, len, 8);
	KUNIT_EXPECT_MEMEQ(test, raw, &size, 8);
	KUNIT_EXPECT_EQ(test, fdt_node_check_compatible(fdt, 0, "kho-v4"), 0);
}

/* Names of different lengths place the properties after them at different alignments. */
static void test_alignment(struct kunit *test)
{
	char name[NAME_MAX_LEN + 1] = "";
	unsigned int odd = 0;

	for (int len = 1; len <= NAME_MAX_LEN; len++) {
		const void *raw;
		int node;

		memset(name, 'a' + len % 26, len);
		KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, name, MAP + len, len), 0);
		expect_blob(test, name, MAP + len, len);

		node = fdt_subnode_offset(fdt, 0, name);
		raw = fdt_getprop(fdt, node, "preserved-data", NULL);
		odd += (unsigned long)raw % 8 != 0;
	}
	KUNIT_EXPECT_GT(test, odd, 0);
}

static void test_values(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "zero", 0, 0), 0);
	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "odd", 4097, 73), 0);
	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "max", U64_MAX, U64_MAX), 0);
	expect_blob(test, "zero", 0, 0);
	expect_blob(test, "odd", 4097, 73);
	expect_blob(test, "max", U64_MAX, U64_MAX);
}

static void test_size_is_optional(struct kunit *test)
{
	phys_addr_t phys;

	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "blob", 4096, 1), 0);
	KUNIT_EXPECT_EQ(test, kho_fdt_get(fdt, "blob", &phys, NULL), 0);
	KUNIT_EXPECT_EQ(test, phys, 4096);
}

static void test_names(struct kunit *test)
{
	void *before;

	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "blob", 4096, 1), 0);
	before = copy_of_fdt(test);
	KUNIT_EXPECT_EQ(test, kho_fdt_add(fdt, "blob", 8192, 2), -EEXIST);
	KUNIT_EXPECT_EQ(test, kho_fdt_add(fdt, "", 8192, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, kho_fdt_add(fdt, "/", 8192, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, kho_fdt_add(fdt, "blob/x", 8192, 2), -EINVAL);
	KUNIT_EXPECT_MEMEQ(test, fdt, before, KHO_FDT_SIZE);
	expect_blob(test, "blob", 4096, 1);

	/* Only the complete name finds a blob. */
	expect_no_blob(test, "blo", -ENOENT);
	expect_no_blob(test, "blobs", -ENOENT);
	expect_no_blob(test, "/blob", -ENOENT);
	KUNIT_EXPECT_EQ(test, kho_fdt_add(fdt, "blobs", 8192, 2), 0);
	KUNIT_EXPECT_EQ(test, kho_fdt_add(fdt, "other@1", 12288, 3), 0);
	expect_blob(test, "blob", 4096, 1);
	expect_blob(test, "blobs", 8192, 2);
	expect_blob(test, "other@1", 12288, 3);
	expect_no_blob(test, "other", -ENOENT);
}

static void test_del(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, kho_fdt_del(fdt, 4096));
	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "a", 4096, 1), 0);
	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "b", 8192, 2), 0);
	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "c", 12288, 3), 0);

	KUNIT_EXPECT_FALSE(test, kho_fdt_del(fdt, 4097));
	KUNIT_EXPECT_TRUE(test, kho_fdt_del(fdt, 8192));
	KUNIT_EXPECT_FALSE(test, kho_fdt_del(fdt, 8192));
	expect_blob(test, "a", 4096, 1);
	expect_no_blob(test, "b", -ENOENT);
	expect_blob(test, "c", 12288, 3);
	KUNIT_EXPECT_NULL(test, kho_fdt_defect(fdt));

	KUNIT_EXPECT_EQ(test, kho_fdt_add(fdt, "b", 16384, 4), 0);
	expect_blob(test, "b", 16384, 4);
}

/* Adds blobs until there is no room; returns how many. */
static unsigned int fill(struct kunit *test, unsigned int from)
{
	void *before;
	char name[16];
	int err;

	for (;; from++) {
		before = copy_of_fdt(test);
		snprintf(name, sizeof(name), "blob-%u", from);
		err = kho_fdt_add(fdt, name, (u64)from << 12, from);
		if (err)
			break;
		KUNIT_ASSERT_LT(test, from, KHO_FDT_SIZE / 16);
		kunit_kfree(test, before);
	}
	KUNIT_EXPECT_EQ(test, err, -ENOSPC);
	KUNIT_EXPECT_MEMEQ(test, fdt, before, KHO_FDT_SIZE);
	expect_no_blob(test, name, -ENOENT);

	return from;
}

static void expect_blobs(struct kunit *test, unsigned int from, unsigned int to)
{
	char name[16];

	for (; from < to; from++) {
		snprintf(name, sizeof(name), "blob-%u", from);
		expect_blob(test, name, (u64)from << 12, from);
	}
}

static void test_full(struct kunit *test)
{
	unsigned int nr;
	void *filler;

	/*
	 * Leave 4 KiB free with any page size: fill() takes time that grows with the
	 * square of the number of blobs.
	 */
	KUNIT_ASSERT_EQ(test, 0, fdt_setprop_placeholder(fdt, 0, "filler",
							 KHO_FDT_SIZE - SZ_4K, &filler));
	nr = fill(test, 1);

	/* 4 KiB have room for more than 50 blobs with names of this length. */
	KUNIT_EXPECT_GT(test, nr, 50);
	expect_blobs(test, 1, nr);
	KUNIT_EXPECT_NULL(test, kho_fdt_defect(fdt));
	KUNIT_EXPECT_LE(test, fdt_totalsize(fdt), KHO_FDT_SIZE);

	/* After one blob is deleted there is room for one blob of the same size. */
	KUNIT_EXPECT_TRUE(test, kho_fdt_del(fdt, 7 << 12));
	expect_blobs(test, 1, 7);
	expect_blobs(test, 8, nr);
	KUNIT_EXPECT_EQ(test, kho_fdt_add(fdt, "blob-7", 7 << 12, 7), 0);
	expect_blobs(test, 1, nr);
	KUNIT_EXPECT_EQ(test, kho_fdt_add(fdt, "blob-x", 1, 1), -ENOSPC);

	/* After all blobs are deleted there is room for as many again. */
	for (unsigned int i = 1; i < nr; i++)
		KUNIT_EXPECT_TRUE(test, kho_fdt_del(fdt, (u64)i << 12));
	KUNIT_EXPECT_EQ(test, fill(test, 1), nr);
}

/*
 * Incoming root FDTs
 */

static void expect_defect(struct kunit *test, const char *defect)
{
	KUNIT_EXPECT_STREQ(test, kho_fdt_defect(fdt) ?: "none", defect);
	KUNIT_ASSERT_EQ(test, kho_fdt_create(fdt, MAP), 0);
	KUNIT_EXPECT_NULL(test, kho_fdt_defect(fdt));
}

static void test_defects(struct kunit *test)
{
	memset(fdt, 0, KHO_FDT_SIZE);
	expect_defect(test, "is damaged");
	memset(fdt, 0xff, KHO_FDT_SIZE);
	expect_defect(test, "is damaged");
	fdt_set_magic(fdt, FDT_MAGIC + 1);
	expect_defect(test, "is damaged");
	fdt_set_totalsize(fdt, KHO_FDT_SIZE + 4);
	expect_defect(test, "is damaged");
	fdt_set_totalsize(fdt, sizeof(struct fdt_header) - 1);
	expect_defect(test, "is damaged");
	fdt_set_off_dt_struct(fdt, KHO_FDT_SIZE);
	expect_defect(test, "is damaged");
	fdt_set_size_dt_struct(fdt, U32_MAX);
	expect_defect(test, "is damaged");
	fdt_set_off_dt_strings(fdt, KHO_FDT_SIZE + 1);
	expect_defect(test, "is damaged");
	fdt_set_version(fdt, 1);
	expect_defect(test, "is damaged");
	fdt_set_last_comp_version(fdt, FDT_LAST_SUPPORTED_VERSION + 1);
	expect_defect(test, "is damaged");
	fdt_set_version(fdt, FDT_LAST_COMPATIBLE_VERSION - 1);
	fdt_set_last_comp_version(fdt, FDT_LAST_COMPATIBLE_VERSION - 1);
	expect_defect(test, "is damaged");

	fdt_delprop(fdt, 0, "compatible");
	expect_defect(test, "is not of version kho-v4");
	fdt_setprop_string(fdt, 0, "compatible", "kho-v3");
	expect_defect(test, "is not of version kho-v4");
	fdt_setprop_string(fdt, 0, "compatible", "kho-v40");
	expect_defect(test, "is not of version kho-v4");
	fdt_set_size_dt_struct(fdt, 4);
	expect_defect(test, "is not of version kho-v4");

	fdt_delprop(fdt, 0, "preserved-memory-map");
	expect_defect(test, "names no preserved map");
	fdt_setprop_u32(fdt, 0, "preserved-memory-map", 1);
	expect_defect(test, "names no preserved map");
	fdt_setprop(fdt, 0, "preserved-memory-map", fdt, 9);
	expect_defect(test, "names no preserved map");
}

static void test_bad_blobs(struct kunit *test)
{
	int node;

	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "good", 4096, 1), 0);
	node = fdt_add_subnode(fdt, 0, "empty");
	KUNIT_ASSERT_GT(test, node, 0);
	expect_no_blob(test, "empty", -EINVAL);

	fdt_setprop_u32(fdt, fdt_path_offset(fdt, "/empty"), "preserved-data", 8192);
	expect_no_blob(test, "empty", -EINVAL);
	KUNIT_EXPECT_FALSE(test, kho_fdt_del(fdt, 8192));
	fdt_setprop(fdt, fdt_path_offset(fdt, "/empty"), "preserved-data", &(u64){ 8192 }, 8);
	expect_no_blob(test, "empty", -EINVAL);
	fdt_setprop_u32(fdt, fdt_path_offset(fdt, "/empty"), "blob-size", 1);
	expect_no_blob(test, "empty", -EINVAL);
	expect_blob(test, "good", 4096, 1);
}

/*
 * Overwrites some bytes of a valid root FDT. kho_fdt_get() may find the blob or
 * return one of its two errors, but must not read outside of the page.
 */
static void test_garbage(struct kunit *test)
{
	u8 *bytes = fdt, *good;
	struct rnd_state rnd;
	unsigned int used;

	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "blob", 4096, 1), 0);
	KUNIT_ASSERT_EQ(test, kho_fdt_add(fdt, "last", 8192, 1), 0);
	used = fdt_off_dt_strings(fdt) + fdt_size_dt_strings(fdt);
	good = copy_of_fdt(test);
	prandom_seed_state(&rnd, 2026);

	for (int i = 0; i < 20000; i++) {
		phys_addr_t phys;
		size_t size;
		int err;

		memcpy(fdt, good, KHO_FDT_SIZE);
		for (u32 nr = 1 + prandom_u32_state(&rnd) % 4; nr; nr--)
			bytes[prandom_u32_state(&rnd) % used] = prandom_u32_state(&rnd);
		if (kho_fdt_defect(fdt))
			continue;

		err = kho_fdt_get(fdt, "last", &phys, &size);
		KUNIT_EXPECT_TRUE(test, !err || err == -ENOENT || err == -EINVAL);
		kho_fdt_get(fdt, "blob", &phys, &size);
	}
}

static struct kunit_case kho_fdt_cases[] = {
	KUNIT_CASE(test_create),
	KUNIT_CASE(test_layout),
	KUNIT_CASE(test_alignment),
	KUNIT_CASE(test_values),
	KUNIT_CASE(test_size_is_optional),
	KUNIT_CASE(test_names),
	KUNIT_CASE(test_del),
	KUNIT_CASE(test_full),
	KUNIT_CASE(test_defects),
	KUNIT_CASE(test_bad_blobs),
	KUNIT_CASE(test_garbage),
	{}
};

static struct kunit_suite kho_fdt_suite = {
	.name = "kho_fdt",
	.init = make_fdt,
	.test_cases = kho_fdt_cases,
};

kunit_test_suite(kho_fdt_suite);
