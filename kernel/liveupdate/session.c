// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: sets of files with a name, that a program hands over to its successor.
 *
 * This file owns the set of sessions, outgoing ones that user space created under this
 * kernel and incoming ones of the previous kernel, and the struct file of each open session.
 * The names of the two kinds are separate.
 *
 * An outgoing session lives as long as its struct file: if that is closed before the kexec,
 * the session and all files in it are given up. An incoming session exists from
 * luo_session_read() on and ends when its struct file is closed, which does what FINISH does.
 * If a file of the session cannot finish then, nothing is lost: the session can be retrieved
 * again.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "LUO: " fmt

#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kexec_handover.h>
#include <linux/liveupdate.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "internal.h"

struct luo_sessions luo_outgoing = {
	.lock = __MUTEX_INITIALIZER(luo_outgoing.lock),
	.names = RB_ROOT,
	.list = LIST_HEAD_INIT(luo_outgoing.list),
};

struct luo_sessions luo_incoming = {
	.lock = __MUTEX_INITIALIZER(luo_incoming.lock),
	.names = RB_ROOT,
	.list = LIST_HEAD_INIT(luo_incoming.list),
};

/* Address of the incoming list of sessions until it is read. Guarded by luo_incoming.lock. */
static u64 incoming_pa;

/*
 * Sessions by name
 */

static int compare_names(struct rb_node *a, const struct rb_node *b)
{
	return strcmp(rb_entry(a, struct luo_session, node)->name,
		      rb_entry(b, struct luo_session, node)->name);
}

static int compare_name(const void *key, const struct rb_node *node)
{
	return strcmp(key, rb_entry(node, struct luo_session, node)->name);
}

/* The caller holds the lock of the side. */
static struct luo_session *find_session(struct luo_sessions *side, const char *name)
{
	struct rb_node *node = rb_find(name, &side->names, compare_name);

	return node ? rb_entry(node, struct luo_session, node) : NULL;
}

/* Returns false if the name is taken. The caller holds the lock of the side. */
static bool add_session(struct luo_sessions *side, struct luo_session *session)
{
	if (rb_find_add(&session->node, &side->names, compare_names))
		return false;
	list_add_tail(&session->list, &side->list);
	side->count++;

	return true;
}

/* The caller holds the lock of the side. */
static void remove_session(struct luo_sessions *side, struct luo_session *session)
{
	rb_erase(&session->node, &side->names);
	list_del(&session->list);
	side->count--;
}

static struct luo_session *new_session(const char *name, bool incoming)
{
	struct luo_session *session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);

	if (session) {
		strscpy(session->name, name, sizeof(session->name));
		session->incoming = incoming;
		mutex_init(&session->lock);
		luo_files_init(&session->files);
	}

	return session;
}

/* A name is not empty and has a NUL. */
static bool valid_name(const u8 *name)
{
	return *name && strnlen(name, LIVEUPDATE_SESSION_NAME_LENGTH) <
			LIVEUPDATE_SESSION_NAME_LENGTH;
}

/*
 * Ioctls of a session
 */

/*
 * Begins an operation of a session. Blocks for ever if a kexec is under way, unless the task
 * is killed: then it returns an error.
 */
static int begin(struct luo_session *session)
{
	int err = down_read_killable(&luo_reboot_sem);

	if (err)
		return err;
	err = mutex_lock_killable(&session->lock);
	if (err)
		up_read(&luo_reboot_sem);

	return err;
}

static void end(struct luo_session *session)
{
	mutex_unlock(&session->lock);
	up_read(&luo_reboot_sem);
}

static int run_preserve_fd(void *object, struct luo_command *command)
{
	const struct liveupdate_session_preserve_fd *arg = &command->arg.preserve_fd;
	struct luo_session *session = object;
	int err = begin(session);

	if (err)
		return err;
	err = luo_files_preserve(&session->files, arg->fd, arg->token);
	end(session);

	return err;
}

