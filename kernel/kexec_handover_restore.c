// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folios of the previous kernel: kept from the page allocator, given back.
 *
 * This file owns the incoming map and every struct page of a folio that it
 * names, from kho_memory_init() until somebody restores the folio.
 *
 * The unit of work is the block: MAX_ORDER_NR_PAGES pages, aligned, within
 * which the buddy allocator merges. A block that the map names pages in is set
 * up once: all of its struct pages are initialised, then those of the preserved
 * folios are made into folios that only have to be taken. Who does it depends
 * on who comes first: memblock as it frees what is initialised early, the
 * deferred-init threads, or a restore before either. A lock and a ready bit per
 * block keep them apart; blocks without preserved pages have neither.
 *
 * A folio that waits for its owner has, in its first struct page, PG_reserved
 * set, as for any page that is not the page allocator's, and a mark with its
 * order in page->private. Whoever swaps the mark for 0 has restored the folio.
 *
 * Pages that wait are not counted in managed_pages and totalram_pages. Restore
 * adds them.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kmemleak.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/page_owner.h>
#include <linux/page_table_check.h>
#include <linux/pgalloc_tag.h>
#include <linux/rcupdate.h>
#include <linux/sort.h>
#include <linux/workqueue.h>

#include <trace/events/kho.h>

/* Needs cpu_relax() from the headers above. */
#include <linux/bit_spinlock.h>

#include "../mm/internal.h"
#include "kexec_handover_internal.h"

#define BLOCK_PAGES	MAX_ORDER_NR_PAGES

static_assert(BLOCK_PAGES <= KHO_MAP_LEAF_BITS);
static_assert(BLOCK_PAGES >= BITS_PER_LONG);

/* page->private of the first page of a folio that waits, its order added. */
#define WAITING_MARK	0x9bd1c0ff4b484f00UL
#define WAITING_ORDER	0xffUL

static_assert(sizeof(unsigned long) == sizeof(u64));
static_assert(KHO_MAX_FOLIO_ORDER <= WAITING_ORDER);

/**
 * struct incoming - what was handed over
 * @map: the folios. Its root is NULL if there are none, and again once all are
 *	restored. Readers that may run then hold rcu_read_lock().
 * @nodes: PFNs of the nodes of @map, sorted; withheld as long as @map is used
 * @nr_nodes: number of @nodes
 * @folios: number of folios that were handed over, by order
 * @unclaimed: those of them that wait, by order
 * @nr_unclaimed: the sum of @unclaimed
 * @fdt_phys: the root FDT if @map names it, else 0
 * @finished: all struct pages are initialised
 * @dropped: bit 0 is set by who gives back @nodes
 * @drop_work: gives them back
 */
static struct incoming {
	struct kho_map map;
	unsigned long *nodes;
	unsigned long nr_nodes;
	unsigned long folios[KHO_MAX_FOLIO_ORDER + 1];
	atomic_long_t unclaimed[KHO_MAX_FOLIO_ORDER + 1];
	atomic_long_t nr_unclaimed;
	phys_addr_t fdt_phys;
	bool finished;
	unsigned long dropped;
	struct rcu_work drop_work;
} incoming;

/**
 * struct blocks - the blocks while struct pages are being initialised
 * @named: bit n is set if block n may have pages that are to be withheld;
 *	constant. NULL if none has, and again once all are set up.
 * @locked: bit n is the lock under which block n is set up
 * @ready: bit n is set once block n is set up
 * @start: the memory that all three are in
 * @bytes: its size
 * @free_work: frees it
 */
static struct blocks {
	unsigned long *named;
	unsigned long *locked;
	unsigned long *ready;
	void *start;
	size_t bytes;
	struct rcu_work free_work;
} blocks;

/* First PFN of each node that had no struct page at kho_memory_init(). */
static unsigned long first_deferred_pfn[MAX_NUMNODES] __initdata;

static unsigned long block_of(unsigned long pfn)
{
	return pfn / BLOCK_PAGES;
}

/*
 * Index of the first of the map's nodes that lies at or behind @pfn. Few blocks
 * have any.
 */
static unsigned long __init first_node_from(unsigned long pfn)
{
	unsigned long low = 0, high = incoming.nr_nodes;

	while (low < high) {
		unsigned long mid = low + (high - low) / 2;

		if (incoming.nodes[mid] < pfn)
			low = mid + 1;
		else
			high = mid;
	}

	return low;
}

