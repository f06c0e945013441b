// SPDX-License-Identifier: GPL-2.0-only
/*
 * The outgoing side: is KHO on, and where is what this kernel hands over?
 *
 * This file owns struct kho_out and kho_is_enabled(). start.c sets them up;
 * kernel/kexec_handover.c has the functions that change what is handed over.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/cache.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/mutex.h>

#include "outgoing.h"

struct kho_out kho_out = {
	.lock = __MUTEX_INITIALIZER(kho_out.lock),
};

/* True while folios can be preserved. kho_outgoing_enable() sets it. */
static bool kho_enabled __ro_after_init;

/**
 * kho_is_enabled - can folios be preserved?
 *
 * Context: any. False before the core_initcalls, constant after them.
 * Return: true if KHO is on (``kho=``) and kho_start() could set up the outgoing
 * side; false otherwise.
 */
bool kho_is_enabled(void)
{
	/*
	 * Pairs with smp_store_release() in kho_outgoing_enable(): a CPU that sees true
	 * sees the complete map and root FDT.
	 */
	return smp_load_acquire(&kho_enabled);
}
EXPORT_SYMBOL_GPL(kho_is_enabled);

/**
 * kho_outgoing_enable - let folios be preserved
 *
 * Other threads may preserve memory at once: the outgoing side is complete, and nothing
 * that could fail comes after this.
 *
 * Context: kho_start(), a core_initcall.
 */
void __init kho_outgoing_enable(void)
{
	/* Pairs with smp_load_acquire() in kho_is_enabled(). */
	smp_store_release(&kho_enabled, true);
}
