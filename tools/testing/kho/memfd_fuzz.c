// SPDX-License-Identifier: GPL-2.0-only
/*
 * memfd_fuzz - tests how the kernel reads damaged memfds
 *
 *   memfd_fuzz [--seed N] [--cases N] [--one SEED]
 *
 * Each case is an incoming memfd with up to three changes, which the seed determines. The
 * kernel's code, mm/memfd_luo_in.c, makes a file of it. Its pages are looked up, works
 * populate it, and allocations fail, all in any order; in most cases the file is then
 * populated and finished, and in the end it is evicted. The page cache of this program must
 * agree with an oracle, which reads the memfd without the kernel's code: each folio is
 * where it belongs, once, with its flags; holes have no folio; a memfd with a defect is
 * refused, or looking up its pages fails. Afterwards each folio that was restored is free.
 * AddressSanitizer and UBSan check the kernel's code.
 *
 * Prints TAP. The exit status is 0 only if all results are "ok".
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <stdio.h>
#include <unistd.h>

#include <linux/kho/abi/memfd.h>

#include "luo_world.h"
#include "options.h"
#include "../../../kernel/kexec_handover/restore.h"
#include "../../../mm/memfd_luo.h"

/* The kernel reads an array with more entries than this only after it returns the file. */
#define READ_AT_ONCE	512

/* The page cache has at most this many entries, which is more than RAM has pages. */
#define MOST_ENTRIES	4096

/* A case that takes this long has hung. SIGALRM then ends the fuzzer. */
#define CASE_SECONDS	20

static unsigned int results, failures;

/*
 * The page cache
 */

static struct {
	u64 index;
	struct folio *folio;	/* NULL for an entry that stands for a lost page */
} cache[MOST_ENTRIES];

static unsigned int nr_cache;
static struct inode the_inode;

void *system_unbound_wq;
struct work_struct *luo_works[64];

static void *find(u64 index)
{
	for (unsigned int i = 0; i < nr_cache; i++) {
		const struct folio *folio = cache[i].folio;

		if (index - cache[i].index < (folio ? BIT(folio->order) : 1))
			return &cache[i];
	}

	return NULL;
}

void *xa_load(struct xarray *pages, unsigned long index)
{
	return find(index);
}

int xa_get_order(struct xarray *pages, unsigned long index)
{
	const typeof(*cache) *at = find(index);

	return at && at->folio ? at->folio->order : 0;
}

void *xas_load(struct xa_state *xas)
{
	return find(xas->index);
}

static bool no_memory(void)
{
	void *p = kmalloc(1, GFP_KERNEL);

	kfree(p);

	return !p;
}

static void add(u64 index, struct folio *folio)
{
	if (nr_cache == MOST_ENTRIES)
		luo_bug("too many pages in the page cache");
	the_inode.i_blocks += (folio ? BIT(folio->order) : 1) * (PAGE_SIZE / 512);
	cache[nr_cache].index = index;
	cache[nr_cache++].folio = folio;
}

int shmem_insert_folio(struct inode *inode, struct folio *folio, pgoff_t index, gfp_t gfp)
{
	if (!IS_ALIGNED(index, BIT(folio->order)) || !folio->refs || !folio->charged)
		luo_bug("a folio that is not aligned, not held or not charged");
	for (unsigned long i = 0; i < BIT(folio->order); i++) {
		if (find(index + i))
			luo_bug("a folio comes where another one is");
	}
	if (no_memory())
		return -ENOMEM;
	folio->refs++;
	add(index, folio);

	return 0;
}

static void store(u64 index, struct folio *folio)
{
	if (find(index) || folio->index != index || folio->order || !folio->charged ||
	    folio->mapping != &the_inode.mapping)
		luo_bug("a folio comes where another one is, or is not charged");
	add(index, folio);
}

static struct xa_node leaf;

/* Sets the leaf of the index. If the only page of a file is page 0, there is no leaf. */
static void descend(struct xa_state *xas)
{
	const u64 base = ALIGN_DOWN(xas->index, XA_CHUNK_SIZE);

	if (nr_cache == 1 && !xas->index)
		return;
	xas->xa_node = &leaf;
	xas->xa_offset = xas->index - base;
	leaf.count = 0;
	for (unsigned int i = 0; i < XA_CHUNK_SIZE; i++) {
		leaf.slots[i] = find(base + i);
		leaf.count += !!leaf.slots[i];
	}
}

