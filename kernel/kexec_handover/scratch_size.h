/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How large scratch is to be, see scratch_size.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_SCRATCH_SIZE_H
#define _KHO_SCRATCH_SIZE_H

#include <linux/types.h>

/**
 * struct kho_scratch_request - what kho_scratch= asks for
 * @percent: of what the kernel has reserved at boot; if it is 0 the sizes count
 * @image_percent: the same for the kernel image and its initrd
 * @low: bytes of the low-memory region
 * @global: bytes of the global region
 * @node: bytes of the region of each node
 */
struct kho_scratch_request {
	unsigned int percent;
	unsigned int image_percent;
	u64 low;
	u64 global;
	u64 node;
};

/*
 * The default. The image counts twice, since it is there twice: as kexec loads it
 * and as it unpacks itself. Everything else will take as much memory as it does in
 * this kernel, and nearly all of that is struct pages and swiotlb, in large pieces:
 * the fifth of scratch that is left beside them is for alignment and for a next
 * kernel that takes a little more. process_kho_scratch() relies on that.
 */
#define KHO_SCRATCH_DEFAULT	\
	((struct kho_scratch_request) { .percent = 125, .image_percent = 200 })

/**
 * struct kho_scratch_use - what this kernel has reserved, in bytes
 * @image_below: the kernel image and its initrd, as far as they are in low memory
 * @image_above: the kernel image and its initrd elsewhere
 * @below: all that is reserved in low memory
 * @crash_below: the part of @below that is for a crash kernel
 * @crash_above: what is for a crash kernel in all other memory
 */
struct kho_scratch_use {
	u64 image_below;
	u64 image_above;
	u64 below;
	u64 crash_below;
	u64 crash_above;
};

bool kho_scratch_size_parse(const char *arg, struct kho_scratch_request *req);
u64 kho_scratch_size_scale(u64 bytes, unsigned int percent);
void kho_scratch_size_compute(const struct kho_scratch_use *use,
			      const struct kho_scratch_request *req, u64 *low, u64 *global);

#endif /* _KHO_SCRATCH_SIZE_H */
