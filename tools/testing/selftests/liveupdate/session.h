/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session.h - the ioctls of live update, each as one function
 *
 * Each returns 0 or a file descriptor, or -1 with errno set.
 */
#ifndef LUO_SESSION_H
#define LUO_SESSION_H

#include <linux/types.h>

/* These two take a file descriptor of /dev/liveupdate. */
int session_create(int device, const char *name);
int session_retrieve(int device, const char *name);

int session_preserve(int session, __u64 token, int fd);
int session_take(int session, __u64 token);
int session_finish(int session);

/* @name has room for 64 bytes. */
int session_name(int session, char *name);

#endif
