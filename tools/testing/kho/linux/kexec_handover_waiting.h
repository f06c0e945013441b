/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernel/kexec_handover_debug.c calls, and incoming.c defines, of what live update calls.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KEXEC_HANDOVER_WAITING_H
#define _LINUX_KEXEC_HANDOVER_WAITING_H

#include <linux/types.h>

int kho_waiting_order(unsigned long pfn);
bool kho_incoming_blob(const char *name, phys_addr_t *phys, size_t *size);
const unsigned long *kho_incoming_folios(void);
int kho_incoming_order(unsigned long pfn);

#endif /* _LINUX_KEXEC_HANDOVER_WAITING_H */
