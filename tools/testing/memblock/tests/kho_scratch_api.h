/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MEMBLOCK_KHO_SCRATCH_H
#define _MEMBLOCK_KHO_SCRATCH_H

#include "common.h"

/* To be called last: memblock allocates from scratch only from then on. */
int memblock_kho_scratch_checks(void);

#endif
