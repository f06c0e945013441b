// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver on x86.
 *
 * This file owns the setup_data entry with the addresses of the root FDT and of the
 * array of scratch regions: it adds the entry to a kexec image, and reads it at boot.
 * It adds another entry if the memory map does not fit into the boot parameters. It
 * also lets memblock allocate below 1 MiB until the real-mode trampoline is there. The
 * functions that KHO itself calls are in kexec_handover_arch.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kexec_handover_image.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/bootparam.h>
#include <asm/e820/api.h>
#include <asm/kexec_handover.h>
#include <asm/setup.h>

static_assert(sizeof(struct kho_data) == 4 * sizeof(u64));

/*
 * Physical address and size in bytes of the setup_data entry that the previous kernel
 * has added, with its header. The address is 0 if there is none.
 */
static u64 setup_data_phys __initdata;
static u32 setup_data_len __initdata;

/* A copy of the content of this entry. */
static struct kho_data kho_data __initdata;

/**
 * x86_kho_setup_data - record the address of a setup_data entry SETUP_KEXEC_KHO
 * @pa_data: physical address of the entry
 * @len: size of the entry with its header, in bytes
 *
 * Context: parse_setup_data(): memblock knows no RAM yet, and the command line
 * is not parsed.
 */
void __init x86_kho_setup_data(u64 pa_data, u32 len)
{
	/* If there are several entries, use the first one, as the decompressor does. */
	if (setup_data_phys)
		return;

	setup_data_phys = pa_data;
	setup_data_len = len;
}

static bool __init read_setup_data(void)
{
	struct setup_data *data;

	if (setup_data_len != sizeof(*data) + sizeof(kho_data)) {
		kho_refuse("setup_data at %#llx has %u bytes, not %zu", setup_data_phys,
			   setup_data_len, sizeof(*data) + sizeof(kho_data));
		return false;
	}

	data = early_memremap(setup_data_phys, setup_data_len);
	if (!data) {
		kho_refuse("cannot map setup_data at %#llx", setup_data_phys);
		return false;
	}
	memcpy(&kho_data, data->data, sizeof(kho_data));
	early_memunmap(data, setup_data_len);

	return true;
}

/*
 * Marks all memory below 1 MiB as scratch, or unmarks it. Sets the flag of whole regions:
 * none crosses 1 MiB, because trim_bios_range() has taken the memory before it out of RAM.
 * memblock_mark_kho_scratch() does not know that, and it fails if memblock has no room for
 * two more regions and may allocate from scratch only, of which none is below 1 MiB yet.
 */
static void __init set_low_scratch(bool scratch)
{
	struct memblock_region *r;

	for_each_mem_region(r) {
		if (r->base + r->size > SZ_1M)
			break;
		if (scratch)
			r->flags |= MEMBLOCK_KHO_SCRATCH;
		else
			r->flags &= ~MEMBLOCK_KHO_SCRATCH;
	}
}

/**
 * x86_kho_populate - pass the handover that setup_data names to KHO
 *
 * Does nothing if setup_data names none.
 *
 * Context: setup_arch(), when memblock knows all RAM and before anything is allocated
 * from it.
 */
void __init x86_kho_populate(void)
{
	if (!setup_data_phys || !read_setup_data())
		return;

	kho_populate(kho_data.fdt_addr, kho_data.fdt_size,
		     kho_data.scratch_addr, kho_data.scratch_size);

	/*
	 * Until the direct map exists memblock allocates below 1 MiB only, and the
	 * real-mode trampoline always lies there. If the handover is refused then memblock
	 * allocates from all memory, and does not look at the mark.
	 */
	set_low_scratch(true);
}

/**
 * x86_kho_realmode_reserved - let memblock no longer allocate below 1 MiB
 *
 * Context: setup_arch(), after the memory of the real-mode trampoline was reserved.
 */
void __init x86_kho_realmode_reserved(void)
{
	if (setup_data_phys)
		set_low_scratch(false);
}

/*
 * Returns the number of entries of the memory map for which the boot parameters of the
 * next kernel have no room.
 */
static unsigned int more_e820_entries(void)
{
	unsigned int nr = e820_table_kexec->nr_entries;

	return nr - min(nr, E820_MAX_ENTRIES_ZEROPAGE);
}

/* Rounded up, so that the entry after it is aligned. */
static unsigned int e820_setup_data_size(void)
{
	unsigned int nr = more_e820_entries();

	if (!nr)
		return 0;

	return ALIGN(sizeof(struct setup_data) + nr * sizeof(struct boot_e820_entry), sizeof(u64));
}

/**
 * x86_kho_setup_data_size - how much room does an image need for setup_data?
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: the largest size that x86_kho_add_setup_data() returns, in bytes.
 */
unsigned int x86_kho_setup_data_size(void)
{
	return sizeof(struct setup_data) + sizeof(struct kho_data) + e820_setup_data_size();
}

static void add_setup_data(struct boot_params *params, unsigned long params_load_addr,
			   unsigned int offset, u32 type, u32 len)
{
	struct setup_data *data = (void *)params + offset;

	data->type = type;
	data->len = len;
	data->next = params->hdr.setup_data;
	params->hdr.setup_data = params_load_addr + offset;
}

/*
 * Adds the entries of the memory map that setup_e820_entries() has left out. These are
 * the highest ones, where scratch and most preserved memory is.
 */
static unsigned int add_e820_setup_data(struct boot_params *params,
					unsigned long params_load_addr, unsigned int offset)
{
	struct setup_data *data = (void *)params + offset;
	unsigned int nr = more_e820_entries();
	u32 len = nr * sizeof(struct boot_e820_entry);

	static_assert(sizeof(struct boot_e820_entry) == sizeof(struct e820_entry));

	if (!nr)
		return 0;

	memcpy(data->data, &e820_table_kexec->entries[E820_MAX_ENTRIES_ZEROPAGE], len);
	add_setup_data(params, params_load_addr, offset, SETUP_E820_EXT, len);

	return e820_setup_data_size();
}

/**
 * x86_kho_add_setup_data - add the setup_data entries of the handover to an image
 * @image: the image
 * @params: boot parameters of the image, with room for the entries
 * @params_load_addr: physical address that @params is loaded to
 * @offset: offset of the first entry in @params, in bytes
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: the size of the entries in bytes; 0 if the image takes no handover along.
 */
unsigned int x86_kho_add_setup_data(const struct kimage *image,
				    struct boot_params *params,
				    unsigned long params_load_addr,
				    unsigned int offset)
{
	struct setup_data *data = (void *)params + offset;
	struct kho_data *kho = (void *)data->data;
	unsigned int size = sizeof(*data) + sizeof(*kho);
	phys_addr_t fdt, scratch;
	u64 scratch_len;

	if (!kho_image_params(image, &fdt, &scratch, &scratch_len))
		return 0;

	*kho = (struct kho_data){
		.fdt_addr = fdt,
		.fdt_size = KHO_FDT_SIZE,
		.scratch_addr = scratch,
		.scratch_size = scratch_len,
	};
	add_setup_data(params, params_load_addr, offset, SETUP_KEXEC_KHO, sizeof(*kho));

	return size + add_e820_setup_data(params, params_load_addr, offset + size);
}
