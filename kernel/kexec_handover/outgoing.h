/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The outgoing side: what this kernel hands over to the next one.
 *
 * kernel/kexec_handover.c owns struct kho_out and sets it up.
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
 * @lock: guards the content of @fdt while the system runs
 * @fdt: the root FDT, a page that is preserved itself. kho_start() sets the
 *	pointer before kho_is_enabled() is true; constant from then on. The content
 *	is changed by kho_add_subtree() and kho_remove_subtree(), with @lock held,
 *	and by kho_image_seal(), when only one CPU runs.
 */
struct kho_out {
	struct kho_map map;
	struct mutex lock; /* see above */
	void *fdt;
};

extern struct kho_out kho_out;

#endif /* _KHO_OUTGOING_H */
