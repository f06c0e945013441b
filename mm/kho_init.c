// SPDX-License-Identifier: GPL-2.0-only
/*
 * Struct pages of the blocks in which the previous kernel preserved folios.
 *
 * This file owns every struct page of such a block from kho_memory_init() until
 * the block is set up, and decides which of its pages the page allocator gets.
 *
 * The unit of work is the block: MAX_ORDER_NR_PAGES aligned pages, within which the
 * buddy allocator merges free pages. A block in which the incoming map names a page
 * is a named block. It is set up once: set_up_block() initialises all of its struct
 * pages and prepares those of each preserved folio, so that the folio waits for its
 * owner. Three callers may need a block first, and the first one sets it up:
 *
 * - memblock_free_pages(), for pages whose struct pages are initialised early;
 * - deferred struct page initialisation;
 * - kho_restore_folio() and kho_restore_pages(), if they come before both.
 *
 * A lock bit and a ready bit for each block exclude these callers from each other.
 * Blocks without preserved pages need no such bits.
 *
 * Waiting pages are in use, like allocated pages. They count as managed pages of
 * their zone, and in totalram_pages(), as soon as the other pages of their block do.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kmemleak.h>
#include <linux/memblock.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/pgalloc_tag.h>
#include <linux/workqueue.h>

/* Needs cpu_relax() from the headers above. */
#include <linux/bit_spinlock.h>

#include "../kernel/kexec_handover/incoming.h"
#include "../kernel/kexec_handover/scratch.h"
#include "../kernel/kexec_handover/vacant.h"
#include "internal.h"
#include "kho_init.h"

#define BLOCK_PAGES	KHO_BLOCK_PAGES

static_assert(BLOCK_PAGES <= KHO_MAP_LEAF_BITS);
static_assert(BLOCK_PAGES % KHO_GRANULE_PAGES == 0);

/**
 * struct blocks - the state of all blocks while struct pages are initialised
 * @named: bit n is set if block n may have pages that must not be freed.
 *	kho_init_prepare() sets the pointer and the bits in kho_memory_known(); both
 *	are constant from the end of kho_memory_init() on, until kho_init_finish() sets
 *	the pointer to NULL. NULL if there is no handover. Readers after boot hold
 *	rcu_read_lock().
 * @locked: bit n is the lock under which set_up_block() sets up block n
 * @ready: bit n is set once block n is set up. set_up_block() sets it with the bit in
 *	@locked held.
 * @start: the memory of the three bitmaps. kho_init_prepare() allocates it,
 *	free_blocks() frees it a grace period of RCU after kho_init_finish().
 * @bytes: size of this memory in bytes, with the same writer
 * @free_work: calls free_blocks()
 */
static struct blocks {
	unsigned long *named;
	unsigned long *locked;
	unsigned long *ready;
	void *start;
	size_t bytes;
	struct rcu_work free_work;
} blocks;

/**
 * struct deferred_part - the part of a node with deferred struct page initialisation
 * @start: first PFN whose struct page is not initialised early; ULONG_MAX if there is
 *	none
 * @zid: index of the zone of all pages from @start on
 *
 * note_deferred_parts() writes all fields in kho_memory_init(); constant from then on.
 */
static struct deferred_part {
	unsigned long start;
	enum zone_type zid;
} deferred_part[MAX_NUMNODES] __initdata;

