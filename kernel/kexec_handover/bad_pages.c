// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that hardware reported as bad, PG_hwpoison, over a kexec.
 *
 * This file owns the list of bad pages that one kernel passes to the next. Without the
 * list, the next kernel would use such a page like any other.
 *
 * The old kernel writes the list when an image is loaded, and takes each block of
 * scratch that has a bad page out of scratch. Nothing that allocates from scratch has to
 * know about bad pages then: kexec, KASLR in the decompressor, memblock. It writes the
 * list again at the kexec if other pages are bad by then. The image knows where the
 * regions of scratch are, so these stay as they are.
 *
 * The new kernel reserves the pages of the list in memblock, unless they are preserved:
 * the owner of such a page gets it back, with PG_hwpoison set and a warning.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/hugetlb.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_image.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/memblock.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "../../mm/kho_init.h"
#include "bad_pages.h"
#include "check.h"
#include "fdt.h"
#include "incoming.h"
#include "kexec_lock.h"
#include "outgoing.h"
#include "ram.h"
#include "scratch.h"

/*
 * The old kernel
 */

/*
 * The list for the next kernel, a preserved page with a name in the root FDT; NULL until
 * the first page is bad. write_list() writes the pointer and the list, with the kexec
 * lock held.
 */
static struct kho_bad_pages *outgoing;

/*
 * What kho_ram_nr_bad() returned before write_list() wrote the list, 0 if the list is not
 * complete. Same lock.
 */
static long nr_collected;

/* Lets the next kernel find the list. */
static int make_list(void)
{
	struct kho_bad_pages *list = kho_alloc_preserve(sizeof(*list));
	int err;

	if (IS_ERR(list))
		return PTR_ERR(list);

	err = kho_add_subtree(KHO_BAD_PAGES_NAME, list, sizeof(*list));
	if (err) {
		kho_unpreserve_free(list);
		return err;
	}
	outgoing = list;

	return 0;
}

/* Takes the blocks of a range out of scratch. */
static int cut_scratch(phys_addr_t start, phys_addr_t end)
{
	struct folio *folio;
	u64 before;

	for (phys_addr_t p = ALIGN_DOWN(start, KHO_SCRATCH_ALIGN); p < end;
	     p += KHO_SCRATCH_ALIGN) {
		if (!kho_scratch_overlap(p, KHO_SCRATCH_ALIGN))
			continue;

		/*
		 * An image that is loaded already refers to the old array, and may be
		 * started if this load fails. So the old array stays as it is.
		 */
		folio = kho_ram_alloc_folio(get_order(KHO_SCRATCH_MAX * sizeof(*kho_scratch)));
		if (!folio)
			return -ENOMEM;
		before = kho_scratch_sum(kho_scratch, kho_scratch_cnt);
		kho_scratch_cut(folio_address(folio), KHO_SCRATCH_MAX, p);
		pr_warn("memory at %pa is bad: scratch has %llu bytes less\n", &start,
			before - kho_scratch_sum(kho_scratch, kho_scratch_cnt));
	}

	return 0;
}

/*
 * An image that is loaded knows the regions of scratch, so its kernel may use a page there
 * until it has read the list.
 */
static void warn_scratch(phys_addr_t phys, size_t size)
{
	if (kho_scratch_overlap(phys, size))
		pr_warn("memory at %pa is bad, in scratch, since the next kernel was loaded: that kernel may use it until it has read which memory is bad\n",
			&phys);
}

/* Adds bad pages to the list. @cut: takes their blocks out of scratch, too. */
static int note_range(unsigned long pfn, unsigned long end, bool cut)
{
	struct kho_bad_range *last = outgoing->nr ? &outgoing->range[outgoing->nr - 1] : NULL;
	phys_addr_t phys = PFN_PHYS(pfn);
	struct kho_map_folio folio;
	int err = 0;

	if (cut)
		err = cut_scratch(phys, PFN_PHYS(end));
	else
		warn_scratch(phys, PFN_PHYS(end - pfn));
	if (err)
		return err;

	if (kho_map_next(&kho_out.map, pfn, end, &folio))
		pr_warn("memory at %pa is bad, and preserved: its owner gets it back with a warning\n",
			&phys);

	if (last && last->phys + last->size == phys) {
		last->size += PFN_PHYS(end) - phys;
		return 0;
	}
	if (outgoing->nr == KHO_BAD_RANGES) {
		pr_warn_once("more than %lu ranges of memory are bad: the next kernel will not know the others, and use them\n",
			     KHO_BAD_RANGES);
		return 0;
	}
	outgoing->range[outgoing->nr++] = (struct kho_bad_range){
		.phys = phys, .size = PFN_PHYS(end) - phys,
	};

	return 0;
}

