/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checksum of a handover, see checksum.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_CHECKSUM_H
#define _KHO_CHECKSUM_H

#include <linux/types.h>

struct kho_map;

#ifdef CONFIG_KEXEC_HANDOVER_CHECKSUM

bool kho_checksum_wanted(void);
int kho_checksum_prepare(void *fdt);
void kho_checksum_set(void *fdt, const struct kho_map *map);
bool kho_checksum_matches(const void *fdt, const struct kho_map *map);

#else

static inline bool kho_checksum_wanted(void)
{
	return false;
}

static inline int kho_checksum_prepare(void *fdt)
{
	return 0;
}

static inline void kho_checksum_set(void *fdt, const struct kho_map *map) { }

static inline bool kho_checksum_matches(const void *fdt, const struct kho_map *map)
{
	return true;
}

#endif

#endif /* _KHO_CHECKSUM_H */
