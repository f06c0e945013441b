// SPDX-License-Identifier: GPL-2.0-only
/*
 * sessions.c - what an agent can be asked about the device and about sessions
 */

#include <linux/fcntl.h>
#include <linux/types.h>

#include "agent.h"
#include "session.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

static int do_open(char **arg)
{
	return label_set(arg[0], open("/dev/liveupdate", O_RDWR | O_CLOEXEC));
}

/*
 * Calls @call with the device that has the label arg[2]. Without this label, it opens the
 * device for this call only, so that other agents can open it as well.
 */
static int with_device(int (*call)(int device, const char *name), char **arg)
{
	int own = arg[2] ? label_fd(arg[2]) : open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	int fd, error;

	if (own < 0)
		return -1;
	fd = call(own, arg[1]);
	error = errno;
	if (!arg[2])
		close(own);
	errno = error;
	return label_set(arg[0], fd);
}

static int do_create(char **arg)
{
	return with_device(session_create, arg);
}

static int do_retrieve(char **arg)
{
	return with_device(session_retrieve, arg);
}

static int do_preserve(char **arg)
{
	return session_preserve(label_fd(arg[0]), number(arg[1]), label_fd(arg[2]));
}

static int do_take(char **arg)
{
	return label_set(arg[2], session_take(label_fd(arg[0]), number(arg[1])));
}

static int do_finish(char **arg)
{
	return session_finish(label_fd(arg[0]));
}

static int do_name(char **arg)
{
	char name[64];

	if (session_name(label_fd(arg[0]), name))
		return -1;
	printf("%s\n", name);
	return 0;
}

static int do_close(char **arg)
{
	int fd = label_take(arg[0]);

	return fd < 0 ? -1 : close(fd);
}

/* Where other processes find the file: "PID FD". */
static int do_where(char **arg)
{
	int fd = label_fd(arg[0]);

	if (fd < 0)
		return -1;
	printf("%d %d\n", getpid(), fd);
	return 0;
}

static int do_import(char **arg)
{
	return label_set(arg[0], sys_copy_fd(number(arg[1]), number(arg[2])));
}

static int do_quit(char **arg)
{
	(void)arg;
	printf("= ok\n");
	exit(0);
}

static int do_kill(char **arg)
{
	(void)arg;
	return kill(getpid(), 9 /* SIGKILL */);
}

const struct command session_commands[] = {
	{ "open", 1, 1, do_open, "DEVICE" },
	{ "create", 2, 3, do_create, "SESSION NAME [DEVICE]" },
	{ "retrieve", 2, 3, do_retrieve, "SESSION NAME [DEVICE]" },
	{ "preserve", 3, 3, do_preserve, "SESSION TOKEN FILE" },
	{ "take", 3, 3, do_take, "SESSION TOKEN FILE" },
	{ "finish", 1, 1, do_finish, "SESSION" },
	{ "name", 1, 1, do_name, "SESSION" },
	{ "close", 1, 1, do_close, "LABEL" },
	{ "where", 1, 1, do_where, "LABEL" },
	{ "import", 3, 3, do_import, "LABEL PID FD" },
	{ "quit", 0, 0, do_quit, "" },
	{ "kill", 0, 0, do_kill, "" },
	{}
};
