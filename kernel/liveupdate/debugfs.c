// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/liveupdate/: the sessions of both sides.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/liveupdate.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "internal.h"

/* Sessions cannot end while their side is locked. */
static void show(struct seq_file *m, struct luo_sessions *side)
{
	struct luo_session *session;

	mutex_lock(&side->lock);
	seq_printf(m, "sessions:\t%lu\n", side->count);
	list_for_each_entry(session, &side->list, list)
		luo_session_show(m, session);
	mutex_unlock(&side->lock);
}

static int outgoing_show(struct seq_file *m, void *unused)
{
	show(m, &luo_outgoing);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(outgoing);

static int incoming_show(struct seq_file *m, void *unused)
{
	int err = luo_session_read();

	if (err)
		return err;
	show(m, &luo_incoming);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(incoming);

static int __init make_debugfs(void)
{
	struct dentry *dir;

	if (!liveupdate_enabled())
		return 0;

	dir = debugfs_create_dir("liveupdate", NULL);
	debugfs_create_file("outgoing", 0400, dir, NULL, &outgoing_fops);
	debugfs_create_file("incoming", 0400, dir, NULL, &incoming_fops);

	return 0;
}
late_initcall(make_debugfs);
