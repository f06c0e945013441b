/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kexec lock, as functions of KHO that need it assert it.
 *
 * The kexec lock is a flag, so lockdep cannot tell which task holds it: the assertion only
 * fails if no task holds the lock. Kernels without lockdep do not check it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_KEXEC_LOCK_H
#define _KHO_KEXEC_LOCK_H

#include <linux/atomic.h>
#include <linux/lockdep.h>

#include "../kexec_internal.h"

static inline void kho_assert_kexec_lock(void)
{
	lockdep_assert(atomic_read(&__kexec_lock));
}

#endif /* _KHO_KEXEC_LOCK_H */
