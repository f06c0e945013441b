// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/liveupdate, and how ioctls are checked.
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
#include <linux/uaccess.h>

#include "internal.h"

/* Bit 0 is set while the device is open: one program manages the sessions of a machine. */
static unsigned long is_open;

/**
 * luo_run_ioctl - check an ioctl, copy its argument and carry it out
 * @table: the ioctls of the device, or of sessions
 * @first: number of the first one in @table
 * @nr: how many there are
 * @session: the session, or NULL for the device
 * @cmd: the ioctl
 * @arg: address of its argument in user space
 *
 * The order of the checks is part of the interface.
 *
 * Context: process context, may sleep.
 * Return: what the ioctl says; -EINVAL if its number is unknown, if it is not for this
 * kind of session or if the argument is too small; -EFAULT; -ENOTTY if it is of
 * another device; -E2BIG if the argument has something that this kernel does not know.
 */
long luo_run_ioctl(const struct luo_ioctl *table, unsigned int first, unsigned int nr,
		   const struct luo_session *session, unsigned int cmd, unsigned long arg)
{
	struct luo_command command = { .uarg = (void __user *)arg };
	unsigned int i = _IOC_NR(cmd) - first;
	const struct luo_ioctl *op;
	int err;

	if (_IOC_NR(cmd) < first || i >= nr)
		return -EINVAL;
	op = &table[i];

	if (get_user(command.usize, (u32 __user *)command.uarg))
		return -EFAULT;
	if (op->cmd != cmd)
		return -ENOTTY;
	if (session && !(session->incoming ? op->incoming : op->outgoing))
		return -EINVAL;
	if (command.usize < op->min_size)
		return -EINVAL;

	command.ksize = op->size;
	err = copy_struct_from_user(&command.arg, op->size, command.uarg, command.usize);
	if (err)
		return err;

	return op->run((void *)session, &command);
}

/**
 * luo_respond - copy the argument of an ioctl back to user space
 * @command: the ioctl
 *
 * Context: process context, may sleep.
 * Return: 0 or -EFAULT.
 */
int luo_respond(const struct luo_command *command)
{
	return copy_to_user(command->uarg, &command->arg, min(command->usize, command->ksize)) ?
	       -EFAULT : 0;
}

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