static bool __init node_before(unsigned long i, unsigned long end)
{
	return i < incoming.nr_nodes && incoming.nodes[i] < end;
}

/*
 * Checking what came in
 */

/**
 * struct check - what a walk over an incoming map is looking for
 * @nodes: where to put the PFNs of its nodes, or NULL to count them
 * @nr_nodes: nodes seen
 * @defect: what is wrong, or NULL
 * @where: the address that it is wrong with
 */
struct check {
	unsigned long *nodes;
	unsigned long nr_nodes;
	const char *defect;
	phys_addr_t where;
};

static int __init found_defect(struct check *check, const char *defect,
			       phys_addr_t where)
{
	check->defect = defect;
	check->where = where;

	return -EINVAL;
}

static u64 __init last_key(unsigned int order)
{
	return kho_map_key(max_pfn - 1, order);
}

/* Can a node that covers @nr keys from @first on name any memory there is? */
static bool __init keys_in_ram(u64 first, u64 nr)
{
	for (unsigned int order = 0; order <= KHO_MAX_FOLIO_ORDER; order++) {
		if (first <= last_key(order) && first + nr > kho_map_key(0, order))
			return true;
	}

	return false;
}

/*
 * Is this address one that a node can have, at this place of the tree? As no
 * node is read that could not name memory, a tree with cycles ends here, too.
 */
static int __init check_node(phys_addr_t node, unsigned int level, u64 key,
			     void *arg)
{
	u64 nr = 1ULL << (KHO_MAP_LEAF_SHIFT + level * KHO_MAP_TABLE_SHIFT);
	struct check *check = arg;

	if (!PAGE_ALIGNED(node) || !memblock_is_region_memory(node, PAGE_SIZE))
		return found_defect(check, "node of the map is not in RAM", node);
	if (kho_scratch_overlap(node, PAGE_SIZE))
		return found_defect(check, "node of the map is in scratch", node);
	if (memblock_overlaps_region(&memblock.reserved, node, PAGE_SIZE))
		return found_defect(check, "node of the map is in use", node);
	if (!keys_in_ram(key, nr))
		return found_defect(check, "node of the map names no memory", node);

	if (check->nodes)
		check->nodes[check->nr_nodes] = PHYS_PFN(node);
	check->nr_nodes++;

	return 0;
}

/* Does a folio of @order in [pfn, end) overlap one of a larger order? */
static bool __init larger_overlaps(unsigned int order, unsigned long pfn,
				   unsigned long end)
{
	unsigned int larger = order;

	for_each_set_bit_from(larger, &incoming.map.orders, KHO_MAX_FOLIO_ORDER + 1) {
		unsigned long next = pfn, found;

		if (larger == order)
			continue;

		while ((found = kho_map_next_of_order(&incoming.map, larger, next, end)) !=
		       KHO_MAP_NONE) {
			next = min(found + BIT(larger), end);
			if (kho_map_next_of_order(&incoming.map, order, max(found, pfn), next) !=
			    KHO_MAP_NONE)
				return true;
		}
	}

	return false;
}

/*
 * Looks at the bits of a leaf a word at a time: the work is per node, however
 * many folios the node names. All leaves must have been through count_leaf().
 */
static int __init check_leaf(phys_addr_t node, unsigned int level, u64 key,
			     void *arg)
{
	const union kho_map_node *leaf = phys_to_virt(node);
	unsigned int order;

	if (level)
		return 0;

	order = kho_map_key_order(key);
	for (unsigned long i = 0; i < ARRAY_SIZE(leaf->bits); i++, key += BITS_PER_LONG) {
		unsigned long pfn, end;

		if (!leaf->bits[i])
			continue;

		pfn = kho_map_key_pfn(key + __ffs(leaf->bits[i]));
		end = kho_map_key_pfn(key + __fls(leaf->bits[i])) + BIT(order);
		if (larger_overlaps(order, pfn, end))
			return found_defect(arg, "folios overlap", PFN_PHYS(pfn));

		/* With large orders too many at times, which does no harm. */
		bitmap_set(blocks.named, block_of(pfn), block_of(end - 1) - block_of(pfn) + 1);
	}

	return 0;
}

