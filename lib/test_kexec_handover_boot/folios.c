// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: folios that are restored in a given phase of boot.
 *
 * This file owns /sys/kernel/debug/test_kho_folios/:
 *
 *   add      write "ORDER COUNT [phase=PHASE] [then=FATE] [node=N] [low] [movable]
 *            [scattered]": allocate and preserve folios
 *   random   write "SEED COUNT": add folios of random orders, phases, fates and nodes
 *   forget   write anything: unpreserve and free all folios that were added
 *   restore  write anything: restore the folios of the phase "manual"
 *   wrong    write anything: try to restore invalid addresses
 *   drop     write anything: free all folios that were restored
 *   fill     write anything: allocate all free memory, and free it again
 *   stats    read: numbers of folios, of struct pages and of errors
 *
 * The next kernel restores the folios in the phase that they were added for:
 *
 *   memblock     just after kho_memory_init()
 *   page_alloc   after mem_init(), before there is a slab allocator
 *   early        in an early_initcall
 *   threads      from several threads, while deferred init runs
 *   late         in a late_initcall
 *   manual       when user space writes to the file "restore"
 *
 * and then keeps them until "drop", frees them immediately, or splits them at "drop".
 * Each page contains marks that say which page it is. The marks change when the folio
 * is restored, so that the client notices pages that are lost or used twice. At the
 * end of boot it compares the folios that it keeps with folios fresh from the page
 * allocator.
 *
 * Parameters on the command line: test_kho_wrong tries invalid restores in each
 * phase; test_kho_grow=MIB allocates that much memory before there is a slab
 * allocator, and frees it at the end of boot; count.c has test_kho_count.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/memblock.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/pagemap.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/test_kexec_handover.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/sections.h>

#include "../../kernel/kexec_handover/map.h"
#include "../test_kexec_handover/check.h"
#include "../test_kexec_handover/table.h"
#include "count.h"
#include "fill.h"

#define BLOB_NAME	"test-kho-folios"

/* One more than the highest order that can be preserved, to test that KHO refuses it. */
#define MAX_WISHED_ORDER	(KHO_MAX_FOLIO_ORDER + 1)

enum phase {
	PHASE_MEMBLOCK,
	PHASE_PAGE_ALLOC,
	PHASE_EARLY,
	PHASE_THREADS,
	PHASE_LATE,
	PHASE_MANUAL,
	NR_PHASES
};

static const char * const phase_names[NR_PHASES] = {
	"memblock", "page_alloc", "early", "threads", "late", "manual",
};

enum fate {
	FATE_KEEP,
	FATE_FREE,
	FATE_SPLIT,
	NR_FATES
};

static const char * const fate_names[NR_FATES] = {
	"keep", "free", "split",
};

/**
 * struct blob - a preserved page with the addresses of the tables of folios
 * @first: addresses of the first page of each table
 * @nr: number of folios in each table
 * @unpreserved: address of a page that the previous kernel used and did not preserve
 */
struct blob {
	u64 first[NR_PHASES][NR_FATES];
	u64 nr[NR_PHASES][NR_FATES];
	u64 unpreserved;
};

/**
 * struct folios - folios by phase and fate
 * @blob: the page with the addresses of the tables, or NULL
 * @table: the tables
 */
struct folios {
	struct blob *blob;
	struct folio_table table[NR_PHASES][NR_FATES];
};

/* The outgoing and the incoming folios. Guarded by @lock after boot. */
static struct folios out;
static struct folios in;

/* Address of the folio that was added last. Guarded by @lock. */
static phys_addr_t last;
static DEFINE_MUTEX(lock);

/* Results. During boot several threads update them. */
static atomic_long_t restored[NR_PHASES];
static atomic_long_t nr_bad;
static struct folio_checks checks;
static unsigned long nr_split;

/* Number of attempts to restore invalid addresses. */
static atomic_long_t wrong_tried;

static void bad(const char *what, phys_addr_t phys)
{
	atomic_long_inc(&nr_bad);
	pr_err_ratelimited("wrong: %s, at %pa\n", what, &phys);
}

