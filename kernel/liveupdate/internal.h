/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the files of live update share.
 *
 * Each file calls only files that stand before it here: state.c (is live update on),
 * blocks.c (lists in preserved pages), ioctl.c (how ioctls are checked), flb.c (data that
 * files share), file.c (file handlers, and the files of one session), session.c (sessions,
 * outgoing and incoming), luo.c (start-up, the blob, the step in reboot()), device.c
 * (/dev/liveupdate), sysfs.c, debugfs.c.
 *
 * Locks, outer ones first:
 *
 * - luo_reboot_sem of state.c: held for reading by each operation that changes the state that
 *   is handed over; liveupdate_kexec_begin() takes it for writing, and keeps it if the kexec
 *   goes ahead;
 * - luo_session::lock: one operation at a time in a session;
 * - luo_sessions::lock: the set of sessions of one side;
 * - luo_files::list_lock: the set of files of a session, and their state;
 * - the locks of flb.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LUO_INTERNAL_H
#define _LUO_INTERNAL_H

#include <linux/kho/abi/luo.h>
#include <linux/list.h>
#include <linux/liveupdate.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/types.h>

#include "blocks.h"

struct seq_file;

/**
 * struct luo_files - the files of one session
 * @list_lock: guards @list, @tokens, and the state of each file. Of the operations of a
 *	handler only show() is called with it held.
 * @list: struct luo_file, in order of preservation
 * @tokens: the same by token
 * @count: number of files; changed with @list_lock held, read without it by count_files()
 * @blocks: outgoing: room for all of them in a block list
 *
 * The lock of the session serialises all changes, so a task that holds it can read without
 * @list_lock.
 */
struct luo_files {
	struct mutex list_lock; /* see above */
	struct list_head list;
	struct rb_root tokens;
	unsigned long count;
	struct luo_blocks blocks;
};

/**
 * struct luo_session - a session, outgoing or incoming
 * @node: in the tree of names of its side; guarded by the lock of the side
 * @list: in the list of its side; guarded by the lock of the side
 * @name: its name, filled with NULs; constant
 * @incoming: it was handed over by the previous kernel; constant
 * @open: incoming: it has a file; guarded by the lock of the side
 * @files_read: incoming: @files has been read from the list at @files_pa; changed with @lock
 *	held, read without it by count_files()
 * @finished: incoming: FINISH has succeeded; changed with @lock held, read without it by
 *	luo_session_show()
 * @twice: incoming: another session has the same name, or the name is empty; constant after
 *	luo_session_read()
 * @broken: incoming: @twice, or the list of files was invalid the last time that it was read:
 *	the files cannot be retrieved; changed with @lock held, after luo_session_read()
 * @said: incoming: the reason why @files could not be read was logged; guarded by @lock
 * @files_pa: incoming: address of the block list of its files; constant
 * @files_nr: incoming: number of files in that list; constant
 * @lock: one operation at a time
 * @files: its files, guarded by @lock and see there
 */
struct luo_session {
	struct rb_node node;
	struct list_head list;
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	bool incoming;
	bool open;
	bool files_read;
	bool finished;
	bool twice;
	bool broken;
	bool said;
	u64 files_pa;
	u64 files_nr;
	struct mutex lock; /* see above */
	struct luo_files files;
};

/**
 * struct luo_sessions - the sessions of one side, outgoing or incoming
 * @lock: guards all members
 * @names: struct luo_session by name
 * @list: the same in order of creation
 * @count: number of sessions
 * @unfinished: incoming: number of sessions that can still finish
 * @blocks: outgoing: room for all of them in a block list
 */
struct luo_sessions {
	struct mutex lock; /* see above */
	struct rb_root names;
	struct list_head list;
	unsigned long count;
	unsigned long unfinished;
	struct luo_blocks blocks;
};

/* state.c */
extern struct rw_semaphore luo_reboot_sem;

void luo_enable(void);

/* ioctl.c: common code of the ioctls of the device and of a session */

/**
 * struct luo_command - an ioctl that was copied from user space
 * @uarg: address of the argument in user space
 * @usize: size of the argument in user space
 * @ksize: size of the argument that this kernel knows
 * @arg: the argument
 *
 * luo_run_ioctl() has it on its stack and fills it in; the operation may write to @arg.
 */
struct luo_command {
	void __user *uarg;
	u32 usize;
	u32 ksize;
	union {
		struct liveupdate_ioctl_create_session create;
		struct liveupdate_ioctl_retrieve_session retrieve;
		struct liveupdate_session_preserve_fd preserve_fd;
		struct liveupdate_session_retrieve_fd retrieve_fd;
		struct liveupdate_session_finish finish;
		struct liveupdate_session_get_name get_name;
	} arg;
};

/**
 * struct luo_ioctl - an ioctl
 * @cmd: its number as user space gives it
 * @size: size of its argument in this kernel
 * @min_size: size of its argument in the first version
 * @outgoing: it can be used on sessions that this kernel created
 * @incoming: it can be used on sessions that the previous kernel handed over
 * @run: carries it out; @object is the session, or NULL for the device
 *
 * device.c and session.c have constant tables of these.
 */
struct luo_ioctl {
	unsigned int cmd;
	u32 size;
	u32 min_size;
	bool outgoing;
	bool incoming;
	int (*run)(void *object, struct luo_command *command);
};

long luo_run_ioctl(const struct luo_ioctl *table, unsigned int first, unsigned int nr,
		   const struct luo_session *session, unsigned int cmd, unsigned long arg);
int luo_respond(const struct luo_command *command);

/* session.c */
extern struct luo_sessions luo_outgoing;
extern struct luo_sessions luo_incoming;

int luo_session_create(struct luo_command *command);
int luo_session_retrieve(struct luo_command *command);
void luo_session_start(u64 sessions_pa);
int luo_session_read(void);
int luo_session_freeze(void);
void luo_session_unfreeze(void);
void luo_session_jump(void);
void luo_session_write(u64 *sessions_pa);
unsigned long luo_session_count_files(struct luo_sessions *side, const char **name);
void luo_session_show(struct seq_file *m, struct luo_session *session);

/* file.c: the files of a session; the caller holds its lock */
void luo_files_init(struct luo_files *files);
int luo_files_preserve(struct luo_files *files, int fd, u64 token);
void luo_files_unpreserve(struct luo_files *files);
int luo_files_freeze(struct luo_files *files);
void luo_files_jump(struct luo_files *files);
void luo_files_unfreeze(struct luo_files *files);
phys_addr_t luo_files_write(struct luo_files *files);
int luo_files_read(struct luo_files *files, u64 files_pa, u64 nr, const char *session,
		   bool say);
int luo_files_retrieve(struct luo_files *files, const char *session, u64 token,
		       struct file **file);
int luo_files_finish(struct luo_files *files);
void luo_files_show(struct seq_file *m, struct luo_files *files);

/* flb.c: the FLBs of a handler, for one file more or less */
int luo_flb_preserve(struct liveupdate_file_handler *handler);
void luo_flb_unpreserve(struct liveupdate_file_handler *handler);
void luo_flb_finish(struct liveupdate_file_handler *handler);
void luo_flb_finish_all(void);

/* flb.c: the page of FLBs */
int luo_flb_start(phys_addr_t incoming);
phys_addr_t luo_flb_write(void);

#endif /* _LUO_INTERNAL_H */