/*
 * If the page is bad, adds it to the list. Only the first page of a hugetlb folio has
 * the mark while the folio is in use, so all of it counts. Returns the next PFN to look
 * at in @next.
 */
static int look_at(unsigned long pfn, bool cut, unsigned long *next)
{
	struct page *page = pfn_to_page(pfn);

	*next = pfn + 1;
	if (likely(!PageHWPoison(page)))
		return 0;
	if (PageHuge(page))
		*next = ALIGN(pfn + 1, compound_nr(compound_head(page)));

	return note_range(pfn, *next, cut);
}

/*
 * Lists all bad pages. @cut: as in note_range(). Without bad pages and without a list of
 * earlier ones, it does nothing.
 */
static int write_list(bool cut)
{
	/* Before the pages, since a page has its mark before it counts. */
	const long nr = kho_ram_nr_bad();
	unsigned long pfn = 0, next;
	int err = 0;

	kho_assert_kexec_lock();
	nr_collected = 0;
	if (!nr && !outgoing)
		return 0;

	if (!outgoing)
		err = make_list();
	if (!err)
		outgoing->nr = 0;

	/* All pages of a pageblock are online, or none. */
	for (; pfn < max_pfn && !err; pfn = next) {
		next = pageblock_end_pfn(pfn);
		cond_resched();
		if (!pfn_to_online_page(pfn))
			continue;
		while (pfn < next && !err)
			err = look_at(pfn, cut, &pfn);
		next = max(pfn, next);
	}
	if (err)
		pr_err("cannot tell the next kernel which memory is bad (%d)\n", err);
	else
		nr_collected = nr;

	return err;
}

/**
 * kho_bad_pages_collect - tell the next kernel which pages are bad
 *
 * Also takes the blocks of bad pages out of scratch. If this kernel knows of no bad
 * page, it does neither.
 *
 * Context: kexec_file_load(), with the kexec lock held. May sleep.
 * Return: 0; -ENOMEM or an error of kho_add_subtree(), after a message.
 */
int kho_bad_pages_collect(void)
{
	return write_list(true);
}

/**
 * kho_bad_pages_update - tell the next kernel which pages are bad since it was loaded
 * @image: the image
 *
 * The image has the addresses of the root FDT, which kho_image_seal() writes, and of the
 * regions of scratch. So the list can change, and be new, but the regions cannot. If there
 * is no memory for a list, there is a message and the kexec goes on: the next kernel is as
 * well off as without a list.
 *
 * Context: kernel_kexec(), before anything is shut down, with the kexec lock held. May
 * sleep.
 */
void kho_bad_pages_update(const struct kimage *image)
{
	kho_assert_kexec_lock();
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH || !image->file_mode)
		return;
	if (kho_ram_nr_bad() != nr_collected)
		write_list(false);
}

/**
 * kho_bad_pages_check - log if a page became bad after the list was written
 *
 * Context: kernel_kexec(), right before machine_kexec(). Only this CPU runs.
 */
void kho_bad_pages_check(void)
{
	if (kho_ram_nr_bad() > nr_collected)
		pr_warn("%ld pages became bad, of which the next kernel is not told: it will use them\n",
			kho_ram_nr_bad() - nr_collected);
}

/*
 * The new kernel
 */

/* The list of the previous kernel in the direct map, NULL if there is none. */
static struct kho_bad_pages *incoming __initdata;

static bool __init list_valid(const struct kho_bad_pages *list)
{
	u64 bytes = 0;

	if (list->nr > KHO_BAD_RANGES)
		return false;
	for (unsigned int i = 0; i < list->nr; i++) {
		const struct kho_bad_range *r = &list->range[i];

		if (!PAGE_ALIGNED(r->phys | r->size) || !r->size ||
		    r->size > memblock_phys_mem_size())
			return false;
		bytes += r->size;
	}

	/* A machine with as much bad memory would not run. */
	return bytes <= memblock_phys_mem_size() / 4;
}

/* Returns the number of bytes that it could reserve: @size or 0. */
static u64 __init reserve_free(phys_addr_t phys, phys_addr_t size)
{
	/* What was allocated from scratch before the list could be read */
	if (memblock_is_region_reserved(phys, size))
		pr_warn("memory at %pa is bad, and in use since this kernel started: boot again if the kernel becomes unstable\n",
			&phys);
	if (memblock_reserve(phys, size)) {
		pr_warn_once("memory at %pa is bad, and memblock has no entry left to reserve it: this kernel uses it; exclude it with memmap= at the next cold boot\n",
			     &phys);
		return 0;
	}

	return size;
}

