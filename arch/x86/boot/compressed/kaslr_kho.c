// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver in the decompressor.
 *
 * This file owns where KASLR may put a kernel that memory is handed over to:
 * into scratch. Anything else may be preserved.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include "misc.h"
#include "error.h"

#include <linux/kho/abi/kexec_handover.h>

#include <asm/bootparam.h>
#include <asm/e820/types.h>
#include <asm/setup_data.h>

/* Nothing was checked yet: is this memory that can be looked at? */
static bool is_ram(u64 start, u64 size)
{
	for (int i = 0; i < boot_params_ptr->e820_entries; i++) {
		const struct boot_e820_entry *e = &boot_params_ptr->e820_table[i];

		if (e->type == E820_TYPE_RAM && start >= e->addr && size <= e->size &&
		    start - e->addr <= e->size - size)
			return true;
	}

	return false;
}

static const struct kho_data *find_kho_data(void)
{
	const struct setup_data *data;

	for (data = (void *)(unsigned long)boot_params_ptr->hdr.setup_data; data;
	     data = (void *)(unsigned long)data->next) {
		if (data->type == SETUP_KEXEC_KHO && data->len == sizeof(struct kho_data))
			return (const void *)data->data;
	}

	return NULL;
}

static void offer_range(u64 start, u64 end, unsigned long minimum,
			unsigned long image_size)
{
	struct mem_vector region = {
		.start = start,
		.size = end - start,
	};

	if (start < end && is_ram(region.start, region.size))
		process_mem_region(&region, minimum, image_size);
}

/*
 * The first @size bytes of a region, but for the array of regions: it may lie in
 * one of them, and the kernel wants to read it.
 */
static void offer(const struct kho_scratch *scratch, u64 size, const struct kho_data *kho,
		  unsigned long minimum, unsigned long image_size)
{
	u64 end = scratch->addr + size, array_end = kho->scratch_addr + kho->scratch_size;

	offer_range(scratch->addr, min(end, kho->scratch_addr), minimum, image_size);
	offer_range(max(scratch->addr, array_end), end, minimum, image_size);
}

/*
 * Offers scratch for the random choice of a physical address and returns true
 * if memory was handed over: nothing else is to be offered then. If that leaves
 * nothing to choose from the kernel stays where kexec put it, in scratch, too.
 *
 * The second region is the one that has room for kernels. The others are for large
 * buffers, which are taken from the end of a region. By default four fifths of it are
 * as much as the kernel before needed, so there a kernel has to keep to the start.
 * The first is for who needs low memory, so it comes last, and one region is enough.
 * @slots is what there is to choose from.
 */
bool process_kho_scratch(unsigned long minimum, unsigned long image_size,
			 const unsigned long *slots)
{
	const struct kho_data *kho = find_kho_data();
	const struct kho_scratch *scratch;
	u64 nr;

	if (!kho)
		return false;

	if (!is_ram(kho->scratch_addr, kho->scratch_size)) {
		warn("KHO: the scratch array is not in RAM");
		return true;
	}

	scratch = (void *)(unsigned long)kho->scratch_addr;
	nr = kho->scratch_size / sizeof(*scratch);
	for (u64 i = 1; i <= nr && !*slots; i++) {
		const struct kho_scratch *region = &scratch[i % nr];

		offer(region, i == 1 ? region->size : region->size / 6, kho, minimum,
		      image_size);
	}

	return true;
}
