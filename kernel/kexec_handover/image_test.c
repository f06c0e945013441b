// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of image.c: which images are refused because the next kernel would have no
 * room to start.
 *
 * A machine on which this happens cannot be set up from user space: the memory that this
 * kernel itself uses is there for the next one, too. So the images are made up.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_image.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "ram.h"

static int check_room(struct kunit *test, int type, bool file_mode, unsigned long bytes)
{
	struct kimage *image = kunit_kzalloc(test, sizeof(*image), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, image);
	image->type = type;
	image->file_mode = file_mode;
	image->nr_segments = 2;
	image->segment[0].memsz = bytes / 2;
	image->segment[1].memsz = bytes / 2;

	return kho_image_check_room(image);
}

static void test_room(struct kunit *test)
{
	const unsigned long all = kho_ram_pages() << PAGE_SHIFT;

	if (!kho_is_enabled())
		kunit_skip(test, "KHO is off");

	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_DEFAULT, true, SZ_16M), 0);
	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_DEFAULT, true, all), -ENOMEM);
}

/* The segments leave room for some, but not for all struct pages. */
static void test_struct_pages(struct kunit *test)
{
	const unsigned long all = kho_ram_pages() << PAGE_SHIFT;
	const unsigned long needed = kho_ram_pages() * sizeof(struct page);

	if (!kho_is_enabled())
		kunit_skip(test, "KHO is off");

	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_DEFAULT, true, all - needed), -ENOMEM);
	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_DEFAULT, true, all / 2), 0);
}

/* Images that take no handover along */
static void test_others(struct kunit *test)
{
	const unsigned long all = kho_ram_pages() << PAGE_SHIFT;

	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_CRASH, true, all), 0);
	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_DEFAULT, false, all), 0);
}

static struct kunit_case kho_image_cases[] = {
	KUNIT_CASE(test_room),
	KUNIT_CASE(test_struct_pages),
	KUNIT_CASE(test_others),
	{}
};

static struct kunit_suite kho_image_suite = {
	.name = "kho_image",
	.test_cases = kho_image_cases,
};

kunit_test_suite(kho_image_suite);