/* The caller holds the lock of the session. */
static int retrieve_file(struct luo_session *session, u64 token, struct file **file)
{
	if (session->finished)
		return -ENOENT;

	return luo_files_retrieve(&session->files, session->name, token, file);
}

static int run_retrieve_fd(void *object, struct luo_command *command)
{
	struct liveupdate_session_retrieve_fd *arg = &command->arg.retrieve_fd;
	struct luo_session *session = object;
	struct file *file;
	int fd, err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	/* Copy the descriptor to user space first: after retrieve_file() nothing may fail. */
	arg->fd = fd;
	err = luo_respond(command) ?: begin(session);
	if (err)
		goto put_fd;
	err = retrieve_file(session, arg->token, &file);
	end(session);
	if (err)
		goto put_fd;
	fd_install(fd, file);

	return 0;

put_fd:
	put_unused_fd(fd);

	return err;
}

/* See liveupdate_on_finished(). Constant after boot. */
static void (*on_finished)(void) __ro_after_init;

/* Called when no incoming session is left that can still finish. */
static void all_finished(void)
{
	luo_flb_finish_all();
	if (on_finished)
		on_finished();
}

/**
 * liveupdate_on_finished - ask for a call when no incoming file can be retrieved any more
 * @fn: the function, which may sleep. It can be called more than once. It is called at once
 *	if the previous kernel has handed over no session.
 *
 * A broken session counts as finished. This is for a subsystem that keeps resources ready for
 * incoming files.
 *
 * Context: initcall after postcore_initcall. Only one subsystem can call this.
 */
void __init liveupdate_on_finished(void (*fn)(void))
{
	WARN_ON(on_finished);
	on_finished = fn;
	if (!incoming_pa)
		fn();
}

/*
 * Adds @change to the number of incoming sessions that can still finish: -1 when one has
 * finished or turned out to be broken, 1 when a broken one could be read after all.
 * Returns true if none is left.
 */
static bool count_unfinished(long change)
{
	bool last;

	mutex_lock(&luo_incoming.lock);
	luo_incoming.unfinished += change;
	last = !luo_incoming.unfinished;
	mutex_unlock(&luo_incoming.lock);

	return last;
}

/*
 * Finishes all files of an incoming session, once. The caller holds the lock of the session,
 * and luo_reboot_sem for reading.
 */
static int finish_session(struct luo_session *session)
{
	int err;

	if (session->finished)
		return 0;

	err = luo_files_finish(&session->files);
	if (err)
		return err;
	/* Pairs with READ_ONCE() in luo_session_show(). */
	WRITE_ONCE(session->finished, true);
	if (count_unfinished(-1))
		all_finished();

	return 0;
}

static int run_finish(void *object, struct luo_command *command)
{
	struct luo_session *session = object;
	int err;

	if (command->arg.finish.reserved)
		return -EINVAL;

	err = begin(session);
	if (err)
		return err;
	err = finish_session(session);
	end(session);

	return err;
}

static int run_get_name(void *object, struct luo_command *command)
{
	const struct luo_session *session = object;

	if (command->arg.get_name.reserved)
		return -EINVAL;

	memcpy(command->arg.get_name.name, session->name, sizeof(session->name));

	return luo_respond(command);
}

static const struct luo_ioctl session_ioctls[] = {
	{
		.cmd = LIVEUPDATE_SESSION_PRESERVE_FD,
		.size = sizeof(struct liveupdate_session_preserve_fd),
		.min_size = 16,
		.outgoing = true,
		.run = run_preserve_fd,
	}, {
		.cmd = LIVEUPDATE_SESSION_RETRIEVE_FD,
		.size = sizeof(struct liveupdate_session_retrieve_fd),
		.min_size = 16,
		.incoming = true,
		.run = run_retrieve_fd,
	}, {
		.cmd = LIVEUPDATE_SESSION_FINISH,
		.size = sizeof(struct liveupdate_session_finish),
		.min_size = 8,
		.incoming = true,
		.run = run_finish,
	}, {
		.cmd = LIVEUPDATE_SESSION_GET_NAME,
		.size = sizeof(struct liveupdate_session_get_name),
		.min_size = 72,
		.outgoing = true,
		.incoming = true,
		.run = run_get_name,
	},
};

