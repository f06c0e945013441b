// SPDX-License-Identifier: GPL-2.0-only
/*
 * The next kernel lies where it will be used from the time that it is loaded.
 *
 * kexec copies the segments of an image to their places when all other code has stopped,
 * because something else may use these places until then. With KHO the places are in
 * scratch, which the page allocator gives to movable pages only: this file takes them
 * from the page allocator when the image is loaded, and writes the segments there. Then
 * nothing is copied at the kexec, and purgatory has no copy to verify.
 *
 * This works for a whole image or not at all. An image that cannot be in place is loaded
 * and copied as without KHO, and the log says why. The running kernel lies in scratch as
 * well if it came by a handover; its memory cannot be taken.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/cc_platform.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_image.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "../kexec_internal.h"
#include "scratch.h"

/*
 * False: kexec copies images, and kernels unpack themselves, as without KHO. Root can
 * change it at any time; it is read when an image is loaded.
 */
static bool load_ahead = true;
core_param(kho_load_ahead, load_ahead, bool, 0644);

/**
 * kho_image_late_reason - may an image be prepared ahead of the kexec?
 * @image: the image
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: NULL if it may; the reason if it may not.
 */
const char *kho_image_late_reason(const struct kimage *image)
{
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH)
		return "KHO is off";
	if (image->kho_late)
		return image->kho_late;
	if (!READ_ONCE(load_ahead))
		return "kho_load_ahead is off";
	/* kexec changes the encryption of the pages that it copies. */
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return "memory is encrypted";

	return NULL;
}

/* ------------------------------------------------------------------ finding room */

/*
 * Can the page be taken from the page allocator? Pages that this kernel got from memblock
 * are reserved for ever. Those of the image that is loaded now are taken already; it has
 * to stay complete until the new one is.
 */
static bool can_take(unsigned long pfn)
{
	unsigned long addr = PFN_PHYS(pfn);

	return !PageReserved(pfn_to_page(pfn)) &&
	       !(kexec_image && kexec_image->kho_in_place &&
		 kimage_is_destination_range(kexec_image, addr, addr + PAGE_SIZE - 1));
}

/*
 * Finds the first piece of [*@start, @end), in PFNs, all pages of which can be taken. It
 * lies in one zone, since the page allocator hands out no range in two. Stores its first
 * PFN in *@start and returns the PFN after it, or 0 if there is none.
 */
static unsigned long next_piece(unsigned long *start, unsigned long end)
{
	unsigned long pfn = *start;
	struct zone *zone;

	while (pfn < end && !can_take(pfn))
		pfn++;
	if (pfn == end)
		return 0;

	*start = pfn;
	zone = page_zone(pfn_to_page(pfn));
	do {
		pfn++;
	} while (pfn < end && can_take(pfn) && page_zone(pfn_to_page(pfn)) == zone);

	return pfn;
}

typedef bool (*piece_func)(unsigned long start, unsigned long end, void *arg);

/* Calls @func for each such piece of a region, until it returns true. Returns whether it did. */
static bool for_each_piece_of(const struct kho_scratch *region, piece_func func, void *arg)
{
	unsigned long start = PHYS_PFN(region->addr), stop;
	unsigned long end = PHYS_PFN(region->addr + region->size);

	for (; start < end && (stop = next_piece(&start, end)); start = stop) {
		if (func(start, stop, arg))
			return true;
	}

	return false;
}

/*
 * The same for the first @nr regions, in the order in which kexec uses them: low memory is
 * the last one.
 */
static bool for_each_piece(unsigned int nr, piece_func func, void *arg)
{
	for (unsigned int i = 1; i <= nr; i++) {
		if (for_each_piece_of(&kho_scratch[i % kho_scratch_cnt], func, arg))
			return true;
	}

	return false;
}

/*
 * A search for a place for a segment.
 * @func: the function of kexec that tries one piece
 * @order: what the pieces are tried in the order of: their size, or their address
 * @tried: the last one that was tried
 * @start, @end: the next one, in PFNs; @end is 0 if there is none
 */
struct fit {
	struct kexec_buf *kbuf;
	int (*func)(struct resource *, void *);
	unsigned long (*order)(unsigned long start, unsigned long end);
	unsigned long tried;
	unsigned long start;
	unsigned long end;
};

static unsigned long by_size(unsigned long start, unsigned long end)
{
	return end - start;
}

static unsigned long by_address(unsigned long start, unsigned long end)
{
	return end;
}

static bool try_piece(const struct fit *fit, unsigned long start, unsigned long end)
{
	struct resource res = {
		.start = PFN_PHYS(start),
		.end = PFN_PHYS(end) - 1,
		.flags = IORESOURCE_SYSTEM_RAM,
	};

	return fit->func(&res, fit->kbuf) == 1;
}

/* Leaves the place in the last piece that fits. */
static bool find_last(unsigned long start, unsigned long end, void *arg)
{
	struct fit *fit = arg;

	if (try_piece(fit, start, end))
		fit->end = end;

	return false;
}

