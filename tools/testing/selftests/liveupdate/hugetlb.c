// SPDX-License-Identifier: GPL-2.0-only
/*
 * hugetlb.c - what an agent can be asked about files of hugetlb pages
 *
 * Pages are those of the file, counted from 0. "FIRST COUNT [STEP]" is as in files.c. Only
 * the first and the last base page of each page are written and checked, because the files
 * of the scenarios have several GiB.
 */

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/types.h>

#include "agent.h"
#include "content.h"
#include "session.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

static __u64 buffer[65536 / sizeof(__u64)];

static __u64 step(const char *arg)
{
	return arg ? number(arg) : 1;
}

/* Returns the page size of a file, which is its block size, or 0. */
static __u64 huge_size_of(int fd)
{
	struct statx it;

	return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &it) ? 0 : it.stx_blksize;
}

/* hugetlb FILE LOG2: makes a file with pages of 1 << LOG2 bytes; 0 is the default size */
static int do_hugetlb(char **arg)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB;

	return label_set(arg[0], memfd_create(arg[0], flags | number(arg[1]) << 26));
}

static int do_hsize(char **arg)
{
	int fd = label_fd(arg[0]);

	return sys_ftruncate(fd, number(arg[1]) * huge_size_of(fd));
}

/* Maps pages, and reserves them unless @flags has MAP_NORESERVE. */
static char *map(int fd, __u64 first, __u64 count, int flags)
{
	__u64 huge = huge_size_of(fd);
	char *at;

	if (!huge) {
		errno = EBADF;
		return NULL;
	}
	at = mmap(NULL, count * huge, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd,
		  first * huge);
	return at == MAP_FAILED ? NULL : at;
}

/* Reserves pages with a mapping. The file keeps the reservation without the mapping. */
static int do_hreserve(char **arg)
{
	int fd = label_fd(arg[0]);
	char *at = map(fd, number(arg[1]), number(arg[2]), 0);

	return at ? munmap(at, number(arg[2]) * huge_size_of(fd)) : -1;
}

/* Fills pages through a mapping that reserves nothing. */
static int do_hfill(char **arg)
{
	int fd = label_fd(arg[0]);
	__u64 huge = huge_size_of(fd), index = number(arg[2]);

	for (__u64 n = number(arg[3]); n; n--, index += step(arg[4])) {
		char *at = map(fd, index, 1, MAP_NORESERVE);

		if (!at)
			return -1;
		content_fill(at, number(arg[1]), index);
		content_fill(at + huge - page_size(), number(arg[1]), index + (1 << 20));
		if (munmap(at, huge))
			return -1;
	}
	return 0;
}

/* Reads one base page. Returns 0 or -1. */
static int get(int fd, __u64 at)
{
	long done = sys_pread(fd, buffer, page_size(), at);

	if (done == (long)page_size())
		return 0;
	if (done >= 0)
		errno = EIO;
	return -1;
}

static int report(const char *what, __u64 index, long offset)
{
	printf("page %lu is %s at byte %ld\n", (unsigned long)index, what, offset);
	return WRONG;
}

static int do_hcheck(char **arg)
{
	int fd = label_fd(arg[0]);
	__u64 huge = huge_size_of(fd), index = number(arg[2]);

	for (__u64 n = number(arg[3]); n; n--, index += step(arg[4])) {
		long at;

		if (get(fd, index * huge))
			return -1;
		at = content_wrong(buffer, number(arg[1]), index);
		if (at >= 0)
			return report("wrong", index, at);
		if (get(fd, (index + 1) * huge - page_size()))
			return -1;
		at = content_wrong(buffer, number(arg[1]), index + (1 << 20));
		if (at >= 0)
			return report("wrong", index, huge - page_size() + at);
	}
	return 0;
}

static int do_hzero(char **arg)
{
	int fd = label_fd(arg[0]);
	__u64 huge = huge_size_of(fd), index = number(arg[1]);

	for (__u64 n = number(arg[2]); n; n--, index += step(arg[3])) {
		for (int last = 0; last < 2; last++) {
			__u64 offset = last ? huge - page_size() : 0;
			long at;

			if (get(fd, index * huge + offset))
				return -1;
			at = content_not_zero(buffer);
			if (at >= 0)
				return report("not zero", index, offset + at);
		}
	}
	return 0;
}

/* Calls fallocate() with this mode on pages of the file. */
static int allocate(char **arg, int mode)
{
	int fd = label_fd(arg[0]);
	__u64 huge = huge_size_of(fd);

	return sys_fallocate(fd, mode, number(arg[1]) * huge, number(arg[2]) * huge);
}

static int do_hallocate(char **arg)
{
	return allocate(arg, 0);
}

static int do_hpunch(char **arg)
{
	return allocate(arg, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

/* hblocks FILE: prints how many pages the file has */
static int do_hblocks(char **arg)
{
	int fd = label_fd(arg[0]);
	struct statx it;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &it))
		return -1;
	printf("%lu\n", (unsigned long)(it.stx_blocks * 512 / it.stx_blksize));
	return 0;
}

