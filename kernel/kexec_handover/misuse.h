/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Warnings for mistakes of callers, with CONFIG_KEXEC_HANDOVER_DEBUG. See misuse.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_MISUSE_H
#define _KHO_MISUSE_H

#ifdef CONFIG_KEXEC_HANDOVER_DEBUG

void kho_misuse_preserve(unsigned long pfn, unsigned long end, unsigned long caller);
void kho_misuse_unpreserve(unsigned long pfn, unsigned long end, unsigned long caller);

#else

static inline void kho_misuse_preserve(unsigned long pfn, unsigned long end,
				       unsigned long caller) { }
static inline void kho_misuse_unpreserve(unsigned long pfn, unsigned long end,
					 unsigned long caller) { }

#endif

#endif /* _KHO_MISUSE_H */
