// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root FDT, the start of a handover: the next kernel is told its address.
 *
 * This file owns the content of the root FDT: the address of the preserved map, and
 * a node for each blob. start.c allocates the root FDT and fills it at boot. From then on
 * kernel/kexec_handover.c holds kho_out.lock while it calls functions that change it.
 *
 * The root FDT is one page. After kho_fdt_defect() has found no defect in an
 * incoming one, libfdt reads nothing outside of the page, but nodes and properties
 * can still have any content.
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
 * kho_fdt_u64 - read a u64 property
 * @fdt: the FDT
 * @node: offset of the node, in bytes
 * @prop: name of the property
 * @val: where to store the value; unchanged after an error
 *
 * The value is eight bytes in the byte order of the machine, aligned to four bytes.
 *
 * Context: any, never sleeps.
 * Return: 0; -EINVAL if there is no such property or it is not eight bytes long.
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
 * kho_fdt_create - make a root FDT without blobs
 * @fdt: where to make it, %KHO_FDT_SIZE bytes
 * @map: physical address of the root node of the preserved map
 *
 * Context: any, never sleeps.
 * Return: 0; -ENOSPC or -EINVAL if libfdt fails.
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
	      /* Make the rest of the page free space for blobs. */
	      fdt_open_into(fdt, fdt, KHO_FDT_SIZE);

	return fdt_errno(err);
}

/**
 * kho_fdt_is_sound - check the header of an FDT that another kernel has written
 * @fdt: the FDT
 * @size: number of bytes that it can have, at least those of a header
 *
 * If the header is valid, libfdt reads nothing outside of these bytes, and can remove a
 * property from each node. In an FDT before version 16 it cannot do that, nor does it
 * find names that are not paths; no kernel writes one.
 *
 * Context: any, never sleeps.
 * Return: true if the header is valid; false if not.
 */
bool kho_fdt_is_sound(const void *fdt, size_t size)
{
	/* libfdt does not check that the structure block is aligned. */
	return !fdt_check_header(fdt) && fdt_version(fdt) >= FDT_LAST_COMPATIBLE_VERSION &&
	       fdt_totalsize(fdt) <= size && !(fdt_off_dt_struct(fdt) % FDT_TAGSIZE);
}

/**
 * kho_fdt_defect - check the header and the root node of an incoming root FDT
 * @fdt: the root FDT, %KHO_FDT_SIZE bytes
 *
 * Context: any, never sleeps.
 * Return: NULL if the root FDT is valid; otherwise its defect, a clause
 * like "is damaged" that follows the name of the object in a message.
 */
const char *kho_fdt_defect(const void *fdt)
{
	u64 map;

	if (!kho_fdt_is_sound(fdt, KHO_FDT_SIZE))
		return "is damaged";
	if (fdt_node_check_compatible(fdt, 0, KHO_FDT_COMPATIBLE))
		return "is not of version " KHO_FDT_COMPATIBLE;
	if (kho_fdt_u64(fdt, 0, KHO_FDT_PROP_MAP, &map))
		return "names no preserved map";

	return NULL;
}

/**
 * kho_fdt_add - add a blob
 * @fdt: the root FDT
 * @name: name of the blob
 * @phys: physical address of the blob
 * @size: size of the blob in bytes
 *
 * The node is added to a copy, so that an error leaves @fdt as it was. The caller passes
 * memory that no other kernel reads yet: a kexec may interrupt the last memcpy().
 *
 * Context: may sleep. The caller excludes all other accesses to @fdt.
 * Return: 0; -EINVAL if @name is empty or contains a slash; -EEXIST if there is a
 * blob of this name; -ENOSPC if the page is full; -ENOMEM if there is no memory for
 * the copy. After an error each byte of the root FDT is as it was.
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
 * @fdt: the root FDT
 * @phys: physical address of the blob
 *
 * Context: any, never sleeps. The caller excludes all other accesses to @fdt.
 * Return: true if the blob was removed; false if there is none with this address.
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

/* fdt_subnode_offset() also finds NAME@ADDRESS if it is asked for NAME. */
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
 * @fdt: the root FDT
 * @name: name of the blob
 * @phys: where to store its physical address; unchanged after an error
 * @size: where to store its size in bytes, or NULL; unchanged after an error
 *
 * Context: any, never sleeps.
 * Return: 0; -ENOENT if there is no blob of this name; -EINVAL if its node does not
 * have both properties with eight bytes each.
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
