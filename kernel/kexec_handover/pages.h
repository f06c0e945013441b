/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs of single pages, and all memory that waits for its owner; see pages.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_PAGES_H
#define _KHO_PAGES_H

unsigned long kho_pages_release(void);

#endif /* _KHO_PAGES_H */
