// SPDX-License-Identifier: GPL-2.0-only
/*
 * luo-bench - measures live update
 *
 *   luo-bench preserve WHAT    makes sessions and files, and leaves a process that keeps
 *                              them
 *   luo-bench retrieve WHAT    in the next kernel: retrieves all of them
 *
 * WHAT is one of
 *
 *   session               a session without a file
 *   memfd,MIB,STEP        a file of MIB MiB, with every STEPth page written
 *   late,MIB,1            such a file, whose pages are written after it was preserved, in
 *                         no order
 *   sessions,COUNT        COUNT sessions, each with a file of one page
 *   files,COUNT           a session with COUNT files of one page
 *   works,MIB,COUNT       COUNT sessions, each with a file of MIB MiB; they are populated
 *                         with one CPU and with two CPUs by turns
 *
 * Prints lines "NAME VALUE" in cycles of the clock of clock.h. A value is for one call,
 * unless the comment where it is printed says what else it is for. If something fails
 * there is a line "failed WHAT".
 *
 * The program uses only what all implementations of live update have, so that it can
 * measure each of them.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/types.h>

#include "../kho/clock.h"
#include "session.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

#define PAGE		4096UL
#define MIB		1048576UL
#define DEVICE		"/dev/liveupdate"
#define SECOND_CPU	"/sys/devices/system/cpu/cpu1/online"

/* Aligned for huge pages, in this kernel and in the next one. */
#define MAP_AT		((void *)0x100000000000UL)

/* With this stride, modulo COUNT, each item is reached, in an order that no list has. */
#define STRIDE		7919UL

static void fail(const char *what)
{
	printf("failed %s: error %d\n", what, errno);
	exit(1);
}

/* Returns @value, unless it says that a call has failed. */
static int check(int value, const char *what)
{
	if (value < 0)
		fail(what);
	return value;
}

static void tell(const char *name, __u64 value)
{
	printf("%s %lu\n", name, (unsigned long)value);
}

/* Returns the next of the numbers in @words, each of which comes after a comma. */
static __u64 number(const char **words)
{
	char *end;
	__u64 value;

	if (**words != ',')
		fail("arguments");
	value = strtoul(*words + 1, &end, 10);
	*words = end;
	return value;
}

static const char *name_of(__u64 i)
{
	static char name[64] = "bench-";

	u64toa_r(i, name + strlen("bench-"));
	return name;
}

static int open_device(void)
{
	return check(open(DEVICE, O_RDWR | O_CLOEXEC), "open");
}

static void raise_limit(__u64 fds)
{
	struct rlimit it = { .rlim_cur = fds, .rlim_max = fds };

	check(setrlimit(RLIMIT_NOFILE, &it), "setrlimit");
}

/* ------------------------------------------------------------------------ a file */

static char *map(int fd, __u64 size)
{
	void *at = mmap(MAP_AT, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);

	if (at == MAP_FAILED)
		fail("mmap");
	return at;
}

static int make_empty(__u64 size, char **at)
{
	int fd = check(memfd_create("bench", MFD_CLOEXEC), "memfd_create");

	check(sys_ftruncate(fd, size), "ftruncate");
	*at = map(fd, size);
	return fd;
}

/* The first word of a page that was written says which one it is. */
static void write_page(char *at, __u64 page)
{
	*(__u64 *)(at + page * PAGE) = page + 1;
}

static int make_file(__u64 size, __u64 step)
{
	char *at;
	int fd = make_empty(size, &at);

	for (__u64 page = 0; page < size / PAGE; page += step)
		write_page(at, page);
	return fd;
}

/* Reads a word of every @step-th page from @page on. */
static __u64 touch(const char *at, __u64 page, __u64 end, __u64 step)
{
	__u64 sum = 0;

	for (; page < end; page += step)
		sum += *(const __u64 *)(at + page * PAGE);
	return sum;
}

/* What touch() should return. */
static __u64 sum_of(__u64 page, __u64 end, __u64 step)
{
	__u64 sum = 0;

	for (; page < end; page += step)
		sum += page + 1;
	return sum;
}