/*
 * Reserves what the map does not name. Memory with a node of the map is left alone, too.
 * Returns the number of bytes that are reserved.
 */
static u64 __init reserve_range(unsigned long pfn, unsigned long end)
{
	unsigned long start = pfn;
	u64 bytes = 0;

	for (; pfn <= end; pfn++) {
		if (pfn < end && kho_incoming_next(pfn, pfn + 1) == KHO_MAP_NONE)
			continue;
		if (start < pfn)
			bytes += reserve_free(PFN_PHYS(start), PFN_PHYS(pfn - start));
		start = pfn + 1;
	}

	return bytes;
}

/**
 * kho_bad_pages_reserve - keep bad pages of the previous kernel from being used
 *
 * Context: kho_memory_known(), after the handover was accepted and before anything is
 * allocated from memory outside of scratch.
 */
void __init kho_bad_pages_reserve(void)
{
	struct kho_bad_pages *list;
	phys_addr_t phys;
	u64 bytes = 0;
	size_t size;

	if (kho_fdt_get(kho_incoming.fdt, KHO_BAD_PAGES_NAME, &phys, &size))
		return;

	list = phys_to_virt(phys);
	if (size != sizeof(*list) || !kho_incoming_has(phys, size) || !list_valid(list)) {
		pr_warn("blob %s at %pa is damaged: memory that the previous kernel knows to be bad is used\n",
			KHO_BAD_PAGES_NAME, &phys);
		return;
	}

	incoming = list;
	kho_init_bad_pages(list);
	for (unsigned int i = 0; i < list->nr; i++) {
		const struct kho_bad_range *r = &list->range[i];

		if (kho_check_memblock_has(r->phys, r->size))
			bytes += reserve_range(PHYS_PFN(r->phys), PHYS_PFN(r->phys + r->size));
	}
	if (bytes)
		pr_info("%llu KiB of bad memory are reserved, as the previous kernel reported\n",
			bytes >> 10);
}

/**
 * kho_bad_pages_forget - forget which pages the previous kernel knows to be bad
 *
 * They stay reserved in memblock.
 *
 * Context: kho_memory_init(), if the handover is refused after all.
 */
void __init kho_bad_pages_forget(void)
{
	incoming = NULL;
	kho_init_bad_pages(NULL);
}

static void __init mark_page(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);
	struct folio *folio = page_folio(page);

	if (PageHWPoison(page)) {
		/* prepare_block() has done the rest. */
		memblk_nr_poison_inc(pfn);
	} else {
		SetPageHWPoison(page);
		num_poisoned_pages_inc(pfn);
		if (folio_test_large(folio))
			folio_set_has_hwpoisoned(folio);
	}
	kho_init_take_free(pfn);
}

/**
 * kho_bad_pages_mark - set PG_hwpoison for all bad pages of the previous kernel
 *
 * Owners of waiting folios find the mark, and so does kho_bad_pages_collect(), which
 * passes the pages on to the next kernel. A bad page can be free all the same: an early
 * allocation from scratch had it before the list was read, or it is part of a large folio
 * that its owner has freed. Such a page is taken from the page allocator.
 *
 * Context: kho_start(), a core_initcall, when the kernel can count bad pages by memory
 * block.
 */
void __init kho_bad_pages_mark(void)
{
	unsigned long nr = 0;

	if (!incoming)
		return;

	/* kho_init_take_free() does not find pages in the lists of the CPUs. */
	drain_all_pages(NULL);
	for (unsigned int i = 0; i < incoming->nr; i++) {
		unsigned long pfn = PHYS_PFN(incoming->range[i].phys);
		unsigned long end = pfn + PHYS_PFN(incoming->range[i].size);

		for (; pfn < end; pfn++) {
			if (!pfn_valid(pfn))
				continue;
			mark_page(pfn);
			nr++;
		}
	}
	if (nr)
		pr_info("%lu pages are marked as bad, as the previous kernel reported\n", nr);
}

/* Runs after kho_debugfs_copy_blobs(), a core_initcall, has copied the blob. */
static int __init kho_bad_pages_late_init(void)
{
	kho_restore_free(incoming);

	return 0;
}
late_initcall(kho_bad_pages_late_init);
