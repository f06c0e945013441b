/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kexec HandOver while a kexec image is loaded and started: the hooks that kexec and
 * the loaders of the architectures call. See kernel/kexec_handover/image.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef LINUX_KEXEC_HANDOVER_IMAGE_H
#define LINUX_KEXEC_HANDOVER_IMAGE_H

#include <linux/types.h>

struct kexec_buf;
struct kimage;
struct resource;

#ifdef CONFIG_KEXEC_HANDOVER

bool kho_image_params(const struct kimage *image, phys_addr_t *fdt_phys,
		      phys_addr_t *scratch_phys, u64 *scratch_len);
int kho_image_prepare(const struct kimage *image);
int kho_image_locate_hole(struct kexec_buf *kbuf, int (*func)(struct resource *, void *));
void kho_image_load_failed(const struct kimage *image, int err);
int kho_image_check_room(const struct kimage *image);
void kho_image_loaded(struct kimage *image);
bool arch_kho_image_unknown(const struct kimage *image);
void kho_image_seal(const struct kimage *image);

#else

static inline bool kho_image_params(const struct kimage *image, phys_addr_t *fdt_phys,
				    phys_addr_t *scratch_phys, u64 *scratch_len)
{
	return false;
}

static inline int kho_image_prepare(const struct kimage *image)
{
	return 0;
}

static inline int kho_image_locate_hole(struct kexec_buf *kbuf,
					int (*func)(struct resource *, void *))
{
	return 1;
}

static inline void kho_image_load_failed(const struct kimage *image, int err) { }

static inline int kho_image_check_room(const struct kimage *image)
{
	return 0;
}

static inline void kho_image_loaded(struct kimage *image) { }
static inline void kho_image_seal(const struct kimage *image) { }

#endif

#endif /* LINUX_KEXEC_HANDOVER_IMAGE_H */
