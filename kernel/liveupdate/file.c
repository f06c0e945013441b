// SPDX-License-Identifier: GPL-2.0-only
/*
 * File handlers, and the files of one session.
 *
 * This file owns the list of handlers, the state of each file that is handed over in
 * either direction, and the set of identities that keeps a file from being preserved
 * twice.
 *
 * An outgoing file is held from PRESERVE_FD until its session is given up, so that user
 * space can close its descriptor. An incoming file is known by its token only, until
 * RETRIEVE_FD makes it, and is held until FINISH.
 *
 * Tokens, and identities, are looked up in trees and not in hash tables: inserting into a
 * tree cannot fail, and after retrieve() has succeeded luo_files_retrieve() must not fail.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "LUO: " fmt

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/liveupdate.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#define CREATE_TRACE_POINTS
#include <trace/events/liveupdate.h>

#include "internal.h"

/**
 * struct luo_file - a file of a session
 * @list: in luo_files::list
 * @node: in luo_files::tokens
 * @id_node: in the tree @ids, from PRESERVE_FD to the end of the session, and from
 *	RETRIEVE_FD to FINISH
 * @id: the result of the handler's get_id() for @file; without get_id(), its address
 * @token: the number by which user space knows it; constant
 * @handler: its handler, whose module is held; constant
 * @file: the file, which is held; NULL for an incoming one that was not retrieved
 * @data: serialized_data of the handler, which is handed over
 * @private_data: outgoing: private_data of the handler
 * @status: incoming: 0 if it is not retrieved yet, 1 if it is, or the error of retrieve()
 *
 * The lock of the session guards all members. @list, @node, @file and @status change with
 * luo_files::list_lock held as well, for luo_files_show(). @ids_lock guards the links of
 * @id_node. luo_files_freeze() changes @data and @private_data with luo_reboot_sem held for
 * writing.
 */
struct luo_file {
	struct list_head list;
	struct rb_node node;
	struct rb_node id_node;
	unsigned long id;
	u64 token;
	struct liveupdate_file_handler *handler;
	struct file *file;
	u64 data;
	void *private_data;
	int status;
};

/* Guards @handlers. */
static DECLARE_RWSEM(handlers_sem);
static LIST_HEAD(handlers);

/* Guards @ids, the files of all sessions by identity. */
static DEFINE_MUTEX(ids_lock);
static struct rb_root ids = RB_ROOT;

/*
 * File handlers
 */

/* Holds the handler's module, unless it is being unloaded. The caller holds handlers_sem. */
static bool try_get_handler(struct liveupdate_file_handler *handler)
{
	return try_module_get(handler->ops->owner);
}

static void put_handler(struct liveupdate_file_handler *handler)
{
	module_put(handler->ops->owner);
}

/* Returns the first handler that takes @file, with its module held, or NULL. */
static struct liveupdate_file_handler *get_handler_for(struct file *file)
{
	struct liveupdate_file_handler *handler, *found = NULL;

	down_read(&handlers_sem);
	list_for_each_entry(handler, &handlers, list) {
		if (!try_get_handler(handler))
			continue;
		if (handler->ops->can_preserve(handler, file)) {
			found = handler;
			break;
		}
		put_handler(handler);
	}
	up_read(&handlers_sem);

	return found;
}

/* The caller holds handlers_sem. */
static struct liveupdate_file_handler *find_handler(const char *compatible)
{
	struct liveupdate_file_handler *handler;

	list_for_each_entry(handler, &handlers, list) {
		if (!strcmp(handler->compatible, compatible))
			return handler;
	}

	return NULL;
}

/* Returns the handler with this name, with its module held, or NULL. */
static struct liveupdate_file_handler *get_handler_named(const char *compatible)
{
	struct liveupdate_file_handler *handler;

	down_read(&handlers_sem);
	handler = find_handler(compatible);
	if (handler && !try_get_handler(handler))
		handler = NULL;
	up_read(&handlers_sem);

	return handler;
}

static bool ops_are_complete(const struct liveupdate_file_ops *ops)
{
	return ops && ops->can_preserve && ops->preserve && ops->unpreserve &&
	       ops->retrieve && ops->finish;
}

/**
 * liveupdate_register_file_handler - add a type of files that can be preserved
 * @handler: the handler, which stays where it is until it is unregistered
 *
 * Context: may sleep. Any initcall after postcore_initcall, or later.
 * Return: 0; -EOPNOTSUPP if live update is off; -EINVAL if a required operation is
 * missing or the name is empty or not ended by a NUL; -EEXIST if the name is taken.
 */
