// SPDX-License-Identifier: GPL-2.0-only
/*
 * faults.c - what an agent can be asked about allocations that fail
 *
 * After "fail N", the Nth allocation that the kernel makes for the next command fails. If
 * there are fewer than N, the line "no such allocation" comes before the status of that
 * command. Needs a kernel with fault injection.
 */

#include <linux/fcntl.h>

#include "agent.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

/* The file stays open, so that no allocation is needed to use it. */
static int file = -1;

/* Which allocation of the next command should fail, and which of this one; 0 for none. */
static __u64 asked, nth;

static int set(__u64 value)
{
	char text[24];

	u64toa_r(value, text);
	return sys_pwrite(file, text, strlen(text), 0) < 0 ? -1 : 0;
}

int fault_begin(void)
{
	nth = asked;
	asked = 0;
	return nth ? set(nth) : 0;
}

int fault_end(void)
{
	char left[24] = "";

	if (!nth)
		return 0;
	if (sys_pread(file, left, sizeof(left) - 1, 0) < 0)
		return -1;
	if (left[0] == '0')
		return 0;
	/* This comes before the message, because printing may allocate memory. */
	if (set(0))
		return -1;
	printf("no such allocation\n");
	return 0;
}

static int do_fail(char **arg)
{
	if (file < 0)
		file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	asked = number(arg[0]);
	return file < 0 ? -1 : 0;
}

const struct command fault_commands[] = {
	{ "fail", 1, 1, do_fail, "N" },
	{}
};