/* Adds the folios that the kernel stored in the leaf to the page cache. */
void xas_unlock_irq(struct xa_state *xas)
{
	const u64 base = ALIGN_DOWN(xas->index, XA_CHUNK_SIZE);
	unsigned int count = 0;

	if (!xas->xa_node)
		return;
	for (unsigned int i = 0; i < XA_CHUNK_SIZE; i++) {
		void *there = find(base + i);

		count += !!leaf.slots[i];
		if (there && leaf.slots[i] != there)
			luo_bug("a page is overwritten");
		if (leaf.slots[i] && !there)
			store(base + i, leaf.slots[i]);
	}
	if (count != leaf.count)
		luo_bug("a leaf has another number of pages");
	xas->xa_node = NULL;
}

void xas_set(struct xa_state *xas, unsigned long index)
{
	xas_unlock_irq(xas);
	xas->index = index;
}

void xas_store(struct xa_state *xas, struct folio *folio)
{
	xas->err = no_memory() ? -ENOMEM : 0;
	if (xas->err)
		return;
	store(xas->index, folio);
	descend(xas);
}

/* Once the lock is released, the kernel may be able to allocate memory. */
bool xas_nomem(struct xa_state *xas, gfp_t gfp)
{
	bool again = xas->err && random_below(2);

	xas->err = 0;

	return again;
}

int shmem_insert_begin(struct inode *inode, long pages)
{
	return no_memory() ? -ENOSPC : 0;
}

int shmem_insert_poison(struct inode *inode, pgoff_t index)
{
	if (find(index))
		luo_bug("a page is lost that is there");
	if (no_memory())
		return -ENOMEM;
	add(index, NULL);

	return 0;
}

int mem_cgroup_charge(struct folio *folio, void *mm, gfp_t gfp)
{
	if (no_memory())
		return -ENOMEM;
	folio->charged = true;

	return 0;
}

/* Frees the page cache, as shmem does when the last reference of the file is dropped. */
static void evict(void)
{
	if (the_inode.luo) {
		memfd_luo_in_evict(the_inode.luo);
		memfd_luo_in_free(the_inode.luo);
		kfree(the_inode.luo);
	}
	the_inode.luo = NULL;
	for (unsigned int i = 0; i < nr_cache; i++) {
		if (cache[i].folio)
			folio_put(cache[i].folio);
	}
	nr_cache = 0;
}

static int release(struct inode *inode, struct file *file)
{
	evict();

	return 0;
}

static const struct file_operations fops = { .release = release };

struct file *shmem_file_setup(const char *name, u64 size, unsigned long flags)
{
	struct file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return ERR_PTR(-ENOMEM);
	memset(&the_inode, 0, sizeof(the_inode));
	the_inode.i_mapping = &the_inode.mapping;
	file->f_inode = &the_inode;
	file->f_op = &fops;
	file->count = 1;

	return file;
}

/*
 * What mm/memfd_luo.c and kernel/kexec_handover/ do
 */

struct memfd_luo *memfd_luo_alloc(struct inode *inode)
{
	struct memfd_luo *luo = kzalloc(sizeof(*luo), GFP_KERNEL);

	if (luo)
		luo->inode = inode;

	return luo;
}

