// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of image.c: which images are refused because the next kernel would have no
 * room to start.
 *
 * A machine on which struct pages have no room cannot be set up from user space: the memory
 * that this kernel itself uses is there for the next one, too. So images and the map are
 * made up.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_image.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "../kexec_internal.h"

#include "map.h"
#include "outgoing.h"
#include "ram.h"
#include "scratch.h"
#include "vacant.h"

static int check_room(struct kunit *test, int type, bool file_mode, unsigned long bytes)
{
	struct kimage *image = kunit_kzalloc(test, sizeof(*image), GFP_KERNEL);
	int error;

	KUNIT_ASSERT_NOT_NULL(test, image);
	image->type = type;
	image->file_mode = file_mode;
	image->nr_segments = 2;
	image->segment[0].memsz = bytes / 2;
	image->segment[1].memsz = bytes / 2;

	/* kho_image_check_room() asserts that it has the kexec lock. */
	while (!kexec_trylock())
		cond_resched();
	error = kho_image_check_room(image);
	kexec_unlock();

	return error;
}

static unsigned long scratch_bytes(void)
{
	return kho_scratch_sum(kho_scratch, kho_scratch_cnt);
}

/* Returns how large an image may be that leaves just enough of scratch. */
static unsigned long early_left(void)
{
	return scratch_bytes() - kho_scratch_early - SZ_4K;
}

/* Less would be left of scratch than a kernel needs before it has read the map. */
static void test_scratch(struct kunit *test)
{
	if (!kho_is_enabled())
		kunit_skip(test, "KHO is off");

	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_DEFAULT, true, scratch_bytes()),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_DEFAULT, true, early_left()), 0);
}

/* All of memory is preserved but for scratch, in which an image has its place. */
static void test_full(struct kunit *test)
{
	const unsigned long nr = kho_named_nr(max_pfn);
	unsigned long *added = kunit_kzalloc(test, kho_named_bytes(nr), GFP_KERNEL);
	unsigned long granule;

	if (!kho_is_enabled())
		kunit_skip(test, "KHO is off");
	KUNIT_ASSERT_NOT_NULL(test, added);

	for (granule = 0; granule < nr; granule++) {
		unsigned long pfn = granule * KHO_GRANULE_PAGES;
		struct kho_map_folio folio;

		if (!kho_map_next(&kho_out.map, pfn, pfn + KHO_GRANULE_PAGES, &folio) &&
		    !kho_map_add(&kho_out.map, pfn, 0))
			__set_bit(granule, added);
	}
	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_DEFAULT, true, early_left()), -ENOMEM);

	for_each_set_bit(granule, added, nr)
		kho_map_del(&kho_out.map, granule * KHO_GRANULE_PAGES, 0);
	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_DEFAULT, true, early_left()), 0);
}

/* Images that take no handover along */
static void test_others(struct kunit *test)
{
	const unsigned long all = kho_ram_pages() << PAGE_SHIFT;

	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_CRASH, true, all), 0);
	KUNIT_EXPECT_EQ(test, check_room(test, KEXEC_TYPE_DEFAULT, false, all), 0);
}

static struct kunit_case kho_image_cases[] = {
	KUNIT_CASE(test_scratch),
	KUNIT_CASE(test_full),
	KUNIT_CASE(test_others),
	{}
};

static struct kunit_suite kho_image_suite = {
	.name = "kho_image",
	.test_cases = kho_image_cases,
};

kunit_test_suite(kho_image_suite);
