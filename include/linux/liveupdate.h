/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live update: file types that can be handed over to the next kernel.
 *
 * A subsystem registers a file handler for the files that it can preserve. Data that
 * several files share is file-lifecycle-bound data (FLB): it is preserved with the first
 * file that depends on it and finished with the last.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_LIVEUPDATE_H
#define _LINUX_LIVEUPDATE_H

#include <linux/errno.h>
#include <linux/kho/abi/luo.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct file;
struct kimage;
struct liveupdate_file_handler;
struct liveupdate_flb;
struct module;
struct seq_file;

/**
 * struct liveupdate_file_op_args - arguments of the operations of a file handler
 * @handler: the handler; live update sets it for all operations
 * @retrieve_status: live update sets it for can_finish(), finish() and show() of an incoming
 *	file: 0 if retrieve() was not called or has only returned -ENOMEM, 1 if the file was
 *	retrieved, otherwise the error of retrieve(). can_finish() can set an error. 0 for the
 *	other operations.
 * @file: the file. Live update sets it for all operations of an outgoing file, and for
 *	can_finish(), finish() and show() of a file that was retrieved; otherwise it is NULL.
 *	retrieve() sets it, with a reference that live update takes over.
 * @serialized_data: the number that the next kernel gets, by convention a physical address.
 *	preserve() sets it, and freeze() can change it. Live update passes it to all later
 *	operations, in the next kernel as well.
 * @private_data: for the handler's own use in this kernel. preserve() sets it, and freeze()
 *	can change it. Live update passes it to freeze(), unfreeze(), jump(), show() and
 *	unpreserve() of an outgoing file; NULL for operations of an incoming file.
 *
 * Live update ignores changes by an operation that fails, other than those of @retrieve_status.
 */
struct liveupdate_file_op_args {
	struct liveupdate_file_handler *handler;
	int retrieve_status;
	struct file *file;
	u64 serialized_data;
	void *private_data;
};

/**
 * struct liveupdate_file_ops - the operations of a file handler
 * @can_preserve: returns true if the handler takes @file
 * @preserve: preserves the file while the system goes on running; does the heavy part
 * @unpreserve: undoes @preserve, when the session is given up
 * @freeze: optional; makes @serialized_data final, in reboot(), while other processes
 *	still run
 * @unfreeze: optional; undoes @freeze, when the kexec does not take place
 * @jump: optional, and not in Linux 7.3; called for a frozen file after all processes have
 *	stopped: writes changes that they made since @freeze into the preserved state of the
 *	file
 * @retrieve: makes the file in the next kernel; is called again after -ENOMEM, with which
 *	it must not have taken anything
 * @can_finish: optional; returns true if the file can finish
 * @finish: ends the handover; frees preserved memory of the file that @retrieve did not take
 * @get_id: optional; a number that is the same for two files that must not both be
 *	preserved; by default the address of struct file
 * @owner: the module, which is held as long as there is a file of this handler
 * @show: optional, and not in Linux 7.3; prints any number of properties of a file, each in
 *	the form " NAME VALUE". It is called with luo_files::list_lock held, so it must not
 *	wait for the other operations.
 *
 * All can sleep but @jump, for which only one CPU runs, right before the kexec: it takes no
 * lock, since a CPU that holds it may have been stopped. @preserve, @unpreserve, @retrieve,
 * @can_finish and @finish are called with luo_session::lock held; @freeze and @unfreeze without
 * it, while no operation of any file runs but @show. If @can_finish returns false, it can set
 * retrieve_status to an error that user space gets in place of EBUSY.
 */
struct liveupdate_file_ops {
	bool (*can_preserve)(struct liveupdate_file_handler *handler, struct file *file);
	int (*preserve)(struct liveupdate_file_op_args *args);
	void (*unpreserve)(struct liveupdate_file_op_args *args);
	int (*freeze)(struct liveupdate_file_op_args *args);
	void (*unfreeze)(struct liveupdate_file_op_args *args);
	int (*retrieve)(struct liveupdate_file_op_args *args);
	bool (*can_finish)(struct liveupdate_file_op_args *args);
	void (*finish)(struct liveupdate_file_op_args *args);
	unsigned long (*get_id)(struct file *file);
	struct module *owner;
	void (*show)(struct liveupdate_file_op_args *args, struct seq_file *m);
	void (*jump)(struct liveupdate_file_op_args *args);
};

/**
 * struct liveupdate_file_handler - a type of files that can be preserved
 * @ops: its operations; constant while it is registered
 * @compatible: its name in the handover, which identifies the format of its data as well;
 *	constant while it is registered
 */
struct liveupdate_file_handler {
	const struct liveupdate_file_ops *ops;
	const char compatible[LIVEUPDATE_HNDL_COMPAT_LENGTH];

	/* private: guarded by handlers_sem of kernel/liveupdate/file.c */
	struct list_head list;

	/* private: file.c initialises it; guarded by luo_flb_lock of kernel/liveupdate/flb.c */
	struct list_head flb_list;

	/* private: number of outgoing files; guarded by luo_flb_lock */
	unsigned long files;
};

/**
 * struct liveupdate_flb_op_args - arguments of the operations of FLB
 * @flb: the FLB; live update sets it for all operations
 * @data: the number that the next kernel gets. preserve() sets it; live update passes it to
 *	unpreserve(), and to retrieve() in the next kernel. 0 for finish().
 * @obj: the object. preserve() sets it, for unpreserve() and liveupdate_flb_get_outgoing();
 *	retrieve() sets it, for finish() and liveupdate_flb_get_incoming().
 *
 * Live update ignores changes by an operation that fails.
 */