static int by_index(const void *a, const void *b)
{
	const struct memfd_luo_folio_ser *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

void memfd_luo_sort(struct memfd_luo_folio_ser *entries, unsigned long nr)
{
	qsort(entries, nr, sizeof(*entries), by_index);
}

bool kho_vmalloc_is_valid(const struct kho_vmalloc *kv)
{
	return kv->flags & 1 && !(kv->flags & ~3) && kv->order <= MAX_PAGE_ORDER &&
	       (!kv->order || kv->flags & 2) && kv->total_pages &&
	       IS_ALIGNED(kv->total_pages, BIT(kv->order)) && kv->total_pages <= LUO_PAGES;
}

/* Copies and frees the pages of a chunk. Returns false if any of them is invalid. */
static bool take_chunk(const struct kho_vmalloc *kv, const u64 *chunk, u8 *array, unsigned int *nr)
{
	bool sound = true;

	for (unsigned int i = 1; i < PAGE_SIZE / 8 && chunk[i]; i++) {
		if (*nr == kv->total_pages || !luo_waits(chunk[i], kv->order)) {
			sound = false;
			continue;
		}
		memcpy(array + *nr * PAGE_SIZE, (void *)chunk[i], PAGE_SIZE << kv->order);
		*nr += BIT(kv->order);
		folio_put(kho_restore_if_waiting(PHYS_PFN(chunk[i])));
	}

	return sound;
}

/* If the array is invalid, frees the folios that it has found, as the kernel does. */
void *kho_restore_vmalloc(const struct kho_vmalloc *kv)
{
	u8 *array = kmalloc(kv->total_pages * PAGE_SIZE, GFP_KERNEL);
	u64 phys = kv->first.phys;
	unsigned int nr = 0;
	struct folio *folio;
	bool sound = true;

	if (!array)
		return NULL;

	while (phys) {
		u64 chunk = phys;

		if (!luo_waits(chunk, 0)) {
			sound = false;
			break;
		}
		folio = kho_restore_if_waiting(PHYS_PFN(chunk));
		sound &= take_chunk(kv, (u64 *)chunk, array, &nr);
		phys = *(u64 *)chunk;
		folio_put(folio);
	}
	if (sound && nr == kv->total_pages)
		return array;
	kfree(array);

	return NULL;
}

void queue_delayed_work(void *wq, struct delayed_work *work, unsigned long delay)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(luo_works); i++) {
		if (!luo_works[i] || luo_works[i] == &work->work) {
			luo_works[i] = &work->work;
			return;
		}
	}
	luo_bug("too many works");
}

void cancel_delayed_work_sync(struct delayed_work *work)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(luo_works); i++) {
		if (luo_works[i] == &work->work)
			luo_works[i] = NULL;
	}
}

static void run_a_work(void)
{
	unsigned int i = random_below(ARRAY_SIZE(luo_works));

	for (unsigned int n = 0; n < ARRAY_SIZE(luo_works); n++, i++) {
		struct work_struct *work = luo_works[i % ARRAY_SIZE(luo_works)];

		if (work) {
			luo_works[i % ARRAY_SIZE(luo_works)] = NULL;
			work->func(work);
			return;
		}
	}
}

/*
 * The memfd, as the old kernel makes it
 */

static struct memfd_luo_ser *memfd;
static struct memfd_luo_folio_ser *array_pages[LUO_PAGES];	/* pages of its array */
static unsigned int nr_array;

static struct memfd_luo_folio_ser *entry_of(unsigned int i)
{
	return array_pages[i / 256] + i % 256;
}

/* Makes the array for @nr entries. */
static void make_array(unsigned int nr)
{
	u64 *chunk = NULL;

	nr_array = DIV_ROUND_UP(nr, 256);
	for (unsigned int i = 0; i < nr_array; i++) {
		if (!chunk) {
			chunk = (u64 *)luo_page();
			memfd->folios.first.phys = (u64)chunk;
		}
		array_pages[i] = (void *)luo_page();
		chunk[1 + i] = (u64)array_pages[i];
	}
	memfd->folios.total_pages = nr_array;
	memfd->folios.flags = 1;
}

static void shuffle(unsigned int nr)
{
	for (unsigned int i = nr; i > 1; i--) {
		struct memfd_luo_folio_ser *a = entry_of(i - 1), *b = entry_of(random_below(i));
		struct memfd_luo_folio_ser c = *a;

		*a = *b;
		*b = c;
	}
}

static void make(void)
{
	unsigned int nr = random_below(2) ? random_below(40) : random_below(1200);
	u64 index = 0;

	luo_world_reset();
	nr_array = 0;
	memfd = (void *)luo_page();
	memfd->pos = random_below(1 << 20);
	memfd->seals = random_below(0x40);
	memfd->nr_folios = nr;
	if (nr)
		make_array(nr);
	for (unsigned int i = 0; i < nr; i++) {
		struct memfd_luo_folio_ser *entry = entry_of(i);
		unsigned int order = random_below(16) ? 0 : random_below(5);

		index += random_below(4) ? 0 : random_below(random_below(8) ? 30 : 3000);
		index = ALIGN(index, BIT(order));
		entry->index = index;
		entry->flags = random_below(8) ? 3 : random_below(4);
		/* The old kernel has emptied some entries. */
		if (random_below(16))
			entry->pfn = PHYS_PFN(luo_folio(order));
		index += BIT(order);
	}
	/* Some folios may be after the end of the file. */
	memfd->size = index * PAGE_SIZE;
	memfd->size -= random_below((random_below(4) ? min(index, 2) : index) * PAGE_SIZE + 1);
	if (random_below(4) == 0)
		shuffle(nr);
}

