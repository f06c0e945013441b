// SPDX-License-Identifier: GPL-2.0-only
/*
 * session.c - the ioctls of live update, each as one function
 */

#include <linux/liveupdate.h>

#include "session.h"

/* The Makefiles include the headers of a C library, which is nolibc or the system's. */

/* A name that is too long is cut. The rest of @to is zero. */
static void put_name(__u8 *to, const char *name)
{
	size_t len = strlen(name);

	if (len >= LIVEUPDATE_SESSION_NAME_LENGTH)
		len = LIVEUPDATE_SESSION_NAME_LENGTH - 1;
	memcpy(to, name, len);
}

int session_create(int device, const char *name)
{
	struct liveupdate_ioctl_create_session it = { .size = sizeof(it) };

	put_name(it.name, name);
	return ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &it) ? -1 : it.fd;
}

int session_retrieve(int device, const char *name)
{
	struct liveupdate_ioctl_retrieve_session it = { .size = sizeof(it) };

	put_name(it.name, name);
	return ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &it) ? -1 : it.fd;
}

int session_preserve(int session, __u64 token, int fd)
{
	struct liveupdate_session_preserve_fd it = {
		.size = sizeof(it), .fd = fd, .token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &it);
}

int session_take(int session, __u64 token)
{
	struct liveupdate_session_retrieve_fd it = {
		.size = sizeof(it), .token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &it) ? -1 : it.fd;
}

int session_finish(int session)
{
	struct liveupdate_session_finish it = { .size = sizeof(it) };

	return ioctl(session, LIVEUPDATE_SESSION_FINISH, &it);
}

int session_name(int session, char *name)
{
	struct liveupdate_session_get_name it = { .size = sizeof(it) };

	if (ioctl(session, LIVEUPDATE_SESSION_GET_NAME, &it))
		return -1;
	memcpy(name, it.name, sizeof(it.name));
	return 0;
}
