// SPDX-License-Identifier: GPL-2.0-only
/*
 * faults.c - what an agent can be asked about allocations that fail
 *
 * "fail N" makes the Nth allocation of the next command fail, of those that the kernel
 * makes on behalf of the agent. If that command makes fewer, "no such allocation" comes
 * before its status. Needs a kernel with fault injection.
 */

#include <linux/fcntl.h>

#include "agent.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

/* Is open all the time, so that no allocation is needed to use it. */
static int file = -1;

/* Which allocation of the next command is to fail, and which of this one; 0 for none. */
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
	/* First, because to print may allocate. */
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
