/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where early boot and kexec call the tests of Kexec HandOver.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef LINUX_TEST_KEXEC_HANDOVER_H
#define LINUX_TEST_KEXEC_HANDOVER_H

#ifdef CONFIG_TEST_KEXEC_HANDOVER_BOOT

/* Last in kho_memory_init(): there is only memblock. */
void test_kho_memblock_phase(void);
/* There is the page allocator, but not the slab allocator. */
void test_kho_page_alloc_phase(void);
/* The struct page of @pfn is being initialised. */
void test_kho_count_page(unsigned long pfn);
/* The next kernel is about to be started, and all else has stopped. */
void test_kho_kexec_phase(void);

#else

static inline void test_kho_memblock_phase(void) { }
static inline void test_kho_page_alloc_phase(void) { }
static inline void test_kho_count_page(unsigned long pfn) { }
static inline void test_kho_kexec_phase(void) { }

#endif

#endif /* LINUX_TEST_KEXEC_HANDOVER_H */
