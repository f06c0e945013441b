/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of mm/kho_init.c that kernel/kexec_handover/ calls. Those that mm/
 * calls are declared in mm/internal.h.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef __MM_KHO_INIT_H
#define __MM_KHO_INIT_H

#include <linux/types.h>

struct kho_bad_pages;
struct kho_named;

void kho_init_bad_pages(struct kho_bad_pages *list);
bool kho_init_prepare(const struct kho_named *named);
void kho_init_discard(void);
void kho_init_start(void);
void kho_init_folio(unsigned long pfn, unsigned int order);
void kho_init_finish(void);
void kho_init_free_node(unsigned long pfn);
void kho_init_take_free(unsigned long pfn);
void kho_init_free_memblock(void *start, size_t bytes);

#endif /* __MM_KHO_INIT_H */
