/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocate memory until there is none. See fill.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _TEST_KEXEC_HANDOVER_FILL_H
#define _TEST_KEXEC_HANDOVER_FILL_H

#include <linux/types.h>

/**
 * struct fill - pages that were allocated and written to
 * @last: the last one, which has the address of the one before; NULL for none
 * @nr: how many
 */
struct fill {
	struct page *last;
	unsigned long nr;
};

void fill_memory(struct fill *fill, unsigned long max, gfp_t gfp);
unsigned long empty_memory(struct fill *fill);

#endif /* _TEST_KEXEC_HANDOVER_FILL_H */
