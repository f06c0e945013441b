/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The formats of hugetlb: one for a file of hugetlb pages that is handed over, and one for
 * the page counts of pools, which the next kernel needs before it allocates pages for them.
 *
 * Both are formats of this kernel only. All integers are in the byte order of the machine.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KHO_ABI_HUGETLB_H
#define _LINUX_KHO_ABI_HUGETLB_H

#include <linux/build_bug.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * DOC: hugetlb files
 *
 * The file handler ``memfd-hugetlb-v1`` keeps files of hugetlb pages without a name. Its
 * data is the address of struct hugetlb_luo_ser, in a preserved folio of order 0. Each page
 * of the file is a preserved folio of the order of the page size. One array, in a vmalloc
 * area, tells where in the file each page belongs; another one, which parts of the file
 * are reserved although there is no page yet. All other parts are holes.
 *
 * Positions in the file are counted in pages of its page size. Both arrays may be in any
 * order; neither parts nor pages overlap.
 */
#define HUGETLB_LUO_COMPATIBLE	"memfd-hugetlb-v1"

/**
 * struct hugetlb_luo_folio_ser - a page of the file
 * @pfn: its first PFN. The reader checks that a folio of the right order waits there.
 * @index: its position in the file, below the size of the file
 */
struct hugetlb_luo_folio_ser {
	u64 pfn;
	u64 index;
} __packed __aligned(8);

static_assert(offsetof(struct hugetlb_luo_folio_ser, index) == 8);
static_assert(sizeof(struct hugetlb_luo_folio_ser) == 16);

/**
 * struct hugetlb_luo_range_ser - a part of the file that is reserved and has no page
 * @from: its first position
 * @to: the position after it; may be above the size, since a mapping that reserves may be
 *
 * A page fault there cannot fail: the pool holds back a page for each position.
 */
struct hugetlb_luo_range_ser {
	u64 from;
	u64 to;
} __packed __aligned(8);

static_assert(offsetof(struct hugetlb_luo_range_ser, to) == 8);
static_assert(sizeof(struct hugetlb_luo_range_ser) == 16);

/**
 * struct hugetlb_luo_ser - the file
 * @page_size: size of its pages in bytes; tells which pool it belongs to
 * @pos: position of the open file, in bytes
 * @size: size of the file in bytes
 * @seals: its seals, F_SEAL_*
 * @mode: permission bits of the inode, which a seal may have fixed
 * @nr_folios: number of entries in @folios
 * @folios: array of struct hugetlb_luo_folio_ser; all zero if @nr_folios is 0
 * @nr_ranges: number of entries in @ranges
 * @ranges: array of struct hugetlb_luo_range_ser; all zero if @nr_ranges is 0
 */
struct hugetlb_luo_ser {
	u64 page_size;
	u64 pos;
	u64 size;
	u32 seals;
	u32 mode;
	u64 nr_folios;
	struct kho_vmalloc folios;
	u64 nr_ranges;
	struct kho_vmalloc ranges;
} __packed __aligned(8);

static_assert(offsetof(struct hugetlb_luo_ser, seals) == 24);
static_assert(offsetof(struct hugetlb_luo_ser, folios) == 40);
static_assert(offsetof(struct hugetlb_luo_ser, ranges) == 64);
static_assert(sizeof(struct hugetlb_luo_ser) == 80);

/**
 * DOC: hugetlb pools
 *
 * The blob ``hugetlb`` tells how many of the preserved folios are hugetlb pages, per page
 * size and node. The next kernel reads it before it allocates pages for ``hugepages=``,
 * long before any file is retrieved, and counts these folios as pages of its pools.
 */
#define HUGETLB_LUO_POOLS_NAME		"hugetlb"
#define HUGETLB_LUO_POOLS_COMPATIBLE	"hugetlb-v1"

/* No machine has as many nodes and sizes. The blob is read often, with interrupts off. */
#define HUGETLB_LUO_POOLS_MAX		16384

/**
 * struct hugetlb_luo_pool_ser - the pages of one size on one node
 * @page_size: their size in bytes
 * @nid: the node
 * @pages: number of preserved pages; all sizes together have at most as many as there are
 *	preserved folios of this size
 * @surplus: how many of these are surplus pages, which are freed to the page allocator
 *	when they are free
 * @reserved: number of reservations of preserved files, for pages that are not there yet.
 *	They belong to no node, and the sum over all nodes counts.
 */
struct hugetlb_luo_pool_ser {
	u64 page_size;
	u64 nid;
	u64 pages;
	u64 surplus;
	u64 reserved;
} __packed __aligned(8);

static_assert(offsetof(struct hugetlb_luo_pool_ser, reserved) == 32);
static_assert(sizeof(struct hugetlb_luo_pool_ser) == 40);

/**
 * struct hugetlb_luo_pools_ser - the blob
 * @compatible: %HUGETLB_LUO_POOLS_COMPATIBLE, filled with NULs
 * @nr: number of @pools
 * @pools: one for each page size and node
 */
struct hugetlb_luo_pools_ser {
	char compatible[16];
	u64 nr;
	struct hugetlb_luo_pool_ser pools[];
} __packed __aligned(8);

static_assert(offsetof(struct hugetlb_luo_pools_ser, pools) == 24);

#endif /* _LINUX_KHO_ABI_HUGETLB_H */
