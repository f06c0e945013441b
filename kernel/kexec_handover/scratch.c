// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scratch: the memory that a starting kernel may allocate from before it has read
 * the map of preserved folios. No page of scratch is ever preserved.
 *
 * This file owns the array of scratch regions, which come from the previous kernel,
 * or from scratch_reserve.c at cold boot. bad_pages.c takes blocks with bad pages out of
 * them. mm/kho_scratch.c keeps unmovable pages out of scratch while the system runs;
 * image.c places the segments of the next kernel in scratch.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/cache.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/seqlock.h>
#include <linux/string.h>

#include "kexec_lock.h"
#include "scratch.h"

struct kho_scratch *kho_scratch __read_mostly;
unsigned int kho_scratch_cnt __read_mostly;
bool kho_scratch_inherited __ro_after_init;

/* Lets readers see that kho_scratch_cut() exchanges the array and the number of its entries. */
static seqcount_t cuts = SEQCNT_ZERO(cuts);

/**
 * kho_scratch_set - set the array of scratch regions
 * @array: the array, in the direct map
 * @cnt: number of its entries
 *
 * Context: boot, before the page allocator starts; then only kho_scratch_cut().
 */
void kho_scratch_set(struct kho_scratch *array, unsigned int cnt)
{
	kho_scratch = array;
	kho_scratch_cnt = cnt;
}

/*
 * Undoes mark_regions(). The regions of memblock have the borders that they need, so
 * this needs no memory.
 */
static void __init unmark_regions(void)
{
	struct memblock_region *r;

	for_each_mem_region(r)
		r->flags &= ~MEMBLOCK_KHO_SCRATCH;
}

static bool __init mark_regions(const struct kho_scratch *array, unsigned int cnt)
{
	for (unsigned int i = 0; i < cnt; i++) {
		if (memblock_mark_kho_scratch(array[i].addr, array[i].size)) {
			unmark_regions();
			return false;
		}
	}

	return true;
}

/**
 * kho_scratch_adopt - inherit the scratch regions of the previous kernel
 * @array_phys: physical address of their array, which kho_check_scratch() has checked
 * @cnt: number of its entries
 *
 * If this succeeds, memblock allocates from scratch only from here on.
 *
 * Context: boot; memblock knows all RAM and early_memremap() works. The direct map
 * may not exist yet.
 * Return: true if the regions are marked in memblock; false, with nothing changed,
 * if the array cannot be mapped or memblock has no room for the marks or to reserve it.
 */
bool __init kho_scratch_adopt(phys_addr_t array_phys, unsigned int cnt)
{
	const size_t size = cnt * sizeof(struct kho_scratch);
	struct kho_scratch *array = early_memremap(array_phys, size);
	bool ok = array && mark_regions(array, cnt);

	if (array)
		early_memunmap(array, size);
	if (!ok)
		return false;

	/* The array may lie in scratch, where memblock would allocate the same memory. */
	if (memblock_reserve(array_phys, size)) {
		unmark_regions();
		return false;
	}
	memblock_set_kho_scratch_only();
	kho_scratch_set(phys_to_virt(array_phys), cnt);
	kho_scratch_inherited = true;

	return true;
}

/**
 * kho_scratch_array_in_scratch - does the array of scratch regions lie in scratch?
 *
 * The next kernel reads the array where it lies, and in scratch kexec could load
 * that kernel over it. Linux 7.3 leaves the array that it hands over in scratch.
 *
 * Context: kho_start(), a core_initcall.
 * Return: true if any byte of the array lies in scratch; false if none does.
 */
bool __init kho_scratch_array_in_scratch(void)
{
	return kho_scratch_overlap(virt_to_phys(kho_scratch),
				   kho_scratch_cnt * sizeof(*kho_scratch));
}

/**
 * kho_scratch_move_array - move the array of scratch regions
 * @to: where to copy it, in memory that is never freed
 *
 * The page of the old array stays reserved, because it may contain other data of the
 * previous kernel.
 *
 * Context: kho_start(), a core_initcall.
 */
