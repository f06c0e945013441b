/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that hardware reported as bad, see bad_pages.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_BAD_PAGES_H
#define _KHO_BAD_PAGES_H

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/types.h>

/* Returns how many bad pages this kernel knows. */
static inline long kho_bad_pages_nr(void)
{
#ifdef CONFIG_MEMORY_FAILURE
	return atomic_long_read(&num_poisoned_pages);
#else
	return 0;
#endif
}

bool kho_bad_pages_in(unsigned long pfn, unsigned long end);
int kho_bad_pages_collect(void);
void kho_bad_pages_check(void);
void kho_bad_pages_settle(void);
void kho_bad_pages_forget(void);
void kho_bad_pages_mark(void);

#endif /* _KHO_BAD_PAGES_H */
