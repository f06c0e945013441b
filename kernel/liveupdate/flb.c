// SPDX-License-Identifier: GPL-2.0-only
/*
 * File-lifecycle-bound data (FLB): data that files of some handlers share.
 *
 * This file owns which FLBs depend on which handlers, the state of each FLB in either
 * direction, and the page in which FLBs are handed over.
 *
 * An outgoing FLB exists as long as it has files, which depend on it, or holders: calls of
 * liveupdate_flb_get_outgoing() without liveupdate_flb_put_outgoing() yet. The number of
 * files is handed over. Holders end with this kernel, so that number does not include them,
 * and an FLB that only has holders is not handed over.
 *
 * An incoming FLB is retrieved by the first liveupdate_flb_get_incoming(). It is finished when
 * as many files have finished as depended on it in the previous kernel, and it has no holder.
 * That number of files can be too large: Linux 7.3 includes holders in it, a session can be
 * broken, and an FLB can be registered with a handler after some files of the handler have
 * finished. So the number is ignored when no incoming session is left that can finish.
 *
 * Locks: luo_flb_lock, then the lock of one side of an FLB. Operations of FLBs are
 * called with the latter held, and often with the former: they can get and put other
 * FLBs, but do not register or unregister any.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "LUO: " fmt

#include <linux/bug.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/liveupdate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"

/* Number of entries that fit into the page of FLBs */
#define MAX_FLBS ((PAGE_SIZE - sizeof(struct luo_flb_header_ser)) / sizeof(struct luo_flb_ser))

/**
 * struct flb_link - a handler whose files depend on an FLB
 * @list: in liveupdate_file_handler::flb_list, in order of registration
 * @flb: the FLB
 *
 * luo_flb_lock guards the list. The members are constant.
 */
struct flb_link {
	struct list_head list;
	struct liveupdate_flb *flb;
};

/**
 * struct incoming_flb - an FLB that the previous kernel handed over
 * @name: its name; constant
 * @data: the data that preserve() set in the previous kernel; constant
 * @files: number of files that depend on it and have not finished
 * @finished: finish() has been called, or retrieve() has failed so that it cannot be
 *
 * The lock of the incoming side of the FLB with this name guards @files and @finished. They
 * are not in struct liveupdate_flb, since its module can be unloaded and loaded again before
 * the FLB is finished.
 */
struct incoming_flb {
	char name[LIVEUPDATE_FLB_COMPAT_LENGTH];
	u64 data;
	u64 files;
	bool finished;
};

/*
 * Guards @flbs, @nr_flbs, liveupdate_flb::users, and the members flb_list and files of struct
 * liveupdate_file_handler.
 */
static DEFINE_MUTEX(luo_flb_lock);
static LIST_HEAD(flbs);
static unsigned int nr_flbs;

/* The preserved page for the next kernel; constant after luo_flb_start(). */
static struct luo_flb_header_ser *out_page;

/* The incoming list; constant after luo_flb_start(). */
static struct incoming_flb *incoming;
static unsigned int nr_incoming;

/* Set once, by luo_flb_finish_all(): no incoming session can finish any more. */
static bool files_finished;

/* liveupdate_flb_get_incoming() can be called before liveupdate_register_flb(). */
static void init_flb(struct liveupdate_flb *flb)
{
	static DEFINE_MUTEX(lock);

	/* Pairs with smp_store_release() below. */
	if (smp_load_acquire(&flb->initialised))
		return;

	guard(mutex)(&lock);
	if (flb->initialised)
		return;
	mutex_init(&flb->outgoing.lock);
	mutex_init(&flb->incoming.lock);
	/* Pairs with smp_load_acquire() above. */
	smp_store_release(&flb->initialised, true);
}

/* Removes a holder of @side. @drop then ends that side if it has no files and no holders. */
static void put_holder(struct liveupdate_flb *flb, struct liveupdate_flb_side *side,
		       void (*drop)(struct liveupdate_flb *flb))
{
	if (WARN_ON_ONCE(!flb->initialised))
		return;

	guard(mutex)(&side->lock);
	if (WARN_ON_ONCE(!side->holders))
		return;
	side->holders--;
	drop(flb);
}

/*
 * The outgoing side
 */