static void set_tables(struct folios *folios)
{
	for (unsigned int phase = 0; phase < NR_PHASES; phase++) {
		for (unsigned int fate = 0; fate < NR_FATES; fate++)
			folios->table[phase][fate].first = &folios->blob->first[phase][fate];
	}
}

/*
 * Content: marks in the first and the last word of each page
 */

/* Was the mark written before the kexec, or when the folio was restored? */
enum generation { PRESERVED, RESTORED };

static u64 mark(unsigned long pfn, enum generation generation)
{
	return hash_64(pfn, 64) + generation;
}

static void write_marks(phys_addr_t phys, unsigned int order, enum generation generation)
{
	for (unsigned long i = 0; i < BIT(order); i++) {
		u64 *page = phys_to_virt(phys + i * PAGE_SIZE);

		page[0] = mark(PHYS_PFN(phys) + i, generation);
		page[PAGE_SIZE / sizeof(u64) - 1] = page[0];
	}
}

static bool marks_right(phys_addr_t phys, unsigned int order, enum generation generation)
{
	for (unsigned long i = 0; i < BIT(order); i++) {
		u64 *page = phys_to_virt(phys + i * PAGE_SIZE);
		u64 right = mark(PHYS_PFN(phys) + i, generation);

		if (page[0] != right || page[PAGE_SIZE / sizeof(u64) - 1] != right)
			return false;
	}

	return true;
}

/*
 * Restoring folios
 */

/* Checks a folio that kho_restore_folio() returned for @phys. */
static void look_at(struct folio *folio, phys_addr_t phys, unsigned int order,
		    enum phase phase, enum fate fate)
{
	atomic_long_inc(&restored[phase]);
	if (folio_pfn(folio) != PHYS_PFN(phys) || folio_order(folio) != order ||
	    folio_ref_count(folio) != 1)
		bad("restored folio is not the preserved one", phys);
	if (!marks_right(phys, order, PRESERVED))
		bad("restored folio is damaged", phys);
	write_marks(phys, order, RESTORED);
	if (fate == FATE_FREE)
		folio_put(folio);
}

static void take_back(phys_addr_t phys, unsigned int order, enum phase phase, enum fate fate)
{
	struct folio *folio = kho_restore_folio(phys);

	if (folio)
		look_at(folio, phys, order, phase, fate);
	else
		bad("cannot restore a preserved folio", phys);
}

struct taking {
	enum phase phase;
	enum fate fate;
};

static int take_one(phys_addr_t phys, unsigned int order, void *arg)
{
	const struct taking *taking = arg;

	take_back(phys, order, taking->phase, taking->fate);

	return 0;
}

static void take_phase(enum phase phase)
{
	if (!in.blob)
		return;

	for (enum fate fate = 0; fate < NR_FATES; fate++) {
		struct taking taking = { phase, fate };

		if (folio_table_restore(&in.table[phase][fate], take_one, &taking))
			bad("cannot restore a table of folios", in.blob->first[phase][fate]);
	}
}

/*
 * Restores that must fail
 */

static bool try_wrong __initdata;

static int __init wrong_param(char *arg)
{
	try_wrong = true;
	return 0;
}
early_param("test_kho_wrong", wrong_param);

/* @look: the struct page of @phys is initialised, and must not change. */
static void restore_wrong(phys_addr_t phys, const char *what, bool look)
{
	struct page before = {};

	look = look && pfn_valid(PHYS_PFN(phys));
	if (look)
		before = *pfn_to_page(PHYS_PFN(phys));
	atomic_long_inc(&wrong_tried);
	if (kho_restore_folio(phys))
		bad(what, phys);
	if (look && memcmp(&before, pfn_to_page(PHYS_PFN(phys)), sizeof(before)))
		bad("failed restore changed a struct page", phys);
}

static int first_of(phys_addr_t phys, unsigned int order, void *arg)
{
	*(phys_addr_t *)arg = phys | order;

	return 1;
}