static u64 odd_number(void)
{
	switch (random_below(4)) {
	case 0:
		return 1ULL << random_below(64);
	case 1:
		return -1ULL << random_below(64);
	case 2:
		return LUO_RAM / PAGE_SIZE + random_below(LUO_PAGES);
	default:
		return random_below(3000);
	}
}

static void change_memfd(void)
{
	switch (random_below(9)) {
	case 0:
		memfd->pos = odd_number();
		break;
	case 1:
		memfd->size = odd_number();
		break;
	case 2:
		memfd->seals ^= BIT(random_below(32));
		break;
	case 3:
		memfd->flags ^= BIT(random_below(32));
		break;
	case 4:
		memfd->nr_folios = odd_number();
		break;
	case 5:
		memfd->folios.first.phys = odd_number() * (random_below(2) ? PAGE_SIZE : 1);
		break;
	case 6:
		memfd->folios.total_pages = odd_number();
		break;
	case 7:
		memfd->folios.flags = random_below(8);
		break;
	default:
		memfd->folios.order = random_below(12);
	}
}

static void change_entry(void)
{
	struct memfd_luo_folio_ser *entry;

	if (!nr_array)
		return;
	entry = entry_of(random_below(nr_array * 256));
	switch (random_below(5)) {
	case 0:
		entry->index = odd_number();
		break;
	case 1:
		/* The new index may be within a large folio. */
		entry->index = entry_of(random_below(nr_array * 256))->index + random_below(4);
		break;
	case 2:
		entry->pfn = odd_number();
		break;
	case 3:
		entry->flags = odd_number();
		break;
	default:
		*entry = *entry_of(random_below(nr_array * 256));
	}
}

static void change_chunk(void)
{
	u64 *chunk = (u64 *)memfd->folios.first.phys;

	if (nr_array && luo_waits((u64)chunk, 0))
		chunk[random_below(nr_array + 2)] = odd_number() * PAGE_SIZE;
}

static void lose(void)
{
	luo_world.orders[random_below((luo_world.next - LUO_RAM) / PAGE_SIZE)] =
		(int)random_below(3) - 1;
}

static void (* const changes[])(void) = { change_memfd, change_entry, change_chunk, lose };

/*
 * The oracle
 */

static struct {
	const char *defect;	/* in the structure */
	const char *late;	/* in the array or in an entry */
	bool lost;		/* a folio does not wait */
	bool vague;		/* which folios of a long array are lost is up to the kernel */
	unsigned int nr;
	struct {
		u64 index, phys;
		int order;	/* -1: the folio is lost */
		bool valid;
		bool shared;	/* another entry has the same folio: one of the two is lost */
	} folios[MOST_ENTRIES];
	u64 end;
} want;

/* The entries, as the oracle has read them from the array. */
static struct memfd_luo_folio_ser entries[LUO_PAGES * 256];

/* Which pages of RAM belong to the array or are its chunks. */
static bool seen[LUO_PAGES];

static const char *read_array(void)
{
	const struct kho_vmalloc *kv = &memfd->folios;
	unsigned int nr = 0;

	memset(seen, 0, sizeof(seen));
	for (u64 chunk = kv->first.phys; chunk; chunk = *(u64 *)chunk) {
		if (!luo_waits(chunk, 0) || seen[(chunk - LUO_RAM) / PAGE_SIZE])
			return "a chunk does not wait";
		seen[(chunk - LUO_RAM) / PAGE_SIZE] = true;
		for (unsigned int i = 1; i < 512 && ((u64 *)chunk)[i]; i++) {
			u64 page = ((u64 *)chunk)[i];

			if (nr == kv->total_pages || !luo_waits(page, kv->order) ||
			    seen[(page - LUO_RAM) / PAGE_SIZE])
				return "a page of the array does not wait";
			seen[(page - LUO_RAM) / PAGE_SIZE] = true;
			memcpy((u8 *)entries + nr * PAGE_SIZE, (void *)page,
			       PAGE_SIZE << kv->order);
			nr += 1U << kv->order;
		}
	}

	return nr == kv->total_pages ? NULL : "the array has another size";
}