static int __init count_leaf(phys_addr_t node, unsigned int level, u64 key,
			     void *arg)
{
	const union kho_map_node *leaf = phys_to_virt(node);
	unsigned int order;
	unsigned long nr;
	u64 last;

	if (level)
		return 0;

	order = kho_map_key_order(key);
	nr = bitmap_weight(leaf->bits, KHO_MAP_LEAF_BITS);
	if (!nr)
		return 0;

	last = key + find_last_bit(leaf->bits, KHO_MAP_LEAF_BITS);
	if (order > KHO_MAX_FOLIO_ORDER || last > last_key(order))
		return found_defect(arg, "folio is not in RAM",
				    PFN_PHYS(kho_map_key_pfn(last)));

	__set_bit(order, &incoming.map.orders);
	incoming.folios[order] += nr;

	return 0;
}

static bool __init range_is_named(unsigned long start, unsigned long end,
				  struct check *check, const char *defect)
{
	struct kho_map_folio folio;

	if (!kho_map_next(&incoming.map, start, end, &folio))
		return false;

	found_defect(check, defect, PFN_PHYS(folio.pfn));
	return true;
}

/*
 * No folio may touch what is not RAM, or scratch, or what this kernel uses
 * already. Asked the other way round, there are few ranges to look at.
 */
static bool __init check_ranges(struct check *check)
{
	struct memblock_region *r;
	unsigned long prev_end = 0;

	for_each_mem_region(r) {
		if (memblock_is_nomap(r))
			continue;
		if (range_is_named(prev_end, PFN_UP(r->base), check, "folio is not in RAM"))
			return false;
		prev_end = PFN_DOWN(r->base + r->size);
	}
	if (range_is_named(prev_end, max(prev_end, max_pfn), check, "folio is not in RAM"))
		return false;

	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		unsigned long start = PHYS_PFN(kho_scratch[i].addr);

		if (range_is_named(start, start + PHYS_PFN(kho_scratch[i].size), check,
				   "folio is in scratch"))
			return false;
	}

	for_each_reserved_mem_region(r) {
		if (range_is_named(PFN_DOWN(r->base), PFN_UP(r->base + r->size), check,
				   "folio is in use"))
			return false;
	}

	return true;
}

static int __init cmp_pfn(const void *a, const void *b)
{
	const unsigned long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool __init check_nodes(struct check *check)
{
	const unsigned long *nodes = incoming.nodes;

	sort(incoming.nodes, incoming.nr_nodes, sizeof(*nodes), cmp_pfn, NULL);

	for (unsigned long i = 0; i < incoming.nr_nodes; i++) {
		if (i && nodes[i] == nodes[i - 1]) {
			found_defect(check, "node of the map is in it twice", PFN_PHYS(nodes[i]));
			return false;
		}
		if (range_is_named(nodes[i], nodes[i] + 1, check, "folio is a node of the map"))
			return false;
		__set_bit(block_of(nodes[i]), blocks.named);
	}

	return true;
}

/* Whole pages: they are given back to the page allocator. */
static size_t nodes_bytes(unsigned long nr_nodes)
{
	return PAGE_ALIGN(nr_nodes * sizeof(*incoming.nodes));
}

static bool __init alloc_boot_data(unsigned long nr_nodes)
{
	size_t bytes = BITS_TO_LONGS(block_of(max_pfn - 1) + 1) * sizeof(long);

	incoming.nodes = memblock_alloc_raw(nodes_bytes(nr_nodes), PAGE_SIZE);
	blocks.bytes = PAGE_ALIGN(3 * bytes);
	blocks.start = memblock_alloc(blocks.bytes, PAGE_SIZE);
	if (!incoming.nodes || !blocks.start)
		return false;

	blocks.named = blocks.start;
	blocks.locked = blocks.start + bytes;
	blocks.ready = blocks.start + 2 * bytes;

	return true;
}

static void __init free_boot_data(unsigned long nr_nodes)
{
	if (incoming.nodes)
		memblock_free(incoming.nodes, nodes_bytes(nr_nodes));
	if (blocks.start)
		memblock_free(blocks.start, blocks.bytes);
	incoming.nodes = NULL;
	blocks.named = NULL;
	blocks.start = NULL;
}

static bool __init check_map(struct check *check, phys_addr_t map_root,
			     phys_addr_t fdt_phys)
{
	struct kho_map *map = &incoming.map;
	struct kho_map_folio folio;

	if (check_node(map_root, KHO_MAP_LEVELS - 1, 0, check))
		return false;

	map->root = phys_to_virt(map_root);
	check->nr_nodes = 0;
	if (kho_map_walk(map, check_node, check) || kho_map_walk(map, count_leaf, check))
		return false;

	kho_map_note_near(map);
	incoming.nr_nodes = check->nr_nodes;
	if (!alloc_boot_data(incoming.nr_nodes)) {
		found_defect(check, "no memory to read the map", map_root);
		return false;
	}

	/* If the root FDT is a folio like others then the map keeps it. */
	if (kho_map_find(map, PHYS_PFN(fdt_phys), &folio)) {
		memblock_phys_free(fdt_phys, KHO_FDT_SIZE);
		incoming.fdt_phys = fdt_phys;
	}

	check->nodes = incoming.nodes;
	check->nr_nodes = 0;
	kho_map_walk(map, check_node, check);

	return check_nodes(check) && !kho_map_walk(map, check_leaf, check) &&
	       check_ranges(check);
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

static void __init set_up_block(unsigned long block_pfn);

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
		    block_of(start) == block_of(prev_end - 1))
			set_up_block(ALIGN_DOWN(start, BLOCK_PAGES));
		prev_end = end;
		prev_nid = nid;
	}
}

