/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks for the tests of Kexec HandOver in early boot and in kexec.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef LINUX_TEST_KEXEC_HANDOVER_H
#define LINUX_TEST_KEXEC_HANDOVER_H

#ifdef CONFIG_TEST_KEXEC_HANDOVER_BOOT

/* Called on x86 once the kernel has the memory map of firmware or the previous kernel. */
void test_kho_e820(void);
/* Called when memblock knows the nodes and before zones get their memory. */
void test_kho_mirror(void);
/* Called after kho_memory_init(), while memblock is the only allocator. */
void test_kho_memblock_phase(void);
/* Called after mem_init(), when there is a page allocator but no slab allocator. */
void test_kho_page_alloc_phase(void);
/* Called by __init_single_page() for each struct page that it initialises. */
void test_kho_count_page(unsigned long pfn);
/* Called just before machine_kexec(), when no other CPU runs any more. */
void test_kho_kexec_phase(void);

#else

static inline void test_kho_e820(void) { }
static inline void test_kho_mirror(void) { }
static inline void test_kho_memblock_phase(void) { }
static inline void test_kho_page_alloc_phase(void) { }
static inline void test_kho_count_page(unsigned long pfn) { }
static inline void test_kho_kexec_phase(void) { }

#endif

#endif /* LINUX_TEST_KEXEC_HANDOVER_H */
