/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folios that are given back to their owners, see restore.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_RESTORE_H
#define _KHO_RESTORE_H

#include <linux/types.h>

#include "map.h"

/**
 * struct kho_restore_stats - what became of the folios that were handed over
 * @folios: those handed over, by order
 * @unclaimed: those of them that nobody has restored yet, by order
 * @nodes: nodes of the map
 */
struct kho_restore_stats {
	unsigned long folios[KHO_MAX_RUN_ORDER + 1];
	unsigned long unclaimed[KHO_MAX_RUN_ORDER + 1];
	unsigned long nodes;
};

void kho_restore_trace(void);
void kho_restore_finish(void);
bool kho_restore_take_run(unsigned long pfn, unsigned long end);
bool kho_restore_peek(phys_addr_t phys, size_t size, void *to);
unsigned long kho_restore_release(void);
void kho_restore_get_stats(struct kho_restore_stats *stats);

#endif /* _KHO_RESTORE_H */
