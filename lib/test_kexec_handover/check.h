/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is a folio like one from folio_alloc()? See check.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _TEST_KEXEC_HANDOVER_CHECK_H
#define _TEST_KEXEC_HANDOVER_CHECK_H

struct folio;

/**
 * struct folio_checks - what came out of looking at folios
 * @checked: folios that were looked at
 * @bad: those of them that were not right
 */
struct folio_checks {
	unsigned long checked;
	unsigned long bad;
};

void check_folio_like_new(struct folio *folio, struct folio_checks *checks);

#endif /* _TEST_KEXEC_HANDOVER_CHECK_H */