static int preserve(struct liveupdate_flb *flb)
{
	struct liveupdate_flb_op_args args = { .flb = flb };
	int err;

	if (!try_module_get(flb->ops->owner))
		return -ENODEV;

	err = flb->ops->preserve(&args);
	if (err) {
		module_put(flb->ops->owner);
		return err;
	}
	flb->outgoing.data = args.data;
	flb->outgoing.obj = args.obj;

	return 0;
}

/* Unpreserves the FLB if it has no files and no holders. The caller holds the side's lock. */
static void put_outgoing(struct liveupdate_flb *flb)
{
	struct liveupdate_flb_side *side = &flb->outgoing;
	struct liveupdate_flb_op_args args = {
		.flb = flb,
		.data = side->data,
		.obj = side->obj,
	};

	if (side->files || side->holders)
		return;

	flb->ops->unpreserve(&args);
	side->data = 0;
	side->obj = NULL;
	module_put(flb->ops->owner);
}

static int add_files(struct liveupdate_flb *flb, unsigned long nr)
{
	struct liveupdate_flb_side *side = &flb->outgoing;
	int err;

	guard(mutex)(&side->lock);
	if (!side->files && !side->holders) {
		err = preserve(flb);
		if (err)
			return err;
	}
	side->files += nr;

	return 0;
}

static void del_files(struct liveupdate_flb *flb, unsigned long nr)
{
	guard(mutex)(&flb->outgoing.lock);
	flb->outgoing.files -= nr;
	put_outgoing(flb);
}

/**
 * luo_flb_preserve - preserve the FLBs of a handler, for one file more
 * @handler: the handler of the file, which is about to be preserved
 *
 * Context: may sleep. The caller holds the lock of the session, and luo_reboot_sem for
 * reading.
 * Return: 0; with all FLBs as before, the error of the preserve() of an FLB, or -ENODEV if
 * the module of an FLB is being unloaded.
 */
int luo_flb_preserve(struct liveupdate_file_handler *handler)
{
	struct flb_link *link;
	int err;

	guard(mutex)(&luo_flb_lock);
	list_for_each_entry(link, &handler->flb_list, list) {
		err = add_files(link->flb, 1);
		if (err)
			goto undo;
	}
	handler->files++;

	return 0;

undo:
	list_for_each_entry_continue_reverse(link, &handler->flb_list, list)
		del_files(link->flb, 1);

	return err;
}

/**
 * luo_flb_unpreserve - undo luo_flb_preserve(), the last FLB first
 * @handler: the handler of the file, which is not preserved any more
 *
 * Context: may sleep. The caller holds the lock of the session, and luo_reboot_sem for
 * reading.
 */
void luo_flb_unpreserve(struct liveupdate_file_handler *handler)
{
	struct flb_link *link;

	guard(mutex)(&luo_flb_lock);
	handler->files--;
	list_for_each_entry_reverse(link, &handler->flb_list, list)
		del_files(link->flb, 1);
}

/**
 * luo_flb_write - write the page of FLBs for the next kernel
 *
 * Context: may sleep. The caller holds luo_reboot_sem for writing, so that no file is
 * preserved or given up, and keeps it if the kexec goes ahead. From here on an FLB in the
 * page cannot be given up, since files depend on it.
 * Return: the physical address of the page, which the next kernel frees, also without
 * an FLB in it.
 */
phys_addr_t luo_flb_write(void)
{
	struct luo_flb_ser *entry = (void *)(out_page + 1);
	struct liveupdate_flb *flb;

	guard(mutex)(&luo_flb_lock);
	memset(out_page, 0, PAGE_SIZE);
	out_page->pgcnt = 1;
	list_for_each_entry(flb, &flbs, list) {
		guard(mutex)(&flb->outgoing.lock);
		if (!flb->outgoing.files)
			continue;
		strscpy(entry->name, flb->compatible, sizeof(entry->name));
		entry->data = flb->outgoing.data;
		entry->count = flb->outgoing.files;
		entry++;
		out_page->count++;
	}

	return virt_to_phys(out_page);
}

/**
 * liveupdate_flb_get_outgoing - get the object that is handed over
 * @flb: the FLB
 * @obj: where to store the object that its preserve() set; unchanged after an error
 *
 * The object stays until liveupdate_flb_put_outgoing(), also if the last file that
 * depends on it is given up before.
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP if live update is off; -ENOENT if no file depends on it.
 */
