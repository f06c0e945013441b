// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the size of scratch is computed, and how kho_scratch= is parsed.
 *
 * No function here accesses memblock, so KUnit can test all of them. scratch_reserve.c
 * measures what the kernel has reserved, and reserves the sizes that are computed
 * here.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "scratch.h"
#include "scratch_size.h"

static bool __init parse_percent(const char *arg, struct kho_scratch_request *req)
{
	char digits[8];
	size_t len = strlen(arg);
	unsigned int percent;

	if (len < 2 || len > sizeof(digits) || arg[len - 1] != '%')
		return false;

	strscpy(digits, arg, len);
	if (kstrtouint(digits, 10, &percent) || !percent)
		return false;
	req->percent = percent;
	req->image_percent = percent;

	return true;
}

static bool __init parse_sizes(const char *arg, struct kho_scratch_request *req)
{
	u64 *size[] = { &req->low, &req->global, &req->node };

	for (int i = 0; i < ARRAY_SIZE(size); i++) {
		char *end;

		*size[i] = memparse(arg, &end);
		if (end == arg || *arg == '-' || !*size[i] ||
		    *size[i] > U64_MAX - KHO_SCRATCH_ALIGN)
			return false;
		if (*end != (i == ARRAY_SIZE(size) - 1 ? '\0' : ','))
			return false;
		arg = end + 1;
	}

	return true;
}

/**
 * kho_scratch_size_parse - parse the value of kho_scratch=
 * @arg: the value
 * @req: where to store the percentages or sizes; also changed if @arg is malformed
 *
 * Context: boot.
 * Return: true if @arg is valid; false if it is malformed.
 */
bool __init kho_scratch_size_parse(const char *arg, struct kho_scratch_request *req)
{
	*req = (struct kho_scratch_request){};

	return parse_percent(arg, req) || parse_sizes(arg, req);
}

/**
 * kho_scratch_size_scale - compute a percentage of a size
 * @bytes: the size in bytes
 * @percent: the percentage, can be above 100
 *
 * Context: boot.
 * Return: the percentage of @bytes, in bytes, rounded down.
 */
u64 __init kho_scratch_size_scale(u64 bytes, unsigned int percent)
{
	return div_u64(bytes * percent, 100);
}

/**
 * kho_scratch_size_compute - compute the sizes of the first two scratch regions
 * @use: what this kernel has reserved
 * @req: the percentages
 * @low: where to store the size of the low-memory region in bytes
 * @global: where to store the size of the global region in bytes
 *
 * The next kernel is assumed to need what this one has reserved, times the
 * percentage. Each byte counts for one region:
 *
 * - The kernel image and the initrd count for the global region, where kexec and
 *   KASLR place kernels.
 * - Other memory below the limit of low memory counts for the low-memory region, on
 *   any node. An allocation for a node takes memory of another node if its own has
 *   none.
 * - Other memory above the limit of low memory counts for the region of its node, in
 *   scratch_reserve.c.
 *
 * Context: boot.
 */
void __init kho_scratch_size_compute(const struct kho_scratch_use *use,
				     const struct kho_scratch_request *req,
				     u64 *low, u64 *global)
{
	const u64 image = use->image_below + use->image_above;

	*low = kho_scratch_size_scale(use->below - min(use->below, use->image_below),
				      req->percent);
	*global = kho_scratch_size_scale(image, req->image_percent);
}