/* Tries addresses within an unclaimed folio of an order above 0, if there is one. */
static void restore_wrong_part(bool look)
{
	struct folio_table *waiting = &in.table[PHASE_MANUAL][FATE_KEEP];
	phys_addr_t found = 0, phys;

	/* The pages of the table can be read before they are restored. */
	folio_table_walk(waiting, first_of, &found);
	if (!(found & ~PAGE_MASK))
		return;

	phys = found & PAGE_MASK;
	restore_wrong(phys + PAGE_SIZE, "restored a tail page", look);
	restore_wrong(phys + (PAGE_SIZE << (found & ~PAGE_MASK)) - PAGE_SIZE,
		      "restored the last tail page", look);
	restore_wrong(phys + 1, "restored an unaligned address", look);
}

static void restore_all_wrong(enum phase phase, bool look)
{
	phys_addr_t found = 0;

	if (!in.blob)
		return;

	folio_table_walk(&in.table[phase][FATE_KEEP], first_of, &found);
	if (found)
		restore_wrong(found & PAGE_MASK, "restored a folio twice", look);
	if (in.blob->first[phase][FATE_KEEP])
		restore_wrong(in.blob->first[phase][FATE_KEEP], "restored a table twice", look);
	restore_wrong_part(look);
	restore_wrong(in.blob->unpreserved, "restored a page that was not preserved", look);
	restore_wrong(__pa_symbol(_stext), "restored a page of scratch", look);
	restore_wrong(0xa0000, "restored a hole in memory", look);
	restore_wrong(PFN_PHYS(max_pfn) + SZ_1G, "restored an address after all memory", false);
	restore_wrong(PAGE_MASK, "restored the last possible page", false);
}

static void __init take_phase_of_boot(enum phase phase)
{
	take_phase(phase);
	if (try_wrong)
		restore_all_wrong(phase, phase == PHASE_LATE);
}

/*
 * The phases of boot
 */

static struct fill grown;
static unsigned long grow_pages __initdata;

static int __init grow_param(char *arg)
{
	if (!kstrtoul(arg, 10, &grow_pages))
		grow_pages <<= 20 - PAGE_SHIFT;
	return 0;
}
early_param("test_kho_grow", grow_param);

void __init test_kho_memblock_phase(void)
{
	struct folio *folio;
	phys_addr_t phys;
	size_t size;

	if (kho_retrieve_subtree(BLOB_NAME, &phys, &size) || size != sizeof(struct blob))
		return;
	folio = kho_restore_folio(phys);
	if (!folio) {
		bad("cannot restore the blob", phys);
		return;
	}

	in.blob = folio_address(folio);
	set_tables(&in);
	take_phase_of_boot(PHASE_MEMBLOCK);
}

void __init test_kho_page_alloc_phase(void)
{
	fill_memory(&grown, grow_pages, GFP_ATOMIC | __GFP_NOMEMALLOC);
	take_phase_of_boot(PHASE_PAGE_ALLOC);
}

/**
 * struct taker - a thread that restores folios
 * @nr: number of the thread
 * @index: index of the next folio
 * @fate: what happens to the folios when they are restored
 */
struct taker {
	unsigned int nr;
	unsigned long index;
	enum fate fate;
};

#define MAX_TAKERS	4
/* All threads try to restore every 50th folio, and one of them must succeed. */
#define CONTESTED	50

static unsigned int nr_takers __initdata;
static atomic_t takers_left __initdata;
static DECLARE_COMPLETION(takers_done);
static atomic_long_t contested_taken;
static atomic_long_t contested_lost;
/* Number of struct pages initialised when the threads begin to restore folios. */
static unsigned long pages_at_start = ULONG_MAX;

static bool __init node_deferred(int nid)
{
#ifdef CONFIG_DEFERRED_STRUCT_PAGE_INIT
	return READ_ONCE(NODE_DATA(nid)->first_deferred_pfn) != ULONG_MAX;
#else
	return false;
#endif
}

