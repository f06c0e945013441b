/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the memblock simulator: nothing is ever handed over.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KEXEC_HANDOVER_H
#define _LINUX_KEXEC_HANDOVER_H

static inline void kho_memory_init(void) { }

static inline bool kho_reserve_mem_deferred(void)
{
	return false;
}

static inline void kho_reserve_mem_add(const char *name, phys_addr_t align,
				       phys_addr_t *start, phys_addr_t *size) { }

static inline unsigned long
kho_free_unpreserved(unsigned long start_pfn, unsigned long end_pfn,
		     void (*free)(unsigned long, unsigned long))
{
	free(start_pfn, end_pfn);

	return end_pfn - start_pfn;
}

#endif /* _LINUX_KEXEC_HANDOVER_H */
