/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MEMBLOCK_KHO_SCRATCH_H
#define _MEMBLOCK_KHO_SCRATCH_H

#include "common.h"

/* Must be the last test: from then on memblock allocates from scratch only. */
/* Without it, memblock_mark_mirror() does nothing. */
extern bool mirrored_kernelcore;

int memblock_kho_scratch_checks(void);

#endif
