// SPDX-License-Identifier: GPL-2.0-only
/*
 * Struct pages of blocks that folios were handed over in.
 *
 * This file owns every struct page of such a block from kho_memory_init() until
 * the block is set up, and which pages of it the page allocator gets.
 *
 * The unit of work is the block: MAX_ORDER_NR_PAGES pages, aligned, within
 * which the buddy allocator merges. A block that the map names pages in is set
 * up once: all of its struct pages are initialised, then those of the preserved
 * folios are made into folios that only have to be taken. Who does it depends
 * on who comes first: memblock as it frees what is initialised early, the
 * deferred-init threads, or a restore before either. A lock and a ready bit per
 * block keep them apart; blocks without preserved pages have neither.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kmemleak.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/workqueue.h>

/* Needs cpu_relax() from the headers above. */
#include <linux/bit_spinlock.h>

#include "../mm/internal.h"
#include "kexec_handover_incoming.h"

/* First PFN of each node that had no struct page at kho_memory_init(). */
static unsigned long first_deferred_pfn[MAX_NUMNODES] __initdata;

/* Make the part of a folio that lies in [start, end) ready to be taken. */
static void __init prepare_folio(const struct kho_map_folio *f,
				 unsigned long start, unsigned long end)
{
	struct page *head = pfn_to_page(f->pfn);
	unsigned long pfn = max(start, f->pfn + 1);

	/* Tails of a gigantic folio are not in an array with all its head's. */
	for (end = min(end, f->pfn + BIT(f->order)); pfn < end; pfn++) {
		struct page *tail = pfn_to_page(pfn);

		set_page_count(tail, 0);
		tail->mapping = TAIL_MAPPING;
		set_compound_head(tail, head);
	}

	if (f->pfn < start)
		return;

	__folio_set_reserved((struct folio *)head);
	if (f->order) {
		__folio_set_head((struct folio *)head);
		prep_compound_head(head, f->order);
		page_rmappable_folio(head);
	}
	set_page_private(head, KHO_WAITING_MARK | f->order);
}

/* Order-0 folios by the word: 10 instructions each, with prepare_folio() 63. */
static void __init prepare_singles(unsigned long pfn, unsigned long singles)
{
	struct page *pages = pfn_to_page(pfn);

	for (; singles; singles &= singles - 1) {
		struct page *page = pages + __ffs(singles);

		__folio_set_reserved((struct folio *)page);
		set_page_private(page, KHO_WAITING_MARK);
	}
}

/* All that the map names in a block whose struct pages are initialised. */
static void __init prepare_block(unsigned long start)
{
	unsigned long end = start + KHO_BLOCK_PAGES;
	DECLARE_BITMAP(singles, KHO_BLOCK_PAGES) = {};
	unsigned int order = 1;
	unsigned long i;

	kho_map_fill_order_0(&kho_incoming.map, start, KHO_BLOCK_PAGES, singles);
	for (i = 0; i < ARRAY_SIZE(singles); i++)
		prepare_singles(start + i * BITS_PER_LONG, singles[i]);

	for_each_set_bit_from(order, &kho_incoming.map.orders, KHO_MAX_FOLIO_ORDER + 1) {
		struct kho_map_folio folio = { .order = order };
		unsigned long pfn = start;

		for (;;) {
			folio.pfn = kho_map_next_of_order(&kho_incoming.map, order, pfn, end);
			if (folio.pfn == KHO_MAP_NONE)
				break;
			prepare_folio(&folio, start, end);
			pfn = folio.pfn + BIT(order);
		}
	}

	for (i = kho_incoming_node_from(start); kho_incoming_node_before(i, end); i++)
		__folio_set_reserved(pfn_folio(kho_incoming.nodes[i]));
}

static bool block_is_named(unsigned long block_pfn)
{
	return kho_blocks.named && test_bit(kho_block_of(block_pfn), kho_blocks.named);
}

static enum zone_type __init zone_of(unsigned long pfn, int nid)
{
	enum zone_type zid = 0;

	while (!zone_spans_pfn(&NODE_DATA(nid)->node_zones[zid], pfn))
		zid++;

	return zid;
}

/*
 * Initialise what deferred init would, in one block. Its page blocks get their
 * type here, too: a folio may be restored and freed as soon as this is done, and
 * what is free must not change its type.
 */
