// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reasons why the next kernel would not accept the handover of this kernel.
 *
 * This file owns the objections against a kexec image, which are found when it is loaded:
 * later, neither its command line nor the file of its kernel is there any more. These
 * checks cannot find each reason: the kernel of an image without an objection may still
 * not know KHO.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/kernel.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_image.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kho/abi/log.h>
#include <linux/libfdt.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "arrival.h"
#include "outgoing.h"

/**
 * arch_kho_image_unknown - can the kernel of an image be seen not to know KHO?
 * @image: the image
 *
 * Context: kexec_file_load(), after the image was loaded.
 * Return: true if the kernel does not know KHO; false if it may.
 */
bool __weak arch_kho_image_unknown(const struct kimage *image)
{
	return false;
}

/*
 * Returns the meaning of @value, the value of the parameter @name. The next kernel treats
 * a value that it cannot parse like a missing parameter.
 */
static enum kho_word meaning(const char *name, const char *value)
{
	bool on;

	if (!value)
		return KHO_WORD_ABSENT;
	/* kho=strict means on. */
	if (!strcmp(name, "kho") && !strcmp(value, "strict"))
		return KHO_WORD_ON;
	if (kstrtobool(value, &on))
		return KHO_WORD_ABSENT;

	return on ? KHO_WORD_ON : KHO_WORD_OFF;
}

/**
 * kho_arrival_word - get the meaning of a parameter on a kernel's command line
 * @cmdline: the command line; the function changes it
 * @name: name of the parameter, "kho" or "liveupdate"
 *
 * If the parameter occurs several times, the last one counts, as in the kernel. Words after
 * "--" are for init.
 *
 * Context: any, never sleeps.
 * Return: whether the parameter is on or off, or absent or malformed.
 */
enum kho_word kho_arrival_word(char *cmdline, const char *name)
{
	enum kho_word word = KHO_WORD_ABSENT;
	char *param, *value;

	cmdline = skip_spaces(cmdline);
	while (*cmdline) {
		cmdline = next_arg(cmdline, &param, &value);
		if (!value && !strcmp(param, "--"))
			break;
		if (parameq(param, name))
			word = meaning(name, value);
	}

	return word;
}

static enum kho_word word_of(const struct kimage *image, const char *name)
{
	char *cmdline = kmemdup_nul(image->cmdline_buf, image->cmdline_buf_len, GFP_KERNEL);
	enum kho_word word = KHO_WORD_ABSENT;

	if (cmdline)
		word = kho_arrival_word(cmdline, name);
	kfree(cmdline);

	return word;
}

static const char *kho_objection(const struct kimage *image)
{
	if (!image->file_mode)
		return "it was not loaded with kexec_file_load (kexec -s)";
	if (arch_kho_image_unknown(image))
		return "its kernel does not know KHO";

	switch (word_of(image, "kho")) {
	case KHO_WORD_OFF:
		return "its command line switches KHO off";
	case KHO_WORD_ABSENT:
		return "its command line has no kho=on";
	default:
		return NULL;
	}
}

static const char *luo_objection(const struct kimage *image)
{
	if (image->kho_objection)
		return image->kho_objection;

	if (word_of(image, "liveupdate") == KHO_WORD_ON)
		return NULL;

	return "its command line has no liveupdate=on";
}

/* Is there a blob besides those that KHO and live update themselves hand over? */
static bool any_blobs(void)
{
	bool any = false;
	int node;

	mutex_lock(&kho_out.lock);
	fdt_for_each_subnode(node, kho_out.fdt, 0) {
		const char *name = fdt_get_name(kho_out.fdt, node, NULL);

		any |= name && strcmp(name, KHO_METADATA_NAME) && strcmp(name, LUO_BLOB_NAME) &&
		       strcmp(name, KHO_LOG_NAME);
	}
	mutex_unlock(&kho_out.lock);

	return any;
}

/**
 * kho_arrival_record - record why an image would lose the handover
 * @image: the image
 *
 * Logs a warning if the image would lose blobs that are handed over already.
 *
 * Context: kexec_load() and kexec_file_load(), when the image is complete and its command
 * line and kernel are still there; with the kexec lock held.
 */
void kho_arrival_record(struct kimage *image)
{
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH)
		return;

	image->kho_objection = kho_objection(image);
	image->luo_objection = luo_objection(image);
	kho_ahead_show(image);
	if (image->kho_objection && any_blobs())
		pr_warn("what is preserved will be lost with this kexec image: %s\n",
			image->kho_objection);
}
