// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of a folio that compile in any kernel. In the peer this file replaces
 * lib/test_kexec_handover/check.c, which checks more. See host/peer/peer.sh.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/mm.h>
#include <linux/printk.h>

#include "check.h"

void check_folio_like_new(struct folio *folio, struct folio_checks *checks)
{
	checks->checked++;
	if (folio_ref_count(folio) == 1)
		return;
	checks->bad++;
	pr_err("order-%u folio at PFN %#lx has %d references\n",
	       folio_order(folio), folio_pfn(folio), folio_ref_count(folio));
}