static void __init init_block(unsigned long start)
{
	unsigned long end = start + KHO_BLOCK_PAGES;
	phys_addr_t from, to;
	int nid;
	u64 i;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, &nid) {
		unsigned long pfn = max(PFN_UP(from), start);
		unsigned long stop = min(PFN_DOWN(to), end);
		enum zone_type zid;

		if (pfn >= end)
			break;
		pfn = max(pfn, first_deferred_pfn[nid]);
		if (pfn >= stop)
			continue;

		/* A block is in one zone: page blocks and the buddy allocator need it. */
		for (zid = zone_of(pfn, nid); pfn < stop; pfn++) {
			struct page *page = pfn_to_page(pfn);

			__init_single_page(page, pfn, zid, nid);
			if (pageblock_aligned(pfn))
				set_pageblock_migratetype(page, MIGRATE_MOVABLE);
		}
	}
}

/*
 * Interrupts are off while the block is locked: one that allocates may grow a
 * zone and want to set up the same block.
 */
static void __init set_up_block(unsigned long block_pfn)
{
	const unsigned long block = kho_block_of(block_pfn);
	const unsigned long bit = block % BITS_PER_LONG;
	unsigned long flags;

	/* Pairs with set_bit() below. */
	if (test_bit_acquire(block, kho_blocks.ready))
		return;

	local_irq_save(flags);
	bit_spin_lock(bit, kho_blocks.locked + BIT_WORD(block));
	if (!test_bit(block, kho_blocks.ready)) {
		init_block(block_pfn);
		prepare_block(block_pfn);
		/* Pairs with test_bit_acquire() above. */
		smp_mb__before_atomic();
		set_bit(block, kho_blocks.ready);
	}
	bit_spin_unlock(bit, kho_blocks.locked + BIT_WORD(block));
	local_irq_restore(flags);
}

/*
 * Two nodes that meet within a block have two threads that would each set up
 * the half of it. There are few of them, so they are set up here.
 */
static void __init set_up_shared_blocks(void)
{
	unsigned long start, end, prev_end = 0;
	int i, nid, prev_nid = NUMA_NO_NODE;

	for_each_mem_pfn_range(i, MAX_NUMNODES, &start, &end, &nid) {
		if (prev_end && nid != prev_nid &&
		    kho_block_of(start) == kho_block_of(prev_end - 1))
			set_up_block(ALIGN_DOWN(start, KHO_BLOCK_PAGES));
		prev_end = end;
		prev_nid = nid;
	}
}

static void __init note_deferred_ranges(void)
{
	int nid;

	for (nid = 0; nid < MAX_NUMNODES; nid++) {
		first_deferred_pfn[nid] = ULONG_MAX;
#ifdef CONFIG_DEFERRED_STRUCT_PAGE_INIT
		if (node_online(nid))
			first_deferred_pfn[nid] = NODE_DATA(nid)->first_deferred_pfn;
#endif
	}
}

/**
 * kho_incoming_start - get ready for restores
 *
 * Context: after kho_incoming_accept() returned true. From then on folios can be
 * restored, and memblock must not give or take any memory but its own.
 */
void __init kho_incoming_start(void)
{
	/*
	 * memblock_free_all() would do it later: what is restored before counts
	 * as managed and must not be forgotten.
	 */
	reset_all_zones_managed_pages();
	note_deferred_ranges();
	set_up_shared_blocks();
}

/**
 * kho_set_up_block - initialise the struct pages of a block, if it is KHO's
 * @block_pfn: first PFN of the block
 *
 * Context: deferred init, or whoever grows a zone before it.
 * Return: true if all struct pages of the block that memblock has no use for are
 * initialised; false if nothing in it is of KHO's concern and the caller is to
 * initialise them.
 */
bool __init kho_set_up_block(unsigned long block_pfn)
{
	if (!block_is_named(block_pfn))
		return false;
	set_up_block(block_pfn);

	return true;
}

/**
 * kho_blocks_set_up - set up the blocks that a folio is in
 * @pfn: its first PFN
 * @order: its order
 *
 * Context: any but hard interrupts, as long as kho_blocks.named is set: init
 * memory is there till then.
 */
noinline void __ref kho_blocks_set_up(unsigned long pfn, unsigned int order)
{
	unsigned long end = pfn + BIT(order);

	for (pfn = ALIGN_DOWN(pfn, KHO_BLOCK_PAGES); pfn < end; pfn += KHO_BLOCK_PAGES)
		set_up_block(pfn);
}

/* Marks the pages of a block that must not get into the page allocator. */
static void __init fill_withheld(unsigned long block_pfn, unsigned long *pages)
{
	unsigned long end = block_pfn + KHO_BLOCK_PAGES, i;

	kho_map_fill(&kho_incoming.map, block_pfn, KHO_BLOCK_PAGES, pages);
	for (i = kho_incoming_node_from(block_pfn); kho_incoming_node_before(i, end); i++)
		__set_bit(kho_incoming.nodes[i] - block_pfn, pages);
}

