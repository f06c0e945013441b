/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session.h - /dev/liveupdate, each of its calls as a function
 *
 * All return 0 or a file descriptor, or a negative errno.
 */
#ifndef LUO_RUN_SESSION_H
#define LUO_RUN_SESSION_H

/*
 * Makes a session, and opens one that came in. One program at a time can have the device
 * open, so both open it for just that moment, and wait for some seconds if another program
 * has it. -ENODEV says that there is no device.
 */
int session_create(const char *name);
int session_retrieve(const char *name);

/* A session of luo-run has one file, so these do without a token. */
int session_preserve(int session, int fd);
int session_take(int session);
int session_finish(int session);

/* Why a file cannot be put into a session, in words. */
const char *preserve_error(int error);

/* Why a session, or its file, cannot be had, in words. */
const char *retrieve_error(int error);

#endif