/**
 * kho_incoming_accept - check a map and let it withhold what it names
 * @map_root: address of its root node
 * @fdt_phys: address of the root FDT
 *
 * Context: just before memblock hands memory to the page allocator.
 * Return: true; or false, after a message and with nothing changed.
 */
bool __init kho_incoming_accept(phys_addr_t map_root, phys_addr_t fdt_phys)
{
	struct check check = {};

	if (!check_map(&check, map_root, fdt_phys)) {
		kho_refuse("%s, at %pa", check.defect, &check.where);
		if (incoming.fdt_phys)
			memblock_reserve(fdt_phys, KHO_FDT_SIZE);
		free_boot_data(incoming.nr_nodes);
		memset(&incoming, 0, sizeof(incoming));
		return false;
	}

	for (unsigned int order = 0; order <= KHO_MAX_FOLIO_ORDER; order++) {
		atomic_long_set(&incoming.unclaimed[order], incoming.folios[order]);
		atomic_long_add(incoming.folios[order], &incoming.nr_unclaimed);
	}

	return true;
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
 * kho_incoming_trace - let a tracer know of the handover
 *
 * There is none yet when it is accepted.
 *
 * Context: initcalls, before the first restore there.
 */
void __init kho_incoming_trace(void)
{
	trace_kho_accept(atomic_long_read(&incoming.nr_unclaimed), incoming.nr_nodes);
}

/**
 * kho_incoming_has - is memory part of one folio that was handed over?
 * @phys: the address that the folio begins at
 * @size: bytes
 *
 * Context: kho_memory_init().
 * Return: true if it is.
 */
bool __init kho_incoming_has(phys_addr_t phys, size_t size)
{
	struct kho_map_folio folio;

	return PAGE_ALIGNED(phys) && kho_map_find(&incoming.map, PHYS_PFN(phys), &folio) &&
	       size <= PAGE_SIZE << folio.order;
}

/**
 * kho_incoming_next - find what memblock must not give away
 * @pfn: first PFN of a range
 * @end: first PFN behind it
 *
 * Context: kho_memory_init().
 * Return: the lowest PFN of a folio or a node of the map that has a page in the
 * range, which may be below @pfn; %KHO_MAP_NONE if there is none.
 */
unsigned long __init kho_incoming_next(unsigned long pfn, unsigned long end)
{
	unsigned long i = first_node_from(pfn), next = KHO_MAP_NONE;
	struct kho_map_folio folio;

	if (node_before(i, end))
		next = incoming.nodes[i];
	if (kho_map_next(&incoming.map, pfn, end, &folio))
		next = min(next, folio.pfn);

	return next;
}

/* The folio that begins at @pfn, if all of it is below @end. */
static bool __init folio_within(unsigned long pfn, unsigned long end,
				struct kho_map_folio *folio)
{
	return kho_map_find(&incoming.map, pfn, folio) && BIT(folio->order) <= end - pfn;
}

/**
 * kho_incoming_forget - leave a range of what was handed over to memblock
 * @pfn: first PFN of the range
 * @end: first PFN behind it
 *
 * The folios there count as restored, and no struct page was touched.
 *
 * Context: between kho_incoming_accept() and kho_incoming_start().
 * Return: true; or false, with nothing changed, if the range does not consist
 * of whole folios.
 */
bool __init kho_incoming_forget(unsigned long pfn, unsigned long end)
{
	struct kho_map_folio folio;
	unsigned long p;

	for (p = pfn; p < end; p += BIT(folio.order)) {
		if (!folio_within(p, end, &folio))
			return false;
	}
	for (p = pfn; p < end && folio_within(p, end, &folio); p += BIT(folio.order)) {
		kho_map_del(&incoming.map, p, folio.order);
		atomic_long_dec(&incoming.unclaimed[folio.order]);
		atomic_long_dec(&incoming.nr_unclaimed);
	}

	return true;
}

/*
 * Setting up blocks
 */

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
	set_page_private(head, WAITING_MARK | f->order);
}

