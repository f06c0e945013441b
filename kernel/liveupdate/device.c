// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/liveupdate: this file owns the device and its ioctls, which create and retrieve
 * sessions.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/atomic.h>
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/liveupdate.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "internal.h"

/* Bit 0 is set while the device is open: one program manages the sessions of a machine. */
static unsigned long is_open;

static int run_create(void *object, struct luo_command *command)
{
	return luo_session_create(command);
}

static int run_retrieve(void *object, struct luo_command *command)
{
	return luo_session_retrieve(command);
}

static const struct luo_ioctl device_ioctls[] = {
	{
		.cmd = LIVEUPDATE_IOCTL_CREATE_SESSION,
		.size = sizeof(struct liveupdate_ioctl_create_session),
		.min_size = 72,
		.run = run_create,
	}, {
		.cmd = LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
		.size = sizeof(struct liveupdate_ioctl_retrieve_session),
		.min_size = 72,
		.run = run_retrieve,
	},
};

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return luo_run_ioctl(device_ioctls, LIVEUPDATE_CMD_BASE, ARRAY_SIZE(device_ioctls),
			     NULL, cmd, arg);
}

static int device_open(struct inode *inode, struct file *file)
{
	int err;

	if (test_and_set_bit_lock(0, &is_open))
		return -EBUSY;

	/* Without the list, each session would seem to be missing. */
	err = luo_session_read();
	if (err) {
		clear_bit_unlock(0, &is_open);
		return err;
	}

	return nonseekable_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	clear_bit_unlock(0, &is_open);

	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "liveupdate",
	.fops = &device_fops,
};

static int __init register_device(void)
{
	return liveupdate_enabled() ? misc_register(&device) : 0;
}
device_initcall(register_device);
