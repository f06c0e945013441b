// SPDX-License-Identifier: GPL-2.0-only
/*
 * files.c - what an agent can be asked about files in shared memory
 *
 * Pages are counted from 0. "FIRST COUNT [STEP]" are the pages FIRST, FIRST + STEP, and
 * so on, COUNT of them; STEP is 1 if it is missing.
 */

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/types.h>

#include "agent.h"
#include "content.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Room for the largest page. */
static __u64 buffer[65536 / sizeof(__u64)];

static __u64 step(const char *arg)
{
	return arg ? number(arg) : 1;
}

/* Returns a mapping of @len bytes from page @index on, or NULL with errno set. */
static void *map(int fd, __u64 index, size_t len, int prot)
{
	void *at = mmap(NULL, len, prot, MAP_SHARED, fd, index * page_size());

	return at == MAP_FAILED ? NULL : at;
}

/* Reads a byte, so that its page is mapped. */
static void touch(const char *at)
{
	__asm__ volatile("" : : "r"(*at));
}

/* -------------------------------------------------------------------- making */

static unsigned int memfd_flag(const char *word)
{
	if (!strcmp(word, "exec"))
		return MFD_EXEC;
	if (!strcmp(word, "noexec"))
		return MFD_NOEXEC_SEAL;
	if (!strcmp(word, "hugetlb"))
		return MFD_HUGETLB;
	return 0;
}

/* All memfds can be sealed. */
static int do_memfd(char **arg)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

	if (arg[1])
		flags |= memfd_flag(arg[1]);
	return label_set(arg[0], memfd_create(arg[0], flags));
}

static int do_open_file(char **arg)
{
	int flags = O_RDWR | O_CLOEXEC;

	if (arg[2])
		flags |= !strcmp(arg[2], "unnamed") ? O_TMPFILE : O_CREAT;
	return label_set(arg[0], open(arg[1], flags, 0600));
}

static int do_size(char **arg)
{
	return sys_ftruncate(label_fd(arg[0]), number(arg[1]));
}

static int do_allocate(char **arg)
{
	int mode = arg[3] && !strcmp(arg[3], "keep") ? FALLOC_FL_KEEP_SIZE : 0;

	return sys_fallocate(label_fd(arg[0]), mode, number(arg[1]) * page_size(),
			     number(arg[2]) * page_size());
}

static int do_punch(char **arg)
{
	return sys_fallocate(label_fd(arg[0]), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     number(arg[1]) * page_size(), number(arg[2]) * page_size());
}

static int do_seal(char **arg)
{
	return sys_fcntl(label_fd(arg[0]), F_ADD_SEALS, number(arg[1]));
}

static int do_seek(char **arg)
{
	return lseek(label_fd(arg[0]), number(arg[1]), SEEK_SET) < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------- looking */

/* "size=BYTES blocks=PAGES pos=BYTES seals=0xN mode=0xN links=N access=N cloexec=N" */
static int do_stat(char **arg)
{
	int fd = label_fd(arg[0]), seals, flags;
	struct statx it;
	__s64 pos;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &it))
		return -1;
	pos = lseek(fd, 0, SEEK_CUR);
	seals = sys_fcntl(fd, F_GET_SEALS, 0);
	flags = sys_fcntl(fd, F_GETFL, 0);
	printf("size=%lu blocks=%lu pos=%ld seals=0x%x mode=0x%x links=%u access=%d cloexec=%d\n",
	       (unsigned long)it.stx_size, (unsigned long)(it.stx_blocks * 512 / page_size()),
	       (long)pos, seals, it.stx_mode & 07777, it.stx_nlink, flags & O_ACCMODE,
	       sys_fcntl(fd, F_GETFD, 0));
	return 0;
}

/*
 * Counts the pages and the runs of pages for which lseek() says that they are data.
 * Also prints a sum that depends on where the runs are.
 */
static int do_data(char **arg)
{
	int fd = label_fd(arg[0]);
	__u64 pages = 0, runs = 0, sum = 0;
	__s64 pos = lseek(fd, 0, SEEK_CUR), at = 0, end;

	if (pos < 0)
		return -1;
	while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
		end = lseek(fd, at, SEEK_HOLE);
		if (end < 0)
			return -1;
		pages += (end - at + page_size() - 1) / page_size();
		runs++;
		sum = sum * 31 + at / page_size() * 7 + end / page_size();
		at = end;
	}
	if (errno != ENXIO)
		return -1;
	lseek(fd, pos, SEEK_SET);
	printf("pages=%lu runs=%lu sum=%lx\n", (unsigned long)pages, (unsigned long)runs,
	       (unsigned long)sum);
	return 0;
}

/* ------------------------------------------------------------------- content */

static int report(const char *what, __u64 index, long offset)
{
	printf("page %lu is %s at byte %ld\n", (unsigned long)index, what, offset);
	return WRONG;
}

static int short_of(long n)
{
	if (n >= 0)
		errno = EIO;
	return -1;
}

