/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For kernel/kexec_handover_*.c on a host, where nothing is started.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KEXEC_H
#define _LINUX_KEXEC_H

#define KEXEC_TYPE_CRASH	1

struct kimage {
	int type;
};

#endif /* _LINUX_KEXEC_H */