/* How much can be freed as one piece: @pages starts with it, at bit @first. */
static noinline unsigned int __init piece_order(unsigned long pages, unsigned int first)
{
	unsigned int run = ~pages ? ffz(pages) : BITS_PER_LONG;

	return min(__ffs(first | BITS_PER_LONG), __fls(run));
}

/* Takes the first piece out of a word of pages. Returns its first bit. */
static __always_inline unsigned int next_piece(unsigned long *pages, unsigned int *order)
{
	unsigned int first = __ffs(*pages);

	/* Single pages are most of them where it matters. */
	if (likely(!(*pages >> first & 2))) {
		*order = 0;
		*pages &= *pages - 1;
	} else {
		*order = piece_order(*pages >> first, first);
		*pages &= ~(GENMASK(BIT(*order) - 1, 0) << first);
	}

	return first;
}

/* The pages that are to be freed of the word @i of a block. */
static __always_inline unsigned long free_word(const unsigned long *withheld,
					       unsigned long i, unsigned long from,
					       unsigned long to)
{
	unsigned long pages = ~withheld[i];

	if (i == BIT_WORD(from))
		pages &= BITMAP_FIRST_WORD_MASK(from);
	if (i == BIT_WORD(to - 1))
		pages &= BITMAP_LAST_WORD_MASK(to);

	return pages;
}

/*
 * Prepares the pages of a block that are not withheld, of [from, to) in it, for
 * free_pieces(). Those that cannot be freed are withheld as well. Returns how many
 * were not before.
 */
static noinline unsigned long __init prepare_pieces(unsigned long block_pfn,
						    unsigned long *withheld,
						    unsigned long from, unsigned long to)
{
	unsigned long i, nr = 0;
	unsigned int bit, order;

	for (i = BIT_WORD(from); i <= BIT_WORD(to - 1); i++) {
		struct page *page = pfn_to_page(block_pfn + i * BITS_PER_LONG);
		unsigned long pages = free_word(withheld, i, from, to);

		nr += hweight_long(pages);
		while (pages) {
			bit = next_piece(&pages, &order);
			if (unlikely(!prepare_boot_pages(page + bit, order)))
				bitmap_set(withheld, i * BITS_PER_LONG + bit, BIT(order));
		}
	}

	return nr;
}

/* Gives what was prepared to the page allocator. @zone is locked. */
static noinline void __init free_pieces(struct zone *zone, unsigned long block_pfn,
					const unsigned long *withheld,
					unsigned long from, unsigned long to)
{
	unsigned int bit, order;

	for (unsigned long i = BIT_WORD(from); i <= BIT_WORD(to - 1); i++) {
		unsigned long pfn = block_pfn + i * BITS_PER_LONG;
		unsigned long pages = free_word(withheld, i, from, to);
		struct page *page = pfn_to_page(pfn);
		int migratetype = get_pageblock_migratetype(page);

		while (pages) {
			bit = next_piece(&pages, &order);
			free_boot_pages(zone, page + bit, pfn + bit, order, migratetype);
		}
	}
}

/*
 * Gives the pages of a block that are not withheld, of [from, to) in it, to the
 * page allocator: like __free_pages_core() for each piece, but with the zone
 * locked once. A scattered page costs a boot 240 instructions so, not 570.
 * Preparing may take locks itself, so it is a round of its own.
 */
static unsigned long __init free_unwithheld(unsigned long block_pfn, unsigned long *withheld,
					    unsigned long from, unsigned long to)
{
	struct zone *zone = page_zone(pfn_to_page(block_pfn + from));
	unsigned long flags, freed;

	freed = prepare_pieces(block_pfn, withheld, from, to);

	spin_lock_irqsave(&zone->lock, flags);
	free_pieces(zone, block_pfn, withheld, from, to);
	spin_unlock_irqrestore(&zone->lock, flags);

	__count_vm_events(PGFREE, freed);
	atomic_long_add(freed, &zone->managed_pages);

	return freed;
}

/* Frees what may be of [start, end) in one block; returns how many pages. */
static unsigned long __init free_in_block(unsigned long start, unsigned long end)
{
	unsigned long block_pfn = ALIGN_DOWN(start, KHO_BLOCK_PAGES);
	DECLARE_BITMAP(withheld, KHO_BLOCK_PAGES) = {};

	accept_memory(PFN_PHYS(start), (end - start) * PAGE_SIZE);
	fill_withheld(block_pfn, withheld);

	return free_unwithheld(block_pfn, withheld, start - block_pfn, end - block_pfn);
}

