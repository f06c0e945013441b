// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the kernel believe that the machine mirrors a part of its memory, or that a part
 * of it can be unplugged.
 *
 * With test_kho_mirror=START,SIZE[,...] on the command line, each of these ranges of
 * physical memory is marked as mirrored, as EFI does on machines that have such memory.
 * Together with kernelcore=mirror, ZONE_MOVABLE gets all other memory above 4 GiB, and
 * the zones of a node span the same pages.
 *
 * With test_kho_hotplug=START,SIZE[,...] each range is marked as hot-pluggable, as ACPI
 * does. Together with movable_node, ZONE_MOVABLE gets this memory.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/test_kexec_handover.h>

struct ranges {
	struct {
		u64 start;
		u64 size;
	} of[8];
	unsigned int nr;
};

static struct ranges mirrored __initdata;
static struct ranges hotpluggable __initdata;

static int __init parse(char *arg, struct ranges *ranges)
{
	while (arg && ranges->nr < ARRAY_SIZE(ranges->of)) {
		ranges->of[ranges->nr].start = memparse(arg, &arg);
		if (*arg++ != ',')
			return -EINVAL;
		ranges->of[ranges->nr].size = memparse(arg, &arg);
		ranges->nr++;
		if (*arg++ != ',')
			break;
	}

	return 0;
}

static int __init mirror_param(char *arg)
{
	return parse(arg, &mirrored);
}
early_param("test_kho_mirror", mirror_param);

static int __init hotplug_param(char *arg)
{
	return parse(arg, &hotpluggable);
}
early_param("test_kho_hotplug", hotplug_param);

static void __init mark_ranges(const struct ranges *ranges,
			       int (*mark_one)(phys_addr_t, phys_addr_t))
{
	for (unsigned int i = 0; i < ranges->nr; i++) {
		if (mark_one(ranges->of[i].start, ranges->of[i].size))
			pr_warn("cannot mark %llu bytes at 0x%llx\n", ranges->of[i].size,
				ranges->of[i].start);
	}
}

void __init test_kho_mirror(void)
{
	mark_ranges(&mirrored, memblock_mark_mirror);
	mark_ranges(&hotpluggable, memblock_mark_hotplug);
}