/* Nodes with memory left to deferred init when the threads are created. */
static nodemask_t deferred_nodes __initdata;

static bool __init deferred_init_runs(void)
{
	int nid;

	if (nodes_empty(deferred_nodes))
		return true;
	for_each_node_mask(nid, deferred_nodes) {
		if (!node_deferred(nid))
			return true;
	}

	return false;
}

static void __init take_contested(phys_addr_t phys, unsigned int order, enum fate fate)
{
	struct folio *folio = kho_restore_folio(phys);

	if (!folio) {
		atomic_long_inc(&contested_lost);
		return;
	}
	atomic_long_inc(&contested_taken);
	look_at(folio, phys, order, PHASE_THREADS, fate);
}

static int __init take_share(phys_addr_t phys, unsigned int order, void *arg)
{
	struct taker *taker = arg;
	unsigned long index = taker->index++;

	/* A folio that is freed at once may be in use again when the next thread tries. */
	if (taker->fate != FATE_FREE && !(index % CONTESTED))
		take_contested(phys, order, taker->fate);
	else if (index % nr_takers == taker->nr)
		take_back(phys, order, PHASE_THREADS, taker->fate);

	return 0;
}

static int __init take_in_thread(void *arg)
{
	struct taker taker = { .nr = (unsigned long)arg };

	/* With several CPUs, do not sleep: deferred init may end within a few jiffies. */
	while (!deferred_init_runs()) {
		if (num_online_cpus() > 1)
			cond_resched();
		else
			schedule_timeout_uninterruptible(1);
	}
	if (!taker.nr)
		pages_at_start = initialised_pages();

	for (taker.fate = 0; taker.fate < NR_FATES; taker.fate++) {
		taker.index = 0;
		folio_table_walk(&in.table[PHASE_THREADS][taker.fate], take_share, &taker);
	}
	if (atomic_dec_and_test(&takers_left))
		complete(&takers_done);

	return 0;
}

static int __init take_nothing(phys_addr_t phys, unsigned int order, void *arg)
{
	return 0;
}

static void __init start_takers(void)
{
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		if (node_deferred(nid))
			node_set(nid, deferred_nodes);
	}
	for (enum fate fate = 0; fate < NR_FATES; fate++)
		folio_table_restore(&in.table[PHASE_THREADS][fate], take_nothing, NULL);

	nr_takers = clamp(num_online_nodes(), 2, MAX_TAKERS);
	atomic_set(&takers_left, nr_takers);
	for (unsigned long i = 0; i < nr_takers; i++) {
		struct task_struct *task;

		task = kthread_create_on_node(take_in_thread, (void *)i, first_online_node,
					      "test_kho%lu", i);
		if (IS_ERR(task)) {
			bad("cannot create a thread", 0);
			if (atomic_dec_and_test(&takers_left))
				complete(&takers_done);
			continue;
		}
		wake_up_process(task);
	}
}

static int __init early_phase(void)
{
	take_phase_of_boot(PHASE_EARLY);
	if (in.blob)
		start_takers();

	return 0;
}
early_initcall(early_phase);

/* Nothing must have written to the folio since it was restored. */
static int check_kept(phys_addr_t phys, unsigned int order, void *arg)
{
	if (!marks_right(phys, order, RESTORED))
		bad("restored folio was overwritten", phys);
	check_folio_like_new(pfn_folio(PHYS_PFN(phys)), &checks);

	return 0;
}

static void check_phase(enum phase phase)
{
	folio_table_walk(&in.table[phase][FATE_KEEP], check_kept, NULL);
	folio_table_walk(&in.table[phase][FATE_SPLIT], check_kept, NULL);
}

static void __init late_phase(void)
{
	unsigned long lost = empty_memory(&grown);

	if (lost)
		bad("memory allocated early was overwritten", lost);
	if (!in.blob)
		return;

	wait_for_completion(&takers_done);
	take_phase_of_boot(PHASE_LATE);
	for (enum phase phase = 0; phase < PHASE_MANUAL; phase++)
		check_phase(phase);
	pr_info("%lu folios checked, %lu bad\n", checks.checked,
		checks.bad + atomic_long_read(&nr_bad));
}

