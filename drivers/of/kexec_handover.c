// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver, on machines that are described by a device tree.
 *
 * This file owns the two properties of /chosen that tell the next kernel where
 * to look: it puts them into the tree that a kexec image gets, and finds them at
 * boot. A kernel that finds them takes them out of its tree, since they are true
 * once: whoever makes the next tree from this one, in user space as well, would
 * send another kernel to memory that is long used for something else.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/init.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kexec_handover_image.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/libfdt.h>
#include <linux/minmax.h>
#include <linux/of_fdt.h>
#include <linux/of_kexec_handover.h>

static int del_prop(void *fdt, int chosen_node, const char *name)
{
	int ret = fdt_delprop(fdt, chosen_node, name);

	return ret == -FDT_ERR_NOTFOUND ? 0 : ret;
}

/**
 * of_kho_setup - let an image take the handover along, or none
 * @image: the image
 * @fdt: its device tree, made from that of this kernel, with room for more
 * @chosen_node: the node /chosen in it
 *
 * What a previous boot left in the tree goes in any case.
 *
 * Context: kexec_file_load.
 * Return: 0, or an error of libfdt.
 */
int of_kho_setup(const struct kimage *image, void *fdt, int chosen_node)
{
	phys_addr_t fdt_phys, scratch_phys;
	u64 scratch_len;
	int ret;

	ret = del_prop(fdt, chosen_node, KHO_OF_PROP_FDT) ?:
	      del_prop(fdt, chosen_node, KHO_OF_PROP_SCRATCH);
	if (ret || !kho_image_params(image, &fdt_phys, &scratch_phys, &scratch_len))
		return ret;

	return fdt_appendprop_addrrange(fdt, 0, chosen_node, KHO_OF_PROP_FDT,
					fdt_phys, KHO_FDT_SIZE) ?:
	       fdt_appendprop_addrrange(fdt, 0, chosen_node, KHO_OF_PROP_SCRATCH,
					scratch_phys, scratch_len);
}

/**
 * struct kho_prop - a property that was found
 * @len: its bytes, negative if there is none
 * @addr: its address
 * @size: its size; as @addr, 0 if @len is not that of an address and a size
 */
struct kho_prop {
	int len;
	u64 addr;
	u64 size;
};

static struct kho_prop found_fdt __initdata = { .len = -1 };
static struct kho_prop found_scratch __initdata = { .len = -1 };

static int __init range_len(void)
{
	return (dt_root_addr_cells + dt_root_size_cells) * sizeof(__be32);
}

/* Is it gone from the tree? */
static bool __init take_prop(unsigned long node, const char *name, struct kho_prop *found)
{
	const __be32 *prop = of_get_flat_dt_prop(node, name, &found->len);

	if (!prop)
		return false;
	if (found->len == range_len()) {
		found->addr = dt_mem_next_cell(dt_root_addr_cells, &prop);
		found->size = dt_mem_next_cell(dt_root_size_cells, &prop);
	}

	return !fdt_nop_property(initial_boot_params, node, name);
}

/**
 * of_kho_take - take a handover out of /chosen
 * @node: the node
 *
 * Context: the device tree can be written and its root was read. The command line
 * is not parsed.
 * Return: true if the tree changed.
 */
bool __init of_kho_take(unsigned long node)
{
	bool fdt = take_prop(node, KHO_OF_PROP_FDT, &found_fdt);
	bool scratch = take_prop(node, KHO_OF_PROP_SCRATCH, &found_scratch);

	return fdt || scratch;
}

/**
 * of_kho_populate - give KHO what was in /chosen
 *
 * Context: as kho_populate().
 */
void __init of_kho_populate(void)
{
	if (found_fdt.len < 0 && found_scratch.len < 0)
		return;

	if (found_fdt.len != range_len() || found_scratch.len != range_len()) {
		kho_refuse("%s and %s have %d and %d bytes, not %d each", KHO_OF_PROP_FDT,
			   KHO_OF_PROP_SCRATCH, max(found_fdt.len, 0),
			   max(found_scratch.len, 0), range_len());
		return;
	}

	kho_populate(found_fdt.addr, found_fdt.size, found_scratch.addr, found_scratch.size);
}
