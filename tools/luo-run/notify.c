// SPDX-License-Identifier: GPL-2.0-only
/*
 * notify.c - messages of sd_notify(3)
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "list.h"
#include "notify.h"

/* Does the line have this key? Returns its value, or NULL. */
static const char *value_of(const char *line, const char *key)
{
	size_t len = strlen(key);

	return strncmp(line, key, len) ? NULL : line + len;
}

static void read_line(const char *line, struct notice *to)
{
	const char *name = value_of(line, "FDNAME="), *pid = value_of(line, "MAINPID=");

	if (!strcmp(line, "FDSTORE=1")) {
		to->store = true;
	} else if (!strcmp(line, "FDPOLL=0")) {
		to->no_poll = true;
	} else if (!strcmp(line, "FDSTOREREMOVE=1")) {
		to->remove = true;
	} else if (!strcmp(line, "BARRIER=1")) {
		to->barrier = true;
	} else if (name) {
		to->bad_name = !name_valid(name);
		if (!to->bad_name)
			memcpy(to->name, name, strlen(name) + 1);
	} else if (pid) {
		to->main_pid = atoi(pid);
	} else if (!value_of(line, "FDPOLL=") && !value_of(line, "MAINPIDFDID=")) {
		snprintf(to->rest + strlen(to->rest), sizeof(to->rest) - strlen(to->rest),
			 "%s%s", to->rest[0] ? "\n" : "", line);
	}
}

void notice_read(char *text, struct notice *to)
{
	char *line;

	memset(to, 0, sizeof(*to));
	while ((line = strsep(&text, "\n"))) {
		if (*line)
			read_line(line, to);
	}
}

void notify_outer(const char *text, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct iovec data = { .iov_base = (void *)text, .iov_len = strlen(text) };
	union {
		char data[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .data = "" };
	struct msghdr head = { .msg_name = &to, .msg_iov = &data, .msg_iovlen = 1 };
	int by;

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path));
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	head.msg_namelen = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (fd >= 0) {
		head.msg_control = &control;
		head.msg_controllen = sizeof(control.data);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	by = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (by < 0)
		return;
	if (sendmsg(by, &head, MSG_NOSIGNAL) < 0)
		say("%s: %m", path);
	close(by);
}