static bool find_next(unsigned long start, unsigned long end, void *arg)
{
	struct fit *fit = arg;

	if (fit->order(start, end) > fit->tried &&
	    (!fit->end || fit->order(start, end) < fit->order(fit->start, fit->end))) {
		fit->start = start;
		fit->end = end;
	}

	return false;
}

static bool locate_in_order(struct fit *fit)
{
	for (;;) {
		fit->end = 0;
		for_each_piece(kho_scratch_cnt, find_next, fit);
		if (!fit->end)
			return false;
		if (try_piece(fit, fit->start, fit->end))
			return true;
		fit->tried = fit->order(fit->start, fit->end);
	}
}

/**
 * kho_image_locate_free - find a place in scratch that the page allocator can give away
 * @kbuf: the segment; @func stores the address that it has found
 * @func: tries one range of memory for @kbuf, returns 1 if it found room there
 *
 * Keeps large pieces whole, for the kernels of this and the next kexec. Some small segments,
 * like the boot parameters, stay reserved in the next kernel: they go to the end of low
 * memory. A loader that searches from low to high addresses may try again with a higher
 * least address, so it must not begin with a high one.
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: true if there is such a place; false if there is none, or if the image is not
 * prepared ahead.
 */
bool kho_image_locate_free(struct kexec_buf *kbuf, int (*func)(struct resource *, void *))
{
	struct fit fit = {
		.kbuf = kbuf,
		.func = func,
		.order = kbuf->top_down ? by_size : by_address,
	};

	if (kho_image_late_reason(kbuf->image))
		return false;

	if (kbuf->memsz < SZ_1M)
		for_each_piece_of(&kho_scratch[KHO_SCRATCH_LOW], find_last, &fit);

	return fit.end || locate_in_order(&fit);
}

/**
 * kho_image_load_late - shall an image be loaded once more, as without KHO?
 * @image: the image
 * @nr: the number of segments that it had before the loader was called
 * @ldata: what the loader returned
 *
 * An image that finds no room beside this kernel is copied over it at the kexec.
 *
 * Context: kexec_file_load(), with the kexec lock held, when the loader of the architecture
 * has returned.
 * Return: true, with the image as it was before the loader was called; false to go on.
 */
bool kho_image_load_late(struct kimage *image, unsigned long nr, const void *ldata)
{
	struct purgatory_info *pi = &image->purgatory_info;

	if (ldata != ERR_PTR(-EADDRNOTAVAIL) || kho_image_late_reason(image))
		return false;

	image->kho_late = "scratch has no room for it beside this kernel";
	image->kho_no_room = 0;
	image->nr_segments = nr;
	kho_image_cleanup(image);
	vfree(pi->purgatory_buf);
	pi->purgatory_buf = NULL;
	vfree(pi->sechdrs);
	pi->sechdrs = NULL;

	return true;
}

/* ----------------------------------------------------------------- a random place */

/*
 * A search for a place for the kernel, at random. @later is the size of what has to find
 * room beside it; @align is the alignment of that. Counts the possible places until @skip of
 * them were seen.
 */
struct draw {
	struct kexec_buf *kbuf;
	unsigned long later;
	unsigned long align;
	unsigned long count;
	unsigned long skip;
};

static bool has_room(unsigned long start, unsigned long end, void *arg)
{
	const struct draw *draw = arg;
	unsigned long from = ALIGN(PFN_PHYS(start), draw->align), to = PFN_PHYS(end);
	unsigned long mem = draw->kbuf->mem, after = mem + draw->kbuf->memsz;

	if (after <= from || mem >= to)
		return from + draw->later <= to;

	return from + draw->later <= mem || ALIGN(after, draw->align) + draw->later <= to;
}

/* Looks at each place in a piece. Returns true when @skip places were seen before it. */
static bool draw_place(unsigned long start, unsigned long end, void *arg)
{
	struct draw *draw = arg;
	struct kexec_buf *kbuf = draw->kbuf;
	unsigned long mem = ALIGN(max(PFN_PHYS(start), kbuf->buf_min), kbuf->buf_align);

	for (; mem + kbuf->memsz <= PFN_PHYS(end); mem += kbuf->buf_align) {
		if (kimage_is_destination_range(kbuf->image, mem, mem + kbuf->memsz - 1))
			continue;
		kbuf->mem = mem;
		if (!for_each_piece(kho_scratch_cnt, has_room, draw))
			continue;
		if (draw->count++ == draw->skip)
			return true;
	}

	return false;
}

/**
 * kho_image_random_place - choose a place for the next kernel at random
 * @kbuf: the segment of the kernel, with size, alignment and lowest address; its mem is
 *	set to the address
 * @later: size in bytes of the largest segment that will be added after it
 *
 * The kernel leaves room for as large a kernel beside it if it can: the kernel after the
 * next one is to be in place as well. If it can, it does not use low memory, either.
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: the number of places that there were to choose from; 0 if there is none, with
 * mem left unknown.
 */
