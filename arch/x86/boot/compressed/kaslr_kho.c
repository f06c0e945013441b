// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver in the decompressor.
 *
 * This file restricts KASLR to scratch if this kernel receives a handover. All memory
 * outside of scratch may be preserved.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include "misc.h"
#include "error.h"

#include <linux/kho/abi/kexec_handover.h>

#include <asm/bootparam.h>
#include <asm/e820/types.h>
#include <asm/setup_data.h>

static const struct setup_data *setup_data_at(u64 addr)
{
	return (const void *)(unsigned long)addr;
}

/* Does one of @nr entries of the memory map say that a range is RAM? */
static bool is_ram_in(const struct boot_e820_entry *table, unsigned int nr, u64 start, u64 size)
{
	for (const struct boot_e820_entry *e = table; e < table + nr; e++) {
		if (e->type == E820_TYPE_RAM && start >= e->addr && size <= e->size &&
		    start - e->addr <= e->size - size)
			return true;
	}

	return false;
}

/* Is a range in RAM, so that it can be read? The kernel checks the handover later. */
static bool is_ram(u64 start, u64 size)
{
	const struct setup_data *data;

	if (is_ram_in(boot_params_ptr->e820_table, boot_params_ptr->e820_entries, start, size))
		return true;

	/* The entries for which the boot parameters have no room: those of the highest memory. */
	for (data = setup_data_at(boot_params_ptr->hdr.setup_data); data;
	     data = setup_data_at(data->next)) {
		if (data->type == SETUP_E820_EXT &&
		    is_ram_in((const void *)data->data,
			      data->len / sizeof(struct boot_e820_entry), start, size))
			return true;
	}

	return false;
}

static const struct kho_data *find_kho_data(void)
{
	const struct setup_data *data;

	for (data = setup_data_at(boot_params_ptr->hdr.setup_data); data;
	     data = setup_data_at(data->next)) {
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
 * Offers the first @size bytes of a region, without the array of scratch regions: this
 * may lie in one of the regions, and the kernel must still be able to read it.
 */
static void offer(const struct kho_scratch *scratch, u64 size, const struct kho_data *kho,
		  unsigned long minimum, unsigned long image_size)
{
	u64 end = scratch->addr + size, array_end = kho->scratch_addr + kho->scratch_size;

	offer_range(scratch->addr, min(end, kho->scratch_addr), minimum, image_size);
	offer_range(max(scratch->addr, array_end), end, minimum, image_size);
}

/**
 * process_kho_scratch - offer scratch for the random choice of a physical address
 * @minimum: lowest possible physical address; lowered to that of the kernel's link address
 *	if this kernel receives a handover
 * @image_size: size of the kernel image in bytes
 * @slots: the number of addresses to choose from, which process_mem_region() adds to
 *
 * The loop tries one region after the other until @slots is not 0. The second region,
 * the global one, has room for kernels and comes first. In the others memblock
 * allocates large buffers from the end, and by default about four fifths of them are
 * as large as what the previous kernel needed: there only the first sixth is offered.
 * The low-memory region comes last.
 *
 * If no address in scratch is possible, the kernel stays where kexec has loaded it,
 * which is in scratch as well.
 *
 * Context: decompressor, one CPU. Nothing of the handover was checked yet.
 * Return: true if this kernel receives a handover: the caller offers no other memory
 * then; false if it does not.
 */
bool process_kho_scratch(unsigned long *minimum, unsigned long image_size,
			 const unsigned long *slots)
{
	const struct kho_data *kho = find_kho_data();
	const struct kho_scratch *scratch;
	u64 nr;

	if (!kho)
		return false;

	/*
	 * The caller offers nothing below the address that the kernel was loaded to. kexec loads
	 * it near the end of scratch.
	 */
	*minimum = min_t(unsigned long, *minimum, LOAD_PHYSICAL_ADDR);

	if (!is_ram(kho->scratch_addr, kho->scratch_size)) {
		warn("KHO: the scratch array is not in RAM");
		return true;
	}

	scratch = (void *)(unsigned long)kho->scratch_addr;
	nr = kho->scratch_size / sizeof(*scratch);
	for (u64 i = 1; i <= nr && !*slots; i++) {
		const struct kho_scratch *region = &scratch[i % nr];

		offer(region, i == 1 ? region->size : region->size / 6, kho, *minimum,
		      image_size);
	}

	return true;
}
