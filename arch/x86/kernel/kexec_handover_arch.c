// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Kexec HandOver asks x86: which memory is reserved for firmware only, and whether
 * the kernel of an image can find a handover at all.
 *
 * These functions replace weak ones of kernel/kexec_handover/, which calls them. The calls
 * in the other direction are in kexec_handover.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/efi.h>
#include <linux/init.h>
#include <linux/kexec.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kexec_handover_image.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <asm/bootparam.h>
#include <asm/setup.h>

/*
 * Memory of EFI boot services stays reserved until firmware has entered virtual mode. A
 * kernel that kexec starts has none.
 */
u64 __init arch_kho_free_bytes(phys_addr_t start, phys_addr_t end)
{
	efi_memory_desc_t *md;
	u64 bytes = 0;

	if (!IS_ENABLED(CONFIG_EFI) || !efi_enabled(EFI_MEMMAP))
		return 0;

	for_each_efi_memory_desc(md) {
		u64 from = max(start, md->phys_addr);
		u64 to = min(end, md->phys_addr + (md->num_pages << EFI_PAGE_SHIFT));

		if (from < to && (md->type == EFI_BOOT_SERVICES_CODE ||
				  md->type == EFI_BOOT_SERVICES_DATA))
			bytes += to - from;
	}

	return bytes;
}

/*
 * A kernel says in its kernel_info which types of setup_data it knows. Boot protocols
 * before 2.15 have none.
 */
bool arch_kho_image_unknown(const struct kimage *image)
{
	const struct {
		u32 magic, size, size_total, setup_type_max;
	} *info;
	const struct setup_header *header = image->kernel_buf + offsetof(struct boot_params, hdr);
	unsigned long offset;

	if (image->kernel_buf_len < offsetofend(struct boot_params, hdr))
		return false;
	if (header->version < 0x020f)
		return true;

	offset = ((header->setup_sects ?: 4) + 1UL) * 512 + header->kernel_info_offset;
	if (offset > image->kernel_buf_len || image->kernel_buf_len - offset < sizeof(*info))
		return false;
	info = image->kernel_buf + offset;

	/* "LToP" */
	return info->magic == 0x506f544c &&
	       (info->setup_type_max & ~SETUP_INDIRECT) < SETUP_KEXEC_KHO;
}