static __u64 kib_of(int fd)
{
	struct statx it;

	check(syscall(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_BLOCKS, &it), "statx");
	return it.stx_blocks / 2;
}

/* ------------------------------------------------------------------------ preserve */

static void preserve_session(const char *words)
{
	(void)words;
	check(session_create(open_device(), name_of(0)), "create");
}

static void preserve_memfd(const char *words)
{
	__u64 size = number(&words) * MIB, step = number(&words), clock;
	int session = check(session_create(open_device(), name_of(0)), "create");
	int fd = make_file(size, step);

	clock = read_clock();
	check(session_preserve(session, 0, fd), "preserve");
	tell("preserve", read_clock() - clock);
	tell("kib", kib_of(fd));
}

static void preserve_late(const char *words)
{
	__u64 size = number(&words) * MIB, pages = size / PAGE;
	int session = check(session_create(open_device(), name_of(0)), "create");
	char *at;
	int fd = make_empty(size, &at);

	check(session_preserve(session, 0, fd), "preserve");
	for (__u64 i = 0; i < pages; i++)
		write_page(at, i * STRIDE % pages);
}

static void preserve_small(int session, __u64 token, __u64 *clocks)
{
	int fd = make_file(PAGE, 1);
	__u64 clock = read_clock();

	check(session_preserve(session, token, fd), "preserve");
	*clocks += read_clock() - clock;
	close(fd);
}

static void preserve_sessions(const char *words)
{
	__u64 count = number(&words), creates = 0, preserves = 0;
	int device = open_device();

	raise_limit(count + 100);
	for (__u64 i = 0; i < count; i++) {
		__u64 clock = read_clock();
		int session = check(session_create(device, name_of(i)), "create");

		creates += read_clock() - clock;
		preserve_small(session, i, &preserves);
	}
	tell("create", creates / count);
	tell("preserve", preserves / count);
}

static void preserve_files(const char *words)
{
	__u64 count = number(&words), preserves = 0;
	int session = check(session_create(open_device(), name_of(0)), "create");

	for (__u64 i = 0; i < count; i++)
		preserve_small(session, i, &preserves);
	tell("preserve", preserves / count);
}

static void preserve_works(const char *words)
{
	__u64 size = number(&words) * MIB, count = number(&words);
	int device = open_device();

	for (__u64 i = 0; i < count; i++) {
		int session = check(session_create(device, name_of(i)), "create");
		int fd = make_file(size, 1);

		check(session_preserve(session, i, fd), "preserve");
		close(fd);
	}
}

/* ------------------------------------------------------------------------ retrieve */

/* Opens the device and retrieves a session. */
static int first_session(int *device)
{
	__u64 clock = read_clock();
	int session;

	*device = open_device();
	session = check(session_retrieve(*device, name_of(0)), "retrieve");
	/* The value is for both calls. */
	tell("open", read_clock() - clock);
	return session;
}

static void retrieve_session(const char *words)
{
	int device;

	(void)words;
	first_session(&device);
}

static void retrieve_memfd(const char *words)
{
	__u64 pages = number(&words) * (MIB / PAGE), step = number(&words), sum, clock;
	int device, session = first_session(&device), fd;
	char *at;

	clock = read_clock();
	fd = check(session_take(session, 0), "take");
	tell("take", read_clock() - clock);

	at = map(fd, pages * PAGE);
	clock = read_clock();
	sum = touch(at, 0, 1, 1);
	tell("touch-first", read_clock() - clock);

	clock = read_clock();
	sum += touch(at, step, pages, step);
	/* The value is for all pages that were written, except the first one. */
	tell("touch-rest", read_clock() - clock);
	if (sum != sum_of(0, pages, step))
		fail("content");
	tell("kib", kib_of(fd));

	clock = read_clock();
	check(session_finish(session), "finish");
	tell("finish", read_clock() - clock);
}

