// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where in scratch an image can lie before the kexec.
 *
 * This file owns the list of the pieces of scratch that the page allocator can give away,
 * which is made once for each image, and the choice of places in them. After a handover the
 * running kernel and memory that it allocated from memblock lie in scratch: these pages stay
 * reserved. ahead.c takes the places from the page allocator.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/align.h>
#include <linux/bits.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/kexec_handover_image.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../kexec_internal.h"
#include "kexec_lock.h"
#include "pieces.h"
#include "scratch.h"

/* A piece of scratch, from @start up to @end, physical addresses. @low: in low memory */
struct piece {
	unsigned long start;
	unsigned long end;
	bool low;
};

/*
 * All pieces, in the order in which kexec uses the regions: low memory is the last one.
 * kimage->kho_pieces points to this while the image is loaded.
 */
struct kho_pieces {
	unsigned int nr;
	unsigned int max;
	struct piece list[] __counted_by(max);
};

/* -------------------------------------------------------------- finding the pieces */

/*
 * Can the page be taken, if its pageblock is in no area of CMA? An image that is in place has
 * taken its pages already; it has to stay complete until the new one is.
 */
static bool can_take(unsigned long pfn)
{
	unsigned long addr = PFN_PHYS(pfn);

	return !PageReserved(pfn_to_page(pfn)) &&
	       !(kexec_image && kexec_image->kho_in_place &&
		 kimage_is_destination_range(kexec_image, addr, addr + PAGE_SIZE - 1));
}

static struct kho_pieces *add_piece(struct kho_pieces *pieces, const struct piece *piece)
{
	if (piece->start == piece->end)
		return pieces;

	if (pieces->nr == pieces->max) {
		unsigned int max = 2 * pieces->max;
		struct kho_pieces *more = kvzalloc(struct_size(pieces, list, max), GFP_KERNEL);

		if (!more) {
			kvfree(pieces);
			return NULL;
		}
		more->max = max;
		more->nr = pieces->nr;
		memcpy(more->list, pieces->list, pieces->nr * sizeof(*piece));
		kvfree(pieces);
		pieces = more;
	}
	pieces->list[pieces->nr++] = *piece;

	return pieces;
}

/* A piece lies in one zone, since the page allocator hands out no range in two. */
static struct kho_pieces *add_region(struct kho_pieces *pieces, const struct kho_scratch *region,
				     bool low)
{
	unsigned long pfn = PHYS_PFN(region->addr), end = pfn + PHYS_PFN(region->size);
	struct piece piece = { .low = low };
	struct zone *zone = NULL;
	bool in_area = false;

	for (; pfn < end && pieces; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (pageblock_aligned(pfn)) {
			in_area = kho_scratch_in_cma_area(page);
			cond_resched();
		}
		if (in_area || !can_take(pfn))
			continue;
		if (piece.end != PFN_PHYS(pfn) || page_zone(page) != zone) {
			pieces = add_piece(pieces, &piece);
			zone = page_zone(page);
			piece.start = PFN_PHYS(pfn);
			piece.end = piece.start;
		}
		piece.end += PAGE_SIZE;
	}

	return pieces ? add_piece(pieces, &piece) : NULL;
}

static struct kho_pieces *find_pieces(void)
{
	struct kho_pieces *pieces = kvzalloc(struct_size(pieces, list, 64), GFP_KERNEL);

	if (!pieces)
		return NULL;
	pieces->max = 64;
	for (unsigned int i = 1; i <= kho_scratch_cnt && pieces; i++) {
		unsigned int region = i % kho_scratch_cnt;

		pieces = add_region(pieces, &kho_scratch[region], region == KHO_SCRATCH_LOW);
	}

	return pieces;
}

/* Returns the pieces for an image, or NULL if there is no memory to list them. */
static const struct kho_pieces *pieces_for(struct kimage *image)
{
	if (!image->kho_pieces)
		image->kho_pieces = find_pieces();

	return image->kho_pieces;
}

/* ------------------------------------------------------------- a place for a segment */

static bool try_piece(struct kexec_buf *kbuf, int (*func)(struct resource *, void *),
		      const struct piece *piece)
{
	struct resource res = {
		.start = piece->start,
		.end = piece->end - 1,
		.flags = IORESOURCE_SYSTEM_RAM,
	};

	return func(&res, kbuf) == 1;
}

/* Leaves the place in the last piece of low memory that has room. */
static bool locate_low(const struct kho_pieces *pieces, struct kexec_buf *kbuf,
		       int (*func)(struct resource *, void *))
{
	for (unsigned int i = pieces->nr; i--;) {
		if (pieces->list[i].low && try_piece(kbuf, func, &pieces->list[i]))
			return true;
	}

	return false;
}

static unsigned long by_size(const struct piece *piece)
{
	return piece->end - piece->start;
}

/* Low memory comes last: the next kernel allocates large buffers there. */
static unsigned long by_address(const struct piece *piece)
{
	return piece->low ? piece->start | BIT(BITS_PER_LONG - 1) : piece->start;
}

