// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the log for the next kernel, see log.c.
 *
 * They check that a log that was written is accepted, that a text which does not fit is
 * cut where a line ends, and that a log in which any byte differs is not accepted.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/kho/abi/log.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "log.h"

#define SIZE	1024

static const char line[] = "<6>[    1.000000] a line of forty bytes..\n";
#define LINE	(sizeof(line) - 1)

static u8 text[SIZE * 2];

static struct kho_log *make_log(struct kunit *test)
{
	struct kho_log *log = kunit_kzalloc(test, SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, log);
	kho_log_begin(log);

	return log;
}

static bool add(struct kho_log *log, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text[i] = line[i % LINE];

	return kho_log_add(log, SIZE, 7, "6.12.0", text, len);
}

static void log_roundtrip(struct kunit *test)
{
	struct kho_log *log = make_log(test);
	struct kho_log_record *record = (void *)log->records;

	kho_log_end(log);
	KUNIT_EXPECT_NULL(test, kho_log_defect(log, SIZE));
	KUNIT_EXPECT_EQ(test, log->used, 0);

	KUNIT_EXPECT_TRUE(test, add(log, LINE));
	KUNIT_EXPECT_TRUE(test, add(log, 2 * LINE));
	kho_log_end(log);
	KUNIT_EXPECT_NULL(test, kho_log_defect(log, SIZE));
	KUNIT_EXPECT_EQ(test, record->len, LINE);
	KUNIT_EXPECT_EQ(test, record->kexecs, 7);
	KUNIT_EXPECT_STREQ(test, record->release, "6.12.0");
	KUNIT_EXPECT_MEMEQ(test, record->text, line, LINE);
	/* The size of the bytes in use is large enough. */
	KUNIT_EXPECT_NULL(test, kho_log_defect(log, sizeof(*log) + log->used));
	KUNIT_EXPECT_NOT_NULL(test, kho_log_defect(log, sizeof(*log) + log->used - 1));
}

static void log_cut(struct kunit *test)
{
	for (size_t len = LINE; len < SIZE * 2; len += LINE) {
		struct kho_log *log = make_log(test);
		struct kho_log_record *record = (void *)log->records;
		const size_t room = SIZE - sizeof(*log) - sizeof(*record);

		KUNIT_ASSERT_TRUE(test, add(log, len));
		kho_log_end(log);
		KUNIT_EXPECT_NULL(test, kho_log_defect(log, SIZE));
		KUNIT_EXPECT_EQ(test, record->len, min(len, room / LINE * LINE));
		KUNIT_EXPECT_MEMEQ(test, record->text, line, LINE);
		kunit_kfree(test, log);
	}
}

static void log_full(struct kunit *test)
{
	struct kho_log *log = make_log(test);
	u64 used;

	KUNIT_ASSERT_TRUE(test, add(log, SIZE - sizeof(*log) - sizeof(struct kho_log_record)));
	used = log->used;
	KUNIT_EXPECT_FALSE(test, add(log, LINE));
	KUNIT_EXPECT_EQ(test, log->used, used);
	/* An empty text has no room, either. */
	for (int i = 0; i < 100; i++)
		KUNIT_EXPECT_FALSE(test, kho_log_add(log, SIZE, 1, "x", text, 0));
	KUNIT_EXPECT_EQ(test, log->used, used);
	kho_log_end(log);
	KUNIT_EXPECT_NULL(test, kho_log_defect(log, SIZE));
}

/* A text without the end of a line cannot be cut. */
static void log_no_line(struct kunit *test)
{
	struct kho_log *log = make_log(test);

	memset(text, 'x', sizeof(text));
	KUNIT_EXPECT_FALSE(test, kho_log_add(log, SIZE, 1, "x", text, sizeof(text)));
	KUNIT_EXPECT_EQ(test, log->used, 0);
}

static void log_damaged(struct kunit *test)
{
	struct kho_log *log = make_log(test);
	u8 *bytes = (u8 *)log;

	add(log, 3 * LINE);
	add(log, LINE);
	kho_log_end(log);
	for (size_t i = 0; i < sizeof(*log) + log->used; i++) {
		/* The bytes after the NUL of the version do not matter. */
		if (i > strlen(KHO_LOG_COMPATIBLE) && i < sizeof(log->compatible))
			continue;
		for (u8 bit = 1; bit; bit <<= 1) {
			bytes[i] ^= bit;
			KUNIT_EXPECT_NOT_NULL_MSG(test, kho_log_defect(log, SIZE),
						  "byte %zu ^ %u", i, bit);
			bytes[i] ^= bit;
		}
	}
	KUNIT_EXPECT_NULL(test, kho_log_defect(log, SIZE));
}

/* Records that do not fit, although the checksum matches. */
static void log_hostile(struct kunit *test)
{
	static const u64 lens[] = { 0, 1, LINE + 8, SIZE, U64_MAX, U64_MAX - 8, U64_MAX - 87 };

	for (int i = 0; i < ARRAY_SIZE(lens); i++) {
		struct kho_log *log = make_log(test);
		struct kho_log_record *record = (void *)log->records;

		add(log, LINE);
		record->len = lens[i];
		kho_log_end(log);
		KUNIT_EXPECT_NOT_NULL_MSG(test, kho_log_defect(log, SIZE), "%llx", lens[i]);

		record->len = LINE;
		memset(record->release, 'x', sizeof(record->release));
		kho_log_end(log);
		KUNIT_EXPECT_NOT_NULL(test, kho_log_defect(log, SIZE));
	}
	for (size_t size = 0; size < sizeof(struct kho_log); size++)
		KUNIT_EXPECT_NOT_NULL(test, kho_log_defect(make_log(test), size));
}

static struct kunit_case log_cases[] = {
	KUNIT_CASE(log_roundtrip),
	KUNIT_CASE(log_cut),
	KUNIT_CASE(log_full),
	KUNIT_CASE(log_no_line),
	KUNIT_CASE(log_damaged),
	KUNIT_CASE(log_hostile),
	{}
};

static struct kunit_suite log_suite = {
	.name = "kho_log",
	.test_cases = log_cases,
};

kunit_test_suite(log_suite);
