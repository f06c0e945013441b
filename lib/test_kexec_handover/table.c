// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a test client tells the next kernel which folios to restore.
 *
 * This file owns the table: a list of preserved pages, linked by their physical
 * addresses. The pages contain addresses of folios, with the order in the low bits.
 * Since the table is updated in place, it is valid whenever a kexec happens. The
 * client preserves and restores the folios themselves.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/err.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/pfn.h>

#include "table.h"

#define FOLIOS_PER_PAGE	(PAGE_SIZE / sizeof(u64) - 2)

struct folio_table_page {
	u64 next;
	u64 nr;
	u64 folio[FOLIOS_PER_PAGE];
};

static_assert(sizeof(struct folio_table_page) == PAGE_SIZE);

/* Makes room for one more folio. */
int folio_table_reserve(struct folio_table *table)
{
	struct folio_table_page *page;

	if (table->last && table->last->nr < FOLIOS_PER_PAGE)
		return 0;

	page = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(page))
		return PTR_ERR(page);

	if (table->last)
		table->last->next = virt_to_phys(page);
	else
		*table->first = virt_to_phys(page);
	table->last = page;

	return 0;
}

/* The caller must have called folio_table_reserve() for this folio. */
void folio_table_add(struct folio_table *table, struct folio *folio)
{
	table->last->folio[table->last->nr++] =
		PFN_PHYS(folio_pfn(folio)) | folio_order(folio);
}

static int walk_page(const struct folio_table_page *page, folio_table_fn fn, void *arg)
{
	int err = 0;

	for (u64 i = 0; i < page->nr && !err; i++)
		err = fn(page->folio[i] & PAGE_MASK, page->folio[i] & ~PAGE_MASK, arg);

	return err;
}

int folio_table_walk(const struct folio_table *table, folio_table_fn fn, void *arg)
{
	const struct folio_table_page *page;
	int err = 0;

	for (u64 next = *table->first; next && !err; next = page->next) {
		page = phys_to_virt(next);
		err = walk_page(page, fn, arg);
	}

	return err;
}

/*
 * Restores the pages of the table, and calls @fn to restore each folio in them.
 * Allocates nothing, so it works before there is a page allocator.
 */
int folio_table_restore(struct folio_table *table, folio_table_fn fn, void *arg)
{
	int err = 0;

	table->last = NULL;
	for (u64 next = *table->first; next && !err; next = table->last->next) {
		struct folio *folio = kho_restore_folio(next);

		if (!folio)
			return -ENOENT;
		table->last = folio_address(folio);
		if (table->last->nr > FOLIOS_PER_PAGE)
			return -EINVAL;
		err = walk_page(table->last, fn, arg);
	}

	return err;
}

/* Preserves the pages of a restored table again. */
int folio_table_preserve(const struct folio_table *table)
{
	const struct folio_table_page *page;
	int err = 0;

	for (u64 next = *table->first; next && !err; next = page->next) {
		page = phys_to_virt(next);
		err = kho_preserve_folio(virt_to_folio(page));
	}

	return err;
}

void folio_table_unpreserve(const struct folio_table *table)
{
	const struct folio_table_page *page;

	for (u64 next = *table->first; next; next = page->next) {
		page = phys_to_virt(next);
		kho_unpreserve_folio(virt_to_folio(page));
	}
}

/* Frees the pages of the table, which must not be preserved any more. */
void folio_table_free(struct folio_table *table)
{
	u64 next = *table->first;

	while (next) {
		struct folio_table_page *page = phys_to_virt(next);

		next = page->next;
		folio_put(virt_to_folio(page));
	}
	*table->first = 0;
	table->last = NULL;
}
