/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mm/memblock.c in the simulator: no tests of Kexec HandOver within it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _MEMBLOCK_TEST_KEXEC_HANDOVER_H
#define _MEMBLOCK_TEST_KEXEC_HANDOVER_H

static inline void test_kho_memblock_phase(void) { }

#endif
