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
 * session_create() makes a session, session_retrieve() opens an incoming one. One program at
 * a time can have the device open, so both open it just for the call, and wait for some
 * seconds if another program has it, unless session_patience(false) was called. -ENODEV says
 * that there is no device, -EAGAIN that another program has it, -EBUSY that another program
 * has the incoming session.
 */
int session_create(const char *name);
int session_retrieve(const char *name);

/* Shall these two functions wait for the device? Initially they do. */
void session_patience(bool patience);

/* A session of luo-run has one file, so these functions take no token. */
int session_preserve(int session, int fd);
int session_take(int session);
int session_finish(int session);

/* Why a file cannot be put into a session, in words. */
const char *preserve_error(int error);

/* Why a session, or its file, cannot be retrieved, in words. */
const char *retrieve_error(int error);

/* Why a session cannot be finished, in words. */
const char *finish_error(int error);

#endif
