// SPDX-License-Identifier: GPL-2.0-only
/*
 * craft.c - writes what a previous kernel could have handed over
 *
 * The handover is in the format luo-v5, and is written word by word through the test
 * client of KHO that owns test_kho_raw, under a kernel with live update off. This is
 * independent of the kernel's own code and headers: all layouts are given as numbers.
 *
 * Most damage costs one session, so one handover has many sessions, each with damage of its
 * own. The name of a session says what is wrong with it; the scenario liveupdate-broken
 * knows how the kernel has to handle it.
 */

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/types.h>

#include "content.h"
#include "craft.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

/* ------------------------------------------------------------------- memory */

static int raw = -1;

static void must(long ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void add_hex(char *line, __u64 value)
{
	strlcat(line, " ", 100);
	u64toh_r(value, line + strlen(line));
}

static void order(const char *line)
{
	must(write(raw, line, strlen(line)) == (long)strlen(line), line);
}

static __u64 last_address(void)
{
	char line[32] = "";

	must(sys_pread(raw, line, sizeof(line) - 1, 0) > 0, "test_kho_raw");
	return strtoull(line, NULL, 16);
}

/* A zeroed folio that is preserved. */
static __u64 new_folio(unsigned int of_order)
{
	char line[100] = "folio ";

	u64toa_r(of_order, line + strlen(line));
	order(line);
	return last_address();
}

/* A zeroed page that is not preserved. */
static __u64 lost_page(void)
{
	order("page");
	return last_address();
}

static void put(__u64 addr, __u64 value)
{
	char line[100] = "put";

	add_hex(line, addr);
	add_hex(line, value);
	order(line);
}

/* @len is a multiple of 8. */
static void put_bytes(__u64 addr, const void *from, size_t len)
{
	const __u64 *words = from;

	for (size_t i = 0; i < len / 8; i++)
		if (words[i])
			put(addr + 8 * i, words[i]);
}

static void publish(const char *name, __u64 addr, __u64 size)
{
	char line[100] = "blob ";

	strlcat(line, name, 100);
	add_hex(line, addr);
	add_hex(line, size);
	order(line);
}

/* -------------------------------------------------------------- block lists */

#define HEADER 16
#define SESSION 80
#define FILE_ENTRY 64

static void put_header(__u64 block, __u64 next, __u64 count)
{
	put(block, next);
	put(block + 8, count);
}

static unsigned int most(unsigned int size)
{
	return (page_size() - HEADER) / size;
}

/* A list of one block with one file. */
static __u64 one_file(const char *handler, __u64 data, __u64 token)
{
	__u64 block = new_folio(0), name[6] = {};

	put_header(block, 0, 1);
	/* A name that fills all of it has no NUL. */
	memcpy(name, handler, strnlen(handler, sizeof(name)));
	put_bytes(block + HEADER, name, sizeof(name));
	put(block + HEADER + 48, data);
	put(block + HEADER + 56, token);
	return block;
}

/* ------------------------------------------------------------------- memfds */

struct entry {
	__u64 pfn, flags, index;
};

#define DIRTY 1
#define VALID 2
#define FULL (DIRTY | VALID)

/* A vmalloc area of one page with @nr entries. */
static void put_folios(__u64 at, const struct entry *entries, unsigned int nr)
{
	__u64 chunk = new_folio(0), page = new_folio(0);

	for (unsigned int i = 0; i < nr; i++) {
		put(page + 16 * i, entries[i].pfn | entries[i].flags << 52);
		put(page + 16 * i + 8, entries[i].index);
	}
	put(chunk + 8, page);
	put(at, chunk);
	put(at + 8, 1 | 1ULL << 32);	/* one page, VM_ALLOC, order 0 */
}

static __u64 memfd(__u64 pages, const struct entry *entries, unsigned int nr)
{
	__u64 data = new_folio(0);

	put(data + 8, pages * page_size());
	put(data + 24, nr);
	if (nr)
		put_folios(data + 32, entries, nr);
	return data;
}

/* A preserved page with content, for @index of a file. Returns its PFN. */
static __u64 content(__u64 index)
{
	static __u64 page[8192];
	__u64 addr = new_folio(0);

	content_fill(page, 5, index);
	put_bytes(addr, page, page_size());
	return addr / page_size();
}

static __u64 good_memfd(void)
{
	struct entry it[] = { { content(0), FULL, 0 }, { content(1), FULL, 1 } };

	return memfd(4, it, 2);
}

/* ----------------------------------------------------------------- sessions */

static struct session {
	char name[64];
	__u64 files, count;
} sessions[100];

static unsigned int nr_sessions;

static void session(const char *name, __u64 files, __u64 count)
{
	struct session *it = &sessions[nr_sessions++];

	memcpy(it->name, name, strnlen(name, sizeof(it->name)));
	it->files = files;
	it->count = count;
}

/* A session with one memfd, under token 1. */
static void with_memfd(const char *name, __u64 data)
{
	session(name, one_file("memfd-v2", data, 1), 1);
}

/*
 * Writes the list of sessions: a block with two of them, an empty block, a block with the
 * others, and an empty block.
 */
static __u64 put_sessions(void)
{
	__u64 first = new_folio(0), empty = new_folio(0);
	__u64 others = new_folio(0), end = new_folio(0), at;

	must(nr_sessions - 2 <= most(SESSION), "sessions");
	put_header(first, empty, 2);
	put_header(empty, others, 0);
	put_header(others, end, nr_sessions - 2);
	put_header(end, 0, 0);
	for (unsigned int i = 0; i < nr_sessions; i++) {
		at = i < 2 ? first + HEADER + SESSION * i : others + HEADER + SESSION * (i - 2);
		put_bytes(at, &sessions[i], SESSION);
	}
	return first;
}

static void put_blob(const char *compatible, __u64 list, __u64 flbs, __u64 size)
{
	__u64 it = new_folio(0), name = 0;

	memcpy(&name, compatible, strlen(compatible));
	put(it, name);
	put(it + 8, 3);
	put(it + 16, list);
	put(it + 24, flbs);
	publish("LUO", it, size);
}

/* Sessions whose lists of files are damaged. */
static void bad_lists(void)
{
	char handler[49] = "";
	__u64 a, b;

	session("unpreserved", lost_page(), 1);
	session("unaligned", new_folio(0) + 64, 1);
	session("beyond", 1ULL << 50, 1);
	session("large", new_folio(1), 0);

	a = one_file("memfd-v2", good_memfd(), 1);
	session("count-above", a, 2);
	a = one_file("memfd-v2", good_memfd(), 1);
	session("count-below", a, 0);
	a = one_file("memfd-v2", good_memfd(), 1);
	put_header(a, 0, most(FILE_ENTRY) + 1);
	session("overfull", a, most(FILE_ENTRY) + 1);

	a = one_file("memfd-v2", good_memfd(), 1);
	put_header(a, a, 1);
	session("cycle-of-one", a, 1);
	a = one_file("memfd-v2", good_memfd(), 1);
	b = one_file("memfd-v2", good_memfd(), 2);
	put_header(a, b, 1);
	put_header(b, a, 1);
	session("cycle-of-two", a, 2);
	a = one_file("memfd-v2", good_memfd(), 1);
	put_header(a, lost_page(), 1);
	session("cut-off", a, 1);

	session("no-handler", one_file("nobody-v1", new_folio(0), 1), 1);
	memset(handler, 'x', 48);
	session("no-nul", one_file(handler, new_folio(0), 1), 1);
	session("twice", one_file("memfd-v2", good_memfd(), 1), 1);
	session("twice", one_file("memfd-v2", good_memfd(), 1), 1);
}

/* Sessions whose only file is damaged. */
static void bad_files(void)
{
	struct entry it[4] = {};
	__u64 at;

	with_memfd("data-none", 0);
	with_memfd("data-unpreserved", lost_page());
	with_memfd("data-unaligned", new_folio(0) + 8);

	at = good_memfd();
	put(at, 1ULL << 63);
	with_memfd("position", at);
	at = good_memfd();
	put(at + 8, 1ULL << 63);
	with_memfd("size", at);
	at = good_memfd();
	put(at + 16, 0x80);
	with_memfd("seals", at);
	at = good_memfd();
	put(at + 16, 1ULL << 32);
	with_memfd("flags", at);
	at = good_memfd();
	put(at + 24, 10000);
	with_memfd("array-short", at);
	at = good_memfd();
	put(at + 24, 1ULL << 60);
	with_memfd("array-huge", at);
	at = good_memfd();
	put(at + 32, lost_page());
	with_memfd("array-unpreserved", at);

	it[0] = (struct entry){ lost_page() / page_size(), FULL, 0 };
	with_memfd("page-unpreserved", memfd(4, it, 1));
	it[0] = (struct entry){ 1ULL << 40, FULL, 0 };
	with_memfd("page-beyond", memfd(4, it, 1));
	it[0] = (struct entry){ content(0), FULL, 0 };
	it[1] = (struct entry){ content(0), FULL, 0 };
	with_memfd("page-two", memfd(4, it, 2));
	it[0] = (struct entry){ content(0), FULL, 0 };
	it[1] = (struct entry){ it[0].pfn, FULL, 1 };
	with_memfd("page-twice", memfd(4, it, 2));
	it[0] = (struct entry){ new_folio(2) / page_size(), FULL, 2 };
	with_memfd("page-odd", memfd(8, it, 1));
	it[0] = (struct entry){ new_folio(2) / page_size(), FULL, 0 };
	it[1] = (struct entry){ content(3), FULL, 3 };
	with_memfd("page-within", memfd(8, it, 2));
}

/* Sessions that are unusual, and valid. */
static void good_ones(void)
{
	char long_name[65] = "";
	struct entry it[4];
	__u64 a, b;

	with_memfd("good", good_memfd());

	/* Entries in any order, an entry to skip, and a page beyond the end of the file. */
	it[0] = (struct entry){ content(1), FULL, 1 };
	it[1] = (struct entry){ 0, FULL, 7 };
	it[2] = (struct entry){ content(9), FULL, 9 };
	it[3] = (struct entry){ content(0), FULL, 0 };
	with_memfd("any-order", memfd(4, it, 4));

	/* No program may see the content of a page that is not up to date. */
	it[0] = (struct entry){ content(0), FULL, 0 };
	it[1] = (struct entry){ content(1), FULL, 1 };
	it[2] = (struct entry){ content(2), DIRTY, 2 };
	it[3] = (struct entry){ content(3), 0, 3 };
	with_memfd("not-up-to-date", memfd(4, it, 4));

	/* A file in a block after an empty one; and a second one with the same token. */
	a = new_folio(0);
	b = one_file("memfd-v2", good_memfd(), 1);
	put_header(a, b, 0);
	put_header(b, one_file("memfd-v2", memfd(1, NULL, 0), 1), 1);
	session("empty-block", a, 2);

	session("no-files", 0, 0);
	memset(long_name, 'n', 64);
	with_memfd(long_name, good_memfd());
}

/*
 * Two sessions with the same memfd, and two with the same list of files. Only one session
 * of each pair can have it.
 */
static void same_files(void)
{
	__u64 data = good_memfd(), list;

	with_memfd("shared-1", data);
	with_memfd("shared-2", data);
	list = one_file("memfd-v2", good_memfd(), 1);
	session("list-1", list, 1);
	session("list-2", list, 1);
}

int craft(const char *kind)
{
	__u64 list, other;

	raw = open("/sys/kernel/debug/test_kho_raw", O_RDWR);
	must(raw >= 0, "test_kho_raw");
	if (!strcmp(kind, "sessions")) {
		good_ones();
		same_files();
		bad_lists();
		bad_files();
		put_blob("luo-v5", put_sessions(), lost_page(), 32);
		return 0;
	}

	good_ones();
	list = put_sessions();
	if (!strcmp(kind, "version")) {
		put_blob("luo-v9", list, 0, 32);
	} else if (!strcmp(kind, "small")) {
		put_blob("luo-v5", list, 0, 24);
	} else if (!strcmp(kind, "lost-list")) {
		put_blob("luo-v5", lost_page(), 0, 32);
	} else if (!strcmp(kind, "long-list")) {
		put_header(list, 0, most(SESSION) + 1);
		put_blob("luo-v5", list, 0, 32);
	} else if (!strcmp(kind, "cycle")) {
		other = new_folio(0);
		put_header(other, list, 0);
		put_header(list, other, 2);
		put_blob("luo-v5", list, 0, 32);
	} else {
		return 1;
	}
	return 0;
}
