/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the boot sequence has decided, see boot.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_BOOT_H
#define _KHO_BOOT_H

#include <linux/types.h>

/* Why KHO is off, if it is. Written by boot.c; constant after kho_start(). */
extern const char *kho_off_reason;

void kho_boot_off(const char *reason);

/* True if there was an incoming handover, and it was refused. kho_refuse() sets it during boot. */
extern bool kho_refused;

/* True if there was one while KHO is off. kho_populate() sets it; constant from then on. */
extern bool kho_ignored;

#endif /* _KHO_BOOT_H */
