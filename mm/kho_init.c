// SPDX-License-Identifier: GPL-2.0-only
/*
 * Struct pages of blocks that folios were handed over in.
 *
 * This file owns every struct page of such a block from kho_memory_init() until
 * the block is set up, and decides which of its pages the page allocator gets.
 *
 * The unit of work is the block: MAX_ORDER_NR_PAGES pages, aligned, within which
 * the buddy allocator merges free pages. A block that the incoming map names pages
 * in is set up once: all of its struct pages are initialised, then those of the
 * preserved folios are made into folios that wait, and only have to be taken. Any
 * of three may be the first to need the block, and sets it up: memblock, as it
 * frees what is initialised early; deferred initialisation; or a restore before
 * either. A lock bit and a ready bit for each block keep them apart. Blocks without
 * preserved pages have neither.
 *
 * Pages that wait are in use, like any allocated page. They count as managed, in
 * their zone and in totalram_pages(), as soon as the other pages of their block do.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kexec_handover.h>
#include <linux/kmemleak.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/pgalloc_tag.h>
#include <linux/workqueue.h>

/* Needs cpu_relax() from the headers above. */
#include <linux/bit_spinlock.h>

#include "../kernel/kexec_handover/incoming.h"
#include "../kernel/kexec_handover/scratch.h"
#include "internal.h"
#include "kho_init.h"

#define BLOCK_PAGES	KHO_BLOCK_PAGES

static_assert(BLOCK_PAGES <= KHO_MAP_LEAF_BITS);
static_assert(BLOCK_PAGES >= BITS_PER_LONG);

/**
 * struct blocks - the blocks while struct pages are being initialised
 * @named: bit n is set if block n may have pages that must not be freed. Constant
 *	from kho_init_start() on. NULL if no block has such pages, and again once
 *	all struct pages are initialised, see kho_init_finish().
 * @locked: bit n is the lock under which block n is set up
 * @ready: bit n is set once block n is set up
 * @start: the memory that all three are in
 * @bytes: its size
 * @free_work: frees it
 */
static struct {
	unsigned long *named;
	unsigned long *locked;
	unsigned long *ready;
	void *start;
	size_t bytes;
	struct rcu_work free_work;
} blocks;

/**
 * struct deferred_part - the part of a node that deferred initialisation is for
 * @start: the first PFN that has no struct page at kho_memory_init()
 * @zid: the zone that its pages will be in
 */
