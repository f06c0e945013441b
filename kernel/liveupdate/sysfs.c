// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/kho/liveupdate/: how many sessions and files are handed over.
 *
 * Their names are in debugfs. See Documentation/ABI/testing/sysfs-kernel-kho.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/capability.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/liveupdate.h>
#include <linux/mutex.h>
#include <linux/sysfs.h>

#include "../kexec_handover/sysfs.h"
#include "internal.h"

static ssize_t emit_sessions(char *buf, struct luo_sessions *side)
{
	unsigned long nr;

	mutex_lock(&side->lock);
	nr = side->count;
	mutex_unlock(&side->lock);

	return sysfs_emit(buf, "%lu\n", nr);
}

static ssize_t emit_files(char *buf, struct luo_sessions *side)
{
	return sysfs_emit(buf, "%lu\n", luo_session_count_files(side, NULL));
}

static ssize_t outgoing_sessions_show(struct kobject *kobj, struct kobj_attribute *attr,
				      char *buf)
{
	return emit_sessions(buf, &luo_outgoing);
}

static ssize_t outgoing_files_show(struct kobject *kobj, struct kobj_attribute *attr,
				   char *buf)
{
	return emit_files(buf, &luo_outgoing);
}

/* luo_session_read() takes the list of sessions from the previous kernel: not for any user. */
static int read_incoming(void)
{
	return capable(CAP_SYS_ADMIN) ? luo_session_read() : -EPERM;
}

static ssize_t incoming_sessions_show(struct kobject *kobj, struct kobj_attribute *attr,
				      char *buf)
{
	return read_incoming() ?: emit_sessions(buf, &luo_incoming);
}

static ssize_t incoming_files_show(struct kobject *kobj, struct kobj_attribute *attr,
				   char *buf)
{
	return read_incoming() ?: emit_files(buf, &luo_incoming);
}

static struct kobj_attribute outgoing_sessions_attr = __ATTR_RO(outgoing_sessions);
static struct kobj_attribute outgoing_files_attr = __ATTR_RO(outgoing_files);
static struct kobj_attribute incoming_sessions_attr = __ATTR_RO_MODE(incoming_sessions, 0400);
static struct kobj_attribute incoming_files_attr = __ATTR_RO_MODE(incoming_files, 0400);

static struct attribute *attrs[] = {
	&outgoing_sessions_attr.attr,
	&outgoing_files_attr.attr,
	&incoming_sessions_attr.attr,
	&incoming_files_attr.attr,
	NULL
};

static const struct attribute_group group = {
	.name = "liveupdate",
	.attrs = attrs,
};

static int __init add_group(void)
{
	return liveupdate_enabled() && kho_kobj ? sysfs_create_group(kho_kobj, &group) : 0;
}
late_initcall(add_group);