static int do_write(char **arg)
{
	int fd = label_fd(arg[0]);
	__u64 index = number(arg[2]);

	for (__u64 n = number(arg[3]); n; n--, index += step(arg[4])) {
		long done;

		content_fill(buffer, number(arg[1]), index);
		done = sys_pwrite(fd, buffer, page_size(), index * page_size());
		if (done != (long)page_size())
			return short_of(done);
	}
	return 0;
}

static int do_check(char **arg)
{
	int fd = label_fd(arg[0]);
	__u64 index = number(arg[2]);

	for (__u64 n = number(arg[3]); n; n--, index += step(arg[4])) {
		long done = sys_pread(fd, buffer, page_size(), index * page_size()), at;

		if (done != (long)page_size())
			return short_of(done);
		at = content_wrong(buffer, number(arg[1]), index);
		if (at >= 0)
			return report("wrong", index, at);
	}
	return 0;
}

static int do_zero(char **arg)
{
	int fd = label_fd(arg[0]);
	__u64 index = number(arg[1]);

	for (__u64 n = number(arg[2]); n; n--, index += step(arg[3])) {
		long done = sys_pread(fd, buffer, page_size(), index * page_size()), at;

		if (done != (long)page_size())
			return short_of(done);
		at = content_not_zero(buffer);
		if (at >= 0)
			return report("not zero", index, at);
	}
	return 0;
}

/* The following do the same through a mapping of the whole range. */

static __u64 span(const char *count, const char *step_arg)
{
	return number(count) ? (number(count) - 1) * step(step_arg) + 1 : 0;
}

static int do_poke(char **arg)
{
	__u64 first = number(arg[2]), pages = span(arg[3], arg[4]);
	char *at = map(label_fd(arg[0]), first, pages * page_size(), PROT_READ | PROT_WRITE);

	if (!at)
		return -1;
	for (__u64 i = 0; i < pages; i += step(arg[4]))
		content_fill(at + i * page_size(), number(arg[1]), first + i);
	return munmap(at, pages * page_size());
}

static int do_peek(char **arg)
{
	__u64 first = number(arg[2]), pages = span(arg[3], arg[4]);
	char *at = map(label_fd(arg[0]), first, pages * page_size(), PROT_READ);
	int status = 0;

	if (!at)
		return -1;
	for (__u64 i = 0; i < pages && !status; i += step(arg[4])) {
		long wrong = content_wrong(at + i * page_size(), number(arg[1]), first + i);

		if (wrong >= 0)
			status = report("wrong", first + i, wrong);
	}
	munmap(at, pages * page_size());
	return status;
}

/* ------------------------------------------------------------------ mappings */

/* advise FILE FIRST COUNT WORD: calls madvise() on a mapping, which it then removes */
static int do_advise(char **arg)
{
	size_t len = number(arg[2]) * page_size();
	int advice = !strcmp(arg[3], "pageout") ? MADV_PAGEOUT : MADV_REMOVE;
	char *at = map(label_fd(arg[0]), number(arg[1]), len, PROT_READ | PROT_WRITE);
	int status, error;

	if (!at)
		return -1;
	/* Only pages that are mapped are paged out. */
	for (size_t i = 0; advice == MADV_PAGEOUT && i < len; i += page_size())
		touch(at + i);
	status = sys_madvise(at, len, advice);
	error = errno;
	munmap(at, len);
	errno = error;
	return status;
}

static size_t huge_size(void)
{
	return 512 * page_size() * (page_size() / 4096);
}

