// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files in debugfs: this file keeps them in memory, and checks what they would show.
 *
 * It includes kernel/kexec_handover_debug.c, to be able to clear the variables of that
 * file, since a kernel starts each boot with empty ones.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/init.h>
#include <linux/kernel.h>

#include "../../../kernel/kexec_handover/check.h"
#include "world.h"

#include "../../../kernel/kexec_handover_debug.c"

#define MAX_FILES	128

static struct {
	const char *name;
	struct debugfs_blob_wrapper *blob;
} files[MAX_FILES];

static unsigned int nr_files;

/* The number of bytes that seq_write() has shown. */
static size_t shown;

struct dentry *debugfs_create_dir(const char *name, struct dentry *parent)
{
	return NULL;
}

void debugfs_create_file(const char *name, int mode, struct dentry *parent, void *data,
			 const struct file_operations *fops)
{
}

void debugfs_remove(struct dentry *file)
{
}

struct dentry *debugfs_create_blob(const char *name, int mode, struct dentry *parent,
				   struct debugfs_blob_wrapper *blob)
{
	if (nr_files == MAX_FILES)
		abort();
	files[nr_files].name = name;
	files[nr_files++].blob = blob;

	return NULL;
}

int seq_write(struct seq_file *m, const void *data, size_t len)
{
	shown += len;

	return 0;
}

/*
 * A blob can be copied while its folio waits. A kernel reads the struct pages of the
 * memory, so callers must ask for RAM only.
 */
bool kho_restore_peek(phys_addr_t phys, void *to, size_t size)
{
	if (!kho_check_memblock_has(phys, size))
		abort();
	if (!kho_incoming_keeps(phys, size))
		return false;
	memcpy(to, phys_to_virt(phys), size);

	return true;
}

void kho_restore_get_stats(struct kho_restore_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
}

unsigned long kho_pages_release(void)
{
	return 0;
}

static const char *file_wrong(const char *name, const struct debugfs_blob_wrapper *blob)
{
	phys_addr_t phys;
	size_t size;

	if (!name)
		return "a file in debugfs has no name";
	if (kho_fdt_get(kho_incoming.fdt, name, &phys, &size))
		return "a file in debugfs is that of no blob";
	/* Two blobs of the same name have one file in a kernel. */
	if (blob->size == size && memcmp(blob->data, phys_to_virt(phys), size))
		return "a file in debugfs has another content than its blob";

	return NULL;
}

static void free_all(void)
{
	struct blob_copy *copy, *next;

	list_for_each_entry_safe(copy, next, &blob_copies, list) {
		list_del(&copy->list);
		kvfree(copy);
	}
	while (nr_files)
		kfree(container_of(files[--nr_files].blob, struct blob_file, wrapper));
}

/**
 * debugfs_look - let the new kernel make its files, and look at them
 * @name: name of a blob, or NULL
 * @found: set to whether the blob has a file
 *
 * Return: what is wrong with a file, or NULL.
 */
const char *debugfs_look(const char *name, bool *found)
{
	const char *wrong = NULL;

	kho_debugfs_copy_blobs();
	kho_debugfs_init(NULL);

	*found = false;
	for (unsigned int i = 0; i < nr_files && !wrong; i++) {
		wrong = file_wrong(files[i].name, files[i].blob);
		*found |= !wrong && name && !strcmp(name, files[i].name);
	}
	shown = 0;
	in_fdt_show(NULL, NULL);
	if (!wrong && shown > KHO_FDT_SIZE)
		wrong = "in/fdt shows more than the root FDT";
	free_all();

	return wrong;
}
