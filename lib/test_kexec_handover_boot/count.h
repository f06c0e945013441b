/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts how often each struct page is initialised. See count.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _TEST_KEXEC_HANDOVER_COUNT_H
#define _TEST_KEXEC_HANDOVER_COUNT_H

/**
 * struct page_counts - numbers at the end of boot, all 0 without test_kho_count
 * @once: struct pages that were initialised once
 * @never: struct pages that were not initialised
 * @more: struct pages that were initialised more than once
 * @reserved_again: further calls by memblock for another reserved region within the
 *	same page, which are no error
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
