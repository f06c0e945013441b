/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memfd-v2 format: a file in shared memory that is handed over.
 *
 * The layout is the one of Linux 7.3. All integers are in the byte order of the machine.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KHO_ABI_MEMFD_H
#define _LINUX_KHO_ABI_MEMFD_H

#include <linux/build_bug.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * DOC: memfd
 *
 * The file handler ``memfd-v2`` keeps shmem files without a name. Its data is the
 * address of struct memfd_luo_ser, in a preserved folio of order 0. The folios of the
 * file are preserved one by one, and an array of struct memfd_luo_folio_ser, in a
 * vmalloc area, tells where in the file each one belongs. Pages of the file that no
 * entry covers are holes.
 */
#define MEMFD_LUO_COMPATIBLE	"memfd-v2"

/* Flags of struct memfd_luo_folio_ser. A folio with content has both. */
#define MEMFD_LUO_FOLIO_DIRTY		BIT(0)
#define MEMFD_LUO_FOLIO_UPTODATE	BIT(1)

/**
 * struct memfd_luo_folio_ser - a folio of the file
 * @pfn: its first PFN, 0 for an entry that is skipped
 * @flags: MEMFD_LUO_FOLIO_*; the content of a folio that is not up to date is zero
 * @index: offset of the folio in the file, in pages, a multiple of its size
 *
 * The alignment lets the compiler read it in two words and not byte by byte, which takes 25
 * instructions more each time.
 */
struct memfd_luo_folio_ser {
	u64 pfn:52;
	u64 flags:12;
	u64 index;
} __packed __aligned(8);

static_assert(offsetof(struct memfd_luo_folio_ser, index) == 8);
static_assert(sizeof(struct memfd_luo_folio_ser) == 16);

/**
 * struct memfd_luo_ser - the file
 * @pos: position of the open file, in bytes
 * @size: size of the file, in bytes
 * @seals: its seals, F_SEAL_*
 * @flags: 0
 * @nr_folios: number of entries in @folios
 * @folios: array of struct memfd_luo_folio_ser; all zero if @nr_folios is 0
 */
struct memfd_luo_ser {
	u64 pos;
	u64 size;
	u32 seals;
	u32 flags;
	u64 nr_folios;
	struct kho_vmalloc folios;
} __packed;

static_assert(offsetof(struct memfd_luo_ser, seals) == 16);
static_assert(offsetof(struct memfd_luo_ser, nr_folios) == 24);
static_assert(offsetof(struct memfd_luo_ser, folios) == 32);
static_assert(sizeof(struct memfd_luo_ser) == 48);

#endif /* _LINUX_KHO_ABI_MEMFD_H */
