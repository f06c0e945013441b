// SPDX-License-Identifier: GPL-2.0-only
/*
 * The handover in a kexec image.
 *
 * This file owns the place of the segments of an image that kexec_file_load() loads
 * while KHO is on, the addresses that the loaders of the architectures write into
 * the parameters of the next kernel, and the last step before that kernel is
 * started. Crash images take no handover along: they have reserved memory of their
 * own, and the next kernel must not touch any other.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_image.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bad_pages.h"
#include "checksum.h"
#include "fdt.h"
#include "kexec_lock.h"
#include "log.h"
#include "map.h"
#include "outgoing.h"
#include "ram.h"
#include "scratch.h"
#include "vacant.h"

/**
 * kho_image_params - get the addresses that the next kernel needs
 * @image: the image
 * @fdt_phys: where to store the physical address of the root FDT, whose size is
 *	%KHO_FDT_SIZE bytes
 * @scratch_phys: where to store the physical address of the array of scratch regions
 * @scratch_len: where to store the size of this array in bytes
 *
 * The addresses stay the same until the kexec, so memory can be preserved after
 * the image is loaded.
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: true if the image takes the handover along; false if KHO is off or for a
 * crash image.
 */
bool kho_image_params(const struct kimage *image, phys_addr_t *fdt_phys,
		      phys_addr_t *scratch_phys, u64 *scratch_len)
{
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH)
		return false;

	*fdt_phys = virt_to_phys(kho_out.handed);
	*scratch_phys = virt_to_phys(kho_scratch);
	*scratch_len = kho_scratch_cnt * sizeof(*kho_scratch);

	return true;
}

/**
 * kho_image_prepare - prepare the handover for an image that will be loaded
 * @image: the image, which has no segments yet
 *
 * Writes the log as it is now, and notes which memory is bad.
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: 0, also if KHO is off and for a crash image; an error of
 * kho_bad_pages_collect().
 */
int kho_image_prepare(const struct kimage *image)
{
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH)
		return 0;

	kho_log_prepare();

	return kho_bad_pages_collect();
}

/**
 * kho_image_locate_hole - find room in scratch for a segment of a kexec image
 * @kbuf: the segment; @func stores the address that it has found
 * @func: tries one range of memory for @kbuf, returns 1 if it found room there
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: 0 if scratch has room; -EADDRNOTAVAIL if it has none; 1 if KHO is off or
 * for a crash image, so that the caller searches all memory.
 */
int kho_image_locate_hole(struct kexec_buf *kbuf, int (*func)(struct resource *, void *))
{
	if (!kho_is_enabled() || kbuf->image->type == KEXEC_TYPE_CRASH)
		return 1;

	/* Try low memory last: the next kernel allocates large buffers there, like swiotlb. */
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
	 * The loader may try again with the kernel at another place. If the image
	 * cannot be loaded in the end, kho_image_load_failed() logs the size of the
	 * first segment that had no room.
	 */
	if (!kbuf->image->kho_no_room)
		kbuf->image->kho_no_room = kbuf->memsz;

	return -EADDRNOTAVAIL;
}

/**
 * kho_image_load_failed - log that scratch had no room, if loading failed because of that
 * @image: the image that could not be loaded
 * @err: the error of the loader, a negative errno
 *
 * Context: kexec_file_load(), with the kexec lock held.
 */
void kho_image_load_failed(const struct kimage *image, int err)
{
	if (err == -EADDRNOTAVAIL && image->kho_no_room)
		pr_err("no room in scratch for a kexec segment of %lu bytes; see kho_scratch=\n",
		       image->kho_no_room);
}

/*
 * Checks the address of a node of the outgoing map before the node is read. Stores it in
 * @arg, for the message about the first invalid one.
 */
static int check_node(phys_addr_t node, unsigned int level, u64 key, void *arg)
{
	*(phys_addr_t *)arg = node;
	if (!PAGE_ALIGNED(node) || !kho_ram_can_go_out(PHYS_PFN(node), PHYS_PFN(node) + 1) ||
	    !kho_map_can_name(level, key, max_pfn))
		return -EINVAL;

	return 0;
}