static void read_entries(void)
{
	u64 end = 0;

	memfd_luo_sort(entries, memfd->nr_folios);
	for (u64 i = 0; i < memfd->nr_folios; i++) {
		const struct memfd_luo_folio_ser *entry = &entries[i];
		int order = kho_waiting_order(entry->pfn);

		if (!entry->pfn)
			continue;
		/* The kernel has read the array and freed its pages. */
		if (order >= 0 && seen[entry->pfn - LUO_RAM / PAGE_SIZE])
			order = -1;
		want.lost |= order < 0;
		if (entry->index < end || entry->index % BIT(max(order, 0)) || order > 9)
			want.late = "an entry overlaps another, is not aligned or too large";
		end = entry->index + BIT(max(order, 0));
		if (entry->index >= want.end || want.nr == MOST_ENTRIES)
			continue;
		want.folios[want.nr].index = entry->index;
		want.folios[want.nr].phys = PFN_PHYS(entry->pfn);
		want.folios[want.nr].order = order;
		want.folios[want.nr].shared = false;
		for (u64 j = 0; j < memfd->nr_folios; j++)
			want.folios[want.nr].shared |= j != i && entries[j].pfn == entry->pfn;
		want.folios[want.nr++].valid = entry->flags & 2;
	}
}

static void ask_oracle(u64 data)
{
	memset(&want, 0, offsetof(typeof(want), folios));
	if (!luo_waits(data, 0)) {
		want.defect = "the structure does not wait";
		return;
	}
	want.end = DIV_ROUND_UP(memfd->size, PAGE_SIZE);
	if (memfd->size > LLONG_MAX || memfd->pos > LLONG_MAX || memfd->flags ||
	    memfd->seals & ~0x3f) {
		want.defect = "the structure is wrong";
		return;
	}
	if (!memfd->nr_folios) {
		if (luo_memchr_inv(&memfd->folios, 0, sizeof(memfd->folios)))
			want.defect = "there is an array, and no folio";
		return;
	}
	if (!kho_vmalloc_is_valid(&memfd->folios) ||
	    memfd->nr_folios > (u64)memfd->folios.total_pages * 256) {
		want.defect = "the array is wrong";
		return;
	}
	/* The kernel has read the structure and freed its page. */
	luo_world.orders[(data - LUO_RAM) / PAGE_SIZE] = -1;
	want.late = read_array();
	if (!want.late) {
		read_entries();
		want.vague = (want.late || want.lost) && memfd->nr_folios > READ_AT_ONCE;
	}
	luo_world.orders[(data - LUO_RAM) / PAGE_SIZE] = 0;
}

/* Is each folio where an entry says that it belongs? */
static const char *compare_places(void)
{
	for (unsigned int i = 0; i < nr_cache; i++) {
		const struct folio *folio = cache[i].folio;
		bool found = !folio;

		for (unsigned int j = 0; j < want.nr && !found; j++)
			found = want.folios[j].index == cache[i].index &&
				want.folios[j].phys == luo_phys(folio);
		if (!found)
			return "a folio is where it does not belong";
	}

	return NULL;
}

/* Is the page as the oracle says? */
static const char *compare_page(u64 index)
{
	if (want.vague)
		return NULL;
	for (unsigned int i = 0; i < want.nr; i++) {
		struct folio *folio;
		unsigned int j = 0;

		if (index - want.folios[i].index >= BIT(max(want.folios[i].order, 0)))
			continue;
		while (j < nr_cache && cache[j].index != want.folios[i].index)
			j++;
		if (j == nr_cache)
			return "a page is not there";
		folio = cache[j].folio;
		if (!folio && want.folios[i].shared)
			return NULL;
		if (want.folios[i].order < 0)
			return folio ? "a page is there that is lost" : NULL;
		if (!folio || luo_phys(folio) != want.folios[i].phys ||
		    folio->order != want.folios[i].order)
			return "a page is another one";
		if (!(folio->flags & BIT(PG_uptodate)) == want.folios[i].valid ||
		    !(folio->flags & BIT(PG_dirty)))
			return "a page has other flags";
		return NULL;
	}

	return find(index) ? "a page is there that is a hole" : NULL;
}

static const char *compare_all(void)
{
	bool shared = false;

	if (want.vague)
		return compare_places();
	for (unsigned int i = 0; i < want.nr; i++) {
		const char *why = compare_page(want.folios[i].index);

		if (why)
			return why;
		shared |= want.folios[i].shared;
	}

	/* All pages that a lost folio can have covered are lost with it. */
	return shared || want.nr == nr_cache ? NULL : "there is another number of folios";
}