/*
 * Preserving folios
 */

/**
 * struct wish - folios to allocate
 * @order: their order
 * @count: how many
 * @phase: phase in which the next kernel restores them
 * @fate: what the next kernel does with them after that
 * @nid: their node, or NUMA_NO_NODE
 * @low: they are below 4 GiB, where struct pages are often initialised early
 * @movable: they are in ZONE_MOVABLE, if there is one
 * @scattered: no two of them are adjacent
 */
struct wish {
	unsigned int order;
	unsigned long count;
	enum phase phase;
	enum fate fate;
	int nid;
	bool low;
	bool movable;
	bool scattered;
};

static struct folio *alloc_any(const struct wish *wish)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	int nid = wish->nid == NUMA_NO_NODE ? numa_mem_id() : wish->nid;

	if (wish->nid != NUMA_NO_NODE)
		gfp |= __GFP_THISNODE;
	if (wish->low)
		gfp |= GFP_DMA32;
	if (wish->movable)
		gfp |= GFP_HIGHUSER_MOVABLE;
	if (wish->order > MAX_PAGE_ORDER)
		return folio_alloc_gigantic(wish->order, gfp | __GFP_COMP, nid, NULL);

	return __folio_alloc_node(gfp | __GFP_NORETRY, wish->order, nid);
}

/* For movable memory, frees folios in scratch again and tries until it gets another. */
static struct folio *alloc_wish(const struct wish *wish)
{
	struct folio *folio, *other, *next;
	LIST_HEAD(others);

	while ((folio = alloc_any(wish)) && wish->movable &&
	       kho_scratch_overlap(PFN_PHYS(folio_pfn(folio)), folio_size(folio)))
		list_add(&folio->lru, &others);
	list_for_each_entry_safe(other, next, &others, lru) {
		list_del(&other->lru);
		folio_put(other);
	}

	return folio;
}

static int preserve_one(const struct wish *wish, struct folio *folio)
{
	struct folio_table *table = &out.table[wish->phase][wish->fate];
	int err;

	err = folio_table_reserve(table) ?: kho_preserve_folio(folio);
	if (err)
		return err;

	last = PFN_PHYS(folio_pfn(folio));
	write_marks(last, wish->order, PRESERVED);
	folio_table_add(table, folio);
	out.blob->nr[wish->phase][wish->fate]++;

	return 0;
}

static int add_one(const struct wish *wish)
{
	struct folio *folio = alloc_wish(wish);
	int err;

	if (!folio)
		return -ENOMEM;
	err = preserve_one(wish, folio);
	if (err)
		folio_put(folio);

	return err;
}

/* Allocates twice as many folios, and then frees those that are not preserved. */
static int add_scattered(const struct wish *wish)
{
	LIST_HEAD(others);
	struct folio *folio, *next;
	int err = 0;

	for (unsigned long i = 0; i < wish->count && !err; i++) {
		err = add_one(wish);
		folio = alloc_wish(wish);
		if (folio)
			list_add(&folio->lru, &others);
		cond_resched();
	}
	list_for_each_entry_safe(folio, next, &others, lru) {
		list_del(&folio->lru);
		folio_put(folio);
	}

	return err;
}

static int add(const struct wish *wish)
{
	int err = 0;

	if (wish->scattered)
		return add_scattered(wish);
	for (unsigned long i = 0; i < wish->count && !err; i++) {
		err = add_one(wish);
		cond_resched();
	}

	return err;
}

static int random_nid(struct rnd_state *rnd)
{
	unsigned int nth = prandom_u32_state(rnd) % num_node_state(N_MEMORY);
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		if (!nth--)
			break;
	}

	return nid;
}

/*
 * Returns an order of up to 4 MiB, small ones more often. One of 64 is an order of 8
 * to 32 MiB, which is gigantic with pages of 4 KiB. A few folios of larger orders
 * would use up all memory.
 */
