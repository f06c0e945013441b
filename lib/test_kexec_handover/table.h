/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table of folios that the next kernel can read. See table.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _TEST_KEXEC_HANDOVER_TABLE_H
#define _TEST_KEXEC_HANDOVER_TABLE_H

#include <linux/types.h>

struct folio;
struct folio_table_page;

/**
 * struct folio_table - addresses and orders of folios
 * @first: points to the address of the first page. This address is in preserved memory,
 *	and is 0 if the table is empty.
 * @last: the page that folio_table_add() adds to; NULL if the table is empty
 */
struct folio_table {
	u64 *first;
	struct folio_table_page *last;
};

/* Called for each folio. An error ends the walk. */
typedef int (*folio_table_fn)(phys_addr_t phys, unsigned int order, void *arg);

int folio_table_reserve(struct folio_table *table);
void folio_table_add(struct folio_table *table, struct folio *folio);
int folio_table_walk(const struct folio_table *table, folio_table_fn fn, void *arg);
int folio_table_restore(struct folio_table *table, folio_table_fn fn, void *arg);
int folio_table_preserve(const struct folio_table *table);
void folio_table_unpreserve(const struct folio_table *table);
void folio_table_free(struct folio_table *table);

#endif /* _TEST_KEXEC_HANDOVER_TABLE_H */