int liveupdate_flb_get_outgoing(struct liveupdate_flb *flb, void **obj)
{
	struct liveupdate_flb_side *side = &flb->outgoing;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;

	init_flb(flb);
	guard(mutex)(&side->lock);
	if (!side->files)
		return -ENOENT;
	side->holders++;
	*obj = side->obj;

	return 0;
}
EXPORT_SYMBOL_GPL(liveupdate_flb_get_outgoing);

/**
 * liveupdate_flb_put_outgoing - undo liveupdate_flb_get_outgoing()
 * @flb: the FLB. The caller does not use the object any more.
 *
 * Context: may sleep. Calls unpreserve() if no file depends on it and no holder is left.
 */
void liveupdate_flb_put_outgoing(struct liveupdate_flb *flb)
{
	put_holder(flb, &flb->outgoing, put_outgoing);
}
EXPORT_SYMBOL_GPL(liveupdate_flb_put_outgoing);

/*
 * The incoming side
 */

/* If a name occurs twice, the first entry counts. */
static struct incoming_flb *find_incoming(const struct liveupdate_flb *flb)
{
	for (unsigned int i = 0; i < nr_incoming; i++) {
		if (!strcmp(incoming[i].name, flb->compatible))
			return &incoming[i];
	}

	return NULL;
}

/*
 * Retrieves the FLB, unless that was done before. Returns 0, or the error of retrieve(), also of
 * an earlier one. The caller holds the lock of the side.
 */
static int retrieve(struct liveupdate_flb *flb, const struct incoming_flb *in)
{
	struct liveupdate_flb_op_args args = { .flb = flb, .data = in->data };
	struct liveupdate_flb_side *side = &flb->incoming;
	int err;

	if (side->status)
		return min(side->status, 0);
	/* The status stays 0: once the module is loaded again, the FLB can be retrieved. */
	if (!try_module_get(flb->ops->owner))
		return -ENODEV;

	err = flb->ops->retrieve(&args);
	if (err) {
		pr_warn("%s: cannot be retrieved (%d)\n", flb->compatible, err);
		/* With -ENOMEM retrieve() has taken nothing, and can be called again. */
		if (err != -ENOMEM)
			side->status = err;
		module_put(flb->ops->owner);
		return err;
	}
	side->status = 1;
	side->obj = args.obj;

	return 0;
}

/* Finishes the FLB if it has no files and no holders. The caller holds the lock of the side. */
static void finish_if_last(struct liveupdate_flb *flb, struct incoming_flb *in)
{
	struct liveupdate_flb_side *side = &flb->incoming;
	struct liveupdate_flb_op_args args = { .flb = flb };
	int err;

	/* Pairs with WRITE_ONCE() in luo_flb_finish_all(), which calls this afterwards. */
	if (in->finished || side->holders || (in->files && !READ_ONCE(files_finished)))
		return;

	/* finish() frees the object, so there has to be one. */
	err = retrieve(flb, in);
	/* If its module is being unloaded, this can be done when it is loaded again. */
	in->finished = side->status;
	if (err)
		return;
	args.obj = side->obj;
	flb->ops->finish(&args);
	side->obj = NULL;
	module_put(flb->ops->owner);
}

static void put_incoming(struct liveupdate_flb *flb)
{
	finish_if_last(flb, find_incoming(flb));
}

/**
 * luo_flb_finish - finish the FLBs of a handler, for one file, the last FLB first
 * @handler: the handler of the file, which has finished
 *
 * Context: may sleep. The caller holds the lock of the session.
 */
void luo_flb_finish(struct liveupdate_file_handler *handler)
{
	struct incoming_flb *in;
	struct flb_link *link;

	guard(mutex)(&luo_flb_lock);
	list_for_each_entry_reverse(link, &handler->flb_list, list) {
		in = find_incoming(link->flb);
		if (!in)
			continue;
		guard(mutex)(&link->flb->incoming.lock);
		if (in->files)
			in->files--;
		finish_if_last(link->flb, in);
	}
}

/**
 * luo_flb_finish_all - finish all FLBs, as no incoming session can finish any more
 *
 * An FLB that has holders is finished by the last liveupdate_flb_put_incoming().
 *
 * Context: may sleep. Each session of the previous kernel has finished or is broken.
 */
