/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that hardware reported as bad, see bad_pages.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_BAD_PAGES_H
#define _KHO_BAD_PAGES_H

int kho_bad_pages_collect(void);
void kho_bad_pages_check(void);
void kho_bad_pages_reserve(void);
void kho_bad_pages_forget(void);
void kho_bad_pages_mark(void);

#endif /* _KHO_BAD_PAGES_H */