struct liveupdate_flb_op_args {
	struct liveupdate_flb *flb;
	u64 data;
	void *obj;
};

/**
 * struct liveupdate_flb_ops - the operations of FLB, all of which are required
 * @preserve: called with the first file that depends on the FLB
 * @unpreserve: undoes @preserve, with the last file that is given up
 * @retrieve: makes the object in the next kernel, in the first liveupdate_flb_get_incoming(),
 *	or right before @finish if there was none; is called again after -ENOMEM, with which
 *	it must not have taken anything
 * @finish: called when the last file that depends on the FLB has finished; gets @obj,
 *	which it frees
 * @owner: the module, which is held as long as there is an object
 *
 * All can sleep. They are called with liveupdate_flb_side::lock of the outgoing side (@preserve,
 * @unpreserve) or of the incoming side (@retrieve, @finish) held.
 */
struct liveupdate_flb_ops {
	int (*preserve)(struct liveupdate_flb_op_args *args);
	void (*unpreserve)(struct liveupdate_flb_op_args *args);
	int (*retrieve)(struct liveupdate_flb_op_args *args);
	void (*finish)(struct liveupdate_flb_op_args *args);
	struct module *owner;
};

/**
 * struct liveupdate_flb_side - one side of an FLB, the outgoing or the incoming one
 * @lock: guards all members, and is held while an operation of this side runs
 * @files: outgoing: number of files that depend on the FLB
 * @holders: number of references that liveupdate_flb_get_outgoing() or
 *	liveupdate_flb_get_incoming() has taken
 * @data: outgoing: the data that preserve() set
 * @obj: the object that preserve() or retrieve() set; NULL if there is none
 * @status: incoming: 0 if it is not retrieved yet, 1 if it is, or the error of retrieve()
 *
 * Only kernel/liveupdate/flb.c uses the members.
 */
struct liveupdate_flb_side {
	struct mutex lock; /* see above */
	unsigned long files;
	unsigned long holders;
	u64 data;
	void *obj;
	int status;
};

/**
 * struct liveupdate_flb - data that lives as long as files that depend on it
 * @ops: its operations; constant while it is registered or has an object
 * @compatible: its name in the handover; constant while it is registered or has an object
 */
struct liveupdate_flb {
	const struct liveupdate_flb_ops *ops;
	const char compatible[LIVEUPDATE_FLB_COMPAT_LENGTH];

	/* private: all zero at first; guarded by luo_flb_lock of kernel/liveupdate/flb.c */
	struct list_head list;
	int users;

	/* private: all zero at first; init_flb() initialises the sides, each with its own lock */
	bool initialised;
	struct liveupdate_flb_side outgoing;
	struct liveupdate_flb_side incoming;
};

#ifdef CONFIG_LIVEUPDATE

bool liveupdate_enabled(void);
int liveupdate_reboot(void);
int liveupdate_kexec_begin(void);
void liveupdate_kexec_end(void);
int liveupdate_kexec(const struct kimage *image);
void liveupdate_jump(void);
void liveupdate_on_finished(void (*fn)(void));

int liveupdate_register_file_handler(struct liveupdate_file_handler *handler);
void liveupdate_unregister_file_handler(struct liveupdate_file_handler *handler);

int liveupdate_register_flb(struct liveupdate_file_handler *handler,
			    struct liveupdate_flb *flb);
void liveupdate_unregister_flb(struct liveupdate_file_handler *handler,
			       struct liveupdate_flb *flb);

int liveupdate_flb_get_incoming(struct liveupdate_flb *flb, void **obj);
void liveupdate_flb_put_incoming(struct liveupdate_flb *flb);
int liveupdate_flb_get_outgoing(struct liveupdate_flb *flb, void **obj);
void liveupdate_flb_put_outgoing(struct liveupdate_flb *flb);

#else /* CONFIG_LIVEUPDATE */

static inline bool liveupdate_enabled(void)
{
	return false;
}

static inline int liveupdate_reboot(void)
{
	return 0;
}

static inline int liveupdate_kexec_begin(void)
{
	return 0;
}

static inline void liveupdate_kexec_end(void) { }

static inline int liveupdate_kexec(const struct kimage *image)
{
	return 0;
}

static inline void liveupdate_jump(void) { }

static inline int liveupdate_register_file_handler(struct liveupdate_file_handler *handler)
{
	return -EOPNOTSUPP;
}

static inline void
liveupdate_unregister_file_handler(struct liveupdate_file_handler *handler) { }

static inline int liveupdate_register_flb(struct liveupdate_file_handler *handler,
					  struct liveupdate_flb *flb)
{
	return -EOPNOTSUPP;
}

static inline void liveupdate_unregister_flb(struct liveupdate_file_handler *handler,
					     struct liveupdate_flb *flb) { }

static inline int liveupdate_flb_get_incoming(struct liveupdate_flb *flb, void **obj)
{
	return -EOPNOTSUPP;
}

static inline void liveupdate_flb_put_incoming(struct liveupdate_flb *flb) { }

static inline int liveupdate_flb_get_outgoing(struct liveupdate_flb *flb, void **obj)
{
	return -EOPNOTSUPP;
}

static inline void liveupdate_flb_put_outgoing(struct liveupdate_flb *flb) { }

#endif /* CONFIG_LIVEUPDATE */

#endif /* _LINUX_LIVEUPDATE_H */
