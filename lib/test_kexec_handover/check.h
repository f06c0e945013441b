/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares a folio with one from folio_alloc(). See check.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _TEST_KEXEC_HANDOVER_CHECK_H
#define _TEST_KEXEC_HANDOVER_CHECK_H

struct folio;

/**
 * struct folio_checks - results of check_folio_like_new()
 * @checked: number of folios that were compared
 * @bad: number of folios that differ, and of other errors that the client found
 */
struct folio_checks {
	unsigned long checked;
	unsigned long bad;
};

void check_folio_like_new(struct folio *folio, struct folio_checks *checks);

#endif /* _TEST_KEXEC_HANDOVER_CHECK_H */
