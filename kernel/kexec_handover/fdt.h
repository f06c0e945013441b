/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The root FDT, see fdt.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_FDT_H
#define _KHO_FDT_H

#include <linux/types.h>

int kho_fdt_u64(const void *fdt, int node, const char *prop, u64 *val);
int kho_fdt_create(void *fdt, phys_addr_t map);
bool kho_fdt_is_sound(const void *fdt, size_t size);
const char *kho_fdt_defect(const void *fdt);
int kho_fdt_add(void *fdt, const char *name, phys_addr_t phys, u64 size);
bool kho_fdt_del(void *fdt, phys_addr_t phys);
int kho_fdt_get(const void *fdt, const char *name, phys_addr_t *phys, size_t *size);

#endif /* _KHO_FDT_H */
