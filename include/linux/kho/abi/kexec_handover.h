/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kho-v4 format: what one kernel leaves in memory for the next.
 *
 * This file owns every number, name and layout that both kernels of a handover
 * must agree on. The format is the one of Linux 7.3. All integers are in the byte order
 * of the machine, all addresses are physical. The old kernel writes all structs, before
 * the kexec; the new kernel reads them.
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
 * On machines with a device tree: the properties of /chosen with the physical address
 * and the size in bytes of the root FDT and of the array of scratch regions, in cells
 * as the root node of the device tree defines them.
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
 *		kho-6.12,checksum = <u64: optional, see below>;
 *		kho-6.12,lapic-timer-hz = <u64: optional, see below>;
 *		NAME {
 *			preserved-data = <u64: address of NAME's blob>;
 *			blob-size = <u64: bytes>;
 *		};
 *	};
 *
 * The u64 values are eight bytes in the byte order of the machine, not big-endian
 * cells. They are aligned to four bytes, like all FDT properties.
 *
 * The property ``kho-6.12,checksum`` is not part of kho-v4, and kernels that do not know
 * it ignore it. Its value is the sum, modulo 2^64, of these XXH64 hashes:
 *
 * - of the bytes of the page before the value, with the seed 0;
 * - of the bytes of the page after the value, with the offset of the first one in the
 *   page as the seed;
 * - of each node of the preserved map, with its address as the seed.
 *
 * The property ``kho-6.12,lapic-timer-hz``, on x86 only, is the frequency of the local APIC
 * timer that the previous kernel uses. It is not part of kho-v4 either.
 */
#define KHO_FDT_COMPATIBLE	"kho-v4"
#define KHO_FDT_PROP_MAP	"preserved-memory-map"
#define KHO_FDT_PROP_CHECKSUM	"kho-6.12,checksum"
#define KHO_FDT_PROP_LAPIC_HZ	"kho-6.12,lapic-timer-hz"
#define KHO_FDT_PROP_DATA	"preserved-data"
#define KHO_FDT_PROP_SIZE	"blob-size"
#define KHO_FDT_SIZE		PAGE_SIZE

/**
 * struct kho_scratch - a region of scratch, in which no page is preserved
 * @addr: physical address, aligned to MAX_ORDER_NR_PAGES pages and to a pageblock;
 *	without a meaning if @size is 0
 * @size: size in bytes, a multiple of the same alignment; 0 for an empty region
 *
 * The handover contains the address of an array of regions: the low-memory region
 * first, then the global one, then one for each NUMA node that needs one. A region that
 * had a bad page can be smaller than it was, with another region after these for the
 * memory after the block of the page.
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
 * The preserved map is a radix tree over 64-bit keys. Each node is one page. A key
 * names a folio by its order and by its number among the folios of that order::
 *
 *	key = (1 << (64 - PAGE_SHIFT - order)) | (address >> (PAGE_SHIFT + order))
 *
 * The highest set bit of a key gives the order. A node of level 0, a leaf, is a bitmap
 * that is indexed with the low KHO_MAP_LEAF_SHIFT bits of the key. A node of a higher
 * level is a table of node addresses, 0 for none, that is indexed with the next
 * KHO_MAP_TABLE_SHIFT bits.
 */
#define KHO_MAP_ORDER_0_BIT	(64 - PAGE_SHIFT)
#define KHO_MAP_KEY_BITS	(KHO_MAP_ORDER_0_BIT + 1)
#define KHO_MAP_LEAF_SHIFT	(PAGE_SHIFT + 3)
#define KHO_MAP_LEAF_BITS	BIT(KHO_MAP_LEAF_SHIFT)
#define KHO_MAP_TABLE_SHIFT	(PAGE_SHIFT - 3)
#define KHO_MAP_TABLE_ENTRIES	BIT(KHO_MAP_TABLE_SHIFT)
#define KHO_MAP_LEVELS		\
	(1 + DIV_ROUND_UP(KHO_MAP_KEY_BITS - KHO_MAP_LEAF_SHIFT, KHO_MAP_TABLE_SHIFT))

/*
 * The largest folio that can be handed over: 1 GiB with pages of 4 KiB, 16 GiB
 * with pages of 64 KiB, which are the largest huge pages that Linux has. It must
 * not depend on the configuration of the kernel, since another kernel reads the map.
 */
#define KHO_MAX_FOLIO_ORDER	18

/**
 * union kho_map_node - a node of the preserved map
 * @entry: in a table, the physical addresses of the nodes one level below, 0 for none
 * @bits: in a leaf, one bit for each folio, which is set if the folio is preserved
 *
 * kho_map_add() and kho_map_del() change nodes without a lock, see
 * kernel/kexec_handover/map.h.
 */
union kho_map_node {
	u64 entry[KHO_MAP_TABLE_ENTRIES];
	unsigned long bits[KHO_MAP_LEAF_BITS / (8 * sizeof(unsigned long))];
};