void luo_flb_finish_all(void)
{
	struct liveupdate_flb *flb;
	struct incoming_flb *in;

	guard(mutex)(&luo_flb_lock);
	/* Pairs with READ_ONCE() in finish_if_last(). */
	WRITE_ONCE(files_finished, true);
	list_for_each_entry_reverse(flb, &flbs, list) {
		in = find_incoming(flb);
		if (!in)
			continue;
		guard(mutex)(&flb->incoming.lock);
		finish_if_last(flb, in);
	}
}

/**
 * liveupdate_flb_get_incoming - get the object that was handed over
 * @flb: the FLB, which need not be registered
 * @obj: where to store the object; unchanged after an error
 *
 * The first call retrieves it. It stays until liveupdate_flb_put_incoming(), also if the
 * last file that depends on it finishes before.
 *
 * Context: may sleep. Any initcall after postcore_initcall, or later.
 * Return: 0; -EOPNOTSUPP if live update is off; -ENODATA if no FLB was handed over, or if
 * it is finished; -ENOENT if other FLBs were handed over, but not this one; -ENODEV if its
 * module is being unloaded; the error of its retrieve(), which each later call returns as
 * well, except for -ENOMEM, after which the next call tries again.
 */
int liveupdate_flb_get_incoming(struct liveupdate_flb *flb, void **obj)
{
	struct liveupdate_flb_side *side = &flb->incoming;
	struct incoming_flb *in;
	int err;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;
	if (!nr_incoming)
		return -ENODATA;
	in = find_incoming(flb);
	if (!in)
		return -ENOENT;

	init_flb(flb);
	guard(mutex)(&side->lock);
	if (in->finished && side->status >= 0)
		return -ENODATA;
	err = retrieve(flb, in);
	if (err)
		return err;
	side->holders++;
	*obj = side->obj;

	return 0;
}
EXPORT_SYMBOL_GPL(liveupdate_flb_get_incoming);

/**
 * liveupdate_flb_put_incoming - undo liveupdate_flb_get_incoming()
 * @flb: the FLB. The caller does not use the object any more.
 *
 * Context: may sleep. Calls finish() if no file depends on it and no holder is left.
 */
void liveupdate_flb_put_incoming(struct liveupdate_flb *flb)
{
	put_holder(flb, &flb->incoming, put_incoming);
}
EXPORT_SYMBOL_GPL(liveupdate_flb_put_incoming);

/*
 * Which FLBs depend on which handlers
 */

static struct flb_link *find_link(struct liveupdate_file_handler *handler,
				  const struct liveupdate_flb *flb)
{
	struct flb_link *link;

	list_for_each_entry(link, &handler->flb_list, list) {
		if (link->flb == flb)
			return link;
	}

	return NULL;
}

static bool name_taken(const char *name)
{
	struct liveupdate_flb *flb;

	list_for_each_entry(flb, &flbs, list) {
		if (!strcmp(flb->compatible, name))
			return true;
	}

	return false;
}

static bool is_complete(const struct liveupdate_flb *flb)
{
	const struct liveupdate_flb_ops *ops = flb->ops;
	size_t length = strnlen(flb->compatible, sizeof(flb->compatible));

	return ops && ops->preserve && ops->unpreserve && ops->retrieve && ops->finish &&
	       length && length < sizeof(flb->compatible);
}

/* Adds the FLB to @flbs, when it is registered with its first handler. */
static int add_flb(struct liveupdate_flb *flb)
{
	if (flb->users)
		return 0;
	if (name_taken(flb->compatible))
		return -EEXIST;
	if (nr_flbs == MAX_FLBS)
		return -ENOSPC;

	init_flb(flb);
	list_add_tail(&flb->list, &flbs);
	nr_flbs++;

	return 0;
}

static void del_flb(struct liveupdate_flb *flb)
{
	if (flb->users)
		return;

	list_del(&flb->list);
	nr_flbs--;
}

/**
 * liveupdate_register_flb - let the files of a handler depend on an FLB
 * @handler: the handler, which is registered
 * @flb: the FLB, which stays where it is until it is unregistered. It can be registered
 *	with several handlers.
 *
 * If there are preserved files of this handler then they depend on it as well from now
 * on, and its preserve() is called.
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP if live update is off; -EINVAL if an operation is missing or the
 * name is empty or not ended by a NUL; -EEXIST if it is registered with this handler, or
 * another FLB has the name; -ENOSPC if there are too many FLBs; -ENOMEM; the error of its
 * preserve().
 */
int liveupdate_register_flb(struct liveupdate_file_handler *handler,
			    struct liveupdate_flb *flb)
{
	struct flb_link *link __free(kfree) = NULL;
	int err;

