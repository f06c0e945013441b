/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks whether all pages of an incoming vmalloc area still wait. File handlers call this
 * before kho_restore_vmalloc(), which frees the other pages if one is missing.
 *
 * These functions are in a header, because the fuzzer of memfds compiles them with what it
 * has of the kernel.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_WAITS_H
#define _KHO_WAITS_H

#include <linux/kho/abi/kexec_handover.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "restore.h"

/*
 * Reads memory that waits. It does not change while it does, so what was read is right if
 * the memory waits before and after.
 */
static inline bool kho_read_waiting(u64 phys, void *to, size_t size)
{
	if (kho_waiting_order(PHYS_PFN(phys)))
		return false;
	memcpy(to, phys_to_virt(phys), size);
	/* Pairs with cmpxchg() in claim(): an owner claims the page before it writes to it. */
	smp_rmb();

	return !kho_waiting_order(PHYS_PFN(phys));
}

/*
 * Do all pages of the area wait? kho_restore_vmalloc() would lose all if one does not. The
 * caller has checked @kv with kho_vmalloc_is_valid().
 */
static inline bool kho_vmalloc_waits(const struct kho_vmalloc *kv)
{
	u64 chunk = kv->first.phys, phys;
	unsigned int left = kv->total_pages >> kv->order;

	for (; left; chunk = phys) {
		unsigned int nr = min_t(unsigned int, left, KHO_VMALLOC_CHUNK_LEN);

		if (!PAGE_ALIGNED(chunk))
			return false;
		for (unsigned int i = 0; i < nr; i++) {
			if (!kho_read_waiting(chunk + offsetof(struct kho_vmalloc_chunk, phys[i]),
					      &phys, sizeof(phys)) ||
			    kho_waiting_order(PHYS_PFN(phys)) < 0)
				return false;
		}
		left -= nr;
		if (!kho_read_waiting(chunk, &phys, sizeof(phys)))
			return false;
		cond_resched();
	}

	return true;
}

#endif /* _KHO_WAITS_H */
