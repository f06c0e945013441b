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
 * @handler: the handler
 * @retrieve_status: for can_finish() and finish(): 0 if nobody tried to retrieve the
 *	file, 1 if it was retrieved, otherwise the error of retrieve()
 * @file: the file; retrieve() sets it. NULL for finish() of a file that was not retrieved.
 * @serialized_data: what the next kernel gets, by convention a physical address;
 *	preserve() sets it and freeze() can change it
 * @private_data: for the handler's own use from preserve() to freeze(), unfreeze(), jump(),
 *	show() and unpreserve(); not handed over
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
 * @jump: optional, and not in Linux 7.3; the last look at a frozen file, after all other
 *	processes have stopped: writes what they have changed since @freeze into what is
 *	handed over already
 * @retrieve: makes the file in the next kernel; is called again after -ENOMEM, with which
 *	it must not have taken anything
 * @can_finish: optional; returns true if the file can finish
 * @finish: ends the handover; frees what @retrieve did not take
 * @get_id: optional; a number that is the same for two files that must not both be
 *	preserved; by default the address of struct file
 * @owner: the module, which is held as long as there is a file of this handler
 * @show: optional, and not in Linux 7.3; prints what there is to say of a file, in the
 *	form " NAME VALUE", as often as necessary; @private_data is only there if the file
 *	is outgoing, @file only if it is outgoing or was retrieved. Must not wait for the
 *	other operations.
 *
 * All can sleep but @jump, for which only one CPU runs, right before the kexec: it takes no
 * lock, since a CPU may have been stopped that holds it. @preserve, @unpreserve, @retrieve,
 * @can_finish and @finish are called with the mutex of the session held; @freeze and
 * @unfreeze without it, while no other operation of any session runs. If @can_finish returns
 * false, it can set retrieve_status to an error that user space gets in place of EBUSY.
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
 * @ops: its operations
 * @compatible: its name in the handover, which tells the format of the data as well
 */
struct liveupdate_file_handler {
	const struct liveupdate_file_ops *ops;
	const char compatible[LIVEUPDATE_HNDL_COMPAT_LENGTH];

	/* private: kernel/liveupdate/file.c sets these, under its lock */
	struct list_head list;
	struct list_head flb_list;

	/* private: kernel/liveupdate/flb.c counts outgoing files, under its lock */
	unsigned long files;
};

/**
 * struct liveupdate_flb_op_args - arguments of the operations of FLB
 * @flb: the FLB
 * @data: what the next kernel gets; preserve() sets it, retrieve() reads it
 * @obj: the object; preserve() and retrieve() set it
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
 * @retrieve: makes the object in the next kernel, when it is first asked for, or right before
 *	@finish if nobody has asked; is called again after -ENOMEM, with which it must not
 *	have taken anything
 * @finish: called when the last file that depends on the FLB has finished; gets @obj,
 *	which it frees
 * @owner: the module, which is held as long as there is an object
 *
 * All can sleep. They are called with the mutex of the FLB held.
 */
struct liveupdate_flb_ops {
	int (*preserve)(struct liveupdate_flb_op_args *args);
	void (*unpreserve)(struct liveupdate_flb_op_args *args);
	int (*retrieve)(struct liveupdate_flb_op_args *args);
	void (*finish)(struct liveupdate_flb_op_args *args);
	struct module *owner;
};

/*
 * One side of an FLB, the outgoing or the incoming one. kernel/liveupdate/flb.c changes
 * all members with @lock held.
 */
struct liveupdate_flb_side {
	struct mutex lock; /* see above */
	unsigned long files;	/* outgoing: files that depend on it */
	unsigned long holders;
	u64 data;		/* outgoing */
	void *obj;
	int status;		/* incoming: 0 not retrieved yet, 1 retrieved, or the error */
};

/**
 * struct liveupdate_flb - data that lives as long as files that depend on it
 * @ops: its operations
 * @compatible: its name in the handover
 */
struct liveupdate_flb {
	const struct liveupdate_flb_ops *ops;
	const char compatible[LIVEUPDATE_FLB_COMPAT_LENGTH];

	/* private: kernel/liveupdate/flb.c sets these; all zero before it is registered */
	struct list_head list;
	int users;
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
