// SPDX-License-Identifier: GPL-2.0-only
/*
 * link.c - what luo-run and the keeper of its session say to each other
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "link.h"

/* The service may run as another user: let it enter the directory whatever our umask is. */
static void make_directory(const char *path)
{
	if (!mkdir(path, 0755) && chmod(path, 0755))
		say("%s: %m", path);
}

void link_directories(const struct settings *set)
{
	static const char *const kinds[] = { LINK_SOCKETS, LINK_LOCKS, LINK_NOTIFY };
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	unsigned int i;

	make_directory(set->directory);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", set->directory, kinds[i]) <
		    sizeof(path))
			make_directory(path);
	}
}

bool link_path(const struct settings *set, const char *kind, const char *suffix, char *to,
	       size_t size)
{
	return (size_t)snprintf(to, size, "%s/%s/%s%s", set->directory, kind, set->session,
				suffix) < size;
}

static int address(const struct settings *set, struct sockaddr_un *to)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	if (!link_path(set, LINK_SOCKETS, "", to->sun_path, sizeof(to->sun_path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

int link_connect(const struct settings *set)
{
	struct sockaddr_un to;
	int fd = address(set, &to), error;

	if (fd < 0 || !connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int link_listen(const struct settings *set)
{
	struct sockaddr_un at;
	int fd = address(set, &at), error;
	mode_t mask;

	if (fd < 0)
		return -1;
	unlink(at.sun_path);
	mask = umask(0177);
	error = bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8) ? errno : 0;
	umask(mask);
	if (!error)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

/* Room for one file descriptor. */
union control {
	char data[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

bool link_send(int link, __u32 what, const char *text, int fd)
{
	struct link_message message = { .version = LINK_VERSION, .what = what };
	struct iovec data = { .iov_base = &message, .iov_len = sizeof(message) };
	struct msghdr head = { .msg_iov = &data, .msg_iovlen = 1 };
	union control control = { .data = "" };
	struct cmsghdr *it;

	snprintf(message.text, sizeof(message.text), "%s", text);
	if (fd >= 0) {
		head.msg_control = &control;
		head.msg_controllen = sizeof(control.data);
		it = CMSG_FIRSTHDR(&head);
		it->cmsg_level = SOL_SOCKET;
		it->cmsg_type = SCM_RIGHTS;
		it->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(it), &fd, sizeof(fd));
	}
	return sendmsg(link, &head, MSG_NOSIGNAL) == sizeof(message);
}

bool link_receive(int link, struct link_message *to, int *fd)
{
	struct iovec data = { .iov_base = to, .iov_len = sizeof(*to) };
	union control control;
	struct msghdr head = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control.data),
	};
	struct cmsghdr *it;
	ssize_t len;

	*fd = -1;
	do {
		len = recvmsg(link, &head, MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return false;
	it = CMSG_FIRSTHDR(&head);
	if (it && it->cmsg_level == SOL_SOCKET && it->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(it), sizeof(*fd));
	/* The message had more than one descriptor, or we had none free for the others. */
	if (*fd >= 0 && (head.msg_flags & MSG_CTRUNC)) {
		close(*fd);
		*fd = -1;
	}
	if (len == sizeof(*to) && to->version == LINK_VERSION) {
		to->text[sizeof(to->text) - 1] = '\0';
		return true;
	}
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return false;
}