/* Prepares those pages of a folio that lie in a block, [start, end), so that the folio waits. */
static void __init prepare_folio(const struct kho_map_folio *f,
				 unsigned long start, unsigned long end)
{
	struct page *head = pfn_to_page(f->pfn), *tail;
	unsigned long pfn = max(start, f->pfn + 1);

	/*
	 * Without vmemmap, struct pages of a gigantic folio lie in several arrays, but
	 * those of a block lie in one.
	 */
	tail = pfn_to_page(pfn);
	for (end = min(end, f->pfn + BIT(f->order)); pfn < end; pfn++, tail++) {
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

/*
 * Prepares the order-0 folios in a word of bits. This takes 10 instructions for each,
 * while prepare_folio() takes 63.
 */
static void __init prepare_singles(unsigned long pfn, unsigned long singles)
{
	struct page *pages = pfn_to_page(pfn);

	for (; singles; singles &= singles - 1) {
		struct page *page = pages + __ffs(singles);

		__folio_set_reserved((struct folio *)page);
		set_page_private(page, KHO_WAITING_MARK);
	}
}

/* The bad pages of the previous kernel, or NULL. Set at boot, by one CPU. */
static struct kho_bad_pages *bad_pages __initdata;

/**
 * kho_init_bad_pages - note which pages the previous kernel knows to be bad
 * @list: the list, which is checked and stays until the late_initcalls, or NULL
 *
 * Context: kho_memory_known() and kho_memory_init(), before struct pages are initialised.
 */
void __init kho_init_bad_pages(struct kho_bad_pages *list)
{
	bad_pages = list;
}

/* Is there a bad page in this range of PFNs? */
static bool __init any_bad(unsigned long start, unsigned long end)
{
	for (unsigned int i = 0; i < bad_pages->nr; i++) {
		const struct kho_bad_range *r = &bad_pages->range[i];

		if (PHYS_PFN(r->phys) < end && PHYS_PFN(r->phys + r->size) > start)
			return true;
	}

	return false;
}

/* Marks a page of a waiting folio or a map node, in a block that begins at @block_pfn. */
static void __init mark_kept(unsigned long pfn, unsigned long block_pfn)
{
	struct page *page = pfn_to_page(pfn);
	struct folio *folio = page_folio(page);

	/* Ranges of a damaged list may overlap. */
	if (PageHWPoison(page))
		return;
	SetPageHWPoison(page);
#ifdef CONFIG_MEMORY_FAILURE
	/* kho_bad_pages_mark() counts it by memory block, since there are no blocks yet. */
	atomic_long_inc(&num_poisoned_pages);
#endif
	if (folio_test_large(folio) && folio_pfn(folio) >= block_pfn)
		folio_set_has_hwpoisoned(folio);
}

/*
 * Sets PG_hwpoison for the bad pages of what was handed over. The struct pages of the block
 * are initialised, and its folios wait. A folio may be restored right after this. Its owner
 * finds the mark, and a single page with the mark does not become free when the owner frees
 * it. The struct pages of other bad pages may not be initialised yet: kho_bad_pages_mark()
 * marks them, since nobody gets them before.
 */
static void __init mark_bad_pages(unsigned long start, unsigned long end)
{
	int order;

	if (likely(!bad_pages))
		return;

	for (unsigned int i = 0; i < bad_pages->nr; i++) {
		const struct kho_bad_range *r = &bad_pages->range[i];
		unsigned long pfn = max(start, PHYS_PFN(r->phys));
		unsigned long stop = min(end, PHYS_PFN(r->phys + r->size));

		for (; pfn < stop; pfn++) {
			if (kho_incoming_next(pfn, pfn + 1) != KHO_MAP_NONE)
				mark_kept(pfn, start);
		}
	}

	/* The mark of a folio is in its first block, and its bad pages may be in others. */
	order = kho_incoming_order(start);
	if (order > MAX_PAGE_ORDER && any_bad(start, start + BIT(order)))
		folio_set_has_hwpoisoned(pfn_folio(start));
}

/*
 * Prepares all folios and map nodes in a block whose struct pages are initialised. Map
 * nodes get PG_reserved only, and are freed with the map.
 */
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

	mark_bad_pages(start, end);
}

/* Is the block of @pfn a named block? */
static bool __init block_is_named(unsigned long pfn)
{
	return blocks.named && test_bit(kho_block_of(pfn), blocks.named);
}

static bool __init in_scratch(unsigned long pfn, unsigned long nr_pages)
{
	return kho_scratch_inherited &&
	       kho_scratch_overlap(PFN_PHYS(pfn), nr_pages << PAGE_SHIFT);
}

/*
 * Returns the index of the first region of @type that ends above @addr, or their number.
 * Regions are sorted and do not overlap.
 */
static unsigned long __init region_above(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned long low = 0, high = type->cnt;

	while (low < high) {
		unsigned long mid = low + (high - low) / 2;

		if (type->regions[mid].base + type->regions[mid].size <= addr)
			low = mid + 1;
		else
			high = mid;
	}

	return low;
}

/*
 * Returns an iterator for next_free() that begins with the memory at @addr. For each
 * block, for_each_free_mem_range() would visit all memory below the block first.
 */
static u64 __init free_from(phys_addr_t addr)
{
	return region_above(&memblock.memory, addr) |
	       (u64)region_above(&memblock.reserved, addr) << 32;
}

/* Finds the next free range. Hotpluggable memory counts, memblock_free_all() frees it, too. */
static bool __init next_free(u64 *i, phys_addr_t *from, phys_addr_t *to, int *nid)
{
	__next_mem_range(i, NUMA_NO_NODE, MEMBLOCK_HOTPLUG, &memblock.memory,
			 &memblock.reserved, from, to, nid);

	return *i != ULLONG_MAX;
}

/* Initialises struct pages within one block, and sets the type of its pageblocks. */
static void __init init_range(unsigned long start, unsigned long end, int nid, int type)
{
	const enum zone_type zid = deferred_part[nid].zid;
	struct page *page = pfn_to_page(start);
	unsigned long pfn;

	for (pfn = start; pfn < end; pfn++)
		__init_single_page(page++, pfn, zid, nid);
	for (pfn = pageblock_align(start); pfn < end; pfn += pageblock_nr_pages)
		set_pageblock_migratetype(pfn_to_page(pfn), type);
}

/*
 * Initialises the struct pages of one block that deferred initialisation would. Also
 * sets the type of its pageblocks, which deferred_free_pages() does otherwise: a folio
 * may be restored and freed right after this, and a pageblock with free pages must not
 * change its type.
 */
static void __init init_struct_pages(unsigned long start)
{
	unsigned long end = start + BLOCK_PAGES;
	int nid, type = MIGRATE_MOVABLE;
	u64 i = free_from(PFN_PHYS(start));
	phys_addr_t from, to;

	/*
	 * In scratch the type is MIGRATE_CMA: kho_scratch_mark_reserved() may have given it to
	 * some of these pageblocks, and their pages may be free already.
	 */
	if (in_scratch(start, BLOCK_PAGES))
		type = MIGRATE_CMA;

	while (next_free(&i, &from, &to, &nid)) {
		unsigned long pfn = max(PFN_UP(from), start);
		unsigned long stop = min(PFN_DOWN(to), end);

		if (pfn >= end)
			break;
		/* Firmware may leave a little memory without a node. */
		if (!numa_valid_node(nid))
			continue;
		pfn = max(pfn, deferred_part[nid].start);
		if (pfn < stop)
			init_range(pfn, stop, nid, type);
	}
}

/*
 * Interrupts are off while the block is locked: an interrupt handler that allocates
 * memory may call deferred_grow_zone(), which may set up the same block.
 */
static void __init set_up_block(unsigned long block_pfn)
{
	const unsigned long block = kho_block_of(block_pfn);
	const unsigned long bit = block % BITS_PER_LONG;
	unsigned long flags;

	/* Pairs with smp_mb__before_atomic() and set_bit() below. */
	if (test_bit_acquire(block, blocks.ready))
		return;

	local_irq_save(flags);
	bit_spin_lock(bit, blocks.locked + BIT_WORD(block));
	if (!test_bit(block, blocks.ready)) {
		init_struct_pages(block_pfn);
		prepare_block(block_pfn);
		/* Pairs with test_bit_acquire() above. */
		smp_mb__before_atomic();
		set_bit(block, blocks.ready);
	}
	bit_spin_unlock(bit, blocks.locked + BIT_WORD(block));
	local_irq_restore(flags);
}

/*
 * Only pages of the highest zone of a node have their initialisation deferred, see
 * deferred_init_memmap(). So the zone is known even with kernelcore=mirror, where a
 * lower zone spans the same pages.
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

/* The block of each granule with a preserved page is a named block. */
static void __init name_blocks(const struct kho_named *named)
{
	const unsigned long granules = BLOCK_PAGES / KHO_GRANULE_PAGES;
	unsigned long granule, block;

	for (granule = find_first_bit(named->bits, named->nr); granule < named->nr;
	     granule = find_next_bit(named->bits, named->nr, (block + 1) * granules)) {
		block = granule / granules;
		__set_bit(block, blocks.named);
	}
}

/**
 * kho_init_prepare - allocate the bitmaps of blocks and find the named blocks
 * @named: what kho_vacant_name() has found in the incoming map
 *
 * Context: kho_memory_known(), after kho_check_map() has accepted the map.
 * Return: true if the bitmaps are set up; false if there is no memory for them.
 */
bool __init kho_init_prepare(const struct kho_named *named)
{
	size_t bytes = BITS_TO_LONGS(kho_block_of(max_pfn - 1) + 1) * sizeof(long);

	blocks.bytes = PAGE_ALIGN(3 * bytes);
	blocks.start = memblock_alloc(blocks.bytes, PAGE_SIZE);
	if (!blocks.start)
		return false;

	blocks.named = blocks.start;
	blocks.locked = blocks.start + bytes;
	blocks.ready = blocks.start + 2 * bytes;
	name_blocks(named);

	return true;
}

/**
 * kho_init_discard - undo kho_init_prepare()
 *
 * Context: kho_memory_init(), if the handover is refused after all.
 */
void __init kho_init_discard(void)
{
	memblock_free(blocks.start, blocks.bytes);
	blocks.named = NULL;
}

/**
 * kho_init_start - let folios be restored from here on
 *
 * From here on, memory must not be allocated from memblock or freed to it, since
 * init_struct_pages() reads from memblock which pages are free.
 *
 * Context: the end of kho_memory_init(), after kho_init_prepare().
 */
void __init kho_init_start(void)
{
	note_deferred_parts();
}

/**
 * kho_init_block - initialise the struct pages of a block, if it is a named block
 * @block_pfn: first PFN of the block
 *
 * Context: deferred_init_maxorder(), from a deferred-init thread or from
 * deferred_grow_zone().
 * Return: true if all struct pages of free memory in the block are initialised; false
 * if it is no named block and the caller initialises them.
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
 * kho_init_folio - set up the blocks that a folio lies in
 * @pfn: first PFN of the folio
 * @order: order of the folio
 *
 * Does nothing once all struct pages are initialised.
 *
 * Context: any but hard interrupts, never sleeps, with rcu_read_lock() held. From the
 * end of kho_memory_init() on.
 */
void __ref kho_init_folio(unsigned long pfn, unsigned int order)
{
	/*
	 * Pairs with smp_store_release() in kho_init_finish(). Init memory with the functions
	 * that this calls is freed later than that.
	 */
	if (smp_load_acquire(&blocks.named))
		set_up_blocks_of(pfn, order);
}

/* Clears the bits of pages that the page allocator does not get: folios and map nodes. */
static void __init clear_withheld(unsigned long block_pfn, unsigned long *pages)
{
	DECLARE_BITMAP(withheld, BLOCK_PAGES) = {};
	unsigned long i, end = block_pfn + BLOCK_PAGES;

	kho_map_fill(&kho_incoming.map, block_pfn, BLOCK_PAGES, withheld);
	for (i = kho_incoming_node_from(block_pfn); kho_incoming_node_before(i, end); i++)
		__set_bit(kho_incoming.nodes[i] - block_pfn, withheld);

	bitmap_andnot(pages, pages, withheld, BLOCK_PAGES);
}

static noinline void __init free_in_block(unsigned long pfn, unsigned long nr_pages, bool named)
{
	const unsigned long block_pfn = ALIGN_DOWN(pfn, BLOCK_PAGES);
	DECLARE_BITMAP(pages, BLOCK_PAGES) = {};

	bitmap_set(pages, pfn - block_pfn, nr_pages);
	if (named)
		clear_withheld(block_pfn, pages);
	free_boot_pages_of_block(pfn_to_page(block_pfn), pages);
	/* Waiting pages and map nodes count as managed, too, like other pages in use. */
	atomic_long_add(nr_pages, &page_zone(pfn_to_page(pfn))->managed_pages);
}

/**
 * kho_init_free - free pages to the page allocator, in a named block or in scratch
 * @pfn: first PFN of a range within one block and one zone, whose struct pages are
 *	initialised
 * @nr_pages: number of pages in the range
 *
 * In a named block, this frees all pages but those of waiting folios and of map nodes;
 * all of them count as managed. In inherited scratch, this marks the pageblocks
 * MIGRATE_CMA first, so that only movable allocations get the pages.
 *
 * Context: boot, memblock_free_pages() and deferred_free_pages().
 * Return: true if the pages were handled; false if they lie neither in a named block
 * nor in inherited scratch, and the caller frees them.
 */
bool __init kho_init_free(unsigned long pfn, unsigned long nr_pages)
{
	const bool named = block_is_named(pfn);

	if (named)
		set_up_block(ALIGN_DOWN(pfn, BLOCK_PAGES));
	else if (in_scratch(pfn, nr_pages))
		kho_scratch_mark_block(pfn, nr_pages);
	else
		return false;
	free_in_block(pfn, nr_pages, named);

	return true;
}

/**
 * kho_init_free_node - free the page of a map node to the page allocator
 * @pfn: PFN of the node
 *
 * Context: drop_map(), a grace period of RCU after the root of the map was cleared.
 */
void kho_init_free_node(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	/* Like free_reserved_page(), but the page counts as managed already. */
	clear_page_tag_ref(page);
	ClearPageReserved(page);
	init_page_count(page);
	__free_page(page);
}

/**
 * kho_init_take_free - take a bad page from the page allocator, if it is free
 * @pfn: PFN of the page
 *
 * The page gets a reference that is never dropped, as memory_failure() does it.
 *
 * Context: kho_bad_pages_mark(), a core_initcall.
 */
void __init kho_init_take_free(unsigned long pfn)
{
#ifdef CONFIG_MEMORY_FAILURE
	if (take_page_off_buddy(pfn_to_page(pfn)))
		page_ref_inc(pfn_to_page(pfn));
#endif
}

/**
 * kho_init_free_memblock - free memory from memblock_alloc() to the page allocator
 * @start: address of the memory in the direct map, aligned to a page
 * @bytes: size of the memory in bytes, a multiple of the page size
 *
 * Also tells kmemleak not to scan the memory any more.
 *
 * Context: may sleep, once all struct pages are initialised.
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
 * kho_init_finish - free the bitmaps of blocks
 *
 * Context: kho_restore_finish(), when all struct pages are initialised and workqueues
 * accept work.
 */
void __init kho_init_finish(void)
{
	/*
	 * All struct pages are initialised before other CPUs see that there are no
	 * blocks any more. Pairs with smp_load_acquire() in kho_init_folio().
	 */
	smp_store_release(&blocks.named, NULL);
	INIT_RCU_WORK(&blocks.free_work, free_blocks);
	queue_rcu_work(system_unbound_wq, &blocks.free_work);
}
