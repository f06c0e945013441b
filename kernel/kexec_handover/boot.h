/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the boot sequence has decided, see boot.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_BOOT_H
#define _KHO_BOOT_H

#include <linux/types.h>

/*
 * Why KHO is off, if it is. The steps of the boot sequence set it, kho_start() is the
 * last one; constant from then on.
 */
extern const char *kho_off_reason;

/* True if there was an incoming handover, and it was refused. kho_refuse() sets it during boot. */
extern bool kho_refused;

/* True if there was one while KHO is off. kho_populate() sets it; constant from then on. */
extern bool kho_ignored;

#endif /* _KHO_BOOT_H */
