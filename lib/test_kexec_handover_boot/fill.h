/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocates pages until the page allocator has no more. See fill.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _TEST_KEXEC_HANDOVER_FILL_H
#define _TEST_KEXEC_HANDOVER_FILL_H

#include <linux/types.h>

/**
 * struct fill - a stack of allocated pages with marks
 * @last: the page allocated last, whose marks point to the page before it; NULL if
 *	the stack is empty
 * @nr: number of pages
 */
struct fill {
	struct page *last;
	unsigned long nr;
};

void fill_memory(struct fill *fill, unsigned long max, gfp_t gfp);
unsigned long empty_memory(struct fill *fill);

#endif /* _TEST_KEXEC_HANDOVER_FILL_H */
