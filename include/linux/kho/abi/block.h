/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block lists: arrays of any length in preserved pages.
 *
 * The layout is the one of Linux 7.3. kernel/liveupdate/blocks.c writes and reads block
 * lists.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KHO_ABI_BLOCK_H
#define _LINUX_KHO_ABI_BLOCK_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * DOC: block list
 *
 * A block list is a chain of pages, each of which is preserved as a folio of order 0.
 * A page begins with struct kho_block_header, which is followed by its entries. All
 * entries of a list have one size. A page holds as many entries as fit, or fewer: further
 * pages can follow a page that is not full. A page without entries is valid, but Linux 7.3
 * refuses it, so none is written.
 */

/**
 * struct kho_block_header - the start of each page of a block list
 * @next: physical address of the next page, 0 in the last one
 * @count: number of entries in this page
 */
struct kho_block_header {
	u64 next;
	u64 count;
} __packed;

static_assert(offsetof(struct kho_block_header, count) == 8);
static_assert(sizeof(struct kho_block_header) == 16);

#endif /* _LINUX_KHO_ABI_BLOCK_H */
