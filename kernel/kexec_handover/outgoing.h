/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel hands over to the next one.
 *
 * Owned by kernel/kexec_handover.c. The other files of the outgoing side read it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_OUTGOING_H
#define _KHO_OUTGOING_H

#include <linux/mutex.h>

#include "map.h"

/**
 * struct kho_out - what this kernel hands over
 * @map: the preserved folios. kernel/kexec_handover.c makes it in a core_initcall;
 *	from then on preserving and unpreserving change it, without a lock.
 * @lock: guards the content of @fdt
 * @fdt: the root FDT, a page that is itself preserved. Set in the same
 *	core_initcall, before kho_is_enabled() is true; constant from then on.
 */
struct kho_out {
	struct kho_map map;
	struct mutex lock; /* see above */
	void *fdt;
};

extern struct kho_out kho_out;

#endif /* _KHO_OUTGOING_H */