/**
 * kho_free_unpreserved - give memblock's free pages to the page allocator
 * @start_pfn: first PFN of a range on one node
 * @end_pfn: first PFN behind it
 * @free: frees a range
 *
 * Calls @free for the blocks that nothing was handed over in, and frees of the
 * others what may be. The part of the range that has no struct pages yet is
 * passed on as it is: @free does nothing there, and kho_deferred_free_pages()
 * looks at it later.
 *
 * Context: memblock_free_all().
 * Return: pages to count as RAM. kho_deferred_free_pages() corrects it.
 */
unsigned long __init kho_free_unpreserved(unsigned long start_pfn,
					  unsigned long end_pfn,
					  void (*free)(unsigned long, unsigned long))
{
	unsigned long pfn = start_pfn, next, early_end, count = 0;

	if (!kho_blocks.named) {
		free(start_pfn, end_pfn);
		return end_pfn - start_pfn;
	}

	early_end = min(end_pfn, first_deferred_pfn[early_pfn_to_nid(start_pfn)]);
	for (; pfn < early_end; pfn = next) {
		next = find_next_bit(kho_blocks.named, kho_block_of(early_end - 1) + 1,
				     kho_block_of(pfn));
		next = clamp(next * KHO_BLOCK_PAGES, pfn, early_end);
		if (next > pfn) {
			free(pfn, next);
			count += next - pfn;
			continue;
		}

		set_up_block(ALIGN_DOWN(pfn, KHO_BLOCK_PAGES));
		next = min(ALIGN(pfn + 1, KHO_BLOCK_PAGES), early_end);
		count += free_in_block(pfn, next);
	}

	if (pfn < end_pfn) {
		free(pfn, end_pfn);
		count += end_pfn - pfn;
	}

	return count;
}

static void __init free_deferred_range(unsigned long pfn, unsigned long end)
{
	for (unsigned int order; pfn < end; pfn += BIT(order)) {
		order = kho_map_block_order(pfn, end, MAX_PAGE_ORDER);
		__free_pages_core(pfn_to_page(pfn), order, MEMINIT_EARLY);
	}
}

/**
 * kho_deferred_free_pages - give pages to the page allocator, deferred init
 * @pfn: first PFN of a range within one block, just initialised
 * @nr_pages: its length
 *
 * Context: deferred init.
 * Return: true if it was done, false if nothing in the block is of KHO's
 * concern and the caller is to do it as always.
 */
bool __init kho_deferred_free_pages(unsigned long pfn, unsigned long nr_pages)
{
	unsigned long block_pfn = ALIGN_DOWN(pfn, KHO_BLOCK_PAGES);
	bool scratch = kho_scratch_inherited(PFN_PHYS(block_pfn), PAGE_SIZE * KHO_BLOCK_PAGES);
	unsigned long end = pfn + nr_pages;

	if (!scratch && !block_is_named(block_pfn))
		return false;

	/* Also a page block that begins with what is not free. Others have it. */
	for (unsigned long p = pageblock_start_pfn(pfn); scratch && p < end;
	     p += pageblock_nr_pages)
		set_pageblock_migratetype(pfn_to_page(p), MIGRATE_CMA);

	if (!block_is_named(block_pfn)) {
		accept_memory(PFN_PHYS(pfn), nr_pages * PAGE_SIZE);
		free_deferred_range(pfn, end);
		return true;
	}

	/* memblock_free_all() has counted them all. */
	totalram_pages_add(-(long)(nr_pages - free_in_block(pfn, end)));

	return true;
}

/**
 * kho_free_boot_memory - give memory of memblock's to the page allocator
 * @start: where it is
 * @bytes: whole pages
 *
 * Context: may sleep. kmemleak no longer looks there.
 */
void kho_free_boot_memory(void *start, size_t bytes)
{
	kmemleak_free_part_phys(virt_to_phys(start), bytes);
	free_reserved_area(start, start + bytes, -1, NULL);
}

static void free_blocks(struct work_struct *work)
{
	kho_free_boot_memory(kho_blocks.start, kho_blocks.bytes);
}

/**
 * kho_blocks_finish - all blocks are set up
 *
 * Context: all struct pages are initialised, workqueues take work.
 */
void __init kho_blocks_finish(void)
{
	WRITE_ONCE(kho_blocks.named, NULL);
	INIT_RCU_WORK(&kho_blocks.free_work, free_blocks);
	queue_rcu_work(system_unbound_wq, &kho_blocks.free_work);
}
