/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The blob that hands reserve_mem= regions over.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KHO_ABI_MEMBLOCK_H
#define _LINUX_KHO_ABI_MEMBLOCK_H

/**
 * DOC: reserve_mem regions
 *
 * The blob ``memblock`` is an FDT, with one subnode for each region, named as
 * the region::
 *
 *	/ {
 *		compatible = "memblock-v1";
 *		NAME {
 *			compatible = "reserve-mem-v1";
 *			start = <u64: address of the region>;
 *			size = <u64: bytes>;
 *		};
 *	};
 *
 * The u64 values are eight raw bytes, as in the root FDT. The pages of a region
 * are preserved as a run of single pages.
 */
#define KHO_MEMBLOCK_NAME		"memblock"
#define KHO_MEMBLOCK_COMPATIBLE		"memblock-v1"
#define KHO_RESERVE_MEM_COMPATIBLE	"reserve-mem-v1"
#define KHO_RESERVE_MEM_PROP_START	"start"
#define KHO_RESERVE_MEM_PROP_SIZE	"size"

#endif /* _LINUX_KHO_ABI_MEMBLOCK_H */
