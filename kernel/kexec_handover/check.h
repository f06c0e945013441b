/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks of an incoming handover, see check.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_CHECK_H
#define _KHO_CHECK_H

#include <linux/types.h>

/**
 * struct kho_defect - why an incoming handover is invalid
 * @object: the invalid object, for example "folio"
 * @phys: physical address of the object
 * @size: size of the object in bytes
 * @what: the defect of the object, a clause like "is not in RAM"
 *
 * It lies on the stack of the function in boot.c that calls a check. The check
 * writes all fields if it returns false.
 */
struct kho_defect {
	const char *object;
	phys_addr_t phys;
	u64 size;
	const char *what;
};

bool kho_check_memblock_has(phys_addr_t addr, u64 size);
bool kho_check_fdt(phys_addr_t phys, u64 len, struct kho_defect *defect);
bool kho_check_scratch(phys_addr_t array_phys, u64 array_len, struct kho_defect *defect);
bool kho_check_map(struct kho_defect *defect);
bool kho_check_reserved(struct kho_defect *defect);
void kho_check_discard(void);
void kho_check_blobs(void);

#endif /* _KHO_CHECK_H */