static_assert(sizeof(union kho_map_node) == PAGE_SIZE);
static_assert(PAGE_SHIFT != 12 || KHO_MAP_LEVELS == 6);
static_assert(PAGE_SHIFT != 12 || KHO_MAP_LEAF_BITS == 32768);

/*
 * A physical address in a struct of the format. The union stores it in phys, with 0 for
 * NULL; ptr is never accessed and only gives the pointer its type.
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
 * A vmalloc area: struct kho_vmalloc describes it, and a list of chunks has the
 * addresses of its pages. Each chunk is one page, preserved as an order-0 folio.
 */
#define KHO_VMALLOC_ALLOC	BIT(0)	/* VM_ALLOC */
#define KHO_VMALLOC_HUGE_VMAP	BIT(1)	/* VM_ALLOW_HUGE_VMAP */
#define KHO_VMALLOC_CHUNK_LEN	(PAGE_SIZE / sizeof(u64) - 1)

/*
 * A chunk of the list: the address of the next chunk, 0 for the last one; and physical
 * addresses of runs of pages, in the order in which the area maps them. A 0 ends them
 * if the chunk is not full.
 */
struct kho_vmalloc_chunk {
	DECLARE_KHOSER_PTR(next, struct kho_vmalloc_chunk *);
	u64 phys[KHO_VMALLOC_CHUNK_LEN];
};

static_assert(sizeof(struct kho_vmalloc_chunk) == PAGE_SIZE);
static_assert(offsetof(struct kho_vmalloc_chunk, phys) == sizeof(u64));

/*
 * A vmalloc area: the address of its first chunk; its number of pages of PAGE_SIZE; its
 * flags, KHO_VMALLOC_*; and the order of its runs. Each run is 1 << order pages and is
 * preserved on its own.
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

/* The blob of live update, see luo.h. It is handed over whenever live update is on. */
#define LUO_BLOB_NAME		"LUO"

/* The blob that names the previous kernel. Each handover has it. */
#define KHO_METADATA_NAME	"kexec-metadata"
#define KHO_METADATA_VERSION	1

/**
 * struct kho_kexec_metadata - the blob with the name %KHO_METADATA_NAME
 * @version: %KHO_METADATA_VERSION
 * @previous_release: release of the kernel that writes the blob, 0-terminated
 * @kexec_count: number of kexecs since cold boot, including the next one
 *
 * write_metadata() writes all fields in a core_initcall of the old kernel; constant
 * from then on.
 */
struct kho_kexec_metadata {
	u32 version;
	char previous_release[65];
	u32 kexec_count;
} __packed;

static_assert(offsetof(struct kho_kexec_metadata, previous_release) == 4);
static_assert(offsetof(struct kho_kexec_metadata, kexec_count) == 69);
static_assert(sizeof(struct kho_kexec_metadata) == 73);

/*
 * The blob that names bad memory. It is not part of kho-v4, and kernels that do not know
 * it ignore it. A handover has it if the kernel knows of bad pages.
 */
#define KHO_BAD_PAGES_NAME	"kho-6.12,bad-pages"
#define KHO_BAD_RANGES		(PAGE_SIZE / (2 * sizeof(u64)) - 1)

/**
 * struct kho_bad_range - memory that hardware reported as bad
 * @phys: physical address, aligned to a page
 * @size: size in bytes, whole pages
 */
struct kho_bad_range {
	u64 phys;
	u64 size;
};

/**
 * struct kho_bad_pages - the blob with the name %KHO_BAD_PAGES_NAME, one page
 * @nr: number of ranges, at most %KHO_BAD_RANGES
 * @unused: 0
 * @range: the ranges, in the order of their addresses. They do not overlap. Preserved
 *	memory may be among them, and so may pages of scratch that are bad since the image
 *	was loaded.
 *
 * kho_bad_pages_collect() writes all fields each time that an image is loaded, and
 * kho_bad_pages_update() at the kexec if other pages are bad by then.
 */
struct kho_bad_pages {
	u64 nr;
	u64 unused;
	struct kho_bad_range range[KHO_BAD_RANGES];
};

static_assert(offsetof(struct kho_bad_pages, range) == 16);
static_assert(sizeof(struct kho_bad_range) == 16);
static_assert(sizeof(struct kho_bad_pages) == PAGE_SIZE);

/**
 * DOC: note in the image
 *
 * The image of a kernel that reads the map before it allocates struct pages has an ELF
 * note: name "KHO", type 1, a descriptor of 32 bits with the value 1. Such a kernel
 * allocates them wherever nothing is preserved, so scratch needs no room for them. Linux
 * 7.3 does not have the note and allocates them from scratch. Nothing in the handover
 * depends on the note; ``kho check`` looks for it before a kexec.
 */
#define KHO_NOTE_NAME		"KHO"
#define KHO_NOTE_MAP_EARLY	1

#endif /* _LINUX_KHO_ABI_KEXEC_HANDOVER_H */