static void retrieve_sessions(const char *words)
{
	__u64 count = number(&words), takes = 0, finishes = 0, start, clock;
	int device;

	raise_limit(count + 100);
	start = read_clock();
	first_session(&device);
	for (__u64 i = 1; i < count; i++)
		check(session_retrieve(device, name_of(i * STRIDE % count)), "retrieve");
	/* The value includes the time to open the device. */
	tell("retrieve", (read_clock() - start) / count);

	/* The sessions have the descriptors from @device + 1 on. */
	for (__u64 i = 0; i < count; i++) {
		int session = device + 1 + i, fd;

		clock = read_clock();
		fd = check(session_take(session, i * STRIDE % count), "take");
		takes += read_clock() - clock;
		if (touch(map(fd, PAGE), 0, 1, 1) != 1)
			fail("content");
		close(fd);

		clock = read_clock();
		check(session_finish(session), "finish");
		finishes += read_clock() - clock;
	}
	tell("take", takes / count);
	tell("finish", finishes / count);
}

static void retrieve_files(const char *words)
{
	__u64 count = number(&words), takes = 0, clock;
	int device, session = first_session(&device);

	for (__u64 i = 0; i < count; i++) {
		int fd;

		clock = read_clock();
		fd = check(session_take(session, i * STRIDE % count), "take");
		takes += read_clock() - clock;
		if (touch(map(fd, PAGE), 0, 1, 1) != 1)
			fail("content");
		close(fd);
	}
	tell("take", takes / count);

	clock = read_clock();
	check(session_finish(session), "finish");
	/* The value is for one file. */
	tell("finish", (read_clock() - clock) / count);
}

static void use_second_cpu(int use)
{
	int fd = check(open(SECOND_CPU, O_WRONLY), "second cpu");
	/* This fails if the CPU already is in that state. */
	long len = write(fd, use ? "1" : "0", 1);

	(void)len;
	close(fd);
}

/* FINISH returns when all pages are there. */
static void retrieve_works(const char *words)
{
	__u64 pages = number(&words) * (MIB / PAGE), count = number(&words);
	__u64 best[2] = { ~0ULL, ~0ULL };
	int device = open_device();

	for (__u64 i = 0; i < count; i++) {
		int session = check(session_retrieve(device, name_of(i)), "retrieve"), fd;
		__u64 clock;

		use_second_cpu(i & 1);
		clock = read_clock();
		fd = check(session_take(session, i), "take");
		check(session_finish(session), "finish");
		clock = read_clock() - clock;
		if (clock < best[i & 1])
			best[i & 1] = clock;
		if (touch(map(fd, pages * PAGE), 0, pages, 1) != sum_of(0, pages, 1))
			fail("content");
		close(session);
	}
	tell("works-1", best[0]);
	tell("works-2", best[1]);
}

/* ---------------------------------------------------------------------------- both */

static const struct {
	const char *name;
	void (*preserve)(const char *words);
	void (*retrieve)(const char *words);
} kinds[] = {
	{ "session", preserve_session, retrieve_session },
	{ "memfd", preserve_memfd, retrieve_memfd },
	{ "late", preserve_late, retrieve_memfd },
	{ "sessions", preserve_sessions, retrieve_sessions },
	{ "files", preserve_files, retrieve_files },
	{ "works", preserve_works, retrieve_works },
};

/* A child keeps the sessions and files. It closes standard input, output and error. */
static void stay(void)
{
	if (check(fork(), "fork"))
		return;
	setsid();
	sys_close_range(0, 2);
	for (;;)
		poll(NULL, 0, -1);
}

int main(int argc, char **argv)
{
	const char *verb = argc == 3 ? argv[1] : "", *words = argc == 3 ? argv[2] : "";

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i].name);

		if (strncmp(words, kinds[i].name, len) || (words[len] && words[len] != ','))
			continue;
		if (!strcmp(verb, "preserve")) {
			kinds[i].preserve(words + len);
			stay();
			return 0;
		}
		if (!strcmp(verb, "retrieve")) {
			kinds[i].retrieve(words + len);
			return 0;
		}
	}

	fprintf(stderr, "usage: luo-bench preserve|retrieve WHAT\n");
	return 2;
}