int liveupdate_register_file_handler(struct liveupdate_file_handler *handler)
{
	size_t length = strnlen(handler->compatible, sizeof(handler->compatible));
	int err = 0;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;
	if (!ops_are_complete(handler->ops) || !length || length == sizeof(handler->compatible))
		return -EINVAL;

	down_write(&handlers_sem);
	if (find_handler(handler->compatible)) {
		err = -EEXIST;
	} else {
		INIT_LIST_HEAD(&handler->flb_list);
		list_add_tail(&handler->list, &handlers);
	}
	up_write(&handlers_sem);

	return err;
}
EXPORT_SYMBOL_GPL(liveupdate_register_file_handler);

/**
 * liveupdate_unregister_file_handler - remove a type of files
 * @handler: the handler; its FLBs have been unregistered. If it was not registered,
 *	since live update is off, this does nothing.
 *
 * The module that owns the handler is held as long as there is a file of this type, so
 * the exit function of that module can call this.
 *
 * Context: may sleep.
 */
void liveupdate_unregister_file_handler(struct liveupdate_file_handler *handler)
{
	if (!liveupdate_enabled())
		return;

	down_write(&handlers_sem);
	WARN_ON(!list_empty(&handler->flb_list));
	list_del(&handler->list);
	up_write(&handlers_sem);
}
EXPORT_SYMBOL_GPL(liveupdate_unregister_file_handler);

/*
 * Identities
 */

static int compare_ids(struct rb_node *a, const struct rb_node *b)
{
	unsigned long x = rb_entry(a, struct luo_file, id_node)->id;
	unsigned long y = rb_entry(b, struct luo_file, id_node)->id;

	return x < y ? -1 : x > y;
}

/* Returns false if the file is in a session already. */
static bool add_id(struct luo_file *f)
{
	const struct liveupdate_file_ops *ops = f->handler->ops;
	struct rb_node *other;

	f->id = ops->get_id ? ops->get_id(f->file) : (unsigned long)f->file;
	mutex_lock(&ids_lock);
	other = rb_find_add(&f->id_node, &ids, compare_ids);
	mutex_unlock(&ids_lock);
	if (other)
		RB_CLEAR_NODE(&f->id_node);

	return !other;
}

static void remove_id(struct luo_file *f)
{
	if (RB_EMPTY_NODE(&f->id_node))
		return;

	mutex_lock(&ids_lock);
	rb_erase(&f->id_node, &ids);
	mutex_unlock(&ids_lock);
	RB_CLEAR_NODE(&f->id_node);
}

/*
 * The files of a session
 */

static int compare_tokens(struct rb_node *a, const struct rb_node *b)
{
	u64 x = rb_entry(a, struct luo_file, node)->token;
	u64 y = rb_entry(b, struct luo_file, node)->token;

	return x < y ? -1 : x > y;
}

static int compare_token(const void *key, const struct rb_node *node)
{
	u64 token = *(const u64 *)key, other = rb_entry(node, struct luo_file, node)->token;

	return token < other ? -1 : token > other;
}

static struct luo_file *find_file(struct luo_files *files, u64 token)
{
	struct rb_node *node = rb_find(&token, &files->tokens, compare_token);

	return node ? rb_entry(node, struct luo_file, node) : NULL;
}

static struct luo_file *new_file(u64 token)
{
	/* There can be 100,000 files, so the memory cgroup of the calling task is charged. */
	struct luo_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (f) {
		f->token = token;
		RB_CLEAR_NODE(&f->id_node);
	}

	return f;
}

/* The token is not taken, which the caller has checked. */
static void link_file(struct luo_files *files, struct luo_file *f)
{
	mutex_lock(&files->list_lock);
	rb_find_add(&f->node, &files->tokens, compare_tokens);
	list_add_tail(&f->list, &files->list);
	/* Pairs with READ_ONCE() in count_files(). */
	WRITE_ONCE(files->count, files->count + 1);
	mutex_unlock(&files->list_lock);
}

static void unlink_file(struct luo_files *files, struct luo_file *f)
{
	mutex_lock(&files->list_lock);
	rb_erase(&f->node, &files->tokens);
	list_del(&f->list);
	/* Pairs with READ_ONCE() in count_files(). */
	WRITE_ONCE(files->count, files->count - 1);
	mutex_unlock(&files->list_lock);
}

static struct liveupdate_file_op_args args_of(const struct luo_file *f)
{
	return (struct liveupdate_file_op_args) {
		.handler = f->handler,
		.file = f->file,
		.serialized_data = f->data,
		.private_data = f->private_data,
		.retrieve_status = f->status,
	};
}

