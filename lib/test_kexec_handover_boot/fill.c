// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocate memory until there is none.
 *
 * This file owns a stack of pages, all of each written, whose content says which
 * page it should be. A page that the page allocator gives out twice, or that
 * belongs to somebody else, shows in what comes back from the stack or in what
 * the other one finds in it. Needs nothing but the page allocator.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "fill.h"

/* What a page of the stack holds, some times over. */
struct fill_mark {
	struct page *self;
	struct page *below;
};

#define MARKS		8
#define MARK_STEP	(PAGE_SIZE / MARKS)

static void write_marks(struct page *page, struct page *below)
{
	for (unsigned int i = 0; i < MARKS; i++) {
		struct fill_mark *mark = page_address(page) + i * MARK_STEP;

		mark->self = page;
		mark->below = below;
	}
}

static bool marks_right(struct page *page, struct page *below)
{
	for (unsigned int i = 0; i < MARKS; i++) {
		struct fill_mark *mark = page_address(page) + i * MARK_STEP;

		if (mark->self != page || mark->below != below)
			return false;
	}

	return true;
}

/* Up to @max pages, all written. */
void fill_memory(struct fill *fill, unsigned long max, gfp_t gfp)
{
	while (fill->nr < max) {
		struct page *page = alloc_page(gfp | __GFP_NORETRY | __GFP_NOWARN);

		if (!page)
			return;
		write_marks(page, fill->last);
		fill->last = page;
		fill->nr++;
		if (!(fill->nr % 1024))
			cond_resched();
	}
}

/* Frees them; returns how many were not as they should be. */
unsigned long empty_memory(struct fill *fill)
{
	unsigned long bad = 0;

	while (fill->nr) {
		struct fill_mark *first = page_address(fill->last);
		struct page *page = fill->last;

		/* After this the stack cannot be followed: it is lost. */
		if (first->self != page)
			return bad + fill->nr;

		fill->last = first->below;
		fill->nr--;
		bad += !marks_right(page, fill->last);
		__free_page(page);
		if (!(fill->nr % 1024))
			cond_resched();
	}

	return bad;
}
