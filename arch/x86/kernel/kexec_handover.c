// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver on x86.
 *
 * This file owns the setup_data entry that tells the next kernel where to look,
 * for both sides, and the memory below 1 MiB while it is needed.
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
#include <linux/sizes.h>

#include <asm/bootparam.h>
#include <asm/kexec_handover.h>
#include <asm/setup.h>

static_assert(sizeof(struct kho_data) == 4 * sizeof(u64));

/* The setup_data entry that came, header and all; no address if none did. */
static u64 setup_data_phys __initdata;
static u32 setup_data_len __initdata;

/* What is in it. */
static struct kho_data kho_data __initdata;

/**
 * x86_kho_setup_data - remember a setup_data entry of type SETUP_KEXEC_KHO
 * @pa_data: its physical address
 * @len: its size with the header, in bytes
 *
 * Context: parse_setup_data(): memblock knows no RAM yet, and the command line
 * is not parsed.
 */
void __init x86_kho_setup_data(u64 pa_data, u32 len)
{
	/* As the decompressor has it: there is one, or the first counts. */
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

/**
 * x86_kho_populate - give KHO what came by setup_data
 *
 * Context: memblock knows all RAM, and nothing was allocated from it.
 */
void __init x86_kho_populate(void)
{
	if (!setup_data_phys || !read_setup_data())
		return;

	kho_populate(kho_data.fdt_addr, kho_data.fdt_size,
		     kho_data.scratch_addr, kho_data.scratch_size);

	/*
	 * All allocations come from below 1 MiB until the direct map is there,
	 * and the real-mode trampoline must.
	 */
	memblock_mark_kho_scratch(0, SZ_1M);
}

/**
 * x86_kho_realmode_reserved - memory below 1 MiB is given away
 */
void __init x86_kho_realmode_reserved(void)
{
	if (setup_data_phys)
		memblock_clear_kho_scratch(0, SZ_1M);
}

/**
 * x86_kho_add_setup_data - let an image take the handover along
 * @image: the image
 * @params: its boot parameters, with room for the entry
 * @params_load_addr: physical address that they are loaded to
 * @offset: where in @params the entry goes, in bytes
 *
 * Return: how many bytes of @params were used.
 */
unsigned int x86_kho_add_setup_data(const struct kimage *image,
				    struct boot_params *params,
				    unsigned long params_load_addr,
				    unsigned int offset)
{
	struct setup_data *data = (void *)params + offset;
	struct kho_data *kho = (void *)data->data;
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
	data->type = SETUP_KEXEC_KHO;
	data->len = sizeof(*kho);
	data->next = params->hdr.setup_data;
	params->hdr.setup_data = params_load_addr + offset;

	return sizeof(*data) + sizeof(*kho);
}
