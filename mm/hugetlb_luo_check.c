// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update of hugetlb pages: checks of incoming data.
 *
 * This file owns the checks of both formats of <linux/kho/abi/hugetlb.h>. The data was
 * written by another kernel, so no value in it can be trusted.
 *
 * The fuzzer of these formats, tools/testing/kho/hugetlb_fuzz.c, compiles this file with
 * its own definitions of kernel functions.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "hugetlb-luo: " fmt

#include <linux/bitmap.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/kho/abi/hugetlb.h>
#include <linux/log2.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "hugetlb_luo.h"

static bool array_is_valid(const struct kho_vmalloc *kv, u64 nr, size_t size)
{
	if (!nr)
		return !memchr_inv(kv, 0, sizeof(*kv));

	return kho_vmalloc_is_valid(kv) && nr <= ((u64)kv->total_pages << PAGE_SHIFT) / size;
}

/**
 * hugetlb_luo_check_ser - check the struct hugetlb_luo_ser of an incoming file
 * @ser: a copy of the structure
 *
 * Context: any, never sleeps.
 * Return: 0; -EOPNOTSUPP if the file needs a page size or a seal that this kernel does not
 * support; -EINVAL if the structure is invalid.
 */
int hugetlb_luo_check_ser(const struct hugetlb_luo_ser *ser)
{
	if (!is_power_of_2(ser->page_size) || ser->size > MAX_LFS_FILESIZE ||
	    ser->pos > MAX_LFS_FILESIZE || ser->mode & ~07777)
		return -EINVAL;
	if (ser->seals & ~HUGETLB_LUO_SEALS || ser->page_size > ULONG_MAX ||
	    !size_to_hstate(ser->page_size))
		return -EOPNOTSUPP;
	if (!array_is_valid(&ser->folios, ser->nr_folios, sizeof(struct hugetlb_luo_folio_ser)) ||
	    !array_is_valid(&ser->ranges, ser->nr_ranges, sizeof(struct hugetlb_luo_range_ser)))
		return -EINVAL;

	return 0;
}

