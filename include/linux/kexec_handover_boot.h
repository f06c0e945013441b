/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kexec HandOver while the kernel boots: the hooks that architectures, mm/memblock.c,
 * CMA and fs/file_table.c call. Those of the page allocator are in mm/internal.h.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef LINUX_KEXEC_HANDOVER_BOOT_H
#define LINUX_KEXEC_HANDOVER_BOOT_H

#include <linux/types.h>

#ifdef CONFIG_KEXEC_HANDOVER

void kho_populate(phys_addr_t fdt_phys, u64 fdt_len, phys_addr_t scratch_phys, u64 scratch_len);
__printf(1, 2) void kho_refuse(const char *fmt, ...);
void kho_memory_known(void);
u64 arch_kho_free_bytes(phys_addr_t start, phys_addr_t end);
void kho_memory_init(void);
void arch_kho_accept(const void *fdt);
int arch_kho_describe(void *fdt);
void kho_scratch_mark_reserved(void);
unsigned long kho_waiting_pages(void);
void kho_ram_fixed(phys_addr_t base, phys_addr_t size);

bool kho_reserve_mem_deferred(void);
void kho_reserve_mem_add(const char *name, phys_addr_t align, phys_addr_t *start,
			 phys_addr_t *size);

#else

static inline void kho_populate(phys_addr_t fdt_phys, u64 fdt_len, phys_addr_t scratch_phys,
				u64 scratch_len) { }
static inline void kho_memory_known(void) { }
static inline void kho_memory_init(void) { }
static inline void kho_scratch_mark_reserved(void) { }
static inline void kho_ram_fixed(phys_addr_t base, phys_addr_t size) { }

static inline unsigned long kho_waiting_pages(void)
{
	return 0;
}

static inline bool kho_reserve_mem_deferred(void)
{
	return false;
}

static inline void kho_reserve_mem_add(const char *name, phys_addr_t align,
				       phys_addr_t *start, phys_addr_t *size) { }

#endif

#endif /* LINUX_KEXEC_HANDOVER_BOOT_H */
