// SPDX-License-Identifier: GPL-2.0-only
/*
 * The outgoing side: is KHO on, and where is the outgoing handover?
 *
 * This file defines kho_out and owns kho_is_enabled(). set_up_outgoing() in start.c fills
 * in kho_out, in a core_initcall, and then calls kho_outgoing_enable(). From then on the
 * functions of kernel/kexec_handover.c and pages.c change the map, those of
 * kernel/kexec_handover.c change the root FDT, and kho_image_seal() in image.c writes the
 * copy for the next kernel. outgoing.h says which function writes which field.
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
