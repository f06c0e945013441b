/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where in scratch an image can lie before the kexec, see pieces.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_PIECES_H
#define _KHO_PIECES_H

#include <linux/types.h>

struct kexec_buf;
struct resource;

bool kho_pieces_locate(struct kexec_buf *kbuf, int (*func)(struct resource *, void *));

#endif /* _KHO_PIECES_H */
