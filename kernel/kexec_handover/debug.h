/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files in debugfs, see kernel/kexec_handover_debug.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_DEBUG_H
#define _KHO_DEBUG_H

#include <linux/types.h>

struct kho_out;

#ifdef CONFIG_KEXEC_HANDOVER_DEBUGFS

void kho_debugfs_copy_blobs(void);
void kho_debugfs_init(struct kho_out *out);
void kho_debugfs_add(const char *name, void *blob, size_t size);
void kho_debugfs_remove(const void *blob);

#else

static inline void kho_debugfs_copy_blobs(void) { }
static inline void kho_debugfs_init(struct kho_out *out) { }
static inline void kho_debugfs_add(const char *name, void *blob, size_t size) { }
static inline void kho_debugfs_remove(const void *blob) { }

#endif

#endif /* _KHO_DEBUG_H */
