// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scratch: the memory that a starting kernel may use before it knows what the
 * previous one preserved. Nothing in it is ever preserved.
 *
 * This file owns the array of scratch regions, wherever they come from: the
 * previous kernel, or scratch_reserve.c at cold boot. mm/kho_scratch.c keeps
 * unmovable pages out of them while the system runs; image.c puts the next kernel
 * there and nowhere else.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/cache.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/string.h>

#include "scratch.h"

struct kho_scratch *kho_scratch __ro_after_init;
unsigned int kho_scratch_cnt __ro_after_init;
bool kho_scratch_inherited __ro_after_init;

/**
 * kho_scratch_set - these are the scratch regions
 * @array: the regions, in the direct map
 * @cnt: number of them
 *
 * Context: boot, before the page allocator starts.
 */
void __init kho_scratch_set(struct kho_scratch *array, unsigned int cnt)
{
	kho_scratch = array;
	kho_scratch_cnt = cnt;
}

static bool __init mark_regions(const struct kho_scratch *array, unsigned int cnt)
{
	for (unsigned int i = 0; i < cnt; i++) {
		if (!memblock_mark_kho_scratch(array[i].addr, array[i].size))
			continue;
		while (i--)
			memblock_clear_kho_scratch(array[i].addr, array[i].size);
		return false;
	}

	return true;
}

/**
 * kho_scratch_adopt - inherit the scratch regions of the previous kernel
 * @array_phys: address of their array, which kho_check_scratch() has checked
 * @cnt: number of them
 *
 * From here on memblock allocates from scratch only.
 *
 * Context: boot; memblock knows all RAM and early_memremap() works. The direct map
 * may not be there yet.
 * Return: true; false, with nothing changed, if memblock has no room for them.
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

	memblock_reserve(array_phys, size);
	memblock_set_kho_scratch_only();
	kho_scratch_set(phys_to_virt(array_phys), cnt);
	kho_scratch_inherited = true;

	return true;
}

/**
 * kho_scratch_array_in_scratch - does the array of regions itself lie in scratch?
 *
 * It is handed over where it is, and kexec could load the next kernel over it. The
 * previous kernel may have left it there; Linux 7.3 does.
 *
 * Return: true if it does.
 */
bool __init kho_scratch_array_in_scratch(void)
{
	return kho_scratch_overlap(virt_to_phys(kho_scratch),
				   kho_scratch_cnt * sizeof(*kho_scratch));
}

/**
 * kho_scratch_move_array - move the array of regions
 * @to: where to; stays there for good
 *
 * The page that it was in stays reserved, since nobody knows what else is in it.
 *
 * Context: core_initcall.
 */
void __init kho_scratch_move_array(void *to)
{
	kho_scratch = memcpy(to, kho_scratch, kho_scratch_cnt * sizeof(*kho_scratch));
}

/**
 * kho_scratch_overlap - does memory lie in scratch?
 * @phys: physical address
 * @size: bytes
 *
 * What lies in scratch does not survive a kexec and cannot be preserved.
 *
 * Context: any, from kho_memory_init() on.
 * Return: true if any byte does.
 */
bool kho_scratch_overlap(phys_addr_t phys, size_t size)
{
	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		if (kho_region_overlaps(&kho_scratch[i], phys, size))
			return true;
	}

	return false;
}
EXPORT_SYMBOL_GPL(kho_scratch_overlap);
