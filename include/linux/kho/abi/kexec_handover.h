/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kho-v4 format: what one kernel leaves in memory for the next.
 *
 * This file owns every number, name and layout that both kernels of a handover
 * must agree on, and nothing else. The format is the one of Linux 7.3. All
 * integers are in the byte order of the machine, all addresses are physical.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KHO_ABI_KEXEC_HANDOVER_H
#define _LINUX_KHO_ABI_KEXEC_HANDOVER_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/math.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <asm/page.h>

/*
 * Where a machine is described by a device tree: the properties of /chosen that
 * say where the root FDT is and where the array of scratch regions, each an
 * address and a size in cells of the root node.
 */
#define KHO_OF_PROP_FDT		"linux,kho-fdt"
#define KHO_OF_PROP_SCRATCH	"linux,kho-scratch"

/**
 * DOC: root FDT
 *
 * The root FDT, one page::
 *
 *	/ {
 *		compatible = "kho-v4";
 *		preserved-memory-map = <u64: address of the root node of the map>;
 *		checksum = <u64: optional, see below>;
 *		NAME {
 *			preserved-data = <u64: address of NAME's blob>;
 *			blob-size = <u64: bytes>;
 *		};
 *	};
 *
 * The u64 values are eight raw bytes, not big-endian cells, and no better
 * aligned than any FDT property is: to four bytes.
 *
 * The checksum is not part of kho-v4. Who knows it not, ignores it. It is the sum
 * of XXH64 values: of the bytes of the page before its eight, with the seed 0; of
 * those behind, with the number of the first one as the seed; and of each node of
 * the preserved map, with its address as the seed.
 */
#define KHO_FDT_COMPATIBLE	"kho-v4"
#define KHO_FDT_PROP_MAP	"preserved-memory-map"
#define KHO_FDT_PROP_CHECKSUM	"kho-6.12,checksum"
#define KHO_FDT_PROP_DATA	"preserved-data"
#define KHO_FDT_PROP_SIZE	"blob-size"
#define KHO_FDT_SIZE		PAGE_SIZE

/**
 * struct kho_scratch - a region that holds nothing preserved
 * @addr: physical address, aligned to a block of MAX_ORDER_NR_PAGES pages
 * @size: bytes, a multiple of the same block; 0 for an empty region, of which @addr
 *	says nothing
 *
 * The array of them that a handover names has the low-memory region first, then
 * the global one, then one for each node that has memory.
 */
struct kho_scratch {
	phys_addr_t addr;
	phys_addr_t size;
};

static_assert(offsetof(struct kho_scratch, size) == sizeof(phys_addr_t));
static_assert(sizeof(struct kho_scratch) == 2 * sizeof(phys_addr_t));

/**
 * DOC: preserved map
 *
 * The preserved map: a radix tree over 64-bit keys, each node one page. A key
 * names a folio, by its order and by its number among the folios of that order::
 *
 *	key = (1 << (64 - PAGE_SHIFT - order)) | (address >> (PAGE_SHIFT + order))
 *
 * The highest set bit of a key tells the order. Level 0, the leaf, is a bitmap
 * indexed by the low KHO_MAP_LEAF_SHIFT bits of the key; each level above is a
 * table of node addresses, 0 for none, indexed by the next KHO_MAP_TABLE_SHIFT
 * bits.
 */
#define KHO_MAP_ORDER_0_BIT	(64 - PAGE_SHIFT)
#define KHO_MAP_KEY_BITS	(KHO_MAP_ORDER_0_BIT + 1)
#define KHO_MAP_LEAF_SHIFT	(PAGE_SHIFT + 3)
#define KHO_MAP_LEAF_BITS	BIT(KHO_MAP_LEAF_SHIFT)
#define KHO_MAP_TABLE_SHIFT	(PAGE_SHIFT - 3)
#define KHO_MAP_TABLE_ENTRIES	BIT(KHO_MAP_TABLE_SHIFT)
#define KHO_MAP_LEVELS		\
	(1 + DIV_ROUND_UP(KHO_MAP_KEY_BITS - KHO_MAP_LEAF_SHIFT, KHO_MAP_TABLE_SHIFT))

