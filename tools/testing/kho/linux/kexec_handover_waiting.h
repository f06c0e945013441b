/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of include/linux/kexec_handover_waiting.h that the fuzzer needs:
 * kernel/kexec_handover_debug.c calls them, or incoming.c defines them.
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
