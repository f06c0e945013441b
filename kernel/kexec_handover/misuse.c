// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extra checks of Kexec HandOver, with CONFIG_KEXEC_HANDOVER_DEBUG: warnings about
 * mistakes of callers that otherwise show only in the next kernel.
 *
 * This file owns the warnings. Each names the memory and the calling function, and
 * has a backtrace.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/bug.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>

#include "../../mm/internal.h"
#include "map.h"
#include "misuse.h"
#include "outgoing.h"

/**
 * kho_misuse_preserve - check memory that is about to be preserved
 * @pfn: first PFN of the memory
 * @end: first PFN after it
 * @caller: an address in the function that preserves it
 *
 * Warns if any page of the memory lies in scratch or is preserved already.
 *
 * Context: any but NMIs, never sleeps. Does nothing before KHO is enabled.
 */
void kho_misuse_preserve(unsigned long pfn, unsigned long end, unsigned long caller)
{
	const phys_addr_t start = PFN_PHYS(pfn), size = PFN_PHYS(end - pfn);
	struct kho_map_folio folio;

	if (!kho_is_enabled())
		return;

	WARN(kho_scratch_overlap(start, size),
	     pr_fmt("%pS preserves %pa bytes at %pa, which lie in scratch\n"),
	     (void *)caller, &size, &start);
	WARN(kho_map_next(&kho_out.map, pfn, end, &folio),
	     pr_fmt("%pS preserves %pa bytes at %pa, of which some are preserved\n"),
	     (void *)caller, &size, &start);
}

/**
 * kho_misuse_unpreserve - check memory that is about to be unpreserved
 * @pfn: first PFN of the memory
 * @end: first PFN after it
 * @caller: an address in the function that unpreserves it
 *
 * Warns if the memory does not consist of whole folios of the map.
 *
 * Context: any, never sleeps. Does nothing before KHO is enabled.
 */
void kho_misuse_unpreserve(unsigned long pfn, unsigned long end, unsigned long caller)
{
	const phys_addr_t start = PFN_PHYS(pfn), size = PFN_PHYS(end - pfn);
	struct kho_map_folio folio;

	if (!kho_is_enabled())
		return;

	for (; pfn < end; pfn += BIT(folio.order)) {
		if (WARN(!kho_map_find(&kho_out.map, pfn, &folio) ||
			 BIT(folio.order) > end - pfn,
			 pr_fmt("%pS unpreserves %pa bytes at %pa, which are not preserved\n"),
			 (void *)caller, &size, &start))
			return;
	}
}

/**
 * kho_misuse_free - check pages that are being freed
 * @page: the first page that is being freed
 * @order: the order that it is freed with
 *
 * Warns if any of them is preserved: the page allocator can give it to another user,
 * and the next kernel would restore what that user has written there.
 *
 * Context: free_pages_prepare(): any context, never sleeps.
 */
void kho_misuse_free(struct page *page, unsigned int order)
{
	const unsigned long pfn = page_to_pfn(page);
	const phys_addr_t start = PFN_PHYS(pfn);
	struct kho_map_folio folio;

	if (!kho_is_enabled())
		return;

	WARN(kho_map_next(&kho_out.map, pfn, pfn + BIT(order), &folio),
	     pr_fmt("page of order %u at %pa is freed, but preserved\n"), order, &start);
}
