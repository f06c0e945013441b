// SPDX-License-Identifier: GPL-2.0-only
/*
 * errname.c - names of error numbers, which nolibc's strerror() does not know
 */

#include <linux/errno.h>

#include "errname.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

static const struct {
	int number;
	const char *name;
} names[] = {
	{ 0, "ok" },
	{ E2BIG, "E2BIG" },
	{ EACCES, "EACCES" },
	{ EAGAIN, "EAGAIN" },
	{ EBADF, "EBADF" },
	{ EBUSY, "EBUSY" },
	{ EEXIST, "EEXIST" },
	{ EFAULT, "EFAULT" },
	{ EFBIG, "EFBIG" },
	{ EHWPOISON, "EHWPOISON" },
	{ EINTR, "EINTR" },
	{ EINVAL, "EINVAL" },
	{ EIO, "EIO" },
	{ EMFILE, "EMFILE" },
	{ ENODEV, "ENODEV" },
	{ ENOENT, "ENOENT" },
	{ ENOMEM, "ENOMEM" },
	{ ENOSPC, "ENOSPC" },
	{ ENOTTY, "ENOTTY" },
	{ ENXIO, "ENXIO" },
	{ EOPNOTSUPP, "EOPNOTSUPP" },
	{ EPERM, "EPERM" },
	{ ESRCH, "ESRCH" },
};

const char *errname(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == error)
			return names[i].name;
	return "unknown error";
}
