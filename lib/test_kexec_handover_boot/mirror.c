// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the kernel believe that the machine mirrors a part of its memory.
 *
 * With test_kho_mirror=START,SIZE[,...] on the command line, each of these ranges of
 * physical memory is marked as mirrored, as EFI does on machines that have such memory.
 * Together with kernelcore=mirror, ZONE_MOVABLE gets all other memory above 4 GiB, and
 * the zones of a node span the same pages.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/test_kexec_handover.h>

static struct {
	u64 start;
	u64 size;
} ranges[8] __initdata;

static unsigned int nr_ranges __initdata;

static int __init mirror_param(char *arg)
{
	while (arg && nr_ranges < ARRAY_SIZE(ranges)) {
		ranges[nr_ranges].start = memparse(arg, &arg);
		if (*arg++ != ',')
			return -EINVAL;
		ranges[nr_ranges].size = memparse(arg, &arg);
		nr_ranges++;
		if (*arg++ != ',')
			break;
	}

	return 0;
}
early_param("test_kho_mirror", mirror_param);

void __init test_kho_mirror(void)
{
	for (unsigned int i = 0; i < nr_ranges; i++) {
		if (memblock_mark_mirror(ranges[i].start, ranges[i].size))
			pr_warn("cannot mark %llu bytes at 0x%llx as mirrored\n", ranges[i].size,
				ranges[i].start);
	}
}