/* Do waiting pages and those in the page cache add up to the blocks of the file? */
static const char *compare_blocks(void)
{
	blkcnt_t blocks = memfd_luo_in_blocks(the_inode.luo);
	u64 pages = 0;

	for (unsigned int i = 0; i < want.nr; i++) {
		if (want.folios[i].shared)
			return NULL;
		pages += BIT(max(want.folios[i].order, 0));
	}
	if (want.late || want.lost || want.vague)
		return NULL;

	return blocks == pages * (PAGE_SIZE / 512) ? NULL : "a file has another number of blocks";
}

/* Looks up a page, often one that belongs to a folio. */
static const char *look_up(void)
{
	const bool fails = random_below(4) == 0;
	u64 index = random_below(want.end + 2);
	int err;

	if (want.nr && random_below(4))
		index = want.folios[random_below(want.nr)].index + random_below(3);
	if (fails)
		luo_fail_next(random_below(6));
	err = memfd_luo_in_take(the_inode.luo, index);
	if (fails && luo_fail_stop() && (err == -ENOMEM || err == -ENOSPC))
		return NULL;
	if (want.late || want.vague)
		return !err || err == -EIO ? NULL : "a page of a lost file has another error";
	if (err)
		return "a page cannot be looked up";

	return index < want.end ? compare_page(index) : NULL;
}

static int populate(void)
{
	int err;

	if (random_below(2)) {
		luo_fail_next(random_below(40));
		err = memfd_luo_in_populate(the_inode.luo);
		if (!luo_fail_stop() || (err != -ENOMEM && err != -ENOSPC))
			return err;
	}

	return memfd_luo_in_populate(the_inode.luo);
}

static const char *use(struct file *file)
{
	const char *why;

	if (the_inode.size != memfd->size || file->f_pos != memfd->pos ||
	    the_inode.seals != memfd->seals)
		return "size, position or seals are wrong";
	for (unsigned int n = random_below(30); n; n--) {
		if (random_below(16) == 0 && READ_ONCE(the_inode.luo->state) == MEMFD_LUO_IN) {
			why = compare_blocks();
			if (why)
				return why;
		}
		if (random_below(4) == 0) {
			luo_fail_next(random_below(50));
			run_a_work();
			luo_fail_stop();
			continue;
		}
		why = look_up();
		if (why)
			return why;
	}
	if (random_below(4) == 0)
		return NULL;
	if (READ_ONCE(the_inode.luo->state) == MEMFD_LUO_IN) {
		int err = populate();

		if (want.vague && (!err || err == -EIO))
			return compare_places();
		if (want.late)
			return err == -EIO ? NULL : "a lost file can be populated";
		if (err)
			return "a file cannot be populated";
	}
	if (want.late && !want.vague)
		return "a lost file is populated";
	if (READ_ONCE(the_inode.luo->state) != MEMFD_LUO_IDLE)
		return "something waits for a file that is populated";
	memfd_luo_in_finish(the_inode.luo);

	return compare_all();
}

static bool anything_waits(void)
{
	for (unsigned int i = 0; i < want.nr; i++) {
		if (want.folios[i].order >= 0 &&
		    luo_waits(want.folios[i].phys, want.folios[i].order))
			return true;
	}

	return false;
}

static const char *judge(u64 data)
{
	static struct memfd_luo_ser copy;
	bool refused, late;
	struct file *file;
	const char *why;

	alarm(CASE_SECONDS);
	/* The kernel may be told to read another page than that of the memfd. */
	if (luo_waits(data, 0))
		memfd = (void *)data;
	copy = *memfd;
	ask_oracle(data);
	memfd = &copy;
	late = copy.nr_folios > READ_AT_ONCE;
	luo_world.said = 0;
	if (random_below(16) == 0) {
		memfd_luo_in_discard(data);
		if (!want.defect && !want.late && !want.vague && anything_waits())
			return "a file that nobody retrieved is not free";
		return luo_nr_taken() ? "a folio is not freed" : NULL;
	}

	file = memfd_luo_in_retrieve(data);
	refused = IS_ERR(file);
	if (refused && luo_world.said != 1)
		return "a file was refused, and there is not one message";
	if (refused != (want.defect || (!late && (want.late || want.lost))))
		return refused ? "a file was refused without a defect" :
		       "a file was taken in spite of a defect";
	if (refused)
		return luo_nr_taken() ? "a folio is not freed" : NULL;

	why = use(file);
	fput(file);
	if (why)
		return why;
	if (luo_nr_taken())
		return "a folio is not freed";
	if (!want.late && !want.vague && anything_waits())
		return "something waits although its file is gone";

	return NULL;
}