/**
 * union kho_map_node - a node of the preserved map
 * @entry: in a table, the addresses of the nodes one level below
 * @bits: in a leaf, one bit a folio
 */
union kho_map_node {
	u64 entry[KHO_MAP_TABLE_ENTRIES];
	unsigned long bits[KHO_MAP_LEAF_BITS / (8 * sizeof(unsigned long))];
};

static_assert(sizeof(union kho_map_node) == PAGE_SIZE);
static_assert(PAGE_SHIFT != 12 || KHO_MAP_LEVELS == 6);
static_assert(PAGE_SHIFT != 12 || KHO_MAP_LEAF_BITS == 32768);

/*
 * An address in a format struct, as a union of the u64 that counts and of a
 * pointer that only tells the type. NULL is kept as 0.
 */
#define DECLARE_KHOSER_PTR(name, type)	\
	union {				\
		u64 phys;		\
		type ptr;		\
	} name

#define KHOSER_STORE_PTR(dest, val)					\
	do {								\
		typeof((dest).ptr) __khoser_val = (val);		\
									\
		(dest).phys = __khoser_val ? virt_to_phys(__khoser_val) : 0; \
	} while (0)

#define KHOSER_LOAD_PTR(src)						\
	({								\
		u64 __khoser_phys = (src).phys;				\
									\
		(typeof((src).ptr))(__khoser_phys ? phys_to_virt(__khoser_phys) : NULL); \
	})

/*
 * A vmalloc area: the addresses of its pages, in chunks of a page each that are
 * preserved as single pages, and what a client keeps to find them.
 */
#define KHO_VMALLOC_ALLOC	BIT(0)	/* VM_ALLOC */
#define KHO_VMALLOC_HUGE_VMAP	BIT(1)	/* VM_ALLOW_HUGE_VMAP */
#define KHO_VMALLOC_CHUNK_LEN	(PAGE_SIZE / sizeof(u64) - 1)

/*
 * Part of what a vmalloc area consists of: the next chunk, 0 at the end; and
 * addresses of blocks of pages, in the order of the area, which end with a 0 if
 * the chunk is not full.
 */
struct kho_vmalloc_chunk {
	DECLARE_KHOSER_PTR(next, struct kho_vmalloc_chunk *);
	u64 phys[KHO_VMALLOC_CHUNK_LEN];
};

static_assert(sizeof(struct kho_vmalloc_chunk) == PAGE_SIZE);
static_assert(offsetof(struct kho_vmalloc_chunk, phys) == sizeof(u64));

/*
 * A vmalloc area: its first chunk; single pages in all blocks together;
 * KHO_VMALLOC_ALLOC and so on; each block is 1 << order pages, preserved as a
 * run of its own.
 */
struct kho_vmalloc {
	DECLARE_KHOSER_PTR(first, struct kho_vmalloc_chunk *);
	unsigned int total_pages;
	unsigned short flags;
	unsigned short order;
};

static_assert(offsetof(struct kho_vmalloc, total_pages) == 8);
static_assert(offsetof(struct kho_vmalloc, flags) == 12);
static_assert(offsetof(struct kho_vmalloc, order) == 14);
static_assert(sizeof(struct kho_vmalloc) == 16);

/* The blob that tells who did the kexec; always there. */
#define KHO_METADATA_NAME	"kexec-metadata"
#define KHO_METADATA_VERSION	1

/**
 * struct kho_kexec_metadata - blob %KHO_METADATA_NAME
 * @version: %KHO_METADATA_VERSION
 * @previous_release: release of the kernel that did the kexec, 0-terminated
 * @kexec_count: kexecs since cold boot
 */
struct kho_kexec_metadata {
	u32 version;
	char previous_release[65];
	u32 kexec_count;
} __packed;

static_assert(offsetof(struct kho_kexec_metadata, previous_release) == 4);
static_assert(offsetof(struct kho_kexec_metadata, kexec_count) == 69);
static_assert(sizeof(struct kho_kexec_metadata) == 73);

#endif /* _LINUX_KHO_ABI_KEXEC_HANDOVER_H */
