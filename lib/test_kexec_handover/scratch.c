// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: looks for memory of the kernel in scratch.
 *
 * debugfs has the file test_kho_scratch. Reading it looks at each page of scratch: all
 * pageblocks must be for movable pages, and no slab or page table may be there. Pages
 * that the kernel allocated from memblock during boot are reserved, and allowed. For
 * each region, the log names the first page that is wrong. All scenarios read the file
 * at the end of each stage.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "../../kernel/kexec_handover/scratch.h"

static const char *what_is_wrong(struct page *page)
{
	int type = get_pageblock_migratetype(page);

	if (type != MIGRATE_CMA && !is_migrate_isolate(type))
		return "a pageblock that is not for movable pages";
	if (PageReserved(page))
		return NULL;
	if (folio_test_slab(page_folio(page)))
		return "a slab";
	if (PageTable(page))
		return "a page table";

	return NULL;
}

static unsigned long look_at_region(const struct kho_scratch *region)
{
	unsigned long pfn = PHYS_PFN(region->addr), end = pfn + PHYS_PFN(region->size);
	unsigned long wrong = 0;

	for (; pfn < end; pfn++) {
		const char *what = what_is_wrong(pfn_to_page(pfn));

		if (what && !wrong++)
			pr_err("wrong: %s in scratch, at %#llx\n", what, (u64)PFN_PHYS(pfn));
		if (!(pfn % pageblock_nr_pages))
			cond_resched();
	}

	return wrong;
}

static int scratch_show(struct seq_file *m, void *unused)
{
	unsigned long wrong = 0;

	for (unsigned int i = 0; i < kho_scratch_cnt; i++)
		wrong += look_at_region(&kho_scratch[i]);
	seq_printf(m, "%lu\n", wrong);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(scratch);

static int __init test_kho_scratch_init(void)
{
	if (kho_scratch_cnt)
		debugfs_create_file("test_kho_scratch", 0400, NULL, NULL, &scratch_fops);

	return 0;
}
late_initcall(test_kho_scratch_init);
