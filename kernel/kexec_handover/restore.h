/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restoring the folios of the previous kernel, see restore.c. The functions that live
 * update calls are declared in <linux/kexec_handover_waiting.h>.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_RESTORE_H
#define _KHO_RESTORE_H

#include <linux/types.h>

#include "map.h"

/**
 * struct kho_restore_stats - numbers of folios that were handed over
 * @folios: number of folios that were handed over, by order
 * @unclaimed: number of folios that wait for their owner, by order
 * @nodes: number of nodes of the incoming map
 *
 * kho_restore_get_stats() writes all fields of its caller's struct.
 */
struct kho_restore_stats {
	unsigned long folios[KHO_MAX_RUN_ORDER + 1];
	unsigned long unclaimed[KHO_MAX_RUN_ORDER + 1];
	unsigned long nodes;
};

void kho_restore_trace(void);
void kho_restore_finish(void);
bool kho_restore_take_run(unsigned long pfn, unsigned long end);
bool kho_restore_peek(phys_addr_t phys, void *to, size_t size);
void kho_restore_get_stats(struct kho_restore_stats *stats);

#endif /* _KHO_RESTORE_H */
