/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of debugfs, and of files in it, that kexec_handover_debug.c needs. See
 * ../debugfs.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_DEBUGFS_H
#define _LINUX_DEBUGFS_H

#include <linux/types.h>

struct dentry;
struct file;

struct file_operations {
	int (*open)(void *inode, struct file *file);
	ssize_t (*write)(struct file *file, const char *from, size_t count, loff_t *pos);
};

struct debugfs_blob_wrapper {
	void *data;
	unsigned long size;
};

struct dentry *debugfs_create_dir(const char *name, struct dentry *parent);
void debugfs_create_file(const char *name, int mode, struct dentry *parent, void *data,
			 const struct file_operations *fops);
struct dentry *debugfs_create_blob(const char *name, int mode, struct dentry *parent,
				   struct debugfs_blob_wrapper *blob);
void debugfs_remove(struct dentry *file);

static inline int simple_open(void *inode, struct file *file)
{
	return 0;
}

static inline int kstrtobool_from_user(const char *from, size_t count, bool *res)
{
	return -EINVAL;
}

#endif /* _LINUX_DEBUGFS_H */
