/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The blob with the addresses of reserve_mem= regions.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KHO_ABI_MEMBLOCK_H
#define _LINUX_KHO_ABI_MEMBLOCK_H

/**
 * DOC: reserve_mem regions
 *
 * The blob ``memblock`` is an FDT with one subnode for each region. The subnode has
 * the name of the region::
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
 * The u64 values are eight bytes in the byte order of the machine, as in the root FDT.
 * The pages of a region are preserved as a run of order-0 pages.
 */
#define KHO_MEMBLOCK_NAME		"memblock"
#define KHO_MEMBLOCK_COMPATIBLE		"memblock-v1"
#define KHO_RESERVE_MEM_COMPATIBLE	"reserve-mem-v1"
#define KHO_RESERVE_MEM_PROP_START	"start"
#define KHO_RESERVE_MEM_PROP_SIZE	"size"

#endif /* _LINUX_KHO_ABI_MEMBLOCK_H */