/* Order-0 folios by the word: 10 instructions each, with prepare_folio() 63. */
static void __init prepare_singles(unsigned long pfn, unsigned long singles)
{
	struct page *pages = pfn_to_page(pfn);

	for (; singles; singles &= singles - 1) {
		struct page *page = pages + __ffs(singles);

		__folio_set_reserved((struct folio *)page);
		set_page_private(page, WAITING_MARK);
	}
}

/* All that the map names in a block whose struct pages are initialised. */
static void __init prepare_block(unsigned long start)
{
	unsigned long end = start + BLOCK_PAGES;
	DECLARE_BITMAP(singles, BLOCK_PAGES) = {};
	unsigned int order = 1;
	unsigned long i;

	kho_map_fill_order_0(&incoming.map, start, BLOCK_PAGES, singles);
	for (i = 0; i < ARRAY_SIZE(singles); i++)
		prepare_singles(start + i * BITS_PER_LONG, singles[i]);

	for_each_set_bit_from(order, &incoming.map.orders, KHO_MAX_FOLIO_ORDER + 1) {
		struct kho_map_folio folio = { .order = order };
		unsigned long pfn = start;

		for (;;) {
			folio.pfn = kho_map_next_of_order(&incoming.map, order, pfn, end);
			if (folio.pfn == KHO_MAP_NONE)
				break;
			prepare_folio(&folio, start, end);
			pfn = folio.pfn + BIT(order);
		}
	}

	for (i = first_node_from(start); node_before(i, end); i++)
		__folio_set_reserved(pfn_folio(incoming.nodes[i]));
}

