// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver on machines with a device tree.
 *
 * This file owns the two properties of /chosen with the addresses of the root FDT and
 * of the array of scratch regions. It adds them to the device tree of a kexec image,
 * and reads them at boot. It removes them from the device tree of the running kernel,
 * because they are valid for one boot only: user space and kexec make the device tree
 * of the next kernel from this one, and the memory at these addresses is used for
 * something else by then.
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
 * of_kho_setup - add the properties of the handover to the device tree of an image
 * @image: the image
 * @fdt: device tree of the image, a copy of that of this kernel, with free space
 * @chosen_node: offset of the node /chosen in @fdt, in bytes
 *
 * Properties of an earlier handover are removed, also if KHO is off and none are added.
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: 0; a negative error of libfdt if the properties cannot be changed.
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
 * struct kho_prop - a property of /chosen
 * @len: length of the property in bytes, negative if there is none
 * @addr: the physical address in it; 0 if @len is not that of an address and a size
 * @size: the size in bytes in it; 0 as @addr
 *
 * take_prop() writes all fields early at boot, when one CPU runs; of_kho_populate()
 * reads them.
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

/* Reads a property into @found and removes it. Returns true if the tree has changed. */
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
 * of_kho_take - read the properties of a handover and remove them from /chosen
 * @node: offset of the node /chosen in the device tree, in bytes
 *
 * Context: early_init_dt_scan_chosen(), when the device tree can be written and its
 * root node was read. Early parameters are not parsed yet.
 * Return: true if the device tree has changed; false if it has not.
 */
bool __init of_kho_take(unsigned long node)
{
	bool fdt = take_prop(node, KHO_OF_PROP_FDT, &found_fdt);
	bool scratch = take_prop(node, KHO_OF_PROP_SCRATCH, &found_scratch);

	return fdt || scratch;
}

/**
 * of_kho_populate - pass the handover that of_kho_take() has read to KHO
 *
 * Does nothing if there was none.
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
