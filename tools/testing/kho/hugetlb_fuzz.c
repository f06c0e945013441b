// SPDX-License-Identifier: GPL-2.0-only
/*
 * hugetlb_fuzz - tests how the kernel checks damaged files and pools of hugetlb pages
 *
 *   hugetlb_fuzz [--seed N] [--cases N] [--one SEED]
 *
 * Each case is an incoming file and an incoming blob of pools, with up to three changes,
 * which the seed determines. The kernel's code, mm/hugetlb_luo_check.c, must agree with an
 * oracle, which marks each page of a small machine and of a small file that an entry names.
 * The pages of an accepted file must be sorted afterwards. AddressSanitizer and UBSan check
 * the kernel's code, which gets each array in an allocation of exactly its size.
 *
 * Prints TAP. The exit status is 0 only if all results are "ok".
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/kho/abi/hugetlb.h>

#include "options.h"

/* What mm/hugetlb_luo_check.c needs from the kernel, in addition to luo/kernel.h. */

#define CONFIG_LIVEUPDATE_HUGETLB

#define MAX_LFS_FILESIZE	((u64)LLONG_MAX)
#ifndef F_SEAL_SEAL
#define F_SEAL_SEAL		0x1
#define F_SEAL_SHRINK		0x2
#define F_SEAL_GROW		0x4
#define F_SEAL_WRITE		0x8
#define F_SEAL_FUTURE_WRITE	0x10
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC		0x20
#endif
#define PHYS_ADDR_MAX		(~(phys_addr_t)0)

/* The machine: large pages of 8 base pages, one of which contains a border of two zones. */
#define ORDER			3
#define NR_FRAMES		64UL
#define BORDER			(40UL * 8 + 4)

struct hstate {
	unsigned int order;
};

struct page;
struct zone;
struct folio;
struct resv_map;
struct file;

static struct hstate the_hstate = { .order = ORDER };
static unsigned long max_pfn = NR_FRAMES << ORDER;
static bool waits[NR_FRAMES];
static bool no_memory;

#define huge_page_order(h)	((h)->order)
#define huge_page_shift(h)	((h)->order + PAGE_SHIFT)
#define pfn_to_page(pfn)	((struct page *)(pfn))
#define page_zone(page)		((unsigned long)(page) >= BORDER)
#define kvcalloc(nr, size, gfp)	(no_memory || (gfp) ? NULL : calloc(nr, size))
#define kvfree(p)		free(p)
#undef __test_and_set_bit
#define __test_and_set_bit(nr, addr)	test_and_set(nr, addr)
#define sort(base, nr, size, cmp, exchange)	((void)(exchange), qsort(base, nr, size, cmp))
#define memchr_inv(p, c, size)	find_other(p, c, size)

static bool test_and_set(unsigned long nr, unsigned long *addr)
{
	unsigned long *word = addr + nr / BITS_PER_LONG, bit = 1UL << nr % BITS_PER_LONG;
	bool was = *word & bit;

	*word |= bit;

	return was;
}

static const void *find_other(const void *p, int c, size_t size)
{
	for (const u8 *it = p; size; it++, size--) {
		if (*it != c)
			return it;
	}

	return NULL;
}

static struct hstate *size_to_hstate(unsigned long size)
{
	return size == PAGE_SIZE << ORDER ? &the_hstate : NULL;
}

/* Only the first PFN of a large page has a folio that waits. */
int kho_waiting_order(unsigned long pfn)
{
	if (pfn >= max_pfn || !waits[pfn >> ORDER])
		return -1;

	return pfn % (1 << ORDER) ? -1 : ORDER;
}

bool kho_vmalloc_is_valid(const struct kho_vmalloc *kv)
{
	return kv->first.phys && kv->total_pages && kv->flags == 1 && !kv->order;
}

static unsigned int said;

void luo_say(const char *fmt, ...)
{
	said++;
}

#include "../../../mm/hugetlb_luo_check.c"