static void report(bool ok, const char *name, const char *why)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++results, name);
	failures += !ok;
	if (!ok && why)
		printf("# %s (the kernel: %s, the oracle: %s, %s)\n", why,
		       luo_world.last_said ?: "nothing", want.defect ?: "no defect",
		       want.late ?: "no defect");
}

static void forget(void)
{
	memset(luo_works, 0, sizeof(luo_works));
	nr_cache = 0;
}

/*
 * Named cases: a memfd of eight pages, with one folio at page 0, another one at page 1, and
 * a folio of four pages at page 4.
 */

static void make_named(void)
{
	luo_world_reset();
	memfd = (void *)luo_page();
	memfd->size = 8 * PAGE_SIZE;
	memfd->nr_folios = 3;
	make_array(3);
	for (unsigned int i = 0; i < 3; i++) {
		entry_of(i)->index = i < 2 ? i : 4;
		entry_of(i)->flags = 3;
		entry_of(i)->pfn = PHYS_PFN(luo_folio(i < 2 ? 0 : 2));
	}
}

static u64 *first_chunk(void)
{
	return (u64 *)memfd->folios.first.phys;
}

static void spoil_nothing(void) { }

static void spoil_no_folios(void)
{
	memfd->nr_folios = 0;
	memset(&memfd->folios, 0, sizeof(memfd->folios));
}

static void spoil_count(void)
{
	memfd->nr_folios = 257;
}

static void spoil_huge_count(void)
{
	memfd->nr_folios = 1ULL << 60;
}

static void spoil_size(void)
{
	memfd->size = 1ULL << 63;
}

static void spoil_seals(void)
{
	memfd->seals = 0x40;
}

static void spoil_flags(void)
{
	memfd->flags = 1;
}

static void spoil_chunk_cycle(void)
{
	first_chunk()[0] = memfd->folios.first.phys;
}

static void spoil_chunk_lost(void)
{
	memfd->folios.first.phys = LUO_END;
}

static void spoil_array_lost(void)
{
	first_chunk()[1] = LUO_END;
}

static void spoil_array_self(void)
{
	first_chunk()[1] = memfd->folios.first.phys;
}

static void spoil_lost(void)
{
	entry_of(1)->pfn = PHYS_PFN(LUO_END);
}

static void spoil_array_as_folio(void)
{
	entry_of(1)->pfn = PHYS_PFN((u64)array_pages[0]);
}

static void spoil_same_index(void)
{
	entry_of(1)->index = 0;
}

static void spoil_overlap(void)
{
	entry_of(1)->index = 7;
}

static void spoil_unaligned(void)
{
	entry_of(2)->index = 2;
}

static void spoil_skipped(void)
{
	entry_of(1)->pfn = 0;
}

/* The old kernel leaves such an entry if another folio has replaced that of the entry. */
static void spoil_skipped_same(void)
{
	entry_of(1)->pfn = 0;
	entry_of(1)->index = 0;
}

static void spoil_skipped_within(void)
{
	entry_of(1)->pfn = 0;
	entry_of(1)->index = 5;
}

static void spoil_end(void)
{
	memfd->size = 5 * PAGE_SIZE;
}

static void spoil_after_end(void)
{
	memfd->size = PAGE_SIZE;
}

static void spoil_last_index(void)
{
	entry_of(1)->index = -1ULL;
}

/* The number of the entry whose folio has four pages, among many of one page. */
#define LARGE_ONE	304

/* Makes a memfd with more entries than the kernel reads before it returns the file. */
static void spoil_long(void)
{
	const unsigned int nr = READ_AT_ONCE + 100;

	luo_world_reset();
	memfd = (void *)luo_page();
	memfd->size = (nr + 8) * PAGE_SIZE;
	memfd->nr_folios = nr;
	make_array(nr);
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int order = i == LARGE_ONE ? 2 : 0;

		entry_of(i)->index = i <= LARGE_ONE ? i : i + 3;
		entry_of(i)->flags = 3;
		entry_of(i)->pfn = PHYS_PFN(luo_folio(order));
	}
}

