/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of KHO tell each other.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KEXEC_HANDOVER_INTERNAL_H
#define _KEXEC_HANDOVER_INTERNAL_H

#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "kexec_handover_map.h"

/*
 * The largest folio that can be handed over: 1 GiB with 4 KiB pages. A larger
 * order in an incoming map is an error of its writer.
 */
#define KHO_MAX_FOLIO_ORDER	(PUD_SHIFT - PAGE_SHIFT)

/* kexec_handover.c */

/**
 * struct kho_out - what this kernel hands over
 * @map: the preserved folios; set at init, changed without a lock
 * @lock: guards the content of @fdt
 * @fdt: the root FDT, a page that is itself preserved; set at init
 */
struct kho_out {
	struct kho_map map;
	struct mutex lock; /* see above */
	void *fdt;
};

/**
 * struct kho_in - what the previous kernel handed over
 * @fdt_phys: address of its root FDT, 0 for none. Set by kho_populate(),
 *	cleared when the handover is refused; constant once boot is over.
 * @fdt: the root FDT in the direct map, from kho_memory_init() on; NULL if
 *	there is no handover or it was refused
 */
struct kho_in {
	phys_addr_t fdt_phys;
	const void *fdt;
};

extern struct kho_out kho_out;
extern struct kho_in kho_in;

struct folio *kho_alloc_folio(unsigned int order);
bool kho_is_ram(u64 phys, u64 size);
bool kho_memblock_has(phys_addr_t addr, u64 size);

/* kexec_handover_fdt.c */

int kho_fdt_u64(const void *fdt, int node, const char *prop, u64 *val);
int kho_fdt_create(void *fdt, phys_addr_t map);
const char *kho_fdt_defect(const void *fdt);
int kho_fdt_add(void *fdt, const char *name, phys_addr_t phys, u64 size);
bool kho_fdt_del(void *fdt, phys_addr_t phys);
int kho_fdt_get(const void *fdt, const char *name, phys_addr_t *phys, size_t *size);

/* kexec_handover_scratch.c */

/*
 * The scratch array and the number of its entries; no entries if KHO is off.
 * Set before the page allocator starts, constant from then on but for where the
 * array is, see kho_scratch_move_array().
 */
extern struct kho_scratch *kho_scratch;
extern unsigned int kho_scratch_cnt;

/*
 * Scratch is made of whole blocks that the buddy allocator merges within: what
 * is free next to a page of scratch is never outside of it.
 */
#define KHO_SCRATCH_ALIGN	\
	(max_t(phys_addr_t, MAX_ORDER_NR_PAGES, pageblock_nr_pages) << PAGE_SHIFT)

/* Regions may be empty, and then it does not matter where they are. */
static inline bool kho_region_overlaps(const struct kho_scratch *region, phys_addr_t phys,
				       u64 size)
{
	return region->size && phys < region->addr + region->size && region->addr < phys + size;
}

/**
 * struct kho_scratch_request - what kho_scratch= asks for
 * @percent: of what the kernel has reserved at boot; if 0 the sizes count
 * @image_percent: the same, of itself and its initrd
 * @low: bytes of the low-memory region
 * @global: bytes of the global region
 * @node: bytes of the region of each node
 */
struct kho_scratch_request {
	unsigned int percent;
	unsigned int image_percent;
	u64 low;
	u64 global;
	u64 node;
};

/**
 * struct kho_scratch_use - what this kernel has reserved, in bytes
 * @image_below: of the kernel and its initrd, as far as they are in low memory
 * @image_above: of the kernel and its initrd elsewhere
 * @below: of low memory
 * @crash_below: the part of @below that is for a crash kernel
 * @crash_above: of all other memory, for a crash kernel
 */
struct kho_scratch_use {
	u64 image_below;
	u64 image_above;
	u64 below;
	u64 crash_below;
	u64 crash_above;
};

#if IS_ENABLED(CONFIG_KUNIT)
bool kho_scratch_parse(const char *arg, struct kho_scratch_request *req);
void kho_scratch_sizes(const struct kho_scratch_use *use, const struct kho_scratch_request *req,
		       u64 *low, u64 *global);
#endif

/*
 * Stretches of memory, each as long as what a leaf of the map covers, and which
 * of them have scratch in them. So far only few folios have to be compared with
 * each region, there may be one for each node. The stretch in which memory ends
 * does not count. Set at init, no stretches before.
 */
#define KHO_STRETCH_ORDER	KHO_MAP_LEAF_SHIFT