static unsigned int random_order(struct rnd_state *rnd)
{
	const unsigned int top = min(MAX_PAGE_ORDER, ilog2(SZ_4M >> PAGE_SHIFT));

	if (!(prandom_u32_state(rnd) % 64))
		return top + 1 + prandom_u32_state(rnd) % 3;

	return prandom_u32_state(rnd) % (1 + prandom_u32_state(rnd) % (top + 1));
}

/* -ENOMEM is no error: there may be memory for another order or on another node. */
static int add_random(u64 seed, unsigned long count)
{
	struct rnd_state rnd;
	int err;

	prandom_seed_state(&rnd, seed);
	while (count--) {
		struct wish wish = {
			.order = random_order(&rnd),
			.count = 1 + prandom_u32_state(&rnd) % 3,
			.phase = prandom_u32_state(&rnd) % NR_PHASES,
			.fate = prandom_u32_state(&rnd) % NR_FATES,
			.nid = random_nid(&rnd),
			.scattered = prandom_u32_state(&rnd) % 2,
		};

		err = add(&wish);
		if (err && err != -ENOMEM)
			return err;
	}

	return 0;
}

static int forget_one(phys_addr_t phys, unsigned int order, void *arg)
{
	kho_unpreserve_folio(pfn_folio(PHYS_PFN(phys)));
	folio_put(pfn_folio(PHYS_PFN(phys)));

	return 0;
}

static void forget_all(void)
{
	for (enum phase phase = 0; phase < NR_PHASES; phase++) {
		for (enum fate fate = 0; fate < NR_FATES; fate++) {
			struct folio_table *table = &out.table[phase][fate];

			folio_table_walk(table, forget_one, NULL);
			folio_table_unpreserve(table);
			folio_table_free(table);
			out.blob->nr[phase][fate] = 0;
		}
	}
}

/*
 * Freeing folios
 */

/* Splits the folio as a file system does, in the page cache of a file. */
static int split(struct folio *folio)
{
	struct file *file = shmem_kernel_file_setup("test_kho", folio_size(folio), 0);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);

	/* Reclaim would leave a shadow entry, which shmem would take for a swap entry. */
	mapping_set_unevictable(file->f_mapping);
	err = filemap_add_folio(file->f_mapping, folio, 0, GFP_KERNEL);
	if (!err) {
		err = split_folio(folio);
		folio_unlock(folio);
	}
	folio_put(folio);
	/* This frees the page cache of the file. */
	fput(file);

	return err;
}

static int drop_one(phys_addr_t phys, unsigned int order, void *arg)
{
	struct folio *folio = pfn_folio(PHYS_PFN(phys));
	enum fate *fate = arg;

	if (!marks_right(phys, order, RESTORED))
		bad("restored folio was overwritten", phys);
	if (*fate != FATE_SPLIT || !order || order > MAX_PAGE_ORDER || order > MAX_XAS_ORDER) {
		folio_put(folio);
		return 0;
	}

	nr_split++;
	if (split(folio))
		bad("cannot split a folio", phys);

	return 0;
}

/* Frees all restored folios, the tables and the blob. */
static void drop_all(void)
{
	for (enum phase phase = 0; phase < NR_PHASES; phase++) {
		for (enum fate fate = 0; fate < NR_FATES; fate++) {
			struct folio_table *table = &in.table[phase][fate];

			if (fate != FATE_FREE)
				folio_table_walk(table, drop_one, &fate);
			folio_table_free(table);
		}
	}
	folio_put(virt_to_folio(in.blob));
	in.blob = NULL;
	/* MemFree does not include the pages on the lists of CPUs. */
	drain_all_pages(NULL);
}

/*
 * debugfs
 */