static struct {
	unsigned long start;
	enum zone_type zid;
} deferred_part[MAX_NUMNODES] __initdata;

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
	unsigned long end = start + BLOCK_PAGES;
	DECLARE_BITMAP(singles, BLOCK_PAGES) = {};
	unsigned int order = 1;
	unsigned long i;

	kho_map_fill_order_0(&kho_incoming.map, start, BLOCK_PAGES, singles);
	for (i = 0; i < ARRAY_SIZE(singles); i++)
		prepare_singles(start + i * BITS_PER_LONG, singles[i]);

	for_each_set_bit_from(order, &kho_incoming.map.orders, KHO_MAX_RUN_ORDER + 1) {
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

/* Is the block that @pfn lies in one of KHO's? */
static bool __init block_is_named(unsigned long pfn)
{
	return blocks.named && test_bit(kho_block_of(pfn), blocks.named);
}

/*
 * Initialise what deferred initialisation would, in one block. Its pageblocks get
 * their type here, too: a folio may be restored and freed as soon as this is done, and
 * what is free must not change its type.
 */
static void __init init_block(unsigned long start)
{
	unsigned long end = start + BLOCK_PAGES;
	phys_addr_t from, to;
	int nid;
	u64 i;

	/* Including hotpluggable memory, which memblock_free_all() frees as well. */
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_HOTPLUG, &from, &to, &nid) {
		unsigned long pfn = max(PFN_UP(from), start);
		unsigned long stop = min(PFN_DOWN(to), end);

		if (pfn >= end)
			break;
		pfn = max(pfn, deferred_part[nid].start);
		for (; pfn < stop; pfn++) {
			struct page *page = pfn_to_page(pfn);

			__init_single_page(page, pfn, deferred_part[nid].zid, nid);
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
	if (test_bit_acquire(block, blocks.ready))
		return;

	local_irq_save(flags);
	bit_spin_lock(bit, blocks.locked + BIT_WORD(block));
	if (!test_bit(block, blocks.ready)) {
		init_block(block_pfn);
		prepare_block(block_pfn);
		/* Pairs with test_bit_acquire() above. */
		smp_mb__before_atomic();
		set_bit(block, blocks.ready);
	}
	bit_spin_unlock(bit, blocks.locked + BIT_WORD(block));
	local_irq_restore(flags);
}

/*
 * Where two nodes meet within a block, their two threads would each want to set it
 * up, and free the half of it that the other may not have initialised yet. Such
 * blocks are few, and are set up here if the map names pages in them.
 */
static void __init set_up_shared_blocks(void)
{
	unsigned long start, end, prev_end = 0;
	int i, nid, prev_nid = NUMA_NO_NODE;

	for_each_mem_pfn_range(i, MAX_NUMNODES, &start, &end, &nid) {
		if (prev_end && nid != prev_nid && kho_block_of(start) == kho_block_of(prev_end - 1) &&
		    block_is_named(start))
			set_up_block(ALIGN_DOWN(start, BLOCK_PAGES));
		prev_end = end;
		prev_nid = nid;
	}
}

/*
 * Only the highest zone of a node is deferred, see deferred_init_memmap(). A lower
 * one may span the same pages: with kernelcore=mirror zones overlap.
 */
static void __init note_deferred_parts(void)
{
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		deferred_part[nid].start = ULONG_MAX;
#ifdef CONFIG_DEFERRED_STRUCT_PAGE_INIT
		if (node_online(nid)) {
			deferred_part[nid].start = NODE_DATA(nid)->first_deferred_pfn;
			deferred_part[nid].zid = NODE_DATA(nid)->nr_zones - 1;
		}
#endif
	}
}

/**
 * kho_init_prepare - note which blocks have pages that must not be freed
 *
 * Context: kho_memory_init(), with a map in kho_incoming that was checked.
 * Return: true, or false if there is no memory for it.
 */
bool __init kho_init_prepare(void)
{
	size_t bytes = BITS_TO_LONGS(kho_block_of(max_pfn - 1) + 1) * sizeof(long);

	blocks.bytes = PAGE_ALIGN(3 * bytes);
	blocks.start = memblock_alloc(blocks.bytes, PAGE_SIZE);
	if (!blocks.start)
		return false;

	blocks.named = blocks.start;
	blocks.locked = blocks.start + bytes;
	blocks.ready = blocks.start + 2 * bytes;
	kho_incoming_name_blocks(blocks.named);

	return true;
}

/**
 * kho_init_start - get ready for restores
 *
 * Context: the end of kho_memory_init(), after kho_init_prepare(). From then on
 * folios can be restored, and memblock must not give or take any memory but its
 * own.
 */
void __init kho_init_start(void)
{
	note_deferred_parts();
	set_up_shared_blocks();
}

/**
 * kho_init_block - initialise the struct pages of a block, if it is KHO's
 * @block_pfn: first PFN of the block
 *
 * Context: deferred initialisation, or whoever grows a zone before it.
 * Return: true if all struct pages of the block that memblock has no use for are
 * initialised; false if nothing in the block was handed over, and the caller is to
 * initialise them.
 */
bool __init kho_init_block(unsigned long block_pfn)
{
	if (!block_is_named(block_pfn))
		return false;
	set_up_block(block_pfn);

	return true;
}

static noinline void __init set_up_blocks_of(unsigned long pfn, unsigned int order)
{
	unsigned long end = pfn + BIT(order);

	for (pfn = ALIGN_DOWN(pfn, BLOCK_PAGES); pfn < end; pfn += BLOCK_PAGES)
		set_up_block(pfn);
}

/**
 * kho_init_folio - set up the blocks that a folio is in
 * @pfn: its first PFN
 * @order: its order
 *
 * Context: any but hard interrupts, from the end of kho_memory_init() on, with
 * rcu_read_lock(). Does nothing once all struct pages are initialised.
 */
void __ref kho_init_folio(unsigned long pfn, unsigned int order)
{
	/* Init memory is there for as long as there are blocks. */
	if (READ_ONCE(blocks.named))
		set_up_blocks_of(pfn, order);
}

/* Finds the pages of a block that the page allocator gets, of [start, end) in it. */
static void __init fill_free(unsigned long block_pfn, unsigned long *pages,
			     unsigned long start, unsigned long end)
{
	DECLARE_BITMAP(withheld, BLOCK_PAGES) = {};
	unsigned long i, block_end = block_pfn + BLOCK_PAGES;

	kho_map_fill(&kho_incoming.map, block_pfn, BLOCK_PAGES, withheld);
	for (i = kho_incoming_node_from(block_pfn); kho_incoming_node_before(i, block_end); i++)
		__set_bit(kho_incoming.nodes[i] - block_pfn, withheld);

	bitmap_set(pages, start - block_pfn, end - start);
	bitmap_andnot(pages, pages, withheld, BLOCK_PAGES);
}

/* A block may be named for a neighbour's sake, and all of it be scratch. */
static bool __init mark_if_scratch(unsigned long pfn, unsigned long nr_pages)
{
	if (!kho_scratch_inherited ||
	    !kho_scratch_overlap(PFN_PHYS(pfn), nr_pages << PAGE_SHIFT))
		return false;
	kho_scratch_mark_block(pfn, nr_pages);

	return true;
}

static void __init free_in_named_block(unsigned long pfn, unsigned long nr_pages)
{
	unsigned long block_pfn = ALIGN_DOWN(pfn, BLOCK_PAGES);
	DECLARE_BITMAP(pages, BLOCK_PAGES) = {};

	set_up_block(block_pfn);
	mark_if_scratch(pfn, nr_pages);
	accept_memory(PFN_PHYS(pfn), nr_pages * PAGE_SIZE);
	fill_free(block_pfn, pages, pfn, pfn + nr_pages);
	free_boot_pages_of_block(pfn_to_page(block_pfn), pages);
	/* Those that are not freed are in use. */
	atomic_long_add(nr_pages, &page_zone(pfn_to_page(pfn))->managed_pages);
}

/* As deferred_free_pages(), but for the type of pageblocks. */
static void __init free_in_scratch(unsigned long pfn, unsigned long nr_pages)
{
	unsigned long end = pfn + nr_pages;

	accept_memory(PFN_PHYS(pfn), nr_pages * PAGE_SIZE);
	for (unsigned int order; pfn < end; pfn += BIT(order)) {
		order = kho_map_part_order(pfn, end, MAX_PAGE_ORDER);
		clear_page_tag_ref(pfn_to_page(pfn));
		__free_pages_core(pfn_to_page(pfn), order, MEMINIT_EARLY);
	}
}

/**
 * kho_init_free - give pages to the page allocator, if their block is KHO's
 * @pfn: first PFN of a range within one block, all in one zone, whose struct pages
 *	are initialised
 * @nr_pages: its length
 *
 * Frees the pages that nothing was handed over in, and has the others wait. All of
 * them count as managed. In scratch, pages are freed as movable pages only.
 *
 * Context: memblock_free_pages() and deferred initialisation.
 * Return: true if it was done; false if nothing in the block is of KHO's concern,
 * and the caller is to free the pages.
 */
bool __init kho_init_free(unsigned long pfn, unsigned long nr_pages)
{
	if (block_is_named(pfn)) {
		free_in_named_block(pfn, nr_pages);
		return true;
	}
	if (mark_if_scratch(pfn, nr_pages)) {
		free_in_scratch(pfn, nr_pages);
		return true;
	}

	return false;
}

/**
 * kho_init_free_node - give a page back that a node of the map was in
 * @pfn: its PFN
 *
 * Context: may sleep. Nobody looks into the map any more.
 */
void kho_init_free_node(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	/* As free_reserved_page() does, but the page counts as managed already. */
	clear_page_tag_ref(page);
	ClearPageReserved(page);
	init_page_count(page);
	__free_page(page);
}

/**
 * kho_init_free_memblock - give memory to the page allocator that is memblock's
 * @start: its address
 * @bytes: its size, whole pages
 *
 * Context: may sleep. kmemleak no longer looks there.
 */
void kho_init_free_memblock(void *start, size_t bytes)
{
	kmemleak_free_part_phys(virt_to_phys(start), bytes);
	free_reserved_area(start, start + bytes, -1, NULL);
}

static void free_blocks(struct work_struct *work)
{
	kho_init_free_memblock(blocks.start, blocks.bytes);
}

/**
 * kho_init_finish - all blocks are set up
 *
 * Context: all struct pages are initialised, and workqueues take work.
 */
void __init kho_init_finish(void)
{
	WRITE_ONCE(blocks.named, NULL);
	INIT_RCU_WORK(&blocks.free_work, free_blocks);
	queue_rcu_work(system_unbound_wq, &blocks.free_work);
}
