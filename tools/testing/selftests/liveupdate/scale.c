// SPDX-License-Identifier: GPL-2.0-only
/*
 * scale.c - what an agent can be asked about many sessions and many files
 *
 * Session N has the name "PREFIX-N" and one file, with token N. The files of a session with
 * many files have the tokens from 0 on. Each file has one page, whose content depends on
 * its token.
 *
 * Each of these commands divides its calls into 100 parts and measures the CPU time of each
 * part but the first. It prints "first=US last=US": the shortest time among the 25 earliest
 * parts, and among the 25 last ones, so it does not matter if the machine is busy for a
 * while. The two differ much when a call takes longer the more sessions or files there are.
 */

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/types.h>

#include "agent.h"
#include "content.h"
#include "session.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

#define MOST 200000

/* The sessions, in order. An agent has one such set. */
static int sessions[MOST];
static __u64 nr_sessions;

static __u64 seed_of(__u64 token)
{
	return 1000 + token;
}

/* --------------------------------------------------------------- how long */

#define PARTS 100

struct clock {
	__u64 count, start, first, last;
};

static void keep_least(__u64 *least, __u64 time)
{
	if (!*least || time < *least)
		*least = time;
}

/* Called after the call with number @i, counted from 0. */
static void clock_tick(struct clock *clock, __u64 i)
{
	__u64 size = clock->count / PARTS, part, now;

	if (!size || (i + 1) % size)
		return;
	now = sys_cpu_time();
	part = i / size;
	/* The start of the first part is not known. */
	if (part > 0 && part <= PARTS / 4)
		keep_least(&clock->first, now - clock->start);
	if (part >= PARTS - PARTS / 4)
		keep_least(&clock->last, now - clock->start);
	clock->start = now;
}

static int clock_print(const struct clock *clock)
{
	printf("first=%lu last=%lu\n", (unsigned long)clock->first, (unsigned long)clock->last);
	return 0;
}

/* ------------------------------------------------------------------ one file */

static int raise_limit(__u64 fds)
{
	struct rlimit it = { .rlim_cur = fds, .rlim_max = fds };

	return setrlimit(RLIMIT_NOFILE, &it);
}

static int preserve_one(int session, __u64 token)
{
	static __u64 page[8192];
	int fd = memfd_create("scale", MFD_CLOEXEC), status, error;

	if (fd < 0)
		return -1;
	content_fill(page, seed_of(token), 0);
	status = -1;
	if (sys_pwrite(fd, page, page_size(), 0) == (long)page_size())
		status = session_preserve(session, token, fd);
	error = errno;
	close(fd);
	errno = error;
	return status;
}

static int take_one(int session, __u64 token)
{
	static __u64 page[8192];
	int fd = session_take(session, token), status;

	if (fd < 0)
		return -1;
	status = sys_pread(fd, page, page_size(), 0) == (long)page_size() ? 0 : -1;
	close(fd);
	if (!status && content_wrong(page, seed_of(token), 0) >= 0) {
		printf("file %lu is wrong\n", (unsigned long)token);
		status = WRONG;
	}
	return status;
}

/* --------------------------------------------------------------- many of them */

static const char *name_of(const char *prefix, __u64 i)
{
	static char name[64];

	name[0] = '\0';
	strlcat(name, prefix, 40);
	strlcat(name, "-", 41);
	u64toa_r(i, name + strlen(name));
	return name;
}

static int do_many_sessions(char **arg)
{
	struct clock clock = { .count = number(arg[1]) };
	int device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);

	if (device < 0 || clock.count > MOST || raise_limit(clock.count + 100))
		return -1;
	for (__u64 i = 0; i < clock.count; i++) {
		sessions[i] = session_create(device, name_of(arg[0], i));
		if (sessions[i] < 0 || preserve_one(sessions[i], i))
			return -1;
		clock_tick(&clock, i);
	}
	nr_sessions = clock.count;
	close(device);
	return clock_print(&clock);
}

/* Retrieves them all, and leaves them open. */
static int do_retrieve_sessions(char **arg)
{
	struct clock clock = { .count = number(arg[1]) };
	int device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);

	if (device < 0 || clock.count > MOST || raise_limit(clock.count + 100))
		return -1;
	for (__u64 i = 0; i < clock.count; i++) {
		sessions[i] = session_retrieve(device, name_of(arg[0], i));
		if (sessions[i] < 0)
			return -1;
		clock_tick(&clock, i);
	}
	nr_sessions = clock.count;
	close(device);
	return clock_print(&clock);
}

/* Takes the file of each session, compares it, finishes and closes the session. */
static int do_end_sessions(char **arg)
{
	struct clock clock = { .count = nr_sessions };

	(void)arg;
	for (__u64 i = 0; i < nr_sessions; i++) {
		int status = take_one(sessions[i], i);

		if (status || session_finish(sessions[i]) || close(sessions[i]))
			return status ? status : -1;
		clock_tick(&clock, i);
	}
	return clock_print(&clock);
}

static int do_many_files(char **arg)
{
	struct clock clock = { .count = number(arg[1]) };
	int session = label_fd(arg[0]);

	for (__u64 i = 0; i < clock.count; i++) {
		if (preserve_one(session, i))
			return -1;
		clock_tick(&clock, i);
	}
	return clock_print(&clock);
}

static int do_take_files(char **arg)
{
	struct clock clock = { .count = number(arg[1]) };
	int session = label_fd(arg[0]);

	for (__u64 i = 0; i < clock.count; i++) {
		int status = take_one(session, i);

		if (status)
			return status;
		clock_tick(&clock, i);
	}
	return clock_print(&clock);
}

const struct command scale_commands[] = {
	{ "many-sessions", 2, 2, do_many_sessions, "PREFIX COUNT" },
	{ "retrieve-sessions", 2, 2, do_retrieve_sessions, "PREFIX COUNT" },
	{ "end-sessions", 0, 0, do_end_sessions, "" },
	{ "many-files", 2, 2, do_many_files, "SESSION COUNT" },
	{ "take-files", 2, 2, do_take_files, "SESSION COUNT" },
	{}
};
