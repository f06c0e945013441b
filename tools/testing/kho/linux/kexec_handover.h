/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For kernel/kexec_handover_*.c on a host: what they call of the rest of KHO.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KEXEC_HANDOVER_H
#define _LINUX_KEXEC_HANDOVER_H

#include <linux/types.h>

struct kimage;

bool kho_is_enabled(void);
void kho_seal(const struct kimage *image);
bool kho_scratch_overlap(phys_addr_t phys, size_t size);
__printf(1, 2) void kho_refuse(const char *fmt, ...);

#endif /* _LINUX_KEXEC_HANDOVER_H */
