/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of the new kernel's image, which is in the third scratch region.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _ASM_SECTIONS_H
#define _ASM_SECTIONS_H

#define KERNEL_START		0x24100000UL
#define KERNEL_END		0x24200000UL

#define __pa_symbol(symbol)	PA_OF##symbol
#define PA_OF_text		KERNEL_START
#define PA_OF_end		KERNEL_END

#endif /* _ASM_SECTIONS_H */