static long session_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return luo_run_ioctl(session_ioctls, LIVEUPDATE_CMD_SESSION_BASE,
			     ARRAY_SIZE(session_ioctls), file->private_data, cmd, arg);
}

/* Gives up an outgoing session. */
static void drop_outgoing(struct luo_session *session)
{
	mutex_lock(&session->lock);
	luo_files_unpreserve(&session->files);
	mutex_unlock(&session->lock);

	mutex_lock(&luo_outgoing.lock);
	remove_session(&luo_outgoing, session);
	luo_blocks_del(&luo_outgoing.blocks);
	mutex_unlock(&luo_outgoing.lock);
	kfree(session);
}

static void drop_incoming(struct luo_session *session)
{
	int err;

	mutex_lock(&session->lock);
	err = finish_session(session);
	mutex_unlock(&session->lock);
	if (err)
		pr_warn("session %s was closed and cannot finish (%d): it can be retrieved again\n",
			session->name, err);

	mutex_lock(&luo_incoming.lock);
	if (err)
		session->open = false;
	else
		remove_session(&luo_incoming, session);
	mutex_unlock(&luo_incoming.lock);
	if (!err)
		kfree(session);
}

/* Blocks for ever if a kexec is under way: the state that is handed over is final then. */
static int session_release(struct inode *inode, struct file *file)
{
	struct luo_session *session = file->private_data;

	down_read(&luo_reboot_sem);
	if (session->incoming)
		drop_incoming(session);
	else
		drop_outgoing(session);
	up_read(&luo_reboot_sem);

	return 0;
}

static void session_show_fdinfo(struct seq_file *m, struct file *file)
{
	luo_session_show(m, file->private_data);
}

static const struct file_operations session_fops = {
	.owner = THIS_MODULE,
	.release = session_release,
	.unlocked_ioctl = session_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = session_show_fdinfo,
};

/*
 * Makes the struct file of a session. systemd recognises such files by the start of the name,
 * including the blank.
 */
static struct file *session_file(struct luo_session *session)
{
	char name[sizeof("[luo_session] ") + LIVEUPDATE_SESSION_NAME_LENGTH];

	snprintf(name, sizeof(name), "[luo_session] %s", session->name);

	return anon_inode_getfile(name, &session_fops, session, O_RDWR);
}

/*
 * Ioctls of /dev/liveupdate
 */

/*
 * The caller holds luo_reboot_sem for reading. The release function of *@file drops the
 * session.
 */
static int create(const char *name, struct file **file)
{
	struct luo_session *session;
	int err;

	session = new_session(name, false);
	if (!session)
		return -ENOMEM;

	mutex_lock(&luo_outgoing.lock);
	err = luo_blocks_add(&luo_outgoing.blocks);
	if (err)
		goto unlock;
	err = -EEXIST;
	if (!add_session(&luo_outgoing, session))
		goto del_block;
	*file = session_file(session);
	err = PTR_ERR_OR_ZERO(*file);
	if (err)
		goto remove;
	mutex_unlock(&luo_outgoing.lock);

	return 0;

remove:
	remove_session(&luo_outgoing, session);
del_block:
	luo_blocks_del(&luo_outgoing.blocks);
unlock:
	mutex_unlock(&luo_outgoing.lock);
	kfree(session);

	return err;
}

/*
 * Carries out an ioctl that creates a session, or retrieves one, with @make, which gets the
 * name and is called with luo_reboot_sem held for reading. @no_name is the error for an
 * invalid name.
 */
