// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checksum of a handover: it detects writes to the root FDT or to the map while
 * one kernel shuts down and the next one starts.
 *
 * This file owns the property of the checksum in the root FDT, how the checksum is
 * computed, and kho_checksum=. The old kernel computes it as its last step before it
 * starts the new kernel, when no other CPU runs and no folio can be preserved any
 * more. The new kernel compares it as the last check of the handover, before it
 * frees any memory to the page allocator.
 *
 * Format: see include/linux/kho/abi/kexec_handover.h.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/kstrtox.h>
#include <linux/libfdt.h>
#include <linux/printk.h>
#include <linux/string_choices.h>
#include <linux/unaligned.h>
#include <linux/xxhash.h>
#include <linux/kho/abi/kexec_handover.h>

#include "checksum.h"
#include "map.h"

/* The value of kho_checksum=. Constant after early parameters. */
static bool checksum_wanted __ro_after_init = true;

static int __init kho_checksum_param(char *arg)
{
	checksum_wanted = true;
	if (!arg || kstrtobool(arg, &checksum_wanted))
		pr_warn("malformed kho_checksum=%s, want on or off: it is %s\n",
			arg ?: "", str_on_off(checksum_wanted));

	return 0;
}
early_param("kho_checksum", kho_checksum_param);

/**
 * kho_checksum_wanted - is a checksum handed over, and compared?
 *
 * Context: any, after early parameters are parsed.
 * Return: the value of ``kho_checksum=``.
 */
bool kho_checksum_wanted(void)
{
	return checksum_wanted;
}

static int add_node(phys_addr_t node, unsigned int level, u64 key, void *arg)
{
	u64 *sum = arg;

	*sum += xxh64(phys_to_virt(node), PAGE_SIZE, node);

	return 0;
}

/* Computes the checksum of @map and of @fdt without the eight bytes at @value. */
static u64 compute(const void *fdt, const void *value, const struct kho_map *map)
{
	size_t before = value - fdt, after = before + sizeof(u64);
	u64 sum;

	sum = xxh64(fdt, before, 0) + xxh64(fdt + after, KHO_FDT_SIZE - after, after);
	kho_map_walk(map, add_node, &sum);

	return sum;
}

/**
 * kho_checksum_prepare - add the property of the checksum to the root FDT
 * @fdt: the root FDT
 *
 * Does nothing with ``kho_checksum=off``.
 *
 * Context: any, never sleeps.
 * Return: 0; -EINVAL if the property does not fit into the root FDT.
 */
int kho_checksum_prepare(void *fdt)
{
	const u64 none = 0;

	if (!checksum_wanted)
		return 0;

	return fdt_setprop(fdt, 0, KHO_FDT_PROP_CHECKSUM, &none, sizeof(none)) ? -EINVAL : 0;
}

/**
 * kho_checksum_set - compute the checksum and write it to the root FDT
 * @fdt: the root FDT
 * @map: the outgoing map; it must not change during the call
 *
 * Does nothing if kho_checksum_prepare() has not added the property.
 *
 * Context: any, never sleeps.
 */
void kho_checksum_set(void *fdt, const struct kho_map *map)
{
	void *value = fdt_getprop_w(fdt, 0, KHO_FDT_PROP_CHECKSUM, NULL);

	if (value)
		put_unaligned(compute(fdt, value, map), (u64 *)value);
}

/**
 * kho_checksum_matches - does an incoming handover have the checksum that it names?
 * @fdt: a root FDT in which kho_fdt_defect() has found no defect
 * @map: the map that it names, all nodes of which can be read
 *
 * Context: any, never sleeps.
 * Return: true if the checksum matches, if the root FDT has no checksum, or with
 * ``kho_checksum=off``; false if it differs or its property has a wrong size.
 */
bool kho_checksum_matches(const void *fdt, const struct kho_map *map)
{
	int len;
	const void *value = fdt_getprop(fdt, 0, KHO_FDT_PROP_CHECKSUM, &len);

	if (!value || !checksum_wanted)
		return true;

	return len == sizeof(u64) &&
	       get_unaligned((const u64 *)value) == compute(fdt, value, map);
}