/* Returns the number of pages that the next kernel finds outside of scratch, or -ENOMEM. */
static long vacant_pages(void)
{
	struct kho_gaps found = {};
	struct kho_named named = { .nr = kho_named_nr(max_pfn) };

	named.bits = kvzalloc(kho_named_bytes(named.nr), GFP_KERNEL);
	if (!named.bits)
		return -ENOMEM;
	kho_vacant_name(&kho_out.map, &named);
	kho_vacant_name_scratch(&named);
	kho_ram_find_vacant(&named, &found);
	kvfree(named.bits);

	return kho_vacant_sum(&found);
}

/**
 * kho_image_bytes - how much memory do the segments of an image take?
 * @image: the image
 *
 * Context: any, never sleeps.
 * Return: the size of all of them, in bytes.
 */
u64 kho_image_bytes(const struct kimage *image)
{
	u64 bytes = 0;

	for (unsigned long i = 0; i < image->nr_segments; i++)
		bytes += image->segment[i].memsz;

	return bytes;
}

/*
 * Returns what a kernel with this memory allocates before it has a page allocator, in
 * bytes: struct pages, and hash tables whose size follows from the size of memory.
 */
static u64 bytes_to_start(void)
{
	u64 ram = (u64)kho_ram_pages() << PAGE_SHIFT;

	return kho_ram_pages() * sizeof(struct page) + ram / 512;
}

static int no_room(const char *where, u64 needed, u64 room, const char *remedy)
{
	pr_err("no room %s for the next kernel: image and start need %llu bytes, there are %llu: %s, or boot from cold with a larger kho_scratch=\n",
	       where, needed, room, remedy);

	return -ENOMEM;
}

/**
 * kho_image_check_room - is there room for the start of the next kernel?
 * @image: the image, with all segments
 *
 * The memory that the next kernel allocates before it has read the map comes from scratch,
 * next to the segments; its struct pages come from memory in which nothing is preserved, or
 * from scratch. Without this memory the next kernel would stop in early boot, so the image
 * is refused while the system still runs. The estimate of its size is the memory that this
 * kernel has used. A kernel with other options may need more.
 *
 * Context: kexec_file_load() and kernel_kexec(), before anything is shut down; with the
 * kexec lock held.
 * Return: 0, also if the image takes no handover along or the map is damaged; -ENOMEM,
 * after a message, if there is no room, and without one if there is no memory to find out.
 */
int kho_image_check_room(const struct kimage *image)
{
	u64 needed, scratch, vacant;
	phys_addr_t node;
	long pages;

	kho_assert_kexec_lock();
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH || !image->file_mode)
		return 0;

	scratch = kho_scratch_sum(kho_scratch, kho_scratch_cnt);
	needed = kho_image_bytes(image) + kho_scratch_early;
	if (needed > scratch)
		return no_room("in scratch", needed, scratch, "use a smaller initrd");

	/* kho_image_seal() will say that the map is damaged, and the next kernel refuses it. */
	if (kho_map_walk(&kho_out.map, check_node, &node))
		return 0;

	pages = vacant_pages();
	if (pages < 0)
		return pages;
	vacant = (u64)pages << PAGE_SHIFT;
	needed += bytes_to_start();
	if (needed > scratch + vacant)
		return no_room("in scratch and memory that holds nothing preserved", needed,
			       scratch + vacant, "preserve less");

	return 0;
}

/**
 * kho_image_seal - write the root FDT for the next kernel, with its checksum
 * @image: the image that is about to be started
 *
 * Does nothing if KHO is off or for a crash image. If the map is damaged, this logs an
 * error and computes no checksum, since the kexec cannot be stopped any more: the next
 * kernel finds the damage and refuses the handover.
 *
 * Context: kernel_kexec(), right before machine_kexec(). Only this CPU runs.
 */
void kho_image_seal(const struct kimage *image)
{
	phys_addr_t node;

	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH)
		return;

	kho_bad_pages_check();
	/*
	 * A CPU that was stopped while it added a blob has written to kho_out.spare only.
	 * Pairs with smp_store_release() in use_spare_fdt().
	 */
	memcpy(kho_out.handed, READ_ONCE(kho_out.fdt), KHO_FDT_SIZE);
	if (kho_map_walk(&kho_out.map, check_node, &node))
		pr_err("the map is damaged, it has an invalid node at %pa: the next kernel will refuse the handover\n",
		       &node);
	else if (kho_fdt_defect(kho_out.handed))
		pr_err("the root FDT is damaged: the next kernel will refuse the handover\n");
	else
		kho_checksum_set(kho_out.handed, &kho_out.map);
	/* Last, so that the log contains the messages above. */
	kho_log_write();
}