static int parse_word(char *word, struct wish *wish)
{
	int index;

	if (!strcmp(word, "low")) {
		wish->low = true;
		return 0;
	}
	if (!strcmp(word, "movable")) {
		wish->movable = true;
		return 0;
	}
	if (!strcmp(word, "scattered")) {
		wish->scattered = true;
		return 0;
	}
	if (str_has_prefix(word, "node="))
		return kstrtoint(word + strlen("node="), 10, &wish->nid) ?:
		       wish->nid < 0 || wish->nid >= MAX_NUMNODES ||
		       !node_state(wish->nid, N_MEMORY) ? -EINVAL : 0;
	if (str_has_prefix(word, "phase=")) {
		index = match_string(phase_names, NR_PHASES, word + strlen("phase="));
		wish->phase = index;
		return min(index, 0);
	}
	if (str_has_prefix(word, "then=")) {
		index = match_string(fate_names, NR_FATES, word + strlen("then="));
		wish->fate = index;
		return min(index, 0);
	}

	return -EINVAL;
}

static int do_add(char *line)
{
	struct wish wish = { .phase = PHASE_LATE, .nid = NUMA_NO_NODE };
	char *order = strsep(&line, " "), *count = strsep(&line, " "), *word;

	if (!count || kstrtouint(order, 10, &wish.order) || wish.order > MAX_WISHED_ORDER ||
	    kstrtoul(count, 10, &wish.count))
		return -EINVAL;
	while ((word = strsep(&line, " "))) {
		if (parse_word(word, &wish))
			return -EINVAL;
	}

	return out.blob ? add(&wish) : -EOPNOTSUPP;
}

static int do_random(char *line)
{
	char *seed_word = strsep(&line, " ");
	unsigned long count;
	u64 seed;

	if (!line || kstrtou64(seed_word, 0, &seed) || kstrtoul(line, 10, &count))
		return -EINVAL;

	return out.blob ? add_random(seed, count) : -EOPNOTSUPP;
}

static int do_forget(char *line)
{
	if (!out.blob)
		return -EOPNOTSUPP;
	forget_all();

	return 0;
}

static bool manual_taken;

static int do_restore(char *line)
{
	if (!in.blob || manual_taken)
		return -ENOENT;
	manual_taken = true;
	take_phase(PHASE_MANUAL);
	check_phase(PHASE_MANUAL);

	return 0;
}

static int do_wrong(char *line)
{
	if (!in.blob)
		return -ENOENT;
	restore_all_wrong(manual_taken ? PHASE_MANUAL : PHASE_LATE, true);

	return 0;
}

static int do_drop(char *line)
{
	if (!in.blob)
		return -ENOENT;
	if (!manual_taken)
		return -EBUSY;
	drop_all();

	return 0;
}

static unsigned long filled;

static int do_fill(char *line)
{
	struct fill fill = {};
	unsigned long lost;

	fill_memory(&fill, ULONG_MAX, GFP_HIGHUSER_MOVABLE & ~__GFP_RECLAIM);
	filled = fill.nr;
	lost = empty_memory(&fill);
	if (lost)
		bad("pages of fill_memory() were overwritten", lost);

	return 0;
}

static const struct command {
	const char *name;
	int (*execute)(char *line);
} commands[] = {
	{ "add", do_add },
	{ "random", do_random },
	{ "forget", do_forget },
	{ "restore", do_restore },
	{ "wrong", do_wrong },
	{ "drop", do_drop },
	{ "fill", do_fill },
};

static ssize_t command_write(struct file *file, const char __user *buf, size_t count,
			     loff_t *ppos)
{
	const struct command *command = file->private_data;
	char line[80];
	ssize_t len;
	int err;

	len = simple_write_to_buffer(line, sizeof(line) - 1, ppos, buf, count);
	if (len < 0)
		return len;
	line[len] = '\0';

	guard(mutex)(&lock);
	err = command->execute(strim(line));

	return err ?: count;
}

static const struct file_operations command_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = command_write,
};

static void show_kept(struct seq_file *m, const char *what, const struct folios *folios)
{
	u64 nr = 0;

	for (enum phase phase = 0; folios->blob && phase < NR_PHASES; phase++) {
		for (enum fate fate = 0; fate < NR_FATES; fate++)
			nr += folios->blob->nr[phase][fate];
	}
	seq_printf(m, "%s %llu\n", what, nr);
}

