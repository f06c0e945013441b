// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of ioctls, those of the device and those of sessions.
 *
 * This file owns the order of the checks, and copies arguments from and to user space.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/ioctl.h>
#include <linux/liveupdate.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>

#include "internal.h"

/**
 * luo_run_ioctl - check an ioctl, copy its argument and carry it out
 * @table: the ioctls of the device, or of sessions
 * @first: number of the first one in @table
 * @nr: number of ioctls in @table
 * @session: the session, or NULL for the device
 * @cmd: the ioctl
 * @arg: address of its argument in user space
 *
 * The order of the checks is part of the interface.
 *
 * Context: process context, may sleep.
 * Return: the result of the ioctl; -EINVAL if its number is unknown, if it is not for this
 * kind of session or if the argument is too small; -EFAULT; -ENOTTY if @cmd has a known number
 * and differs otherwise; -E2BIG if the argument is longer than this kernel knows and not zero
 * there.
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