static int session_fd(struct luo_command *command, int no_name,
		      int (*make)(const char *name, struct file **file))
{
	/* The argument of the other ioctl has the same layout. */
	struct liveupdate_ioctl_create_session *arg = &command->arg.create;
	struct file *file;
	int fd, err;

	static_assert(sizeof(*arg) == sizeof(struct liveupdate_ioctl_retrieve_session));
	static_assert(offsetof(typeof(*arg), name) ==
		      offsetof(struct liveupdate_ioctl_retrieve_session, name));

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	err = no_name;
	if (!valid_name(arg->name))
		goto put_fd;
	/* Copy the descriptor first: if that fails then the session must not be open. */
	arg->fd = fd;
	err = luo_respond(command) ?: down_read_killable(&luo_reboot_sem);
	if (err)
		goto put_fd;
	err = make(arg->name, &file);
	up_read(&luo_reboot_sem);
	if (err)
		goto put_fd;
	fd_install(fd, file);

	return 0;

put_fd:
	put_unused_fd(fd);

	return err;
}

/**
 * luo_session_create - carry out LIVEUPDATE_IOCTL_CREATE_SESSION
 * @command: the ioctl
 *
 * Context: ioctl of the device, may sleep.
 * Return: 0; -EMFILE; -EINVAL if the name is empty or not ended; -ENOMEM, -ENOSPC;
 * -EEXIST if there is an outgoing session of this name; -EFAULT.
 */
int luo_session_create(struct luo_command *command)
{
	return session_fd(command, -EINVAL, create);
}

/*
 * Marks the incoming session as open, so that no other task can open it and it is not freed.
 * Returns the session or an ERR_PTR().
 */
static struct luo_session *open_incoming(const char *name)
{
	struct luo_session *session;

	mutex_lock(&luo_incoming.lock);
	session = find_session(&luo_incoming, name);
	if (!session)
		session = ERR_PTR(-ENOENT);
	else if (session->open)
		session = ERR_PTR(-EINVAL);
	else if (session->twice)
		session = ERR_PTR(-EIO);
	else
		session->open = true;
	mutex_unlock(&luo_incoming.lock);

	return session;
}

/*
 * Reads the list of files of the session, unless that has succeeded before. As long as a file
 * handler is missing, the files wait, and a kexec would lose them. The caller has the session
 * open.
 */
static int read_files(struct luo_session *session)
{
	int err = 0;

	mutex_lock(&session->lock);
	if (!session->files_read) {
		err = luo_files_read(&session->files, session->files_pa, session->files_nr,
				     session->name, !session->said);
		/* Pairs with READ_ONCE() in count_files(). */
		WRITE_ONCE(session->files_read, !err);
		session->said |= err == -EIO || err == -ENODEV;
		if (session->broken != (err == -EIO) &&
		    count_unfinished(session->broken ? 1 : -1))
			all_finished();
		/* Pairs with READ_ONCE() in count_files() and luo_session_show(). */
		WRITE_ONCE(session->broken, err == -EIO);
	}
	mutex_unlock(&session->lock);

	return err == -ENODEV ? -EIO : err;
}

/*
 * The caller holds luo_reboot_sem for reading. The release function of *@file finishes the
 * session.
 */
static int retrieve(const char *name, struct file **file)
{
	struct luo_session *session = open_incoming(name);
	int err;

	if (IS_ERR(session))
		return PTR_ERR(session);

	err = read_files(session);
	if (!err) {
		*file = session_file(session);
		err = PTR_ERR_OR_ZERO(*file);
	}
	if (err) {
		mutex_lock(&luo_incoming.lock);
		session->open = false;
		mutex_unlock(&luo_incoming.lock);
	}

	return err;
}

/**
 * luo_session_retrieve - carry out LIVEUPDATE_IOCTL_RETRIEVE_SESSION
 * @command: the ioctl
 *
 * Context: ioctl of the device, may sleep.
 * Return: 0; -EMFILE; -ENOENT if no incoming session has this name or if it has ended;
 * -EINVAL while it is open; -EIO, after a message, if it is broken or if a file handler is
 * missing: once the handler is registered, the call can be repeated; -ENOMEM; -EFAULT.
 */
int luo_session_retrieve(struct luo_command *command)
{
	return session_fd(command, -ENOENT, retrieve);
}

