/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of KHO that the files of kernel/kexec_handover/ call, for the fuzzer.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KEXEC_HANDOVER_H
#define _LINUX_KEXEC_HANDOVER_H

#include <linux/types.h>

bool is_kho_boot(void);
bool kho_is_enabled(void);
void *kho_alloc_preserve(size_t size);
void kho_unpreserve_free(void *virt);
void kho_restore_free(void *virt);
int kho_preserve_pages(void *page, unsigned long nr);
void kho_unpreserve_pages(void *page, unsigned long nr);
int kho_add_subtree(const char *name, void *blob, size_t size);
int kho_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size);
bool kho_scratch_overlap(phys_addr_t phys, size_t size);

#endif /* _LINUX_KEXEC_HANDOVER_H */