/**
 * luo_files_init - make an empty set of files
 * @files: the set
 *
 * Context: any, never sleeps.
 */
void luo_files_init(struct luo_files *files)
{
	mutex_init(&files->list_lock);
	INIT_LIST_HEAD(&files->list);
	files->tokens = RB_ROOT;
	files->count = 0;
	luo_blocks_init(&files->blocks, sizeof(struct luo_file_ser));
}

/* Frees an outgoing or incoming file, and drops its references of struct file and module. */
static void free_file(struct luo_file *f)
{
	remove_id(f);
	put_handler(f->handler);
	if (f->file)
		fput(f->file);
	kfree(f);
}

/*
 * Outgoing files
 */

static int preserve(struct luo_file *f)
{
	struct liveupdate_file_op_args args;
	int err;

	if (!add_id(f))
		return -EBUSY;

	err = luo_flb_preserve(f->handler);
	if (err)
		return err;

	args = args_of(f);
	err = f->handler->ops->preserve(&args);
	if (err) {
		luo_flb_unpreserve(f->handler);
		return err;
	}
	f->data = args.serialized_data;
	f->private_data = args.private_data;

	return 0;
}

static int preserve_fd(struct luo_files *files, int fd, u64 token)
{
	struct luo_file *f = new_file(token);
	int err;

	if (!f)
		return -ENOMEM;

	err = -EBADF;
	f->file = fget(fd);
	if (!f->file)
		goto free;

	err = -ENOENT;
	f->handler = get_handler_for(f->file);
	if (!f->handler)
		goto put_file;

	err = preserve(f);
	trace_luo_preserve(f->handler->compatible, token, f->data, err);
	if (err) {
		free_file(f);
		return err;
	}
	link_file(files, f);

	return 0;

put_file:
	fput(f->file);
free:
	kfree(f);

	return err;
}

/**
 * luo_files_preserve - put a file into an outgoing session
 * @files: the files of the session
 * @fd: a file descriptor of the calling process
 * @token: the number by which the next kernel knows it
 *
 * Context: may sleep. The caller holds the lock of the session, and luo_reboot_sem for
 * reading.
 * Return: 0; -EEXIST if the token is taken; -EBADF; -ENOENT if no handler takes the
 * file; -EBUSY if it is in a session already; -ENOMEM, -ENOSPC; an error of the handler or
 * of its FLBs.
 */
int luo_files_preserve(struct luo_files *files, int fd, u64 token)
{
	int err;

	if (find_file(files, token))
		return -EEXIST;

	err = luo_blocks_add(&files->blocks);
	if (err)
		return err;

	err = preserve_fd(files, fd, token);
	if (err)
		luo_blocks_del(&files->blocks);

	return err;
}

/**
 * luo_files_unpreserve - give up all files of an outgoing session, the last one first
 * @files: the files of the session
 *
 * Context: may sleep. The caller holds the lock of the session, and luo_reboot_sem for
 * reading.
 */
void luo_files_unpreserve(struct luo_files *files)
{
	struct luo_file *f, *next;

	list_for_each_entry_safe_reverse(f, next, &files->list, list) {
		struct liveupdate_file_op_args args = args_of(f);

		unlink_file(files, f);
		f->handler->ops->unpreserve(&args);
		trace_luo_unpreserve(f->handler->compatible, f->token, f->data, 0);
		luo_flb_unpreserve(f->handler);
		luo_blocks_del(&files->blocks);
		free_file(f);
		cond_resched();
	}
}

static void unfreeze(struct luo_file *f)
{
	struct liveupdate_file_op_args args = args_of(f);

	if (f->handler->ops->unfreeze)
		f->handler->ops->unfreeze(&args);
}

/**
 * luo_files_unfreeze - undo luo_files_freeze(), the last file first
 * @files: the files of the session
 *
 * Context: may sleep. The caller holds luo_reboot_sem for writing.
 */
void luo_files_unfreeze(struct luo_files *files)
{
	struct luo_file *f;

	list_for_each_entry_reverse(f, &files->list, list)
		unfreeze(f);
}

/**
 * luo_files_freeze - freeze all files of a session
 * @files: the files of the session
 *
 * Context: may sleep. The caller holds luo_reboot_sem for writing, so no ioctl runs.
 * Return: 0; the error of the first handler that fails, with all files as before.
 */
