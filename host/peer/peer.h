/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that our test clients call and newer kernels do not have. See
 * host/peer/peer.sh.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _PEER_H
#define _PEER_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/page_ref.h>

/* Linux 7.3 has this function instead, which returns pages without a reference. */
#ifdef alloc_contig_frozen_pages
static inline struct folio *folio_alloc_gigantic(int order, gfp_t gfp, int nid,
						 nodemask_t *nodes)
{
	struct page *page = alloc_contig_frozen_pages(1UL << order, gfp, nid, nodes);

	if (!page)
		return NULL;
	set_page_count(page, 1);

	return page_folio(page);
}
#endif

/* Newer kernels have the hooks for boot in the header for clients. */
#define KEXEC_HANDOVER_HAS_HOOKS

/* The client, which includes this file first of all, defines pr_fmt itself. */
#undef pr_fmt

#endif /* _PEER_H */
