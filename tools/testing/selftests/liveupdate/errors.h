/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * errors.h - calls that have to fail, each with its error
 *
 * Both print TAP and return 0 if each call returned what it should.
 */
#ifndef LUO_ERRORS_H
#define LUO_ERRORS_H

/* The device, and sessions that this function makes. Leaves nothing behind. */
int errors_outgoing(void);

/* The incoming session @name, with files under tokens 1 and 2. Finishes and closes it. */
int errors_incoming(const char *name);

#endif
