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

static int by_index(const void *a, const void *b)
{
	const struct memfd_luo_folio_ser *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

/**
 * memfd_luo_sort - sort entries by index
 * @entries: the entries
 * @nr: their number
 *
 * Context: any, does not sleep, but takes long for many entries.
 */
void memfd_luo_sort(struct memfd_luo_folio_ser *entries, unsigned long nr)
{
	sort(entries, nr, sizeof(*entries), by_index, NULL);
}
