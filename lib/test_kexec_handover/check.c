// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares a folio with one from folio_alloc().
 *
 * This file owns the comparison of a restored folio, page for page and field for
 * field, with a folio of the same or a smaller order that is fresh from the page
 * allocator. No values of a fresh folio are written down here, so a change of the
 * page allocator needs no change of this file.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page_ext.h>
#include <linux/printk.h>

#include "check.h"

/* The first tail pages contain fields of the folio instead of their own. */
#define FIRST_PLAIN_TAIL	3

/* Returns the flags that a page may have if there are pages known to be bad. */
static unsigned long bad_flags(unsigned long i)
{
#ifdef CONFIG_MEMORY_FAILURE
	if (atomic_long_read(&num_poisoned_pages))
		return __PG_HWPOISON | (i == 1 ? BIT(PG_has_hwpoisoned) : 0);
#endif
	return 0;
}

/* @i is the index of the page in its folio. The first tail has the order in its flags. */
static unsigned long page_flags(unsigned long i, const struct page *page)
{
	unsigned long flags = page->flags & (BIT(NR_PAGEFLAGS) - 1) & ~bad_flags(i);

	return i == 1 ? flags & ~0xffUL : flags;
}

/* Returns the flags that page_owner=on sets for a page. */
static unsigned long owner_flags(const struct page *page)
{
	unsigned long flags = 0;
#ifdef CONFIG_PAGE_OWNER
	struct page_ext *ext = page_ext_get(page);

	if (ext)
		flags = ext->flags & (BIT(PAGE_EXT_OWNER) | BIT(PAGE_EXT_OWNER_ALLOCATED));
	page_ext_put(ext);
#endif
	return flags;
}

/* Returns the name of a field that differs, or NULL. */
static const char *compare_page(unsigned long i, struct page *page, struct page *fresh)
{
	const unsigned long pfn = page_to_pfn(page);

	if (page_ref_count(page) != page_ref_count(fresh))
		return "reference count";
	if (page_flags(i, page) != page_flags(i, fresh))
		return "flags";
	if (owner_flags(page) != owner_flags(fresh))
		return "owner";
	if (!zone_spans_pfn(page_zone(page), pfn) || page_to_nid(page) != pfn_to_nid(pfn))
		return "zone or node";
	if (PageTail(page) != PageTail(fresh))
		return "tail bit";
	if (i && i < FIRST_PLAIN_TAIL)
		return NULL;

	if (page->mapping != fresh->mapping)
		return "mapping";
	if (page->private != fresh->private)
		return "private";
	if (atomic_read(&page->_mapcount) != atomic_read(&fresh->_mapcount))
		return "map count";

	return NULL;
}

static const char *compare_head(struct folio *folio, struct folio *fresh)
{
	if (folio_test_large(folio) != folio_test_large(fresh))
		return "size";
	if (!folio_test_large(folio))
		return NULL;
	if (atomic_read(&folio->_large_mapcount) != atomic_read(&fresh->_large_mapcount) ||
	    atomic_read(&folio->_entire_mapcount) != atomic_read(&fresh->_entire_mapcount) ||
	    atomic_read(&folio->_nr_pages_mapped) != atomic_read(&fresh->_nr_pages_mapped) ||
	    atomic_read(&folio->_pincount) != atomic_read(&fresh->_pincount))
		return "map counts of the folio";
	if (folio_order(folio) > 1 && !list_empty(&folio->_deferred_list))
		return "list of deferred splits";

	return NULL;
}

/* If @fresh is smaller, its last page stands for all further tail pages of @folio. */
static const char *compare(struct folio *folio, struct folio *fresh, unsigned long *where)
{
	const unsigned long last = folio_nr_pages(fresh) - 1;
	const char *what = compare_head(folio, fresh);
	unsigned long i;

	for (i = 0; !what && i < folio_nr_pages(folio); i++) {
		struct page *page = nth_page(folio_page(folio, 0), i);

		what = compare_page(i, page, folio_page(fresh, min(i, last)));
		if (!what && page_folio(page) != folio)
			what = "head of a tail page";
		*where = i;
	}

	return what;
}

/* Without memory for @order, allocates a smaller folio that still has plain tails. */
static struct folio *alloc_like(unsigned int order)
{
	struct folio *fresh;

	for (order = min(order, MAX_PAGE_ORDER); order > 2; order--) {
		fresh = folio_alloc(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY, order);
		if (fresh)
			return fresh;
	}

	return folio_alloc(GFP_KERNEL, order);
}

/**
 * check_folio_like_new - compare a folio with one fresh from the page allocator
 * @folio: the folio, with one reference and no user
 * @checks: results to update
 *
 * Context: may sleep.
 */
void check_folio_like_new(struct folio *folio, struct folio_checks *checks)
{
	struct folio *fresh = alloc_like(folio_order(folio));
	unsigned long where = 0;
	const char *what;

	if (!fresh) {
		pr_err("no memory to check an order-%u folio\n", folio_order(folio));
		checks->bad++;
		return;
	}

	what = compare(folio, fresh, &where);
	folio_put(fresh);

	checks->checked++;
	if (!what)
		return;
	checks->bad++;
	pr_err_ratelimited("order-%u folio at PFN %#lx, page %lu: wrong %s\n",
			   folio_order(folio), folio_pfn(folio), where, what);
}
