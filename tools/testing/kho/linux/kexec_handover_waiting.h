/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernel/kexec_handover_debug.c calls of what live update calls, for the fuzzer.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KEXEC_HANDOVER_WAITING_H
#define _LINUX_KEXEC_HANDOVER_WAITING_H

int kho_waiting_order(unsigned long pfn);

#endif /* _LINUX_KEXEC_HANDOVER_WAITING_H */
