// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of arrival.c: does the command line of a kexec image switch KHO and live
 * update on?
 *
 * The expected results are what the parsers of kho= and liveupdate= do with the same words
 * when the next kernel boots.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/gfp.h>

#include "arrival.h"

struct arrival_case {
	const char *cmdline;
	enum kho_word word;
};

static void check_cases(struct kunit *test, const char *name, const struct arrival_case *cases,
			size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		char *cmdline = kunit_kstrdup(test, cases[i].cmdline, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, cmdline);
		KUNIT_EXPECT_EQ_MSG(test, kho_arrival_word(cmdline, name), cases[i].word,
				    "%s in \"%s\"", name, cases[i].cmdline);
	}
}

static void test_values(struct kunit *test)
{
	static const struct arrival_case cases[] = {
		{ "kho=on", KHO_WORD_ON },
		{ "kho=1", KHO_WORD_ON },
		{ "kho=y", KHO_WORD_ON },
		{ "kho=strict", KHO_WORD_ON },
		{ "kho=\"on\"", KHO_WORD_ON },
		{ "kho=off", KHO_WORD_OFF },
		{ "kho=0", KHO_WORD_OFF },
		{ "kho=n", KHO_WORD_OFF },
		{ "kho=", KHO_WORD_ABSENT },
		{ "kho", KHO_WORD_ABSENT },
		{ "kho=perhaps", KHO_WORD_ABSENT },
		{ "kho=STRICT", KHO_WORD_ABSENT },
	};

	check_cases(test, "kho", cases, ARRAY_SIZE(cases));
}

static void test_places(struct kunit *test)
{
	static const struct arrival_case cases[] = {
		{ "", KHO_WORD_ABSENT },
		{ "  ", KHO_WORD_ABSENT },
		{ "quiet ro root=/dev/vda1", KHO_WORD_ABSENT },
		{ "  quiet  kho=on  ro ", KHO_WORD_ON },
		{ "kho=on kho=off", KHO_WORD_OFF },
		{ "kho=off kho=on", KHO_WORD_ON },
		{ "kho=on kho=perhaps", KHO_WORD_ABSENT },
		{ "kho=off -- kho=on", KHO_WORD_OFF },
		{ "-- kho=on", KHO_WORD_ABSENT },
		{ "--=x kho=on", KHO_WORD_ON },
		{ "quiet kho=on -- kho=off", KHO_WORD_ON },
	};

	check_cases(test, "kho", cases, ARRAY_SIZE(cases));
}

static void test_other_names(struct kunit *test)
{
	static const struct arrival_case kho[] = {
		{ "kho_checksum=on", KHO_WORD_ABSENT },
		{ "nokho=on", KHO_WORD_ABSENT },
		{ "module.kho=on", KHO_WORD_ABSENT },
		{ "init=\"/bin/sh kho=on\"", KHO_WORD_ABSENT },
		{ "liveupdate=on", KHO_WORD_ABSENT },
	};
	static const struct arrival_case liveupdate[] = {
		{ "kho=on liveupdate=on", KHO_WORD_ON },
		{ "liveupdate=off kho=on", KHO_WORD_OFF },
		{ "kho=on liveupdate=strict", KHO_WORD_ABSENT },
		{ "liveupdate.force=1 kho=on", KHO_WORD_ABSENT },
	};

	check_cases(test, "kho", kho, ARRAY_SIZE(kho));
	check_cases(test, "liveupdate", liveupdate, ARRAY_SIZE(liveupdate));
}

static struct kunit_case kho_arrival_cases[] = {
	KUNIT_CASE(test_values),
	KUNIT_CASE(test_places),
	KUNIT_CASE(test_other_names),
	{}
};

static struct kunit_suite kho_arrival_suite = {
	.name = "kho_arrival",
	.test_cases = kho_arrival_cases,
};

kunit_test_suite(kho_arrival_suite);
