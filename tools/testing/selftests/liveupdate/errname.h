/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * errname.h - names of error numbers, which nolibc's strerror() does not know
 */
#ifndef LUO_ERRNAME_H
#define LUO_ERRNAME_H

/* Returns "ok" for 0, and "unknown error" for a number without a name here. */
const char *errname(int error);

#endif