/* hframes FILE FIRST COUNT [STEP]: as "frames" in files.c, for pages that are there */
static int do_hframes(char **arg)
{
	int fd = label_fd(arg[0]), pagemap = open("/proc/self/pagemap", O_RDONLY);
	__u64 huge = huge_size_of(fd), index = number(arg[1]), sum = 0, entry;

	if (pagemap < 0)
		return -1;
	for (__u64 n = number(arg[2]); n; n--, index += step(arg[3])) {
		char *at = map(fd, index, 1, MAP_NORESERVE);

		if (!at)
			return -1;
		__asm__ volatile("" : : "r"(*(volatile char *)at));
		if (sys_pread(pagemap, &entry, 8, (unsigned long)at / page_size() * 8) != 8)
			return -1;
		sum = (sum ^ (entry & ((1ULL << 55) - 1))) * 0x100000001b3ULL;
		munmap(at, huge);
	}
	close(pagemap);
	printf("%lx\n", (unsigned long)sum);
	return 0;
}

/* hwhere FILE INDEX: prints the physical address of a page that is there */
static int do_hwhere(char **arg)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	char *at = map(label_fd(arg[0]), number(arg[1]), 1, MAP_NORESERVE);
	__u64 entry;

	if (!at || pagemap < 0)
		return -1;
	__asm__ volatile("" : : "r"(*(volatile char *)at));
	if (sys_pread(pagemap, &entry, 8, (unsigned long)at / page_size() * 8) != 8)
		return -1;
	munmap(at, huge_size_of(label_fd(arg[0])));
	close(pagemap);
	printf("%lu\n", (unsigned long)((entry & ((1ULL << 55) - 1)) * page_size()));
	return 0;
}

/* A mapping that stays until the agent ends. */
static int do_hmap(char **arg)
{
	return map(label_fd(arg[0]), number(arg[1]), number(arg[2]), MAP_NORESERVE) ? 0 : -1;
}

/* These definitions are those of mm/gup_test.h. */
struct pin_longterm_test {
	__u64 addr;
	__u64 size;
	__u32 flags;
};

#define PIN_LONGTERM_TEST_START		_IOW('g', 7, struct pin_longterm_test)
#define PIN_LONGTERM_TEST_FLAG_USE_WRITE	1

static int pins = -1;

/*
 * Pins pages for long, as VFIO does, until "hunpin". The mapping reserves nothing, and
 * stays until the agent ends.
 */
static int do_hpin(char **arg)
{
	int fd = label_fd(arg[0]);
	struct pin_longterm_test pin = {
		.addr = (unsigned long)map(fd, number(arg[1]), number(arg[2]), MAP_NORESERVE),
		.size = number(arg[2]) * huge_size_of(fd),
		.flags = PIN_LONGTERM_TEST_FLAG_USE_WRITE,
	};

	if (!pin.addr)
		return -1;
	if (pins < 0)
		pins = open("/sys/kernel/debug/gup_test", O_RDWR);
	return pins < 0 ? -1 : ioctl(pins, PIN_LONGTERM_TEST_START, &pin);
}

static int do_hunpin(char **arg)
{
	int status = close(pins);

	(void)arg;
	pins = -1;
	return status;
}

static __u64 now(void)
{
	struct { long sec, nsec; } it = {};

	syscall(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &it);
	return it.sec * 1000000000ULL + it.nsec;
}

/* Prints the nanoseconds, which are instructions where instructions drive the clock. */
static int took(__u64 start, int status)
{
	__u64 end = now();

	if (status)
		return status;
	printf("%lu\n", (unsigned long)(end - start));
	return 0;
}

/* As "preserve", and prints how long it took. */
static int do_timed_preserve(char **arg)
{
	__u64 start = now();

	return took(start, session_preserve(label_fd(arg[0]), number(arg[1]), label_fd(arg[2])));
}

/* As "take", and prints how long it took. */
static int do_timed_take(char **arg)
{
	__u64 start = now();
	int fd = session_take(label_fd(arg[0]), number(arg[1]));

	return took(start, fd < 0 ? -1 : 0) ?: label_set(arg[2], fd);
}

const struct command hugetlb_commands[] = {
	{ "hugetlb", 2, 2, do_hugetlb, "FILE LOG2" },
	{ "hsize", 2, 2, do_hsize, "FILE PAGES" },
	{ "hreserve", 3, 3, do_hreserve, "FILE FIRST COUNT" },
	{ "hmap", 3, 3, do_hmap, "FILE FIRST COUNT" },
	{ "hpin", 3, 3, do_hpin, "FILE FIRST COUNT" },
	{ "hunpin", 0, 0, do_hunpin, "" },
	{ "hfill", 4, 5, do_hfill, "FILE SEED FIRST COUNT [STEP]" },
	{ "hcheck", 4, 5, do_hcheck, "FILE SEED FIRST COUNT [STEP]" },
	{ "hzero", 3, 4, do_hzero, "FILE FIRST COUNT [STEP]" },
	{ "hallocate", 3, 3, do_hallocate, "FILE FIRST COUNT" },
	{ "hpunch", 3, 3, do_hpunch, "FILE FIRST COUNT" },
	{ "hblocks", 1, 1, do_hblocks, "FILE" },
	{ "timed-preserve", 3, 3, do_timed_preserve, "SESSION TOKEN FILE" },
	{ "timed-take", 3, 3, do_timed_take, "SESSION TOKEN FILE" },
	{ "hframes", 3, 4, do_hframes, "FILE FIRST COUNT [STEP]" },
	{ "hwhere", 2, 2, do_hwhere, "FILE INDEX" },
	{}
};
