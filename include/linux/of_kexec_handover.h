/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kexec HandOver on machines with a device tree: adding the addresses of a handover to
 * the device tree of a kexec image, and reading them at boot.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_OF_KEXEC_HANDOVER_H
#define _LINUX_OF_KEXEC_HANDOVER_H

#include <linux/types.h>

struct kimage;

#ifdef CONFIG_KEXEC_HANDOVER

int of_kho_setup(const struct kimage *image, void *fdt, int chosen_node);
bool of_kho_take(unsigned long node);
void of_kho_populate(void);

#else /* CONFIG_KEXEC_HANDOVER */

static inline int of_kho_setup(const struct kimage *image, void *fdt, int chosen_node)
{
	return 0;
}

static inline bool of_kho_take(unsigned long node)
{
	return false;
}

static inline void of_kho_populate(void) { }

#endif /* CONFIG_KEXEC_HANDOVER */

#endif /* _LINUX_OF_KEXEC_HANDOVER_H */