static int by_index(const void *a, const void *b)
{
	const struct hugetlb_luo_folio_ser *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static int by_from(const void *a, const void *b)
{
	const struct hugetlb_luo_range_ser *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/**
 * hugetlb_luo_complain - print why a file is lost
 * @what: the reason
 * @index: the position in the file, in huge pages of the file
 *
 * Context: any.
 */
void hugetlb_luo_complain(const char *what, u64 index)
{
	pr_warn("a file is lost: %s at position %#llx\n", what, index);
}

/* Checks a page on its own. Returns the reason why it is invalid, or NULL. */
static const char *wrong_page(u64 pfn, unsigned int order)
{
	if (pfn > PHYS_PFN(PHYS_ADDR_MAX) || kho_waiting_order(pfn) != (int)order)
		return "no page of the right size waits";
	/* A folio must be within one zone, see hugetlb_luo_boot_border(). */
	if (page_zone(pfn_to_page(pfn)) != page_zone(pfn_to_page(pfn + BIT(order) - 1)))
		return "a page is in two zones of this kernel";

	return NULL;
}

/**
 * hugetlb_luo_check_entries - check and sort the pages of a file
 * @h: their pool
 * @end: size of the file, in huge pages
 * @entries: the entries of the pages; sorted by index on return
 * @nr: their number
 *
 * Context: may sleep.
 * Return: 0 if all pages wait, and no page or position occurs twice; -EINVAL, after a
 * message, if not; -ENOMEM.
 */
int hugetlb_luo_check_entries(struct hstate *h, u64 end, struct hugetlb_luo_folio_ser *entries,
			      unsigned long nr)
{
	const unsigned int order = huge_page_order(h);
	unsigned long *seen, i;
	int err = 0;

	/* Folios that wait are below max_pfn. */
	seen = kvcalloc(BITS_TO_LONGS((max_pfn >> order) + 1), sizeof(long), GFP_KERNEL);
	if (!seen)
		return -ENOMEM;
	for (i = 1; i < nr && entries[i - 1].index < entries[i].index; i++)
		;
	if (i < nr)
		sort(entries, nr, sizeof(*entries), by_index, NULL);

	for (i = 0; i < nr && !err; i++) {
		const struct hugetlb_luo_folio_ser *entry = &entries[i];
		const char *wrong = wrong_page(entry->pfn, order);

		if (i && entry[-1].index == entry->index)
			wrong = "there are two pages";
		else if (entry->index >= end)
			wrong = "a page is beyond the end";
		else if (!wrong && __test_and_set_bit(entry->pfn >> order, seen))
			wrong = "a page is there twice";
		if (wrong) {
			hugetlb_luo_complain(wrong, entry->index);
			err = -EINVAL;
		}
		cond_resched();
	}
	kvfree(seen);

	return err;
}

/**
 * hugetlb_luo_check_ranges - check and sort the reserved parts of a file
 * @h: its pool
 * @ranges: the parts; sorted on return
 * @nr_ranges: their number
 * @entries: its pages, sorted
 * @nr: their number
 * @reserved: where to store the number of reserved pages
 *
 * Context: may sleep.
 * Return: 0 if no part overlaps another one or has a page; -EINVAL, after a message, if
 * not.
 */
int hugetlb_luo_check_ranges(struct hstate *h, struct hugetlb_luo_range_ser *ranges,
			     unsigned long nr_ranges, const struct hugetlb_luo_folio_ser *entries,
			     unsigned long nr, unsigned long *reserved)
{
	const u64 end = MAX_LFS_FILESIZE >> huge_page_shift(h);
	unsigned long k = 0;

	if (nr_ranges)
		sort(ranges, nr_ranges, sizeof(*ranges), by_from, NULL);
	*reserved = 0;
	for (unsigned long i = 0; i < nr_ranges; i++) {
		const struct hugetlb_luo_range_ser *range = &ranges[i];

		if (range->from >= range->to || range->to > end ||
		    (i && range[-1].to > range->from)) {
			hugetlb_luo_complain("a reservation is wrong", range->from);
			return -EINVAL;
		}
		while (k < nr && entries[k].index < range->from)
			k++;
		if (k < nr && entries[k].index < range->to) {
			hugetlb_luo_complain("what has a page is reserved", entries[k].index);
			return -EINVAL;
		}
		*reserved += range->to - range->from;
		cond_resched();
	}

	return 0;
}

static bool __init is_page_size(u64 size)
{
	return is_power_of_2(size) && size > PAGE_SIZE &&
	       size <= (u64)PAGE_SIZE << KHO_MAX_FOLIO_ORDER;
}

/**
 * hugetlb_luo_check_pools - check the blob of pools
 * @blob: the blob
 * @size: its size in bytes, all of which can be read
 * @folios: number of folios that the previous kernel handed over, by order up to
 *	%KHO_MAX_FOLIO_ORDER
 *
 * Context: boot.
 * Return: true if the blob counts no more pages of a size than folios of that size were
 * handed over, and no pool has a number that no machine can have.
 */
bool __init hugetlb_luo_check_pools(const struct hugetlb_luo_pools_ser *blob, size_t size,
				    const unsigned long *folios)
{
	u64 counted[KHO_MAX_FOLIO_ORDER + 1] = {};

	if (size < sizeof(*blob) ||
	    strncmp(blob->compatible, HUGETLB_LUO_POOLS_COMPATIBLE, sizeof(blob->compatible)) ||
	    blob->nr > (size - sizeof(*blob)) / sizeof(*blob->pools) ||
	    blob->nr > HUGETLB_LUO_POOLS_MAX)
		return false;

	for (u64 i = 0; i < blob->nr; i++) {
		const struct hugetlb_luo_pool_ser *pool = &blob->pools[i];
		unsigned int order;

		if (!is_page_size(pool->page_size) || pool->surplus > pool->pages)
			return false;
		order = ilog2(pool->page_size) - PAGE_SHIFT;
		if (pool->reserved > PHYS_PFN(PHYS_ADDR_MAX) >> order ||
		    pool->pages > folios[order] - counted[order])
			return false;
		counted[order] += pool->pages;
	}

	return true;
}