/*
 * A case
 */

#define MOST		24
#define FILE_PAGES	48UL

static struct hugetlb_luo_folio_ser entries[MOST];
static struct hugetlb_luo_range_ser ranges[MOST];
static unsigned long nr, nr_ranges;
static struct hugetlb_luo_ser ser;

static struct {
	struct hugetlb_luo_pools_ser head;
	struct hugetlb_luo_pool_ser pools[MOST];
} blob;

static size_t blob_size;
static unsigned long folios[KHO_MAX_FOLIO_ORDER + 1];

static u64 state;

static u64 random_below(u64 limit)
{
	/* splitmix64 */
	u64 z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;

	return (z ^ z >> 31) % limit;
}

/* A number that is likely to be wrong. */
static u64 odd_number(void)
{
	static const u64 some[] = { 0, 1, 2, 7, 8, 63, 64, 1ULL << 31, 1ULL << 32, 1ULL << 52,
				    1ULL << 60, 1ULL << 63, ~0ULL, ~0ULL - 7, LLONG_MAX };

	return some[random_below(ARRAY_SIZE(some))] + random_below(3) - 1;
}

static void exchange(struct hugetlb_luo_folio_ser *a, struct hugetlb_luo_folio_ser *b)
{
	const struct hugetlb_luo_folio_ser was = *a;

	*a = *b;
	*b = was;
}

static void make_file(void)
{
	unsigned long frame = random_below(8), index = random_below(3);

	nr = random_below(8);
	nr_ranges = random_below(6);
	for (unsigned long i = 0; i < NR_FRAMES; i++)
		waits[i] = i << ORDER != (BORDER & ~7UL);
	for (unsigned long i = 0; i < nr; i++) {
		entries[i] = (struct hugetlb_luo_folio_ser){ frame << ORDER, index };
		frame += 1 + random_below(4);
		index += 1 + random_below(3);
	}
	/* The ranges come after the pages, so that they contain none. */
	for (unsigned long i = 0; i < nr_ranges; i++) {
		ranges[i].from = index + random_below(2);
		ranges[i].to = ranges[i].from + 1 + random_below(2);
		index = ranges[i].to;
	}
	for (unsigned long i = nr; i > 1; i--)
		exchange(&entries[i - 1], &entries[random_below(i)]);
	ser = (struct hugetlb_luo_ser){
		.page_size = PAGE_SIZE << ORDER,
		.size = FILE_PAGES * (PAGE_SIZE << ORDER),
		.seals = random_below(0x40),
		.mode = random_below(010000),
		.nr_folios = nr,
		.nr_ranges = nr_ranges,
	};
	if (nr)
		ser.folios = (struct kho_vmalloc){ .first.phys = 4096, .total_pages = 1,
						   .flags = 1 };
	if (nr_ranges)
		ser.ranges = (struct kho_vmalloc){ .first.phys = 8192, .total_pages = 1,
						   .flags = 1 };
}

static void make_pools(void)
{
	unsigned int n = random_below(6);

	memset(&blob, 0, sizeof(blob));
	memset(folios, 0, sizeof(folios));
	strscpy(blob.head.compatible, HUGETLB_LUO_POOLS_COMPATIBLE,
		sizeof(blob.head.compatible));
	blob.head.nr = n;
	for (unsigned int i = 0; i < n; i++) {
		const unsigned int order = 1 + random_below(KHO_MAX_FOLIO_ORDER);

		blob.pools[i].page_size = PAGE_SIZE << order;
		blob.pools[i].nid = i;
		blob.pools[i].pages = random_below(100);
		blob.pools[i].surplus = random_below(blob.pools[i].pages + 1);
		blob.pools[i].reserved = random_below(100);
		folios[order] += blob.pools[i].pages;
	}
	blob_size = sizeof(blob.head) + n * sizeof(blob.pools[0]);
}

static u64 *word_of(void *p, size_t size)
{
	return (u64 *)p + random_below(size / sizeof(u64));
}

