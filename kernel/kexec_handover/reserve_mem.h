/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions of reserve_mem= that are handed over, see reserve_mem.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_RESERVE_MEM_H
#define _KHO_RESERVE_MEM_H

#include <linux/types.h>

void kho_reserve_mem_settle(void);

#endif /* _KHO_RESERVE_MEM_H */
