// SPDX-License-Identifier: GPL-2.0-only
/*
 * session.c - /dev/liveupdate, each of its calls as a function
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "luo-run.h"
#include "session.h"

#define DEVICE	"/dev/liveupdate"
#define TOKEN	1

/* Others, such as a service manager, may open the device for a moment for each session. */
#define TRIES	50

static int tries_at_most = TRIES;

void session_patience(bool patience)
{
	tries_at_most = patience ? TRIES : 1;
}

static int device_open(void)
{
	int fd, tries = 0;

	while ((fd = open(DEVICE, O_RDWR | O_CLOEXEC)) < 0 && errno == EBUSY &&
	       ++tries < tries_at_most)
		wait_ms(100);
	if (fd >= 0)
		return fd;
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return -ENODEV;
	case EBUSY:
		return -EAGAIN;
	default:
		return -errno;
	}
}

int session_create(const char *name)
{
	struct liveupdate_ioctl_create_session it = { .size = sizeof(it) };
	int device = device_open(), error;

	if (device < 0)
		return device;
	snprintf((char *)it.name, sizeof(it.name), "%s", name);
	error = ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &it) ? -errno : 0;
	close(device);
	return error ?: it.fd;
}

int session_retrieve(const char *name)
{
	struct liveupdate_ioctl_retrieve_session it = { .size = sizeof(it) };
	int device = device_open(), error;

	if (device < 0)
		return device;
	snprintf((char *)it.name, sizeof(it.name), "%s", name);
	error = ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &it) ? -errno : 0;
	close(device);
	/* EINVAL of session_take() means damage, so return another error here. */
	return error == -EINVAL ? -EBUSY : error ?: it.fd;
}

int session_preserve(int session, int fd)
{
	struct liveupdate_session_preserve_fd it = {
		.size = sizeof(it), .fd = fd, .token = TOKEN,
	};

	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &it) ? -errno : 0;
}

int session_take(int session)
{
	struct liveupdate_session_retrieve_fd it = { .size = sizeof(it), .token = TOKEN };

	return ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &it) ? -errno : it.fd;
}

int session_finish(int session)
{
	struct liveupdate_session_finish it = { .size = sizeof(it) };

	return ioctl(session, LIVEUPDATE_SESSION_FINISH, &it) ? -errno : 0;
}

/* Why the device cannot be opened, whatever it is opened for. */
static const char *device_error(int error)
{
	switch (error) {
	case ENODEV:
		return "there is no " DEVICE;
	case EAGAIN:
		return "another program has " DEVICE " open";
	case EACCES:
	case EPERM:
		return DEVICE " cannot be opened without privileges";
	default:
		return strerror(error);
	}
}

const char *preserve_error(int error)
{
	switch (error) {
	case ENOENT:
		return "the kernel does not hand over files of its type";
	case EBUSY:
		return "its memory is in a session already, or cannot be moved now";
	case EEXIST:
		return "another program has made a session of this name";
	case EOPNOTSUPP:
		return "it has a seal that the kernel does not hand over";
	case ENOMEM:
	case ENOSPC:
		return "there is no memory for it";
	default:
		return device_error(error);
	}
}

const char *retrieve_error(int error)
{
	switch (error) {
	case ENOENT:
		return "it was not handed over";
	case EBUSY:
		return "another program has its session open";
	case EINVAL:
	case EIO:
		return "what was handed over is damaged, the kernel log says why";
	case ENOMEM:
		return "there is no memory for it now";
	default:
		return device_error(error);
	}
}

const char *finish_error(int error)
{
	switch (error) {
	case ENOMEM:
		return "there is no memory for it now";
	default:
		return strerror(error);
	}
}
