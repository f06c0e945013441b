/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The outgoing side: what this kernel hands over to the next one.
 *
 * outgoing.c defines kho_out. The functions in start.c that kho_start() calls fill it in;
 * from then on the functions that are named at the fields write to it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_OUTGOING_H
#define _KHO_OUTGOING_H

#include <linux/mutex.h>

#include "map.h"

/**
 * struct kho_out - what this kernel hands over
 * @map: the preserved folios. set_up_outgoing(), set_up_root_fdt() and write_metadata()
 *	make it, for kho_start(). From then on kho_preserve_folio(),
 *	kho_unpreserve_folio(), kho_preserve_pages() and kho_unpreserve_pages() change
 *	it without a lock, see map.h.
 * @lock: guards @fdt and @spare while the system runs
 * @fdt: the current root FDT. set_up_root_fdt() allocates and fills it, for kho_start();
 *	use_spare_fdt() exchanges @fdt and @spare, with @lock held. A kexec may stop
 *	the CPU that changes the root FDT, so a root FDT does not change any more once
 *	@fdt points to it.
 * @spare: memory for the next root FDT. set_up_root_fdt() allocates it.
 *	kho_add_subtree() and kho_remove_subtree() fill it and then call
 *	use_spare_fdt(), with @lock held.
 * @handed: the page in which the next kernel finds the root FDT; @map names this page.
 *	set_up_root_fdt() sets the pointer before kho_is_enabled() is true; constant
 *	from then on. kho_image_seal() writes the page, when only one CPU runs.
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