/* Tries the pieces one after the other, in the order of @key, and of the list if that is equal. */
static bool locate_in_order(const struct kho_pieces *pieces, struct kexec_buf *kbuf,
			    int (*func)(struct resource *, void *),
			    unsigned long (*key)(const struct piece *))
{
	const struct piece *tried = NULL;

	for (unsigned int n = 0; n < pieces->nr; n++) {
		const struct piece *next = NULL;

		for (unsigned int i = 0; i < pieces->nr; i++) {
			const struct piece *p = &pieces->list[i];
			bool after = !tried || key(p) > key(tried) ||
				     (key(p) == key(tried) && p > tried);

			if (after && (!next || key(p) < key(next)))
				next = p;
		}
		if (by_size(next) >= kbuf->memsz && try_piece(kbuf, func, next))
			return true;
		tried = next;
		cond_resched();
	}

	return false;
}

/**
 * kho_pieces_locate - find a place in scratch that the page allocator can give away
 * @kbuf: the segment; @func stores the address that it has found
 * @func: tries one range of memory for @kbuf, returns 1 if it found room there
 *
 * Keeps large pieces whole, for the kernels of this and the next kexec: tries the smallest
 * one first. Some small segments, like the boot parameters, stay reserved in the next kernel:
 * they go to the end of low memory. A loader that searches from low to high addresses may try
 * again with a higher least address, so it must not begin with a high one.
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: true if there is such a place; false if there is none, or no memory.
 */
bool kho_pieces_locate(struct kexec_buf *kbuf, int (*func)(struct resource *, void *))
{
	const struct kho_pieces *pieces;

	kho_assert_kexec_lock();
	pieces = pieces_for(kbuf->image);
	if (!pieces)
		return false;
	if (kbuf->memsz < SZ_1M && locate_low(pieces, kbuf, func))
		return true;

	return locate_in_order(pieces, kbuf, func, kbuf->top_down ? by_size : by_address);
}

/* ------------------------------------------------------- a random place for the kernel */

/*
 * A block of memory that has to find room beside the kernel.
 * @size, @align: its size and alignment in bytes
 * @nr: the number of pieces that have room for it, if nothing else is there
 * @low: the kernel may lie in low memory
 */
struct beside {
	unsigned long size;
	unsigned long align;
	unsigned int nr;
	bool low;
};

static bool has_room(const struct beside *beside, unsigned long start, unsigned long end)
{
	start = ALIGN(start, beside->align);

	return start < end && end - start >= beside->size;
}

/* Is there room in another piece, or in this one, before or after the kernel? */
static bool leaves_room(const struct beside *beside, const struct piece *piece,
			unsigned long mem, unsigned long end)
{
	return beside->nr > has_room(beside, piece->start, piece->end) ||
	       has_room(beside, piece->start, mem) || has_room(beside, end, piece->end);
}

/*
 * Counts the possible places for the kernel, and stores in @kbuf the one that has @skip
 * possible places before it. Returns their number.
 */
static unsigned long count_places(const struct kho_pieces *pieces, struct kexec_buf *kbuf,
				  const struct beside *beside, unsigned long skip)
{
	unsigned long count = 0;

	for (unsigned int i = 0; i < pieces->nr; i++) {
		const struct piece *p = &pieces->list[i];
		unsigned long mem = ALIGN(max(p->start, kbuf->buf_min), kbuf->buf_align);

		if (p->low && !beside->low)
			continue;
		for (; mem < p->end && p->end - mem >= kbuf->memsz; mem += kbuf->buf_align) {
			unsigned long end = mem + kbuf->memsz;

			if (kimage_is_destination_range(kbuf->image, mem, end - 1) ||
			    !leaves_room(beside, p, mem, end))
				continue;
			if (count++ == skip)
				kbuf->mem = mem;
		}
		cond_resched();
	}

	return count;
}

/**
 * kho_pieces_random_place - choose a place for the next kernel at random
 * @kbuf: the segment of the kernel, with size, alignment and lowest address; its mem is
 *	set to the address
 * @later: size in bytes of the largest segment that will be added after it
 *
 * The kernel leaves room for as large a kernel beside it if it can: the kernel after the
 * next one is to be in place as well. If it can, it does not use low memory, either.
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: the number of places that there were to choose from; 0 if there is none or no
 * memory, with mem left unknown.
 */
unsigned long kho_pieces_random_place(struct kexec_buf *kbuf, unsigned long later)
{
	const struct kho_pieces *pieces = pieces_for(kbuf->image);
	struct beside tries[] = {
		{ max(later, kbuf->memsz), kbuf->buf_align, .low = false },
		{ max(later, kbuf->memsz), kbuf->buf_align, .low = true },
		{ later, PAGE_SIZE, .low = true },
	};

	kbuf->mem = KEXEC_BUF_MEM_UNKNOWN;
	for (int i = 0; pieces && i < ARRAY_SIZE(tries); i++) {
		struct beside *beside = &tries[i];
		unsigned long count;

		for (unsigned int j = 0; j < pieces->nr; j++)
			beside->nr += has_room(beside, pieces->list[j].start, pieces->list[j].end);
		count = count_places(pieces, kbuf, beside, ULONG_MAX);
		if (!count)
			continue;
		count_places(pieces, kbuf, beside, get_random_long() % count);
		return count;
	}

	return 0;
}
