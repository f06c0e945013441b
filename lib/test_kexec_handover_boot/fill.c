// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocates pages until the page allocator has no more.
 *
 * This file owns a stack of pages. Each page has marks that say which page it is. If
 * the page allocator returns a page twice, or a page that is in use, then either the
 * marks are wrong when the page is freed, or the other user finds the marks in its
 * page. This file needs only the page allocator.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "fill.h"

/* A page of the stack contains this structure MARKS times. */
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

/* Allocates and marks pages until the stack has @max pages or memory is used up. */
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

/* Frees all pages of the stack. Returns the number of pages with wrong marks. */
unsigned long empty_memory(struct fill *fill)
{
	unsigned long bad = 0;

	while (fill->nr) {
		struct fill_mark *first = page_address(fill->last);
		struct page *page = fill->last;

		/* The page below is unknown now, so the rest of the stack is lost. */
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