static void spoil_long_overlap(void)
{
	spoil_long();
	entry_of(LARGE_ONE + 1)->index -= 2;
}

static void spoil_long_lost(void)
{
	spoil_long();
	entry_of(LARGE_ONE)->pfn = PHYS_PFN(LUO_END);
}

static void spoil_long_unaligned(void)
{
	spoil_long();
	for (unsigned int i = LARGE_ONE; i < memfd->nr_folios; i++)
		entry_of(i)->index++;
}

static const struct {
	const char *name;
	void (*spoil)(void);
	bool defect;
} named[] = {
	{ "a memfd", spoil_nothing, false },
	{ "a memfd without folios", spoil_no_folios, false },
	{ "more folios than the array has", spoil_count, true },
	{ "so many folios that their size overflows", spoil_huge_count, true },
	{ "a size that is too large", spoil_size, true },
	{ "an unknown seal", spoil_seals, true },
	{ "a flag", spoil_flags, true },
	{ "a chunk that follows itself", spoil_chunk_cycle, true },
	{ "a chunk that does not wait", spoil_chunk_lost, true },
	{ "a page of the array that does not wait", spoil_array_lost, true },
	{ "a chunk as page of the array", spoil_array_self, true },
	{ "a folio that does not wait", spoil_lost, true },
	{ "a page of the array as folio", spoil_array_as_folio, true },
	{ "two folios at one index", spoil_same_index, true },
	{ "a folio in a larger one", spoil_overlap, true },
	{ "a folio that is not aligned", spoil_unaligned, true },
	{ "an entry without a folio", spoil_skipped, false },
	{ "an entry without a folio at the index of another", spoil_skipped_same, false },
	{ "an entry without a folio within a large folio", spoil_skipped_within, false },
	{ "a folio that ends after the file", spoil_end, false },
	{ "a folio after the end", spoil_after_end, false },
	{ "a folio at the last index of all", spoil_last_index, false },
	{ "many folios", spoil_long, false },
	{ "many folios, of which two overlap", spoil_long_overlap, true },
	{ "many folios, of which one does not wait", spoil_long_lost, true },
	{ "many folios, of which one is not aligned", spoil_long_unaligned, true },
};

static void run_named(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(named); i++) {
		const char *why = NULL;

		/* Run each case with different orders of calls. */
		for (u64 seed = 0; seed < 50 && !why; seed++) {
			random_seed(seed);
			forget();
			make_named();
			named[i].spoil();
			why = judge((u64)memfd);
			if (!why && named[i].defect != (want.defect || want.late || want.lost))
				why = "the oracle finds something else";
		}
		report(!why, named[i].name, why);
	}
}

static const char *run_case(u64 seed)
{
	u64 data;

	random_seed(seed);
	forget();
	make();
	data = (u64)memfd;
	for (unsigned int n = random_below(4); n; n--)
		changes[random_below(ARRAY_SIZE(changes))]();
	if (random_below(50) == 0)
		data += odd_number();

	return judge(data);
}

static void say(u64 seed, const char *why)
{
	printf("# --one %llu: %s (the kernel: %s, the oracle: %s, %s%s)\n",
	       (unsigned long long)seed, why, luo_world.last_said ?: "nothing",
	       want.defect ?: "no defect", want.late ?: "no defect", want.lost ? ", lost" : "");
}

static void run_random(u64 seed, u64 cases)
{
	unsigned long fine = 0, wrong = 0;
	char name[120];

	for (u64 i = 0; i < cases; i++) {
		const char *why = run_case(seed + i);

		fine += !luo_world.last_said;
		if (why && wrong++ < 10)
			say(seed + i, why);
	}
	snprintf(name, sizeof(name), "%llu cases from seed %llu: %lu without a message, %lu wrong",
		 (unsigned long long)cases, (unsigned long long)seed, fine, wrong);
	report(!wrong && fine && fine < cases, name, NULL);
}

int main(int argc, char **argv)
{
	struct fuzz_options options = { .seed = 1, .cases = 5000 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	luo_world_init();
	if (!fuzz_options(&options, argc, argv))
		return 2;
	if (options.one) {
		say(options.seed, run_case(options.seed) ?: "ok");
		return 0;
	}

	printf("1..%zu\n", ARRAY_SIZE(named) + 1);
	run_named();
	run_random(options.seed, options.cases);

	return failures ? 1 : 0;
}
