/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The outgoing side: what this kernel hands over to the next one.
 *
 * outgoing.c owns struct kho_out; start.c sets it up.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_OUTGOING_H
#define _KHO_OUTGOING_H

#include <linux/mutex.h>

#include "map.h"

/**
 * struct kho_out - what this kernel hands over
 * @map: the preserved folios. kho_start() makes it in a core_initcall; from then on
 *	the functions that preserve and unpreserve memory change it without a lock,
 *	see map.h.
 * @lock: guards @fdt and @spare while the system runs
 * @fdt: the root FDT as it is now. The CPU that changes it may be stopped by a kexec, so
 *	a root FDT does not change any more once @fdt points to it.
 * @spare: memory for the next root FDT. kho_add_subtree() and kho_remove_subtree()
 *	write it and then exchange @fdt and @spare, with @lock held.
 * @handed: the page that the next kernel finds the root FDT in, preserved itself.
 *	kho_start() sets the pointer before kho_is_enabled() is true; constant from then
 *	on. kho_image_seal() copies @fdt to it, when only one CPU runs.
 */
struct kho_out {
	struct kho_map map;
	struct mutex lock; /* see above */
	void *fdt;
	void *spare;
	void *handed;
};

extern struct kho_out kho_out;

void kho_outgoing_enable(void);

#endif /* _KHO_OUTGOING_H */