int luo_files_freeze(struct luo_files *files)
{
	struct luo_file *f;
	int err;

	list_for_each_entry(f, &files->list, list) {
		struct liveupdate_file_op_args args = args_of(f);

		if (!f->handler->ops->freeze)
			continue;
		err = f->handler->ops->freeze(&args);
		trace_luo_freeze(f->handler->compatible, f->token, args.serialized_data, err);
		if (err)
			goto undo;
		f->data = args.serialized_data;
		f->private_data = args.private_data;
	}

	return 0;

undo:
	pr_warn("%s: cannot freeze the file with token %#llx (%d): kexec refused\n",
		f->handler->compatible, f->token, err);
	/* The freeze() that failed has undone its own changes. */
	list_for_each_entry_continue_reverse(f, &files->list, list)
		unfreeze(f);

	return err;
}

/**
 * luo_files_jump - call jump() for all files of a session, which are frozen
 * @files: the files of the session
 *
 * Context: right before the kexec. Only this CPU runs, so no lock is taken.
 */
void luo_files_jump(struct luo_files *files)
{
	struct luo_file *f;

	list_for_each_entry(f, &files->list, list) {
		struct liveupdate_file_op_args args = args_of(f);

		if (f->handler->ops->jump)
			f->handler->ops->jump(&args);
	}
}

/**
 * luo_files_write - write the list of files for the next kernel
 * @files: the files of the session, all of them frozen
 *
 * Context: never sleeps. The caller holds luo_reboot_sem for writing.
 * Return: the physical address of the block list, 0 if there is no file.
 */
phys_addr_t luo_files_write(struct luo_files *files)
{
	struct luo_file *f;

	luo_blocks_begin(&files->blocks);
	list_for_each_entry(f, &files->list, list) {
		struct luo_file_ser *entry = luo_blocks_next(&files->blocks);

		strscpy(entry->compatible, f->handler->compatible, sizeof(entry->compatible));
		entry->data = f->data;
		entry->token = f->token;
	}

	return luo_blocks_addr(&files->blocks);
}

/*
 * Incoming files
 */

struct read_args {
	struct luo_files *files;
	const char *session;
	bool say;
	u64 nr;
};

/* Adds a file for an entry of the previous kernel's list, unless its token occurred before. */
static int read_entry(const void *entry, void *arg)
{
	const struct luo_file_ser *ser = entry;
	struct read_args *args = arg;
	struct luo_file *f;

	if (strnlen(ser->compatible, sizeof(ser->compatible)) == sizeof(ser->compatible)) {
		if (args->say)
			pr_warn("session %s: a file has no valid handler name\n", args->session);
		return -EIO;
	}
	args->nr++;
	if (find_file(args->files, ser->token)) {
		if (args->say)
			pr_warn("session %s: two files have the token %#llx: the first one can be retrieved, the memory of the second one waits\n",
				args->session, ser->token);
		return 0;
	}

	f = new_file(ser->token);
	if (!f)
		return -ENOMEM;
	f->handler = get_handler_named(ser->compatible);
	if (!f->handler) {
		if (args->say)
			pr_warn("session %s: no handler for the file with token %#llx, which needs %s\n",
				args->session, ser->token, ser->compatible);
		kfree(f);
		return -ENODEV;
	}
	f->data = ser->data;
	link_file(args->files, f);

	return 0;
}

static void forget_files(struct luo_files *files)
{
	struct luo_file *f, *next;

	list_for_each_entry_safe(f, next, &files->list, list) {
		unlink_file(files, f);
		free_file(f);
	}
}

/**
 * luo_files_read - read the list of files of an incoming session
 * @files: the files of the session, still empty
 * @files_pa: physical address of the block list, 0 for none
 * @nr: how many files there should be
 * @session: name of the session, for messages
 * @say: false if an earlier call has logged already why the list cannot be read
 *
 * On success the list is freed. After an error @files is empty and the memory of the list goes
 * on waiting, so that the list can be read again, such as when a missing handler is registered.
 *
 * Context: may sleep. The caller holds the lock of the session.
 * Return: 0; -EIO if the list is broken; -ENODEV if a handler is missing; -ENOMEM.
 */
int luo_files_read(struct luo_files *files, u64 files_pa, u64 nr, const char *session,
		   bool say)
{
	struct read_args args = { .files = files, .session = session, .say = say };
	int err = 0;

	if (files_pa)
		err = luo_blocks_read(files_pa, sizeof(struct luo_file_ser), read_entry, &args);
	if (err == -EINVAL) {
		if (say)
			pr_warn("session %s: the list of files at %#llx is broken\n",
				session, files_pa);
		err = -EIO;
	} else if (!err && args.nr != nr) {
		if (say)
			pr_warn("session %s: %llu files should be listed, and %llu are\n",
				session, nr, args.nr);
		err = -EIO;
	}
	if (err) {
		forget_files(files);
		return err;
	}
	if (files_pa)
		luo_blocks_free(files_pa);

	return 0;
}

