/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of the previous kernel, see log.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_LOG_H
#define _KHO_LOG_H

#include <linux/types.h>

struct kho_log;

#ifdef CONFIG_KEXEC_HANDOVER_LOG

void kho_log_prepare(void);
void kho_log_write(void);

/* For KUnit. */
void kho_log_begin(struct kho_log *log);
bool kho_log_add(struct kho_log *log, size_t size, u32 kexecs, const char *release,
		 const u8 *text, size_t len);
void kho_log_end(struct kho_log *log);
const char *kho_log_defect(const struct kho_log *log, size_t size);

#else

static inline void kho_log_prepare(void) { }
static inline void kho_log_write(void) { }

#endif

#endif /* _KHO_LOG_H */