/*
 * The list of sessions
 */

/**
 * luo_session_start - set up both sides
 * @sessions_pa: physical address of the incoming list of sessions, 0 for none
 *
 * Context: luo_start(), before luo_enable().
 */
void __init luo_session_start(u64 sessions_pa)
{
	luo_blocks_init(&luo_outgoing.blocks, sizeof(struct luo_session_ser));
	incoming_pa = sessions_pa;
}

/*
 * Adds a session for an entry of the previous kernel's list. If a name occurs twice, the name
 * does not tell which session is meant, so the session is marked as broken, as is one with an
 * empty name. A name without a NUL is cut.
 */
static int read_entry(const void *entry, void *arg)
{
	const struct luo_session_ser *ser = entry;
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	struct luo_sessions *side = arg;
	struct luo_session *session;

	memcpy(name, ser->name, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	session = new_session(name, true);
	if (!session)
		return -ENOMEM;
	session->files_pa = ser->files_pa;
	/* An invalid count is found when the files are read. */
	session->files_nr = min_t(u64, ser->count, U32_MAX);
	if (add_session(side, session)) {
		side->unfinished++;
		if (*name)
			return 0;
		pr_warn("a session has no name: it cannot be retrieved\n");
	} else {
		pr_warn("session %s was handed over twice: neither can be retrieved\n", name);
		kfree(session);
		session = find_session(side, name);
	}

	side->unfinished -= !session->broken;
	session->twice = true;
	session->broken = true;

	return 0;
}

static void forget_sessions(struct luo_sessions *side)
{
	struct luo_session *session, *next;

	list_for_each_entry_safe(session, next, &side->list, list) {
		remove_session(side, session);
		kfree(session);
	}
	side->unfinished = 0;
}

/**
 * luo_session_read - read the list of incoming sessions, once
 *
 * If the list is invalid then there is no incoming session, and the memory of the list goes
 * on waiting. After -ENOMEM the next call tries again.
 *
 * Context: may sleep. When user space opens the device or reads debugfs or sysfs, and before
 * a kexec.
 * Return: 0, also if the list is invalid; -ENOMEM.
 */
int luo_session_read(void)
{
	bool last = false;
	int err = 0;

	mutex_lock(&luo_incoming.lock);
	if (incoming_pa) {
		err = luo_blocks_read(incoming_pa, sizeof(struct luo_session_ser), read_entry,
				      &luo_incoming);
		if (err) {
			pr_warn("the list of sessions at %#llx cannot be read (%d): no session is there to retrieve\n",
				incoming_pa, err);
			forget_sessions(&luo_incoming);
		} else {
			luo_blocks_free(incoming_pa);
		}
		if (err != -ENOMEM)
			incoming_pa = 0;
		last = !incoming_pa && !luo_incoming.unfinished;
	}
	mutex_unlock(&luo_incoming.lock);
	if (last)
		all_finished();

	return err == -ENOMEM ? err : 0;
}

/**
 * luo_session_freeze - freeze the files of all outgoing sessions
 *
 * Context: may sleep. The caller holds luo_reboot_sem for writing.
 * Return: 0; the error of the first file that fails, with all files as before.
 */
int luo_session_freeze(void)
{
	struct luo_session *session;
	int err = 0;

	mutex_lock(&luo_outgoing.lock);
	list_for_each_entry(session, &luo_outgoing.list, list) {
		err = luo_files_freeze(&session->files);
		if (err) {
			pr_warn("session %s cannot be frozen (%d): kexec refused\n", session->name,
				err);
			goto undo;
		}
	}
unlock:
	mutex_unlock(&luo_outgoing.lock);

	return err;

undo:
	list_for_each_entry_continue_reverse(session, &luo_outgoing.list, list)
		luo_files_unfreeze(&session->files);
	goto unlock;
}

/**
 * luo_session_unfreeze - undo luo_session_freeze(), the last session first
 *
 * Context: may sleep. The caller holds luo_reboot_sem for writing.
 */
void luo_session_unfreeze(void)
{
	struct luo_session *session;

	mutex_lock(&luo_outgoing.lock);
	list_for_each_entry_reverse(session, &luo_outgoing.list, list)
		luo_files_unfreeze(&session->files);
	mutex_unlock(&luo_outgoing.lock);
}

/**
 * luo_session_jump - call jump() for the files of all outgoing sessions
 *
 * Context: right before the kexec, with luo_reboot_sem held for writing since before
 * luo_session_freeze(), so that the list has not changed. Only this CPU runs, so no lock is
 * taken.
 */
void luo_session_jump(void)
{
	struct luo_session *session;

	list_for_each_entry(session, &luo_outgoing.list, list)
		luo_files_jump(&session->files);
}

/**
 * luo_session_write - write the list of sessions for the next kernel
 * @sessions_pa: where to store its physical address, 0 if there is no session
 *
 * Context: after luo_session_freeze(). The caller holds luo_reboot_sem for writing.
 */
void luo_session_write(u64 *sessions_pa)
{
	struct luo_session *session;

	mutex_lock(&luo_outgoing.lock);
	luo_blocks_begin(&luo_outgoing.blocks);
	list_for_each_entry(session, &luo_outgoing.list, list) {
		struct luo_session_ser *entry = luo_blocks_next(&luo_outgoing.blocks);

		strscpy(entry->name, session->name, sizeof(entry->name));
		entry->files_pa = luo_files_write(&session->files);
		entry->count = session->files.count;
	}
	*sessions_pa = luo_blocks_addr(&luo_outgoing.blocks);
	mutex_unlock(&luo_outgoing.lock);
}

/*
 * Counts the files of a session. Until the list of files of an incoming session has been read,
 * the number comes from the entry of the session. The files of a broken session cannot be
 * retrieved, and do not count.
 *
 * The lock of the session is not taken: each READ_ONCE() pairs with WRITE_ONCE() in read_files(),
 * or in link_file() and unlink_file() of file.c.
 */
static unsigned long count_files(const struct luo_session *session)
{
	if (READ_ONCE(session->broken))
		return 0;

	return session->incoming && !READ_ONCE(session->files_read) ?
	       session->files_nr : READ_ONCE(session->files.count);
}

/**
 * luo_session_count_files - count the files that sessions hold
 * @side: &luo_outgoing or &luo_incoming
 * @name: where to store the name of the first session with a file, which stays valid as
 *	long as the caller holds luo_reboot_sem for writing; NULL if the caller does not
 *
 * Context: may sleep.
 * Return: the number of files.
 */
unsigned long luo_session_count_files(struct luo_sessions *side, const char **name)
{
	struct luo_session *session;
	unsigned long nr = 0;

	mutex_lock(&side->lock);
	list_for_each_entry(session, &side->list, list) {
		if (!nr && name)
			*name = session->name;
		nr += count_files(session);
	}
	mutex_unlock(&side->lock);

	return nr;
}

/**
 * luo_session_show - describe a session and its files
 * @m: where to print it
 * @session: the session. The caller holds the lock of its side, or a reference of its struct
 *	file, so that it does not end and luo_session::open does not change.
 *
 * Context: may sleep. Does not wait for operations of the session: READ_ONCE() pairs with
 * WRITE_ONCE() in read_files() and finish_session().
 */
void luo_session_show(struct seq_file *m, struct luo_session *session)
{
	seq_puts(m, "session:\t");
	seq_escape_str(m, session->name, ESCAPE_SPACE | ESCAPE_SPECIAL | ESCAPE_NP, "");
	seq_printf(m, "\nside:\t%s\n", session->incoming ? "incoming" : "outgoing");
	if (session->incoming)
		seq_printf(m, "state:\t%s\n", READ_ONCE(session->broken) ? "broken" :
			   READ_ONCE(session->finished) ? "finished" :
			   session->open ? "open" : "waiting");
	seq_printf(m, "files:\t%lu\n", count_files(session));
	luo_files_show(m, &session->files);
}