static void set_retrieved(struct luo_files *files, struct luo_file *f, struct file *file,
			  int status)
{
	mutex_lock(&files->list_lock);
	f->file = file;
	f->status = status;
	mutex_unlock(&files->list_lock);
}

/**
 * luo_files_retrieve - take a file back
 * @files: the files of the session
 * @session: name of the session, for messages
 * @token: the number by which the previous kernel preserved it
 * @file: where to store the file, with a reference for the caller
 *
 * Context: may sleep. The caller holds the lock of the session.
 * Return: 0; -ENOENT if there is no such token; -ENOMEM, with the file still waiting; any other
 * error of the handler, which each later call returns as well.
 */
int luo_files_retrieve(struct luo_files *files, const char *session, u64 token,
		       struct file **file)
{
	struct luo_file *f = find_file(files, token);
	struct liveupdate_file_op_args args;
	int err;

	if (!f)
		return -ENOENT;
	if (f->status < 0)
		return f->status;

	if (!f->status) {
		args = args_of(f);
		err = f->handler->ops->retrieve(&args);
		trace_luo_retrieve(f->handler->compatible, token, f->data, err);
		if (err) {
			/* With -ENOMEM retrieve() has taken nothing, and can be called again. */
			if (err != -ENOMEM) {
				pr_warn("session %s: the file with token %#llx cannot be retrieved (%d)\n",
					session, token, err);
				set_retrieved(files, f, NULL, err);
			}
			return err;
		}
		set_retrieved(files, f, args.file, 1);
		/* No task has a descriptor of this file yet, so it is in no other session. */
		WARN_ON(!add_id(f));
	}
	*file = get_file(f->file);

	return 0;
}

/* Returns 0 if the file can finish, else -EBUSY or the error that can_finish() has set. */
static int can_finish(const struct luo_file *f)
{
	struct liveupdate_file_op_args args = args_of(f);

	if (!f->handler->ops->can_finish || f->handler->ops->can_finish(&args))
		return 0;

	return args.retrieve_status < 0 && args.retrieve_status != f->status ?
	       args.retrieve_status : -EBUSY;
}

/**
 * luo_files_finish - end the handover of all files of a session, the last one first
 * @files: the files of the session
 *
 * Files that were not retrieved are discarded.
 *
 * Context: may sleep. The caller holds the lock of the session.
 * Return: 0; if a file cannot finish, -EBUSY or the error that its can_finish() set: then no
 * file has finished.
 */
int luo_files_finish(struct luo_files *files)
{
	struct luo_file *f, *next;
	int err;

	list_for_each_entry(f, &files->list, list) {
		err = can_finish(f);
		if (err)
			return err;
	}

	list_for_each_entry_safe_reverse(f, next, &files->list, list) {
		struct liveupdate_file_op_args args = args_of(f);

		unlink_file(files, f);
		f->handler->ops->finish(&args);
		trace_luo_finish(f->handler->compatible, f->token, f->data,
				 min(f->status, 0));
		luo_flb_finish(f->handler);
		free_file(f);
		cond_resched();
	}

	return 0;
}

/*
 * Output for debugfs and fdinfo
 */

static const char *state_of(const struct luo_file *f, char *buf, size_t size)
{
	if (!f->status)
		return f->file ? "preserved" : "waiting";
	if (f->status > 0)
		return "retrieved";
	snprintf(buf, size, "failed(%d)", f->status);

	return buf;
}

/**
 * luo_files_show - list the files of a session, one on each line
 * @m: where to print them
 * @files: the files of the session
 *
 * Context: may sleep. Does not wait for operations of the session.
 */
void luo_files_show(struct seq_file *m, struct luo_files *files)
{
	struct luo_file *f;
	char buf[24];

	mutex_lock(&files->list_lock);
	list_for_each_entry(f, &files->list, list) {
		struct liveupdate_file_op_args args = args_of(f);

		seq_printf(m, "\ttoken %#llx handler %s state %s", f->token,
			   f->handler->compatible, state_of(f, buf, sizeof(buf)));
		if (f->handler->ops->show)
			f->handler->ops->show(&args, m);
		seq_putc(m, '\n');
	}
	mutex_unlock(&files->list_lock);
}