/* Changes a word, copies the PFN of a page to another, loses a folio or cuts the blob. */
static void change(void)
{
	switch (random_below(8)) {
	case 0:
		entries[random_below(MOST)].pfn = random_below(2) ? odd_number() :
			random_below(max_pfn);
		break;
	case 1:
		entries[random_below(MOST)].index = random_below(2) ? odd_number() :
			random_below(FILE_PAGES);
		break;
	case 2:
		if (nr)
			entries[random_below(nr)].pfn = entries[random_below(nr)].pfn;
		break;
	case 3:
		*word_of(ranges, sizeof(ranges)) = random_below(2) ? odd_number() :
			random_below(FILE_PAGES);
		break;
	case 4:
		*word_of(&ser, sizeof(ser)) = odd_number();
		break;
	case 5:
		waits[random_below(NR_FRAMES)] = false;
		break;
	case 6:
		*word_of(&blob, sizeof(blob.head) + 6 * sizeof(blob.pools[0])) = odd_number();
		break;
	case 7:
		blob_size -= min_t(size_t, blob_size, random_below(48));
		break;
	}
}

/*
 * The oracle
 */

static bool array_right(const struct kho_vmalloc *kv, u64 count, unsigned int of_page)
{
	if (!count)
		return !kv->first.phys && !kv->total_pages && !kv->flags && !kv->order;

	return kho_vmalloc_is_valid(kv) &&
	       (count - 1) / of_page < kv->total_pages;
}

/* Returns 0, or the error with which the kernel must refuse the structure. */
static int ser_error(void)
{
	const u64 size = ser.page_size;
	bool other;

	if (__builtin_popcountll(size) != 1 || (s64)ser.size < 0 ||
	    (s64)ser.pos < 0 || ser.mode > 07777)
		return -EINVAL;
	other = size != PAGE_SIZE << ORDER || ser.seals > 0x3f;
	if (other)
		return -EOPNOTSUPP;

	return array_right(&ser.folios, ser.nr_folios, 256) &&
	       array_right(&ser.ranges, ser.nr_ranges, 256) ? 0 : -EINVAL;
}

static u8 file_has[FILE_PAGES], frame_has[NR_FRAMES];

static bool entries_right(void)
{
	memset(file_has, 0, sizeof(file_has));
	memset(frame_has, 0, sizeof(frame_has));
	for (unsigned long i = 0; i < nr; i++) {
		if (entries[i].index >= FILE_PAGES || entries[i].pfn >= max_pfn ||
		    entries[i].pfn % 8 || !waits[entries[i].pfn / 8] ||
		    entries[i].pfn == (BORDER & ~7UL) || file_has[entries[i].index]++ ||
		    frame_has[entries[i].pfn / 8]++)
			return false;
	}

	return true;
}

static bool ranges_right(unsigned long *reserved)
{
	*reserved = 0;
	for (unsigned long i = 0; i < nr_ranges; i++) {
		const struct hugetlb_luo_range_ser *it = &ranges[i];

		if (it->from >= it->to || it->to > (u64)LLONG_MAX >> (PAGE_SHIFT + ORDER))
			return false;
		for (unsigned long k = 0; k < i; k++) {
			if (it->from < ranges[k].to && ranges[k].from < it->to)
				return false;
		}
		for (unsigned long k = 0; k < nr; k++) {
			if (entries[k].index >= it->from && entries[k].index < it->to)
				return false;
		}
		*reserved += it->to - it->from;
	}

	return true;
}

