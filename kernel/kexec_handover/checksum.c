// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checksum of a handover: what something wrote over is not believed.
 *
 * This file owns its property in the root FDT, how it is computed, and
 * kho_checksum=. A kernel computes it last of all before it starts the next
 * one, when no other CPU runs and nothing is preserved any more. That one looks
 * at it when it has found nothing else wrong, before it gives memory away.
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

/* What kho_checksum= asks for. */
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

static int add_node(phys_addr_t node, unsigned int level, u64 key, void *arg)
{
	u64 *sum = arg;

	*sum += xxh64(phys_to_virt(node), PAGE_SIZE, node);

	return 0;
}

/* The checksum of @fdt, which keeps it at @value, and of @map. */
static u64 compute(const void *fdt, const void *value, const struct kho_map *map)
{
	size_t before = value - fdt, behind = before + sizeof(u64);
	u64 sum;

	sum = xxh64(fdt, before, 0) + xxh64(fdt + behind, KHO_FDT_SIZE - behind, behind);
	kho_map_walk(map, add_node, &sum);

	return sum;
}

/**
 * kho_checksum_prepare - make room for the checksum
 * @fdt: the root FDT
 *
 * Return: 0, also if nobody wants one, or -EINVAL.
 */
int kho_checksum_prepare(void *fdt)
{
	const u64 none = 0;

	if (!checksum_wanted)
		return 0;

	return fdt_setprop(fdt, 0, KHO_FDT_PROP_CHECKSUM, &none, sizeof(none)) ? -EINVAL : 0;
}

/**
 * kho_checksum_set - compute the checksum
 * @fdt: the root FDT
 * @map: the map; nobody adds to it meanwhile
 *
 * Does nothing without kho_checksum_prepare().
 *
 * Context: any.
 */
void kho_checksum_set(void *fdt, const struct kho_map *map)
{
	void *value = fdt_getprop_w(fdt, 0, KHO_FDT_PROP_CHECKSUM, NULL);

	if (value)
		put_unaligned(compute(fdt, value, map), (u64 *)value);
}

/**
 * kho_checksum_matches - is a handover what its writer left?
 * @fdt: a root FDT that kho_fdt_defect() found nothing wrong with
 * @map: its map, all nodes of which can be read
 *
 * Context: any.
 * Return: true if it is, or if there is no telling: the writer gave no checksum,
 * or nobody wants to know.
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
