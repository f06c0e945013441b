// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a kexec image takes along.
 *
 * This file owns where kexec_file puts the segments of an image when KHO is on,
 * what the architectures' loaders tell the next kernel, and the last step before
 * that kernel is started. Crash images take nothing along and have memory of their
 * own.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_image.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/printk.h>

#include "checksum.h"
#include "map.h"
#include "outgoing.h"
#include "ram.h"
#include "scratch.h"

/**
 * kho_image_params - what a kexec image takes along
 * @image: the image
 * @fdt_phys: where to put the address of the root FDT, which is %KHO_FDT_SIZE
 * @scratch_phys: where to put the address of the array of scratch regions
 * @scratch_len: where to put the size of this array in bytes
 *
 * Context: any.
 * Return: true if the image takes the handover along. Crash images do not.
 */
bool kho_image_params(const struct kimage *image, phys_addr_t *fdt_phys,
			 phys_addr_t *scratch_phys, u64 *scratch_len)
{
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH)
		return false;

	*fdt_phys = virt_to_phys(kho_out.fdt);
	*scratch_phys = virt_to_phys(kho_scratch);
	*scratch_len = kho_scratch_cnt * sizeof(*kho_scratch);

	return true;
}

/**
 * kho_image_locate_hole - find room in scratch for a segment of a kexec image
 * @kbuf: what is looked for
 * @func: tries one range of memory, returns 1 if it found room there
 *
 * Context: kexec_file_load, with the kexec lock.
 * Return: 0 if room was found, -EADDRNOTAVAIL if scratch has none, 1 if this
 * image is none of KHO's business.
 */
int kho_image_locate_hole(struct kexec_buf *kbuf,
			int (*func)(struct resource *, void *))
{
	if (!kho_is_enabled() || kbuf->image->type == KEXEC_TYPE_CRASH)
		return 1;

	/* Low memory comes last: the next kernel wants large buffers there. */
	for (unsigned int i = 1; i <= kho_scratch_cnt; i++) {
		const struct kho_scratch *r = &kho_scratch[i % kho_scratch_cnt];
		struct resource res = {
			.start = r->addr,
			.end = r->addr + r->size - 1,
			.flags = IORESOURCE_SYSTEM_RAM,
		};

		if (r->size && func(&res, kbuf) == 1)
			return 0;
	}

	/*
	 * Not yet an error: the loader may go on to put the kernel elsewhere, until
	 * there is no place for that. The first one is what had no room.
	 */
	if (!kbuf->image->kho_no_room)
		kbuf->image->kho_no_room = kbuf->memsz;

	return -EADDRNOTAVAIL;
}

/**
 * kho_image_load_failed - say so if it was for lack of scratch
 * @image: what could not be loaded
 * @err: why, a negative errno
 *
 * Context: kexec_file_load, with the kexec lock.
 */
void kho_image_load_failed(const struct kimage *image, int err)
{
	if (err == -EADDRNOTAVAIL && image->kho_no_room)
		pr_err("no room in scratch for a kexec segment of %lu bytes; see kho_scratch=\n",
		       image->kho_no_room);
}

/* A node whose address something wrote over is not looked into. */
static int check_node(phys_addr_t node, unsigned int level, u64 key, void *arg)
{
	*(phys_addr_t *)arg = node;
	if (!PAGE_ALIGNED(node) || !kho_ram_can_go_out(PHYS_PFN(node), PHYS_PFN(node) + 1) ||
	    !kho_map_can_name(level, key, max_pfn))
		return -EINVAL;

	return 0;
}

/**
 * kho_image_seal - compute the checksum of what is handed over
 * @image: the image that is about to be started
 *
 * If something wrote over the map, there is nobody left to help: it is handed over
 * as it is, without a checksum that fits, and the next kernel refuses it.
 *
 * Context: kexec. This CPU is the only one that still runs.
 */
void kho_image_seal(const struct kimage *image)
{
	phys_addr_t node;

	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH)
		return;

	if (kho_map_walk(&kho_out.map, check_node, &node))
		pr_err("something wrote over the map, it names a node at %pa: the next kernel will refuse the handover\n",
		       &node);
	else
		kho_checksum_set(kho_out.fdt, &kho_out.map);
}