static bool pools_right(void)
{
	if (blob_size < sizeof(blob.head) ||
	    strncmp(blob.head.compatible, "hugetlb-v1", sizeof(blob.head.compatible)) ||
	    blob.head.nr > MOST ||
	    blob.head.nr * sizeof(blob.pools[0]) > blob_size - sizeof(blob.head))
		return false;
	for (u64 i = 0; i < blob.head.nr; i++) {
		const struct hugetlb_luo_pool_ser *pool = &blob.pools[i];
		unsigned int order = 0;
		u64 left;

		while (order <= KHO_MAX_FOLIO_ORDER && pool->page_size != PAGE_SIZE << order)
			order++;
		if (!order || order > KHO_MAX_FOLIO_ORDER || pool->surplus > pool->pages ||
		    pool->reserved > ~0ULL >> PAGE_SHIFT >> order)
			return false;
		left = folios[order];
		for (u64 k = 0; k <= i; k++) {
			if (blob.pools[k].page_size != pool->page_size)
				continue;
			if (blob.pools[k].pages > left)
				return false;
			left -= blob.pools[k].pages;
		}
	}

	return true;
}

/*
 * Comparing the kernel with the oracle
 */

static void *copy_of(const void *from, size_t size)
{
	return memcpy(malloc(size ?: 1), from, size);
}

static const char *judge_pools(void)
{
	void *copy = copy_of(&blob, blob_size);
	bool right = hugetlb_luo_check_pools(copy, blob_size, folios);

	free(copy);

	return right == pools_right() ? NULL : "a blob of pools";
}

static const char *judge_entries(struct hugetlb_luo_folio_ser *copy)
{
	int err;

	no_memory = random_below(20) == 0;
	err = hugetlb_luo_check_entries(&the_hstate, FILE_PAGES, copy, nr);
	if (no_memory)
		return err == -ENOMEM && !said ? NULL : "pages without memory";
	if (err && (err != -EINVAL || said != 1))
		return "an error has not one message";
	if (!err != entries_right())
		return "pages of a file";
	for (unsigned long i = 1; i < nr && !err; i++) {
		if (copy[i - 1].index >= copy[i].index)
			return "pages are not sorted";
	}

	return NULL;
}

static const char *judge_file(void)
{
	struct hugetlb_luo_folio_ser *copy = copy_of(entries, nr * sizeof(entries[0]));
	struct hugetlb_luo_range_ser *to = copy_of(ranges, nr_ranges * sizeof(ranges[0]));
	unsigned long reserved, should;
	const char *why;
	int err;

	said = 0;
	why = hugetlb_luo_check_ser(&ser) == ser_error() ? NULL : "a structure";
	if (!why)
		why = judge_entries(copy);
	if (!why && !said && !no_memory) {
		err = hugetlb_luo_check_ranges(&the_hstate, to, nr_ranges, copy, nr, &reserved);
		if (err && (err != -EINVAL || said != 1))
			why = "an error has not one message";
		else if (!err != ranges_right(&should) || (!err && reserved != should))
			why = "what is reserved";
	}
	free(copy);
	free(to);

	return why;
}

static const char *run_case(u64 seed)
{
	const char *why;

	state = seed;
	make_file();
	make_pools();
	for (unsigned int n = random_below(4); n; n--)
		change();

	why = judge_pools();

	return why ?: judge_file();
}

int main(int argc, char **argv)
{
	struct fuzz_options options = { .seed = 1, .cases = 200000 };
	unsigned long long fine = 0, sound = 0, wrong = 0;

	if (!fuzz_options(&options, argc, argv))
		return 2;
	if (options.one) {
		printf("# %s\n", run_case(options.seed) ?: "ok");
		return 0;
	}

	printf("1..1\n");
	for (u64 i = 0; i < options.cases; i++) {
		const char *why = run_case(options.seed + i);

		fine += !said;
		sound += pools_right();
		if (why && wrong++ < 10)
			printf("# --one %llu: the kernel is wrong about %s\n",
			       options.seed + i, why);
	}
	wrong += !fine || fine == options.cases || !sound || sound == options.cases;
	printf("%sok 1 - %llu cases from seed %llu: ", wrong ? "not " : "", options.cases,
	       options.seed);
	printf("%llu files and %llu blobs are sound, %llu wrong\n", fine, sound, wrong);

	return wrong ? 1 : 0;
}