	if (!liveupdate_enabled())
		return -EOPNOTSUPP;
	if (!is_complete(flb))
		return -EINVAL;
	link = kmalloc(sizeof(*link), GFP_KERNEL);
	if (!link)
		return -ENOMEM;
	link->flb = flb;

	/* The outgoing FLBs must not change once liveupdate_kexec() has written them. */
	guard(rwsem_read)(&luo_reboot_sem);
	guard(mutex)(&luo_flb_lock);
	if (find_link(handler, flb))
		return -EEXIST;
	err = add_flb(flb);
	if (err)
		return err;
	if (handler->files) {
		err = add_files(flb, handler->files);
		if (err) {
			del_flb(flb);
			return err;
		}
	}
	flb->users++;
	list_add_tail(&no_free_ptr(link)->list, &handler->flb_list);

	return 0;
}
EXPORT_SYMBOL_GPL(liveupdate_register_flb);

/**
 * liveupdate_unregister_flb - let the files of a handler not depend on an FLB any more
 * @handler: the handler, which is still registered
 * @flb: the FLB. If it is not registered with @handler, this does nothing.
 *
 * The module that owns the FLB is held as long as it is preserved, or retrieved and not
 * finished, so the exit function of that module can call this.
 *
 * Context: may sleep.
 */
void liveupdate_unregister_flb(struct liveupdate_file_handler *handler,
			       struct liveupdate_flb *flb)
{
	struct flb_link *link;

	if (!liveupdate_enabled())
		return;

	guard(rwsem_read)(&luo_reboot_sem);
	guard(mutex)(&luo_flb_lock);
	link = find_link(handler, flb);
	if (!link)
		return;
	list_del(&link->list);
	kfree(link);
	if (handler->files)
		del_files(flb, handler->files);
	flb->users--;
	del_flb(flb);
}
EXPORT_SYMBOL_GPL(liveupdate_unregister_flb);

/*
 * The incoming page
 */

static bool is_sound(const struct luo_flb_header_ser *copy)
{
	const struct luo_flb_ser *entry = (const void *)(copy + 1);

	if (copy->pgcnt != 1 || copy->count > MAX_FLBS)
		return false;
	for (u64 i = 0; i < copy->count; i++) {
		if (strnlen(entry[i].name, sizeof(entry[i].name)) == sizeof(entry[i].name))
			return false;
	}

	return true;
}

/* Copies the entries of the page, which is_sound() has checked, to @incoming. */
static int take_entries(const struct luo_flb_header_ser *copy)
{
	const struct luo_flb_ser *entry = (const void *)(copy + 1);

	incoming = kcalloc(copy->count, sizeof(*incoming), GFP_KERNEL);
	if (!incoming)
		return -ENOMEM;

	nr_incoming = copy->count;
	for (unsigned int i = 0; i < nr_incoming; i++) {
		memcpy(incoming[i].name, entry[i].name, sizeof(incoming[i].name));
		incoming[i].data = entry[i].data;
		incoming[i].files = entry[i].count;
	}

	return 0;
}

static int read_page(phys_addr_t phys)
{
	struct luo_flb_header_ser *copy __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL);
	struct folio *folio;
	int err;

	if (!copy)
		return -ENOMEM;
	if (!kho_restore_copy(phys, PAGE_SIZE, copy) || !is_sound(copy)) {
		pr_warn("the page of FLBs at %pa is broken: ignored\n", &phys);
		return 0;
	}
	err = take_entries(copy);
	if (err)
		return err;

	folio = kho_restore_if_waiting(PHYS_PFN(phys));
	if (folio)
		folio_put(folio);

	return 0;
}

/**
 * luo_flb_start - read the incoming list, and allocate the page for the next kernel
 * @phys: physical address of the page of the previous kernel, 0 for none
 *
 * An invalid page is ignored, after a warning, and goes on waiting.
 *
 * Context: may sleep. Once, in luo_start(), before luo_enable().
 * Return: 0; -ENOMEM; an error of kho_alloc_preserve().
 */
int luo_flb_start(phys_addr_t phys)
{
	int err;

	out_page = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(out_page))
		return PTR_ERR(out_page);
	if (!phys)
		return 0;

	err = read_page(phys);
	if (err)
		kho_unpreserve_free(out_page);

	return err;
}