void __init kho_scratch_move_array(void *to)
{
	kho_scratch = memcpy(to, kho_scratch, kho_scratch_cnt * sizeof(*kho_scratch));
}

/*
 * Cuts a block out of a region of @array, which has @cnt of at most @max entries and which
 * no other code uses yet. Without room for another entry, the smaller part of the region is
 * no scratch any more. Returns the new number of entries.
 */
static unsigned int cut_region(struct kho_scratch *array, unsigned int cnt, unsigned int max,
			       struct kho_scratch *region, phys_addr_t block)
{
	const phys_addr_t before = block - region->addr;
	const struct kho_scratch after = {
		.addr = block + KHO_SCRATCH_ALIGN,
		.size = region->size - before - KHO_SCRATCH_ALIGN,
	};

	if (after.size && cnt < max) {
		/* Both parts stay scratch. */
		array[cnt++] = after;
		region->size = before;
	} else if (after.size > before) {
		/* No room for another entry: the larger part stays. */
		*region = after;
	} else {
		region->size = before;
	}

	return cnt;
}

/**
 * kho_scratch_cut - take a block out of scratch
 * @array: memory for a new array of regions, zeroed, that is never freed
 * @max: number of entries that it has room for
 * @block: physical address of the block, aligned to %KHO_SCRATCH_ALIGN
 *
 * The old array stays in memory and does not change. The region of the block gets
 * smaller, and its memory after the block becomes another region. An index of the array
 * keeps its purpose.
 *
 * Context: any, with the kexec lock held. After kho_start().
 */
void kho_scratch_cut(struct kho_scratch *array, unsigned int max, phys_addr_t block)
{
	unsigned int cnt = kho_scratch_cnt;
	unsigned long flags;

	kho_assert_kexec_lock();
	memcpy(array, kho_scratch, cnt * sizeof(*array));
	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		if (kho_region_overlaps(&array[i], block, KHO_SCRATCH_ALIGN))
			cnt = cut_region(array, cnt, max, &array[i], block);
	}

	/* An interrupt that reads both must not wait for this CPU. */
	local_irq_save(flags);
	write_seqcount_begin(&cuts);
	kho_scratch_set(array, cnt);
	write_seqcount_end(&cuts);
	local_irq_restore(flags);
}

/**
 * kho_scratch_regions - get a consistent array and number of scratch regions
 * @cnt: where to store the number of regions
 *
 * For code that does not hold the kexec lock while the system runs.
 *
 * Context: any but NMIs, never sleeps.
 * Return: the regions. The array stays in memory, and does not change.
 */
const struct kho_scratch *kho_scratch_regions(unsigned int *cnt)
{
	const struct kho_scratch *array;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&cuts);
		array = kho_scratch;
		*cnt = kho_scratch_cnt;
	} while (read_seqcount_retry(&cuts, seq));

	return array;
}

/**
 * kho_scratch_sum - sum up the sizes of scratch regions
 * @array: the regions
 * @cnt: number of regions
 *
 * Context: any, never sleeps.
 * Return: the size of all of them, in bytes.
 */
u64 kho_scratch_sum(const struct kho_scratch *array, unsigned int cnt)
{
	u64 bytes = 0;

	for (unsigned int i = 0; i < cnt; i++)
		bytes += array[i].size;

	return bytes;
}

/**
 * kho_scratch_overlap - does a range overlap scratch?
 * @phys: physical address of the range
 * @size: size of the range in bytes
 *
 * Memory in scratch cannot be preserved.
 *
 * Context: any but NMIs, never sleeps. From kho_memory_known() on.
 * Return: true if any byte of the range lies in scratch; false if none does, or if
 * there is no scratch.
 */
bool kho_scratch_overlap(phys_addr_t phys, size_t size)
{
	const struct kho_scratch *array;
	unsigned int cnt;

	array = kho_scratch_regions(&cnt);
	for (unsigned int i = 0; i < cnt; i++) {
		if (kho_region_overlaps(&array[i], phys, size))
			return true;
	}

	return false;
}
EXPORT_SYMBOL_GPL(kho_scratch_overlap);