unsigned long kho_image_random_place(struct kexec_buf *kbuf, unsigned long later)
{
	const struct {
		unsigned long later, align;
		unsigned int regions;
	} tries[] = {
		{ max(later, kbuf->memsz), kbuf->buf_align, kho_scratch_cnt - 1 },
		{ max(later, kbuf->memsz), kbuf->buf_align, kho_scratch_cnt },
		{ later, PAGE_SIZE, kho_scratch_cnt },
	};
	struct draw draw = { .kbuf = kbuf };
	int i;

	for (i = 0; i < ARRAY_SIZE(tries) && !draw.count; i++) {
		draw.later = tries[i].later;
		draw.align = tries[i].align;
		draw.skip = ULONG_MAX;
		for_each_piece(tries[i].regions, draw_place, &draw);
	}

	kbuf->mem = KEXEC_BUF_MEM_UNKNOWN;
	if (draw.count) {
		draw.skip = get_random_long() % draw.count;
		draw.count = 0;
		for_each_piece(tries[i - 1].regions, draw_place, &draw);
		draw.count = max(draw.count, draw.skip + 1);
	}

	return draw.count;
}

/* ------------------------------------------------------- taking and filling places */

static bool take(const struct kexec_segment *segment)
{
	unsigned long start = PHYS_PFN(segment->mem), end = start + PHYS_PFN(segment->memsz);

	if (!segment->memsz)
		return true;
	if (page_zone(pfn_to_page(start)) != page_zone(pfn_to_page(end - 1)))
		return false;

	/* Pages that are in use for a moment, as for I/O, cannot be moved. Try again. */
	for (int tries = 0; tries < 5; tries++) {
		if (!alloc_contig_range(start, end, MIGRATE_CMA, GFP_KERNEL))
			return true;
		if (fatal_signal_pending(current))
			break;
	}

	return false;
}

static void give_back(const struct kimage *image, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		const struct kexec_segment *segment = &image->segment[i];

		if (segment->memsz)
			free_contig_range(PHYS_PFN(segment->mem), PHYS_PFN(segment->memsz));
	}
}

/**
 * kho_image_take_places - take the places of all segments from the page allocator
 * @image: the image, with all segments
 *
 * If one of them cannot be had, the image is loaded as without KHO and copied at the
 * kexec.
 *
 * Context: kexec_file_load(), with the kexec lock held. Sleeps.
 */
void kho_image_take_places(struct kimage *image)
{
	image->kho_late = kho_image_late_reason(image);
	if (image->kho_late)
		return;

	for (unsigned long i = 0; i < image->nr_segments; i++) {
		if (!take(&image->segment[i])) {
			give_back(image, i);
			image->kho_late = "its place in scratch is in use";
			return;
		}
	}
	image->kho_in_place = true;
}

/**
 * kho_image_in_place - do the segments of an image lie where they will be used?
 * @image: the image
 *
 * Context: any, once the places of the segments are taken.
 * Return: true if kexec has nothing to copy.
 */
bool kho_image_in_place(const struct kimage *image)
{
	return image->kho_in_place;
}

/**
 * kho_image_load_segment - write a segment to its place
 * @image: the image, which is in place
 * @segment: the segment
 *
 * Context: kexec_file_load(), with the kexec lock held. Sleeps.
 * Return: 0; -EINTR if the process is being killed.
 */
int kho_image_load_segment(const struct kimage *image, const struct kexec_segment *segment)
{
	size_t copied = min(segment->bufsz, segment->memsz);
	char *to = phys_to_virt(segment->mem);

	for (size_t done = 0; done < segment->memsz; done += PAGE_SIZE) {
		size_t chunk = copied - min(copied, done);

		chunk = min(chunk, PAGE_SIZE);
		memcpy(to + done, segment->kbuf + done, chunk);
		memset(to + done + chunk, 0, PAGE_SIZE - chunk);
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}

	return 0;
}

static unsigned long kib_of(const struct kimage *image)
{
	unsigned long bytes = 0;

	for (unsigned long i = 0; i < image->nr_segments; i++)
		bytes += image->segment[i].memsz;

	return bytes >> 10;
}

/**
 * kho_image_report - log how an image was loaded
 * @image: the image, which is complete
 *
 * Context: kexec_file_load(), with the kexec lock held.
 */
void kho_image_report(const struct kimage *image)
{
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH || !image->file_mode)
		return;

	if (image->kho_in_place)
		pr_info("the kexec image is in place, %lu KiB of scratch\n",
			kib_of(image));
	else
		pr_info("the kexec image will be copied at the kexec: %s\n", image->kho_late);
	if (image->kho_places)
		pr_info("its kernel is unpacked, at one of %lu places\n", image->kho_places);
	else if (image->kho_packed)
		pr_info("its kernel will unpack itself: %s\n", image->kho_packed);
}

/**
 * kho_image_cleanup - free what was needed to load an image only
 * @image: the image
 *
 * Context: after an image was loaded, or when it could not be.
 */
void kho_image_cleanup(struct kimage *image)
{
	vfree(image->kho_unpacked);
	image->kho_unpacked = NULL;
}

/**
 * kho_image_free - give the places of the segments back to the page allocator
 * @image: the image, which will not be used any more
 *
 * Context: kimage_free().
 */
void kho_image_free(struct kimage *image)
{
	if (image->kho_in_place)
		give_back(image, image->nr_segments);
	image->kho_in_place = false;
}
