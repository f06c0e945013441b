/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kexec lock, as functions of KHO that need it assert it.
 *
 * It is a flag and no lock of lockdep, so lockdep cannot tell which task holds it: the
 * assertion notices a caller that no one has locked out. Kernels without lockdep have none.
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
