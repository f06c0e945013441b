// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is live update on, and may the state that is handed over change at the moment?
 *
 * This file owns liveupdate_enabled() and luo_reboot_sem, which all other files use.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/cache.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/liveupdate.h>
#include <linux/rwsem.h>

#include "internal.h"

/*
 * Held for reading by each operation that changes the state that is handed over.
 * liveupdate_kexec_begin() takes it for writing, and keeps it if the kexec goes ahead, so that
 * these operations block until the kexec.
 */
DECLARE_RWSEM(luo_reboot_sem);

/* luo_enable() sets it; constant from the end of the postcore_initcalls on. */
static bool enabled __ro_after_init;

/**
 * liveupdate_enabled - is live update on?
 *
 * Context: any. From the end of postcore_initcall on.
 * Return: true with liveupdate=on if KHO is on as well.
 */
bool liveupdate_enabled(void)
{
	return enabled;
}
EXPORT_SYMBOL_GPL(liveupdate_enabled);

/**
 * luo_enable - switch live update on
 *
 * Context: luo_start(), a postcore_initcall, when its set-up has succeeded.
 */
void __init luo_enable(void)
{
	enabled = true;
}
