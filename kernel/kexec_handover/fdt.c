// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root FDT: what a handover is found by.
 *
 * This file owns its content: the address of the preserved map, and a node for
 * each blob. Where it is, and when it may be changed, is up to
 * kernel/kexec_handover.c.
 *
 * An FDT here is a page. An incoming one was checked with kho_fdt_defect(), and
 * may still hold anything: libfdt looks at nothing outside of it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/libfdt.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/kho/abi/kexec_handover.h>

#include "fdt.h"

static int fdt_errno(int err)
{
	switch (err) {
	case -FDT_ERR_NOSPACE:
		return -ENOSPC;
	case -FDT_ERR_EXISTS:
		return -EEXIST;
	default:
		return err < 0 ? -EINVAL : 0;
	}
}

static int set_u64(void *fdt, int node, const char *prop, u64 val)
{
	return fdt_setprop(fdt, node, prop, &val, sizeof(val));
}

/**
 * kho_fdt_u64 - read a u64 property: eight raw bytes, aligned or not
 * @fdt: the FDT
 * @node: offset of the node
 * @prop: name of the property
 * @val: where to put the value
 *
 * Return: 0, or -EINVAL if there is no such property.
 */
int kho_fdt_u64(const void *fdt, int node, const char *prop, u64 *val)
{
	int len;
	const void *raw = fdt_getprop(fdt, node, prop, &len);

	if (!raw || len != sizeof(*val))
		return -EINVAL;
	*val = get_unaligned((const u64 *)raw);

	return 0;
}

/**
 * kho_fdt_create - make an FDT without blobs
 * @fdt: a page
 * @map: address of the root node of the preserved map
 *
 * Return: 0 or -EINVAL.
 */
int kho_fdt_create(void *fdt, phys_addr_t map)
{
	u64 addr = map;
	int err;

	err = fdt_create(fdt, KHO_FDT_SIZE) ?:
	      fdt_finish_reservemap(fdt) ?:
	      fdt_begin_node(fdt, "") ?:
	      fdt_property_string(fdt, "compatible", KHO_FDT_COMPATIBLE) ?:
	      fdt_property(fdt, KHO_FDT_PROP_MAP, &addr, sizeof(addr)) ?:
	      fdt_end_node(fdt) ?:
	      fdt_finish(fdt) ?:
	      /* Room for blobs: the rest of the page. */
	      fdt_open_into(fdt, fdt, KHO_FDT_SIZE);

	return fdt_errno(err);
}

/**
 * kho_fdt_defect - why is this no root FDT?
 * @fdt: a page that came in
 *
 * Return: what is wrong, to follow its address in a message, or NULL.
 */
const char *kho_fdt_defect(const void *fdt)
{
	u64 map;

	/* libfdt takes it for granted that the structure is aligned. */
	if (fdt_check_header(fdt) || fdt_totalsize(fdt) > KHO_FDT_SIZE ||
	    fdt_off_dt_struct(fdt) % FDT_TAGSIZE)
		return "is damaged";
	if (fdt_node_check_compatible(fdt, 0, KHO_FDT_COMPATIBLE))
		return "is not of version " KHO_FDT_COMPATIBLE;
	if (kho_fdt_u64(fdt, 0, KHO_FDT_PROP_MAP, &map))
		return "names no preserved map";

	return NULL;
}

/**
 * kho_fdt_add - add a blob
 * @fdt: the FDT
 * @name: the blob's name
 * @phys: its address
 * @size: its bytes
 *
 * Context: may sleep.
 * Return: 0, -EINVAL if it cannot be a name, -EEXIST, -ENOSPC, -ENOMEM. After
 * an error the FDT is as it was, byte by byte: a page that is handed over never
 * has half a node.
 */
int kho_fdt_add(void *fdt, const char *name, phys_addr_t phys, u64 size)
{
	void *copy __free(kfree) = NULL;
	int node, err;

	if (!*name || strchr(name, '/'))
		return -EINVAL;

	copy = kmemdup(fdt, KHO_FDT_SIZE, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;

	node = fdt_add_subnode(copy, 0, name);
	if (node < 0)
		return fdt_errno(node);
	err = set_u64(copy, node, KHO_FDT_PROP_DATA, phys) ?:
	      set_u64(copy, node, KHO_FDT_PROP_SIZE, size);
	if (err)
		return fdt_errno(err);

	memcpy(fdt, copy, KHO_FDT_SIZE);

	return 0;
}

/**
 * kho_fdt_del - remove a blob
 * @fdt: the FDT
 * @phys: the blob's address
 *
 * Return: true if there was one.
 */
bool kho_fdt_del(void *fdt, phys_addr_t phys)
{
	int node;

	fdt_for_each_subnode(node, fdt, 0) {
		u64 addr;

		if (!kho_fdt_u64(fdt, node, KHO_FDT_PROP_DATA, &addr) && addr == phys)
			return !fdt_del_node(fdt, node);
	}

	return false;
}

/* Not fdt_subnode_offset(): it takes NAME@ADDRESS for NAME. */
static int find_node(const void *fdt, const char *name)
{
	int node;

	fdt_for_each_subnode(node, fdt, 0) {
		const char *found = fdt_get_name(fdt, node, NULL);

		if (found && !strcmp(found, name))
			return node;
	}

	return -FDT_ERR_NOTFOUND;
}

/**
 * kho_fdt_get - find a blob
 * @fdt: the FDT
 * @name: the blob's name
 * @phys: where to put its address
 * @size: where to put its bytes; may be NULL
 *
 * Return: 0, -ENOENT, or -EINVAL if what there is cannot be understood. After
 * an error nothing was put anywhere.
 */
int kho_fdt_get(const void *fdt, const char *name, phys_addr_t *phys, size_t *size)
{
	int node = find_node(fdt, name);
	u64 addr, bytes;

	if (node < 0)
		return -ENOENT;
	if (kho_fdt_u64(fdt, node, KHO_FDT_PROP_DATA, &addr) ||
	    kho_fdt_u64(fdt, node, KHO_FDT_PROP_SIZE, &bytes))
		return -EINVAL;

	*phys = addr;
	if (size)
		*size = bytes;

	return 0;
}
