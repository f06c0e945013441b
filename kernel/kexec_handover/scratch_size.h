/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the size of scratch is computed, see scratch_size.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_SCRATCH_SIZE_H
#define _KHO_SCRATCH_SIZE_H

#include <linux/sizes.h>
#include <linux/types.h>

/**
 * struct kho_scratch_request - the value of kho_scratch=
 * @percent: percentage of what the kernel reserves early at boot; 0 if the value has
 *	sizes
 * @image_percent: the same for the kernel image and the initrd
 * @low: size of the low-memory region in bytes, 0 if the value is a percentage
 * @global: size of the global region in bytes, as @low
 * @node: size of the region of each node in bytes, as @low
 *
 * kho_scratch_size_parse() writes all fields, as an early parameter; constant from
 * then on.
 */
struct kho_scratch_request {
	unsigned int percent;
	unsigned int image_percent;
	u64 low;
	u64 global;
	u64 node;
};

/*
 * The default. The kernel image and the initrd count with 200%: the image is in memory
 * twice, as kexec loads it and as it unpacks itself. Besides that, the next kernel is
 * expected to reserve as much as this one has reserved before it would read the map; 125%
 * leaves a fifth of scratch for a kernel that needs more.
 */
#define KHO_SCRATCH_DEFAULT	\
	((struct kho_scratch_request) { .percent = 125, .image_percent = 200 })

/* The low-memory region has at least this size, unless kho_scratch= sets sizes. */
#define KHO_SCRATCH_LEAST	((u64)SZ_8M)

/**
 * struct kho_scratch_use - what this kernel has reserved so far, in bytes
 * @image_below: the bytes of kernel image and initrd that are in low memory
 * @image_above: the bytes of kernel image and initrd in all other memory
 * @below: all bytes that are reserved in low memory
 *
 * measure_below() fills in its own struct on the stack.
 */
struct kho_scratch_use {
	u64 image_below;
	u64 image_above;
	u64 below;
};

bool kho_scratch_size_parse(const char *arg, struct kho_scratch_request *req);
u64 kho_scratch_size_scale(u64 bytes, unsigned int percent);
void kho_scratch_size_compute(const struct kho_scratch_use *use,
			      const struct kho_scratch_request *req, u64 *low, u64 *global);

#endif /* _KHO_SCRATCH_SIZE_H */
