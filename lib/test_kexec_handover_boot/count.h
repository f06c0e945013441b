/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often is each struct page initialised? See count.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _TEST_KEXEC_HANDOVER_COUNT_H
#define _TEST_KEXEC_HANDOVER_COUNT_H

/**
 * struct page_counts - struct pages at the end of boot, all 0 without counting
 * @once: were initialised once
 * @never: were not initialised
 * @more: were initialised more than once
 * @reserved_again: calls that do not count: memblock for one more reserved
 *	region within the same page
 */
struct page_counts {
	unsigned long once;
	unsigned long never;
	unsigned long more;
	unsigned long reserved_again;
};

unsigned long initialised_pages(void);
const struct page_counts *page_counts(void);

#endif /* _TEST_KEXEC_HANDOVER_COUNT_H */