/* Counts the pages that memblock allocated, and waiting ones, such as nodes of the map. */
static unsigned long reserved_pages(void)
{
	unsigned long nr = 0;

	for (unsigned long pfn = 0; pfn < max_pfn; pfn++) {
		nr += pfn_valid(pfn) && PageReserved(pfn_to_page(pfn));
		if (IS_ALIGNED(pfn, MAX_ORDER_NR_PAGES))
			cond_resched();
	}

	return nr;
}

/*
 * Returns the number of sections whose struct pages are on another node than their memory.
 * vmalloc_to_page() works for the memory map, but CONFIG_DEBUG_VIRTUAL objects to it.
 */
static unsigned long remote_sections(void)
{
	unsigned long nr = 0;

	if (!IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP) || IS_ENABLED(CONFIG_DEBUG_VIRTUAL))
		return 0;
	for (unsigned long pfn = 0; pfn < max_pfn; pfn += PAGES_PER_SECTION) {
		struct page *page = pfn_to_online_page(pfn);

		nr += page && page_to_nid(vmalloc_to_page(page)) != page_to_nid(page);
	}

	return nr;
}

static int stats_show(struct seq_file *m, void *unused)
{
	const struct page_counts *counts = page_counts();

	guard(mutex)(&lock);
	show_kept(m, "out", &out);
	show_kept(m, "in", &in);
	seq_printf(m, "last %#llx\n", (u64)last);
	for (enum phase phase = 0; phase < NR_PHASES; phase++)
		seq_printf(m, "restored_%s %lu\n", phase_names[phase],
			   atomic_long_read(&restored[phase]));
	seq_printf(m, "checked %lu\n", checks.checked);
	seq_printf(m, "bad %lu\n", checks.bad + atomic_long_read(&nr_bad));
	seq_printf(m, "split %lu\n", nr_split);
	seq_printf(m, "wrong_tried %lu\n", atomic_long_read(&wrong_tried));
	seq_printf(m, "contested_taken %lu\n", atomic_long_read(&contested_taken));
	seq_printf(m, "contested_lost %lu\n", atomic_long_read(&contested_lost));
	seq_printf(m, "pages_at_threads %lu\n", pages_at_start);
	seq_printf(m, "pages_initialised %lu\n", initialised_pages());
	seq_printf(m, "pages_once %lu\n", counts->once);
	seq_printf(m, "pages_never %lu\n", counts->never);
	seq_printf(m, "pages_more %lu\n", counts->more);
	seq_printf(m, "pages_reserved_again %lu\n", counts->reserved_again);
	seq_printf(m, "filled %lu\n", filled);
	seq_printf(m, "reserved %lu\n", reserved_pages());
	seq_printf(m, "remote_sections %lu\n", remote_sections());

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int __init start_out(void)
{
	struct page *unpreserved = alloc_page(GFP_KERNEL);
	int err;

	if (!unpreserved)
		return -ENOMEM;
	out.blob = kho_alloc_preserve(sizeof(*out.blob));
	if (IS_ERR(out.blob)) {
		err = PTR_ERR(out.blob);
		goto out_page;
	}
	err = kho_add_subtree(BLOB_NAME, out.blob, sizeof(*out.blob));
	if (err)
		goto out_blob;

	out.blob->unpreserved = page_to_phys(unpreserved);
	set_tables(&out);

	return 0;

out_blob:
	kho_unpreserve_free(out.blob);
out_page:
	out.blob = NULL;
	__free_page(unpreserved);

	return err;
}

static int __init test_kho_folios_init(void)
{
	struct dentry *dir = debugfs_create_dir("test_kho_folios", NULL);

	for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++)
		debugfs_create_file(commands[i].name, 0200, dir, (void *)&commands[i],
				    &command_fops);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);

	guard(mutex)(&lock);
	late_phase();

	return kho_is_enabled() ? start_out() : 0;
}
late_initcall(test_kho_folios_init);