static bool block_is_named(unsigned long block_pfn)
{
	return blocks.named && test_bit(block_of(block_pfn), blocks.named);
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
	unsigned long end = start + BLOCK_PAGES;
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
	const unsigned long block = block_of(block_pfn);
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

/* Marks the pages of a block that must not get into the page allocator. */
static void __init fill_withheld(unsigned long block_pfn, unsigned long *pages)
{
	unsigned long i;

	kho_map_fill(&incoming.map, block_pfn, BLOCK_PAGES, pages);
	for (i = first_node_from(block_pfn); node_before(i, block_pfn + BLOCK_PAGES); i++)
		__set_bit(incoming.nodes[i] - block_pfn, pages);
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
	unsigned long block_pfn = ALIGN_DOWN(start, BLOCK_PAGES);
	DECLARE_BITMAP(withheld, BLOCK_PAGES) = {};

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

	if (!blocks.named) {
		free(start_pfn, end_pfn);
		return end_pfn - start_pfn;
	}

	early_end = min(end_pfn, first_deferred_pfn[early_pfn_to_nid(start_pfn)]);
	for (; pfn < early_end; pfn = next) {
		next = find_next_bit(blocks.named, block_of(early_end - 1) + 1, block_of(pfn));
		next = clamp(next * BLOCK_PAGES, pfn, early_end);
		if (next > pfn) {
			free(pfn, next);
			count += next - pfn;
			continue;
		}

		set_up_block(ALIGN_DOWN(pfn, BLOCK_PAGES));
		next = min(ALIGN(pfn + 1, BLOCK_PAGES), early_end);
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
	unsigned long block_pfn = ALIGN_DOWN(pfn, BLOCK_PAGES);
	bool scratch = kho_scratch_inherited(PFN_PHYS(block_pfn), PAGE_SIZE * BLOCK_PAGES);
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

/* What memblock gave; kmemleak must no longer look there. */
static void free_boot_memory(void *start, size_t bytes)
{
	kmemleak_free_part_phys(virt_to_phys(start), bytes);
	free_reserved_area(start, start + bytes, -1, NULL);
}

static void free_blocks(struct work_struct *work)
{
	free_boot_memory(blocks.start, blocks.bytes);
}

static void drop_map(struct work_struct *work)
{
	for (unsigned long i = 0; i < incoming.nr_nodes; i++) {
		free_reserved_page(pfn_to_page(incoming.nodes[i]));
		cond_resched();
	}
	free_boot_memory(incoming.nodes, nodes_bytes(incoming.nr_nodes));
}

/* The last folio was restored: nobody has to look into the map any more. */
static void drop_map_once(void)
{
	if (test_and_set_bit(0, &incoming.dropped))
		return;

	trace_kho_drop(0, incoming.nr_nodes);

	WRITE_ONCE(incoming.map.root, NULL);
	INIT_RCU_WORK(&incoming.drop_work, drop_map);
	queue_rcu_work(system_unbound_wq, &incoming.drop_work);
}

/**
 * kho_incoming_finish - all blocks are set up
 *
 * Context: all struct pages are initialised, workqueues take work.
 */
void __init kho_incoming_finish(void)
{
	if (!incoming.map.root)
		return;

	WRITE_ONCE(blocks.named, NULL);
	INIT_RCU_WORK(&blocks.free_work, free_blocks);
	queue_rcu_work(system_unbound_wq, &blocks.free_work);

	/* It is kept, and its page is an ordinary one from now on. */
	if (incoming.fdt_phys)
		kho_restore_folio(incoming.fdt_phys);

	trace_kho_finish(atomic_long_read(&incoming.nr_unclaimed), incoming.nr_nodes);
	/* Struct pages first, see take(). */
	smp_store_release(&incoming.finished, true);
	/* Pairs with atomic_long_dec_and_test() in take(): one of both drops. */
	smp_mb();
	if (!atomic_long_read(&incoming.nr_unclaimed))
		drop_map_once();
}

/**
 * kho_incoming_stats - count what was handed over
 * @stats: where to
 *
 * Context: any.
 */
void kho_incoming_stats(struct kho_in_stats *stats)
{
	for (unsigned int order = 0; order <= KHO_MAX_FOLIO_ORDER; order++) {
		stats->folios[order] = incoming.folios[order];
		stats->unclaimed[order] = atomic_long_read(&incoming.unclaimed[order]);
	}
	stats->nodes = incoming.nr_nodes;
}

/*
 * Giving folios back
 */

/* Nobody calls it when init memory is gone: all blocks are set up by then. */
static noinline void __ref set_up_folio(unsigned long pfn, unsigned int order)
{
	unsigned long end = pfn + BIT(order);

	for (pfn = ALIGN_DOWN(pfn, BLOCK_PAGES); pfn < end; pfn += BLOCK_PAGES)
		set_up_block(pfn);
}

/*
 * The order of the folio at @pfn that was handed over, or -1. If the map names
 * it then its struct page may be looked at, once its block was set up.
 *
 * Somebody else may take the last folio and drop the map meanwhile, but what a
 * root that was seen leads to is there until rcu_read_unlock().
 */
static __always_inline int named_order(unsigned long pfn)
{
	int order = READ_ONCE(incoming.map.root) ? kho_map_order_at(&incoming.map, pfn) : -1;

	if (order >= 0 && unlikely(READ_ONCE(blocks.named)))
		set_up_folio(pfn, order);

	return order;
}

/* False if the folio no longer waits. */
static __always_inline bool claim(struct page *page, unsigned int order)
{
	unsigned long mark = WAITING_MARK | order;

	return cmpxchg(&page->private, mark, 0) == mark;
}

/* A folio that was claimed is taken for good. */
static __always_inline void count_taken(unsigned int order)
{
	atomic_long_dec(&incoming.unclaimed[order]);
	if (atomic_long_dec_and_test(&incoming.nr_unclaimed) && READ_ONCE(incoming.finished))
		drop_map_once();
}

/* The order of the folio that waits and begins with @page, or -1. */
static __always_inline int waiting_order(struct page *page)
{
	unsigned long order = READ_ONCE(page->private) ^ WAITING_MARK;

	return order <= KHO_MAX_FOLIO_ORDER && test_bit(PG_reserved, &page->flags) ? order : -1;
}

/*
 * The order of the folio that waits at @pfn, which is taken with it, or -1. With
 * all struct pages initialised, these say what the map would, in 40 instructions
 * less.
 */
static __always_inline int take(unsigned long pfn)
{
	int order;

	/* Pairs with smp_store_release() in kho_incoming_finish(). */
	if (likely(smp_load_acquire(&incoming.finished)))
		order = waiting_order(pfn_to_page(pfn));
	else
		order = named_order(pfn);

	if (order < 0 || !claim(pfn_to_page(pfn), order))
		return -1;
	count_taken(order);

	return order;
}

/* Claims what [pfn, end) consists of. Returns where it could not go on, or @end. */
static unsigned long claim_run(unsigned long pfn, unsigned long end)
{
	/* What was restored before and is free may be unplugged, but still named. */
	while (pfn < end && pfn_valid(pfn)) {
		int order = named_order(pfn);

		if (order < 0 || BIT(order) > end - pfn || !claim(pfn_to_page(pfn), order))
			break;
		pfn += BIT(order);
	}

	return pfn;
}

static void unclaim_run(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);
		unsigned int order = compound_order(page);

		WRITE_ONCE(page->private, WAITING_MARK | order);
		pfn += BIT(order);
	}
}

/**
 * kho_incoming_take - take all folios of a range of pages
 * @pfn: first PFN of the range
 * @end: first PFN behind it
 *
 * What is taken has PG_reserved set and is not counted as managed yet.
 *
 * Context: as kho_restore_folio().
 * Return: true; or false, with nothing taken, if the range does not consist
 * of whole folios that wait.
 */
bool kho_incoming_take(unsigned long pfn, unsigned long end)
{
	unsigned long next;

	rcu_read_lock();
	next = claim_run(pfn, end);
	if (next < end) {
		unclaim_run(pfn, next);
		pfn = next;
	}
	while (pfn < next) {
		unsigned int order = compound_order(pfn_to_page(pfn));

		count_taken(order);
		pfn += BIT(order);
	}
	rcu_read_unlock();

	return next == end;
}

/* Let debugging options know that the folio is allocated. */
static void note_folio(struct page *page, unsigned int order)
{
	const unsigned int piece = min(order, MAX_PAGE_ORDER);

	/* Else an empty loop is left. */
	if (!IS_ENABLED(CONFIG_PAGE_OWNER) && !IS_ENABLED(CONFIG_PAGE_TABLE_CHECK))
		return;

	/* Both step through an array that ends where a section does. */
	for (unsigned long i = 0; i < BIT(order); i += BIT(piece)) {
		set_page_owner(nth_page(page, i), piece, GFP_KERNEL);
		page_table_check_alloc(nth_page(page, i), piece);
	}
}

/* From a folio that waits to one that folio_alloc() could have returned. */
static void make_ordinary(struct page *page, unsigned int order)
{
	folio_clear_reserved((struct folio *)page);
	clear_page_tag_ref(page);
	note_folio(page, order);
	/* As adjust_managed_page_count(), which is not inline. */
	atomic_long_add(BIT(order), &page_zone(page)->managed_pages);
	totalram_pages_add(BIT(order));
}

static noinline void refuse_restore(phys_addr_t phys, unsigned long caller)
{
	trace_kho_restore(PHYS_PFN(phys), 0, 1, -ENOENT);
	pr_warn("nothing to restore at %pa for %pS\n", &phys, (void *)caller);
}

/**
 * kho_restore_folio - take back a folio that the previous kernel preserved
 * @phys: its address
 *
 * The folio is the caller's from then on, as if it came from folio_alloc():
 * reference count 1, to be freed with folio_put().
 *
 * Context: any but hard interrupts, from the end of kho_memory_init() on: also
 * before struct pages are initialised and before there is a slab allocator.
 * Return: the folio; NULL, after a warning, if exactly this folio was not
 * handed over or is taken.
 */
struct folio *kho_restore_folio(phys_addr_t phys)
{
	unsigned long pfn = PHYS_PFN(phys);
	struct page *page;
	int order = -1;

	rcu_read_lock();
	/* What was restored before and is free may be unplugged, but still named. */
	if (likely(PAGE_ALIGNED(phys) && pfn_valid(pfn)))
		order = take(pfn);
	rcu_read_unlock();

	if (unlikely(order < 0)) {
		refuse_restore(phys, _RET_IP_);
		return NULL;
	}

	page = pfn_to_page(pfn);
	make_ordinary(page, order);
	trace_kho_restore(pfn, order, BIT(order), 0);

	return (struct folio *)page;
}
EXPORT_SYMBOL_GPL(kho_restore_folio);
