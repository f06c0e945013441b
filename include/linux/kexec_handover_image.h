/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kexec HandOver while a kexec image is loaded and started: the hooks that kexec and
 * the loaders of the architectures call. See kernel/kexec_handover/image.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef LINUX_KEXEC_HANDOVER_IMAGE_H
#define LINUX_KEXEC_HANDOVER_IMAGE_H

#include <linux/errno.h>
#include <linux/types.h>

struct kexec_buf;
struct kexec_segment;
struct kimage;
struct resource;

#ifdef CONFIG_KEXEC_HANDOVER

bool kho_image_params(const struct kimage *image, phys_addr_t *fdt_phys,
		      phys_addr_t *scratch_phys, u64 *scratch_len);
int kho_image_prepare(const struct kimage *image);
int kho_image_locate_hole(struct kexec_buf *kbuf, int (*func)(struct resource *, void *));
void kho_image_load_failed(const struct kimage *image, int err);
u64 kho_image_bytes(const struct kimage *image);
int kho_image_check_room(const struct kimage *image);
void kho_arrival_record(struct kimage *image);
bool arch_kho_image_unknown(const struct kimage *image);
void kho_bad_pages_update(const struct kimage *image);
void kho_image_seal(const struct kimage *image);

const char *kho_ahead_late_reason(const struct kimage *image);
unsigned long kho_pieces_random_place(struct kexec_buf *kbuf, unsigned long later);
bool kho_ahead_locate_free(struct kexec_buf *kbuf, int (*func)(struct resource *, void *));
bool kho_ahead_load_late(struct kimage *image, unsigned long nr, const void *ldata);
void kho_ahead_take_places(struct kimage *image);
bool kho_ahead_in_place(const struct kimage *image);
int kho_ahead_load_segment(const struct kimage *image, const struct kexec_segment *segment);
int kho_ahead_check_places(const struct kimage *image);
void kho_ahead_report(const struct kimage *image);
void kho_ahead_show(const struct kimage *image);
void kho_ahead_cleanup(struct kimage *image);
void kho_ahead_free(struct kimage *image);

int kho_unpack(const void *in, size_t len, void *out, size_t out_len);

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

static inline void kho_arrival_record(struct kimage *image) { }
static inline void kho_bad_pages_update(const struct kimage *image) { }
static inline void kho_image_seal(const struct kimage *image) { }

static inline bool kho_ahead_locate_free(struct kexec_buf *kbuf,
					 int (*func)(struct resource *, void *))
{
	return false;
}

static inline bool kho_ahead_load_late(struct kimage *image, unsigned long nr, const void *ldata)
{
	return false;
}

static inline void kho_ahead_take_places(struct kimage *image) { }

static inline bool kho_ahead_in_place(const struct kimage *image)
{
	return false;
}

static inline int kho_ahead_load_segment(const struct kimage *image,
					 const struct kexec_segment *segment)
{
	return -EINVAL;
}

static inline int kho_ahead_check_places(const struct kimage *image)
{
	return 0;
}

static inline void kho_ahead_report(const struct kimage *image) { }
static inline void kho_ahead_cleanup(struct kimage *image) { }
static inline void kho_ahead_free(struct kimage *image) { }

#endif

#endif /* LINUX_KEXEC_HANDOVER_IMAGE_H */
