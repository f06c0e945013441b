/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stubs for the memblock simulator, which never receives a handover.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KEXEC_HANDOVER_BOOT_H
#define _LINUX_KEXEC_HANDOVER_BOOT_H

static inline void kho_memory_init(void) { }
static inline void kho_scratch_mark_reserved(void) { }

static inline bool kho_reserve_mem_deferred(void)
{
	return false;
}

static inline void kho_reserve_mem_add(const char *name, phys_addr_t align,
				       phys_addr_t *start, phys_addr_t *size) { }

#endif /* _LINUX_KEXEC_HANDOVER_BOOT_H */
