// SPDX-License-Identifier: GPL-2.0-only
/*
 * session_fake.c - session.c for tests: each call can be made to fail, without a kernel
 *
 * The directory in the environment variable LUO_FAKE has:
 *
 *   in/NAME         an incoming session, with the content of its file
 *   taken/NAME      one that was retrieved, and not finished with session_finish()
 *   out/NAME        an outgoing session; its file is the link out/NAME.file
 *   fail/CALL.NAME  if it is there, this call for this session fails, with the errno in it
 *
 * A session is open while its file is locked: as with the kernel, a session that is closed
 * is gone, and so is what was in it. host/tests/luo-run-host.sh uses this file.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "luo-run.h"
#include "session.h"

#define PATH_SIZE	512

static const char *path_of(const char *directory, const char *name, const char *suffix)
{
	static char path[2][PATH_SIZE];
	static int turn;

	turn = !turn;
	snprintf(path[turn], PATH_SIZE, "%s/%s/%s%s", getenv("LUO_FAKE") ?: "/nothing",
		 directory, name, suffix);
	return path[turn];
}

/* Returns the error that a test wants, or 0. */
static int wanted(const char *call, const char *name)
{
	char of[PATH_SIZE];
	int error = 0;
	FILE *file;

	snprintf(of, sizeof(of), "%s.%s", call, name);
	file = fopen(path_of("fail", of, ""), "re");
	if (!file)
		return 0;
	if (fscanf(file, "%d", &error) != 1)
		error = 0;
	fclose(file);
	return -error;
}

/* The name of the session whose file this is. */
static const char *name_of(int session)
{
	static char path[PATH_SIZE];
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", session);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		abort();
	path[len] = '\0';
	return strrchr(path, '/') + 1;
}

/* Opens and locks the file of a session. */
static int open_session(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600), error;

	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

void session_patience(bool patience)
{
	(void)patience;
}

int session_create(const char *name)
{
	int error = wanted("create", name), fd;

	if (access(path_of("", "", ""), F_OK))
		return -ENODEV;
	fd = error ?: open_session(path_of("out", name, ""), O_CREAT);
	return fd == -EWOULDBLOCK && !error ? -EEXIST : fd;
}

int session_retrieve(const char *name)
{
	int error = wanted("retrieve", name), fd;

	if (access(path_of("", "", ""), F_OK))
		return -ENODEV;
	if (error)
		return error;
	fd = open_session(path_of("taken", name, ""), 0);
	if (fd == -EWOULDBLOCK)
		return -EBUSY;
	if (fd >= 0) {
		unlink(path_of("taken", name, ""));
		close(fd);
	}
	if (rename(path_of("in", name, ""), path_of("taken", name, "")))
		return -errno;
	return open_session(path_of("taken", name, ""), 0);
}

int session_preserve(int session, int fd)
{
	const char *name = name_of(session), *path;
	int error = wanted("preserve", name);
	char target[64];

	if (error)
		return error;
	snprintf(target, sizeof(target), "/proc/%d/fd/%d", getpid(), fd);
	path = path_of("out", name, ".file");
	unlink(path);
	return symlink(target, path) ? -errno : 0;
}

int session_take(int session)
{
	const char *name = name_of(session);
	int error = wanted("take", name);

	if (error)
		return error;
	error = open(path_of("taken", name, ""), O_RDWR | O_CLOEXEC);
	return error < 0 ? -errno : error;
}

int session_finish(int session)
{
	const char *name = name_of(session);
	int error = wanted("finish", name);

	if (!error)
		unlink(path_of("taken", name, ""));
	return error;
}

const char *preserve_error(int error)
{
	return strerror(error);
}

const char *retrieve_error(int error)
{
	return strerror(error);
}

const char *finish_error(int error)
{
	return strerror(error);
}
