/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MEMBLOCK_KHO_SCRATCH_H
#define _MEMBLOCK_KHO_SCRATCH_H

#include "common.h"

/* Without it, memblock_mark_mirror() does nothing. */
extern bool mirrored_kernelcore;

/* Must be the last test: it sets mirrored_kernelcore and calls memblock_allow_resize(). */
int memblock_kho_scratch_checks(void);

#endif
