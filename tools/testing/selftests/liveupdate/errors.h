/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * errors.h - calls that have to fail, each with its error
 *
 * Both print TAP and return 0 if each call returned what it should.
 */
#ifndef LUO_ERRORS_H
#define LUO_ERRORS_H

/* The device, and sessions that are made here. Leaves nothing behind. */
int errors_outgoing(void);

/* The session @name, which has come in with files under the tokens 1 and 2. Ends it. */
int errors_incoming(const char *name);

#endif
