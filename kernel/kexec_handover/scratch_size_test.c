// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of scratch_size.c: how kho_scratch= is parsed, and which sizes are
 * computed from the percentages.
 *
 * The functions under test are in init memory, so these tests run at boot only.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/init.h>
#include <linux/limits.h>
#include <linux/sizes.h>

#include "scratch_size.h"

static void __init test_parse_percent(struct kunit *test)
{
	static const struct {
		const char *arg;
		unsigned int percent;
	} good[] = {
		{ "1%", 1 }, { "99%", 99 }, { "100%", 100 }, { "200%", 200 },
		{ "1000%", 1000 }, { "007%", 7 }, { "9999999%", 9999999 },
	};

	for (int i = 0; i < ARRAY_SIZE(good); i++) {
		struct kho_scratch_request req;

		KUNIT_EXPECT_TRUE_MSG(test, kho_scratch_size_parse(good[i].arg, &req),
				      "%s", good[i].arg);
		KUNIT_EXPECT_EQ(test, req.percent, good[i].percent);
		KUNIT_EXPECT_EQ(test, req.image_percent, good[i].percent);
		KUNIT_EXPECT_EQ(test, req.low | req.global | req.node, 0);
	}
}

static void __init test_parse_sizes(struct kunit *test)
{
	static const struct {
		const char *arg;
		u64 low;
		u64 global;
		u64 node;
	} good[] = {
		{ "64M,128M,256M", SZ_64M, SZ_128M, SZ_256M },
		{ "64m,1g,512k", SZ_64M, SZ_1G, SZ_512K },
		{ "1,2,3", 1, 2, 3 },
		{ "0x1000,010,1T", SZ_4K, 8, SZ_1T },
		{ "16E,1,1", 0, 0, 0 },		/* malformed: 16 EiB do not fit into 64 bits */
		{ "8E,8E,8E", 1ULL << 63, 1ULL << 63, 1ULL << 63 },
	};

	for (int i = 0; i < ARRAY_SIZE(good); i++) {
		struct kho_scratch_request req;

		KUNIT_EXPECT_EQ_MSG(test, kho_scratch_size_parse(good[i].arg, &req),
				    good[i].low != 0, "%s", good[i].arg);
		if (!good[i].low)
			continue;
		KUNIT_EXPECT_EQ(test, req.percent, 0);
		KUNIT_EXPECT_EQ(test, req.low, good[i].low);
		KUNIT_EXPECT_EQ(test, req.global, good[i].global);
		KUNIT_EXPECT_EQ(test, req.node, good[i].node);
	}
}

static void __init test_parse_malformed(struct kunit *test)
{
	static const char * const bad[] = {
		"", "%", "0%", "-5%", "5", "5 %", "5%%", "%5", "1.5%", "0x10%",
		"12345678%", "99999999999999999999%", "200%,1M,1M",
		"64M", "64M,128M", "64M,128M,", "64M,128M,64M,", "64M,128M,64M,1M",
		",,", "64M,,64M", ",1M,1M", "64M,128M,64Mx", "64M,128M,64 M",
		"-1,1M,1M", "1M,-1,1M", "0,1M,1M", "1M,0,1M", "1M,1M,0", "0,0,0",
		"64Q,1M,1M", "M,M,M", "banana", "64M;128M;64M", " 64M,128M,64M",
		"50%,50%,50%", "0xffffffffffffffff,1M,1M", "1M,1M,0xffffffffffffffff",
	};

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kho_scratch_request req;

		KUNIT_EXPECT_FALSE_MSG(test, kho_scratch_size_parse(bad[i], &req), "'%s'", bad[i]);
	}
}

/* All sizes are in MiB here, so that the test cases are readable. */
static void __init expect_sizes(struct kunit *test, struct kho_scratch_use use,
				unsigned int percent, u64 low, u64 global)
{
	const struct kho_scratch_request req = { .percent = percent, .image_percent = percent };
	u64 got_low, got_global;

	use.image_below <<= 20;
	use.image_above <<= 20;
	use.below <<= 20;
	kho_scratch_size_compute(&use, &req, &got_low, &got_global);
	KUNIT_EXPECT_EQ(test, got_low, low << 20);
	KUNIT_EXPECT_EQ(test, got_global, global << 20);
}

static void __init test_sizes(struct kunit *test)
{
	struct kho_scratch_use use = { .image_below = 40, .below = 50 };

	expect_sizes(test, use, 200, 20, 80);
	expect_sizes(test, use, 100, 10, 40);
	expect_sizes(test, use, 50, 5, 20);
	expect_sizes(test, use, 150, 15, 60);
}

/* The kernel image counts for the global region, with its own percentage. */
static void __init test_sizes_image_percent(struct kunit *test)
{
	const struct kho_scratch_use use = { .image_below = 40, .below = 60 };
	const struct kho_scratch_request req = { .percent = 125, .image_percent = 200 };
	u64 low, global;

	kho_scratch_size_compute(&use, &req, &low, &global);
	KUNIT_EXPECT_EQ(test, low, 25);
	KUNIT_EXPECT_EQ(test, global, 80);
}

/* A kernel image that lies above low memory, with all of its bytes or with a part. */
static void __init test_sizes_image_above(struct kunit *test)
{
	struct kho_scratch_use all = { .image_above = 40, .below = 10 };
	struct kho_scratch_use part = { .image_above = 30, .image_below = 10, .below = 20 };

	expect_sizes(test, all, 200, 20, 80);
	expect_sizes(test, part, 200, 20, 80);
}

static void __init test_sizes_large(struct kunit *test)
{
	/* SZ_16M MiB are 16 TiB. */
	struct kho_scratch_use use = { .image_below = 40, .below = SZ_16M };

	expect_sizes(test, use, 1000, 10 * (SZ_16M - 40ULL), 400);
}

/* Not init data: debugfs reads the array after boot, when init memory is freed. */
static struct kunit_case __refdata kho_scratch_cases[] = {
	KUNIT_CASE(test_parse_percent),
	KUNIT_CASE(test_parse_sizes),
	KUNIT_CASE(test_parse_malformed),
	KUNIT_CASE(test_sizes),
	KUNIT_CASE(test_sizes_image_percent),
	KUNIT_CASE(test_sizes_image_above),
	KUNIT_CASE(test_sizes_large),
	{}
};

static struct kunit_suite kho_scratch_suite = {
	.name = "kho_scratch",
	.test_cases = kho_scratch_cases,
};

kunit_test_init_section_suites(&kho_scratch_suite);
