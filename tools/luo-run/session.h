/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session.h - /dev/liveupdate, each of its calls as a function
 *
 * All return 0 or a file descriptor, or a negative errno.
 */
#ifndef LUO_RUN_SESSION_H
#define LUO_RUN_SESSION_H

#include <stdbool.h>

/*
 * Makes a session, and opens one that came in. One program at a time can have the device
 * open, so both open it for just that moment, and wait for some seconds if another program
 * has it, unless they were told not to. -ENODEV says that there is no device, -EAGAIN that
 * another program has it, -EBUSY that another program has the session that came in.
 */
int session_create(const char *name);
int session_retrieve(const char *name);

/* Shall they wait for the device? They do, at first. */
void session_patience(bool patience);

/* A session of luo-run has one file, so these do without a token. */
int session_preserve(int session, int fd);
int session_take(int session);
int session_finish(int session);

/* Why a file cannot be put into a session, in words. */
const char *preserve_error(int error);

/* Why a session, or its file, cannot be had, in words. */
const char *retrieve_error(int error);

/* Why a session cannot be finished, in words. */
const char *finish_error(int error);

#endif
