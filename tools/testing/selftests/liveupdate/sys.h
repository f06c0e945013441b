/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sys.h - system calls that nolibc does not have
 *
 * Each returns -1 with errno set when it fails. They are functions because nolibc puts
 * the arguments of syscall() into fixed registers one by one, so no argument may itself
 * be a call.
 */
#ifndef LUO_SYS_H
#define LUO_SYS_H

#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/stat.h>
#include <linux/types.h>

/* The Makefile includes nolibc.h, which is the C library here. */

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Headers of the host may be older than the kernel. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#define MFD_EXEC	0x0010U
#endif

static inline long sys_pread(int fd, void *to, size_t len, __u64 at)
{
	return syscall(__NR_pread64, fd, to, len, at);
}

static inline long sys_pwrite(int fd, const void *from, size_t len, __u64 at)
{
	return syscall(__NR_pwrite64, fd, from, len, at);
}

static inline int sys_ftruncate(int fd, __u64 size)
{
	return syscall(__NR_ftruncate, fd, size);
}

static inline int sys_fallocate(int fd, int mode, __u64 at, __u64 len)
{
	return syscall(__NR_fallocate, fd, mode, at, len);
}

static inline int sys_fcntl(int fd, int what, unsigned long value)
{
	return syscall(__NR_fcntl, fd, what, value);
}

static inline int sys_madvise(void *at, size_t len, int advice)
{
	return syscall(__NR_madvise, at, len, advice);
}

/* Closes all file descriptors from @first to @last. */
static inline int sys_close_range(unsigned int first, unsigned int last)
{
	return syscall(__NR_close_range, first, last, 0);
}

/* Returns a copy of descriptor @fd of process @pid: the same open file. */
static inline int sys_copy_fd(int pid, int fd)
{
	int pidfd = syscall(__NR_pidfd_open, pid, 0), copy, error;

	if (pidfd < 0)
		return -1;
	copy = syscall(__NR_pidfd_getfd, pidfd, fd, 0);
	error = errno;
	close(pidfd);
	errno = error;
	return copy;
}

/* Returns the CPU time of this process in microseconds. */
static inline __u64 sys_cpu_time(void)
{
	struct { long sec, nsec; } now = {};

	syscall(__NR_clock_gettime, 2 /* CLOCK_PROCESS_CPUTIME_ID */, &now);
	return now.sec * 1000000ULL + now.nsec / 1000;
}

#endif
