/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stub for the memblock simulator: mm/memblock.c runs no tests of Kexec HandOver.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _MEMBLOCK_TEST_KEXEC_HANDOVER_H
#define _MEMBLOCK_TEST_KEXEC_HANDOVER_H

static inline void test_kho_memblock_phase(void) { }

#endif