extern unsigned long *kho_scratch_stretches;
extern unsigned long kho_nr_stretches;

/*
 * Does the next kernel know of memory below this PFN? What was added after boot
 * is above all other memory, and in no memory map that kexec hands on.
 */
extern unsigned long kho_boot_end;

static inline bool kho_next_knows(unsigned long end)
{
	return end <= kho_boot_end;
}

/* Is a folio known to lie far from scratch? */
static __always_inline bool kho_scratch_far(unsigned long pfn, unsigned int order)
{
	unsigned long stretch = pfn >> KHO_STRETCH_ORDER;

	return order <= KHO_STRETCH_ORDER && stretch < kho_nr_stretches &&
	       !test_bit(stretch, kho_scratch_stretches);
}

bool kho_scratch_adopt(phys_addr_t array_phys, u64 array_len);
bool kho_scratch_reserve(void);
bool kho_scratch_inherited(phys_addr_t phys, size_t size);
void kho_scratch_mark_early(void);
void kho_scratch_finish(void);
void kho_scratch_release(void);
int kho_scratch_move_array(void);

/* kexec_handover_incoming.c */

bool kho_scratch_valid(const struct kho_scratch *array, unsigned int cnt);
bool kho_incoming_accept(phys_addr_t map_root, phys_addr_t fdt_phys);
bool kho_incoming_keeps(phys_addr_t phys, u64 size);
bool kho_incoming_has(phys_addr_t phys, size_t size);
unsigned long kho_incoming_next(unsigned long pfn, unsigned long end);
bool kho_incoming_forget(unsigned long pfn, unsigned long end);

/* kexec_handover_blocks.c */

void kho_incoming_start(void);

/* kexec_handover_restore.c */

/**
 * struct kho_in_stats - what became of the folios that were handed over
 * @folios: those handed over, by order
 * @unclaimed: those of them that nobody has restored yet
 * @nodes: nodes of the map
 */
struct kho_in_stats {
	unsigned long folios[KHO_MAX_FOLIO_ORDER + 1];
	unsigned long unclaimed[KHO_MAX_FOLIO_ORDER + 1];
	unsigned long nodes;
};

void kho_incoming_trace(void);
void kho_incoming_finish(void);
bool kho_incoming_take(unsigned long pfn, unsigned long end);
unsigned long kho_incoming_release(void);
void kho_incoming_stats(struct kho_in_stats *stats);

/* kexec_handover_reserve_mem.c */

#ifdef CONFIG_KEXEC_HANDOVER_RESERVE_MEM
void kho_reserve_mem_settle(void);
u64 kho_reserve_mem_bytes(phys_addr_t from, phys_addr_t to);
#else
static inline void kho_reserve_mem_settle(void) { }
static inline u64 kho_reserve_mem_bytes(phys_addr_t from, phys_addr_t to)
{
	return 0;
}
#endif

/* kexec_handover_checks.c */

#ifdef CONFIG_KEXEC_HANDOVER_DEBUG
void kho_check_preserve(unsigned long pfn, unsigned long end, unsigned long caller);
void kho_check_unpreserve(unsigned long pfn, unsigned long end, unsigned long caller);
#else
static inline void kho_check_preserve(unsigned long pfn, unsigned long end,
				      unsigned long caller) { }
static inline void kho_check_unpreserve(unsigned long pfn, unsigned long end,
					unsigned long caller) { }
#endif

/* kexec_handover_checksum.c */

#ifdef CONFIG_KEXEC_HANDOVER_CHECKSUM
int kho_checksum_prepare(void *fdt);
void kho_checksum_set(void *fdt, const struct kho_map *map);
bool kho_checksum_matches(const void *fdt, const struct kho_map *map);
#else
static inline int kho_checksum_prepare(void *fdt)
{
	return 0;
}

static inline void kho_checksum_set(void *fdt, const struct kho_map *map) { }

static inline bool kho_checksum_matches(const void *fdt, const struct kho_map *map)
{
	return true;
}
#endif

/* kexec_handover_debug.c */

#ifdef CONFIG_KEXEC_HANDOVER_DEBUGFS
void kho_debugfs_init(void);
void kho_debugfs_add(const char *name, void *blob, size_t size);
void kho_debugfs_remove(const void *blob);
#else
static inline void kho_debugfs_init(void) { }
static inline void kho_debugfs_add(const char *name, void *blob, size_t size) { }
static inline void kho_debugfs_remove(const void *blob) { }
#endif

#endif /* _KEXEC_HANDOVER_INTERNAL_H */
