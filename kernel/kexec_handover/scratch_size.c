// SPDX-License-Identifier: GPL-2.0-only
/*
 * How large scratch is to be: arithmetic, and the value of kho_scratch=.
 *
 * Nothing here knows of memory. scratch_reserve.c measures what the kernel has
 * taken, and reserves what comes out.
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
 * @req: what it asks for; changed even if it is malformed
 *
 * Return: true; false if @arg is malformed.
 */
bool __init kho_scratch_size_parse(const char *arg, struct kho_scratch_request *req)
{
	*req = (struct kho_scratch_request){};

	return parse_percent(arg, req) || parse_sizes(arg, req);
}

/**
 * kho_scratch_size_scale - a percentage of a size
 * @bytes: the size
 * @percent: how much of it
 *
 * Return: bytes.
 */
u64 __init kho_scratch_size_scale(u64 bytes, unsigned int percent)
{
	return div_u64(bytes * percent, 100);
}

/**
 * kho_scratch_size_compute - how much the next kernel will want
 * @use: what this kernel has reserved
 * @req: percentages of it
 * @low: bytes that the low-memory region is to have
 * @global: bytes that the global region is to have
 *
 * The next kernel will want what this one took, scaled. Each byte counts in one
 * region. The image counts as global: that is where kexec and KASLR put kernels, so
 * that they are in nobody's way. Low memory counts as low, also that of node 0:
 * allocations that ask for a node take memory of another node before they fail.
 * What lies above low memory counts on its node, in scratch_reserve.c. What
 * crashkernel= took counts as global or as low, and is not scaled.
 */
void __init kho_scratch_size_compute(const struct kho_scratch_use *use,
				     const struct kho_scratch_request *req,
				     u64 *low, u64 *global)
{
	u64 below = use->below - use->crash_below;

	*low = kho_scratch_size_scale(below - min(below, use->image_below), req->percent) +
	       use->crash_below;
	*global = kho_scratch_size_scale(use->image_below + use->image_above,
					 req->image_percent) + use->crash_above;
}