/* Maps a file at an address that is aligned for huge pages. unmap_huge() unmaps @area. */
static char *map_huge(int fd, size_t len, char **area)
{
	const size_t huge = huge_size();
	char *at;

	*area = mmap(NULL, len + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*area == MAP_FAILED)
		return NULL;
	at = (char *)(((unsigned long)*area + huge - 1) / huge * huge);
	at = mmap(at, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

static int unmap_huge(char *area, size_t len)
{
	return munmap(area, len + huge_size());
}

/* Writes pages through a mapping that is advised to have huge pages. */
static int do_huge(char **arg)
{
	size_t len = number(arg[2]) * page_size();
	char *area, *at = map_huge(label_fd(arg[0]), len, &area);

	if (!at || sys_madvise(at, len, MADV_HUGEPAGE))
		return -1;
	for (size_t i = 0; i < len; i += page_size())
		content_fill(at + i, number(arg[1]), i / page_size());
	return unmap_huge(area, len);
}

/* Collapses small pages into huge ones. */
static int do_collapse(char **arg)
{
	size_t len = number(arg[1]) * page_size();
	char *area, *at = map_huge(label_fd(arg[0]), len, &area);

	return !at || sys_madvise(at, len, MADV_COLLAPSE) ? -1 : unmap_huge(area, len);
}

/*
 * Prints a sum that depends on the physical page of each page, and on their order. Root can
 * see these in pagemap, for pages that are mapped.
 */
static int do_frames(char **arg)
{
	size_t len = number(arg[2]) * page_size();
	char *at = map(label_fd(arg[0]), number(arg[1]), len, PROT_READ);
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	__u64 sum = 0, entry;

	if (!at || pagemap < 0)
		return -1;
	for (size_t i = 0; i < len; i += page_size()) {
		touch(at + i);
		if (sys_pread(pagemap, &entry, 8, ((unsigned long)at + i) / page_size() * 8) != 8)
			return -1;
		/* Bit 63: the page is there. The lower 55 bits are its frame. */
		if (!(entry >> 63) || !(entry << 9)) {
			errno = ENOENT;
			return -1;
		}
		sum = (sum ^ (entry & ((1ULL << 55) - 1))) * 0x100000001b3ULL;
	}
	close(pagemap);
	munmap(at, len);
	printf("%lx\n", (unsigned long)sum);
	return 0;
}

/* ---------------------------------------------------------- another process */

/*
 * Fills one page after another, through a mapping, and writes to the first word of the
 * other file how many it has filled. Never ends by itself.
 */
static void filler(int fd, int progress, char **arg)
{
	__u64 first = number(arg[2]), count = number(arg[3]);
	char *at = map(fd, first, count * page_size(), PROT_READ | PROT_WRITE);
	__u64 *done = map(progress, 0, page_size(), PROT_READ | PROT_WRITE);

	if (!at || !done)
		exit(1);
	for (__u64 i = 0; i < count; i++) {
		content_fill(at + i * page_size(), number(arg[1]), first + i);
		__atomic_store_n(done, i + 1, __ATOMIC_RELEASE);
	}
	while (1)
		sleep(1000);
}

/* The other process has only these two files open, and no session in particular. */
static int do_filler(char **arg)
{
	int fd = label_fd(arg[0]), progress = label_fd(arg[4]);
	int pid = fork();

	if (pid < 0)
		return -1;
	if (!pid) {
		/* sys_close_range() does not close these copies, which are above 199. */
		int a = sys_fcntl(fd, F_DUPFD, 200), b = sys_fcntl(progress, F_DUPFD, 200);

		sys_close_range(3, 199);
		sys_close_range(1, 1);
		filler(a, b, arg);
	}
	printf("%d\n", pid);
	return 0;
}

/*
 * filled FILE SEED FIRST COUNT PROGRESS: checks that the pages which the filler has counted
 * are right, and that all others are zero, except the next one, which may be filled in
 * part. Prints how many pages the filler has counted.
 */
static int do_filled(char **arg)
{
	int fd = label_fd(arg[0]);
	__u64 first = number(arg[2]), count = number(arg[3]), done = 0;

	if (sys_pread(label_fd(arg[4]), &done, 8, 0) != 8)
		return -1;
	for (__u64 i = 0; i < count; i++) {
		long n = sys_pread(fd, buffer, page_size(), (first + i) * page_size()), at;

		if (n != (long)page_size())
			return short_of(n);
		at = i < done ? content_wrong(buffer, number(arg[1]), first + i) :
		     i > done ? content_not_zero(buffer) : -1;
		if (at >= 0)
			return report(i < done ? "wrong" : "not zero", first + i, at);
	}
	printf("%lu\n", (unsigned long)done);
	return 0;
}

static int do_progress(char **arg)
{
	__u64 done;

	if (sys_pread(label_fd(arg[0]), &done, 8, 0) != 8)
		return -1;
	printf("%lu\n", (unsigned long)done);
	return 0;
}

const struct command file_commands[] = {
	{ "memfd", 1, 2, do_memfd, "FILE [exec|noexec|hugetlb]" },
	{ "open-file", 2, 3, do_open_file, "FILE PATH [unnamed|new]" },
	{ "size", 2, 2, do_size, "FILE BYTES" },
	{ "allocate", 3, 4, do_allocate, "FILE FIRST COUNT [keep]" },
	{ "punch", 3, 3, do_punch, "FILE FIRST COUNT" },
	{ "seal", 2, 2, do_seal, "FILE SEALS" },
	{ "seek", 2, 2, do_seek, "FILE BYTES" },
	{ "stat", 1, 1, do_stat, "FILE" },
	{ "data", 1, 1, do_data, "FILE" },
	{ "write", 4, 5, do_write, "FILE SEED FIRST COUNT [STEP]" },
	{ "check", 4, 5, do_check, "FILE SEED FIRST COUNT [STEP]" },
	{ "zero", 3, 4, do_zero, "FILE FIRST COUNT [STEP]" },
	{ "poke", 4, 5, do_poke, "FILE SEED FIRST COUNT [STEP]" },
	{ "peek", 4, 5, do_peek, "FILE SEED FIRST COUNT [STEP]" },
	{ "advise", 4, 4, do_advise, "FILE FIRST COUNT pageout|remove" },
	{ "huge", 3, 3, do_huge, "FILE SEED COUNT" },
	{ "collapse", 2, 2, do_collapse, "FILE COUNT" },
	{ "frames", 3, 3, do_frames, "FILE FIRST COUNT" },
	{ "filler", 5, 5, do_filler, "FILE SEED FIRST COUNT PROGRESS" },
	{ "filled", 5, 5, do_filled, "FILE SEED FIRST COUNT PROGRESS" },
	{ "progress", 1, 1, do_progress, "PROGRESS" },
	{}
};
