// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test of the kernel interface of live update: file handlers and FLBs.
 *
 * This file owns two file handlers, test-file-v1 and test-other-v1, and two FLBs: files of
 * both handlers depend on test-flb-v1, and files of test-file-v1 also on test-second-v1.
 * It owns /sys/kernel/debug/test_liveupdate/ as well:
 *
 *   new        open: makes a new file of test-file-v1. A write replaces its content, at
 *              most CONTENT bytes, and does not move the position
 *   new_other  the same, for test-other-v1
 *   fail       write "OPERATION N ERRNO": the Nth call of this operation from now on
 *              fails. Read: the failures that are still to come
 *   slow       write "OPERATION MS": from now on, each call of this operation first
 *              sleeps for this many milliseconds
 *   flb        write "get_outgoing", "put_outgoing", "get_incoming" or "put_incoming":
 *              make this call for test-flb-v1, or, with " 1" after it, for
 *              test-second-v1. The write fails with the error of the call
 *   log        read: one line for each call, in the order in which the calls returned:
 *              OPERATION NAME NUMBER RESULT. Write: clear the log and set the counts to 0
 *   counts     read: how often each operation was called
 *
 * The NUMBER of a file counts the files that were opened. It is handed over with the
 * content, so that the next kernel's log shows which file finished when. The NUMBER of
 * an FLB counts how often FLBs were preserved.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_liveupdate: " fmt

#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/liveupdate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define CONTENT		256
#define LINES		1024

/* The preserved page of a file. */
struct file_page {
	u64 number;
	u64 size;
	u8 content[CONTENT];
};

/* The preserved page of an FLB, which is its object as well. */
struct flb_page {
	u64 number;
};

/**
 * struct test_file - an open file
 * @handler: its handler
 * @number: its number
 * @lock: guards the members below
 * @size: bytes of content
 * @content: what was written last
 */
struct test_file {
	const struct liveupdate_file_handler *handler;
	u64 number;
	struct mutex lock; /* see above */
	size_t size;
	u8 content[CONTENT];
};

enum operation {
	CAN_PRESERVE,
	PRESERVE,
	UNPRESERVE,
	FREEZE,
	UNFREEZE,
	RETRIEVE,
	CAN_FINISH,
	FINISH,
	FLB_PRESERVE,
	FLB_UNPRESERVE,
	FLB_RETRIEVE,
	FLB_FINISH,
	GET_OUTGOING,
	PUT_OUTGOING,
	GET_INCOMING,
	PUT_INCOMING,
	NR_OPERATIONS
};

static const char * const names[] = {
	[CAN_PRESERVE] = "can_preserve",
	[PRESERVE] = "preserve",
	[UNPRESERVE] = "unpreserve",
	[FREEZE] = "freeze",
	[UNFREEZE] = "unfreeze",
	[RETRIEVE] = "retrieve",
	[CAN_FINISH] = "can_finish",
	[FINISH] = "finish",
	[FLB_PRESERVE] = "flb_preserve",
	[FLB_UNPRESERVE] = "flb_unpreserve",
	[FLB_RETRIEVE] = "flb_retrieve",
	[FLB_FINISH] = "flb_finish",
	[GET_OUTGOING] = "get_outgoing",
	[PUT_OUTGOING] = "put_outgoing",
	[GET_INCOMING] = "get_incoming",
	[PUT_INCOMING] = "put_incoming",
};

static_assert(ARRAY_SIZE(names) == NR_OPERATIONS);

/**
 * struct tally - what happens to an operation
 * @calls: how often it was called
 * @fail_in: the call that is to fail, counted from now on; 0 if none is
 * @err: the error with which it is to fail
 * @ms: how many milliseconds each call sleeps
 */
struct tally {
	unsigned long calls;
	unsigned long fail_in;
	int err;
	unsigned int ms;
};

struct line {
	enum operation operation;
	const char *name;
	u64 number;
	int result;
};

/* Guards all variables below. No other lock is taken while it is held. */
static DEFINE_MUTEX(lock);
static struct tally tallies[NR_OPERATIONS];
static struct line lines[LINES];
static unsigned long nr_lines;
static u64 last_file;
static u64 last_flb;

static struct dentry *dir;

/*
 * Counting, failing and logging
 */

/* Counts a call. Returns 0, or the error with which it is to fail. */
static int begin(enum operation operation)
{
	struct tally *tally = &tallies[operation];
	unsigned int ms;
	int err;

	mutex_lock(&lock);
	tally->calls++;
	err = tally->fail_in && !--tally->fail_in ? -tally->err : 0;
	ms = tally->ms;
	mutex_unlock(&lock);
	if (ms)
		msleep(ms);

	return err;
}

/* Logs the result of a call, and returns it. In a full log it replaces the oldest line. */
static int end(enum operation operation, const char *name, u64 number, int result)
{
	guard(mutex)(&lock);
	lines[nr_lines++ % LINES] = (struct line){
		.operation = operation,
		.name = name,
		.number = number,
		.result = result,
	};

	return result;
}

static int log_show(struct seq_file *m, void *unused)
{
	guard(mutex)(&lock);
	for (unsigned long i = nr_lines > LINES ? nr_lines - LINES : 0; i < nr_lines; i++) {
		const struct line *line = &lines[i % LINES];

		seq_printf(m, "%s %s %llu %d\n", names[line->operation], line->name,
			   line->number, line->result);
	}

	return 0;
}

static ssize_t log_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	guard(mutex)(&lock);
	nr_lines = 0;
	for (int i = 0; i < NR_OPERATIONS; i++)
		tallies[i].calls = 0;

	return size;
}

DEFINE_SHOW_STORE_ATTRIBUTE(log);

static int counts_show(struct seq_file *m, void *unused)
{
	guard(mutex)(&lock);
	for (int i = 0; i < NR_OPERATIONS; i++)
		seq_printf(m, "%s %lu\n", names[i], tallies[i].calls);

	return 0;
}

DEFINE_SHOW_ATTRIBUTE(counts);

static int fail_show(struct seq_file *m, void *unused)
{
	guard(mutex)(&lock);
	for (int i = 0; i < NR_OPERATIONS; i++) {
		if (tallies[i].fail_in)
			seq_printf(m, "%s %lu %d\n", names[i], tallies[i].fail_in, tallies[i].err);
	}

	return 0;
}

/* Operations that return nothing cannot fail. call_flb() makes its calls in any case. */
static bool can_fail(int operation)
{
	return operation != UNPRESERVE && operation != UNFREEZE && operation != FINISH &&
	       operation != FLB_UNPRESERVE && operation != FLB_FINISH &&
	       operation < GET_OUTGOING;
}

static int set_fail(const char *text)
{
	unsigned long fail_in;
	char name[16];
	int i, err;

	if (sscanf(text, "%15s %lu %d", name, &fail_in, &err) != 3 || err <= 0 || err > MAX_ERRNO)
		return -EINVAL;
	i = match_string(names, NR_OPERATIONS, name);
	if (i < 0 || !can_fail(i))
		return -EINVAL;

	guard(mutex)(&lock);
	tallies[i].fail_in = fail_in;
	tallies[i].err = err;

	return 0;
}

static ssize_t fail_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	char *text;
	int err;

	if (size > PAGE_SIZE)
		return -EINVAL;
	text = memdup_user_nul(buf, size);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = set_fail(text);
	kfree(text);

	return err ?: size;
}

DEFINE_SHOW_STORE_ATTRIBUTE(fail);

static ssize_t slow_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	char text[32] = "", name[16];
	unsigned int ms;
	int i;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, size))
		return -EFAULT;
	if (sscanf(text, "%15s %u", name, &ms) != 2)
		return -EINVAL;
	i = match_string(names, NR_OPERATIONS, name);
	if (i < 0)
		return -EINVAL;

	guard(mutex)(&lock);
	tallies[i].ms = ms;

	return size;
}

static const struct file_operations slow_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = slow_write,
};

/*
 * Files
 */

static const struct file_operations file_fops;

static struct test_file *new_file(const struct liveupdate_file_handler *handler)
{
	struct test_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (f) {
		f->handler = handler;
		mutex_init(&f->lock);
	}

	return f;
}

/* Opens a new file. The private data of the inode in debugfs is the handler. */
static int file_open(struct inode *inode, struct file *file)
{
	struct test_file *f = new_file(inode->i_private);

	if (!f)
		return -ENOMEM;

	scoped_guard(mutex, &lock)
		f->number = ++last_file;
	file->private_data = f;

	return 0;
}

static int file_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);

	return 0;
}

static ssize_t file_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	struct test_file *f = file->private_data;

	guard(mutex)(&f->lock);

	return simple_read_from_buffer(buf, size, pos, f->content, f->size);
}

static ssize_t file_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	struct test_file *f = file->private_data;
	u8 content[CONTENT];

	if (size > sizeof(content))
		return -EFBIG;
	if (copy_from_user(content, buf, size))
		return -EFAULT;

	guard(mutex)(&f->lock);
	memcpy(f->content, content, size);
	f->size = size;

	return size;
}

static const struct file_operations file_fops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.release = file_release,
	.read = file_read,
	.write = file_write,
	.llseek = default_llseek,
};

static bool test_can_preserve(struct liveupdate_file_handler *handler, struct file *file)
{
	const struct test_file *f = file->private_data;

	if (file->f_op != &file_fops || f->handler != handler)
		return false;

	return !end(CAN_PRESERVE, handler->compatible, f->number, begin(CAN_PRESERVE));
}

static int test_preserve(struct liveupdate_file_op_args *args)
{
	const struct test_file *f = args->file->private_data;
	struct file_page *page;
	int err = begin(PRESERVE);

	if (!err) {
		page = kho_alloc_preserve(PAGE_SIZE);
		err = PTR_ERR_OR_ZERO(page);
	}
	if (!err) {
		page->number = f->number;
		args->serialized_data = virt_to_phys(page);
		args->private_data = page;
	}

	return end(PRESERVE, args->handler->compatible, f->number, err);
}

static void test_unpreserve(struct liveupdate_file_op_args *args)
{
	const struct test_file *f = args->file->private_data;

	begin(UNPRESERVE);
	kho_unpreserve_free(args->private_data);
	end(UNPRESERVE, args->handler->compatible, f->number, 0);
}

static int test_freeze(struct liveupdate_file_op_args *args)
{
	struct test_file *f = args->file->private_data;
	struct file_page *page = args->private_data;
	int err = begin(FREEZE);

	if (!err) {
		guard(mutex)(&f->lock);
		page->size = f->size;
		memcpy(page->content, f->content, f->size);
	}

	return end(FREEZE, args->handler->compatible, f->number, err);
}

static void test_unfreeze(struct liveupdate_file_op_args *args)
{
	const struct test_file *f = args->file->private_data;
	struct file_page *page = args->private_data;

	begin(UNFREEZE);
	page->size = 0;
	memset(page->content, 0, sizeof(page->content));
	end(UNFREEZE, args->handler->compatible, f->number, 0);
}

/* Restores the page of the previous kernel, copies it to @f if it is valid, frees it. */
static int take_page(phys_addr_t phys, struct test_file *f)
{
	struct folio *folio = kho_restore_folio(phys);
	const struct file_page *page;
	int err = 0;

	if (!folio)
		return -EIO;

	page = folio_address(folio);
	f->number = page->number;
	if (page->size > CONTENT) {
		err = -EIO;
	} else {
		f->size = page->size;
		memcpy(f->content, page->content, f->size);
	}
	folio_put(folio);

	/* Files that are opened from now on have other numbers. */
	guard(mutex)(&lock);
	last_file = max(last_file, f->number);

	return err;
}

/*
 * Allocates memory before it restores the page: if an allocation fails, the page must
 * still wait for another retrieve(), or for finish().
 */
static int retrieve_file(struct liveupdate_file_op_args *args, u64 *number)
{
	struct test_file *f = new_file(args->handler);
	struct file *file;
	int err;

	if (!f)
		return -ENOMEM;
	file = anon_inode_getfile_fmode("[test_liveupdate]", &file_fops, f, O_RDWR,
					FMODE_PREAD | FMODE_PWRITE);
	/* The page still waits: -ENOMEM says that retrieve() can be called again. */
	if (IS_ERR(file)) {
		kfree(f);
		return -ENOMEM;
	}

	err = take_page(args->serialized_data, f);
	*number = f->number;
	if (err)
		fput(file);
	else
		args->file = file;

	return err;
}

static int test_retrieve(struct liveupdate_file_op_args *args)
{
	int err = begin(RETRIEVE);
	u64 number = 0;

	if (!err)
		err = retrieve_file(args, &number);

	return end(RETRIEVE, args->handler->compatible, number, err);
}

/* The number of a file that was not retrieved is not known here: it is 0 in the log. */
static u64 number_of(const struct liveupdate_file_op_args *args)
{
	const struct test_file *f;

	if (!args->file)
		return 0;
	f = args->file->private_data;

	return f->number;
}

static bool test_can_finish(struct liveupdate_file_op_args *args)
{
	int err = begin(CAN_FINISH);

	if (err)
		args->retrieve_status = err;

	return !end(CAN_FINISH, args->handler->compatible, number_of(args), err);
}

static void test_finish(struct liveupdate_file_op_args *args)
{
	u64 number = number_of(args);
	struct test_file *f;
	int err = 0;

	begin(FINISH);
	if (args->retrieve_status != 1) {
		f = new_file(args->handler);
		err = f ? take_page(args->serialized_data, f) : -ENOMEM;
		number = f ? f->number : 0;
		kfree(f);
	}
	end(FINISH, args->handler->compatible, number, err);
}

static const struct liveupdate_file_ops file_ops = {
	.can_preserve = test_can_preserve,
	.preserve = test_preserve,
	.unpreserve = test_unpreserve,
	.freeze = test_freeze,
	.unfreeze = test_unfreeze,
	.retrieve = test_retrieve,
	.can_finish = test_can_finish,
	.finish = test_finish,
	.owner = THIS_MODULE,
};

static struct liveupdate_file_handler test_handler = {
	.ops = &file_ops,
	.compatible = "test-file-v1",
};

static struct liveupdate_file_handler other_handler = {
	.ops = &file_ops,
	.compatible = "test-other-v1",
};

/*
 * FLBs
 */

static int test_flb_preserve(struct liveupdate_flb_op_args *args)
{
	struct flb_page *page;
	int err = begin(FLB_PRESERVE);
	u64 number = 0;

	if (!err) {
		page = kho_alloc_preserve(PAGE_SIZE);
		err = PTR_ERR_OR_ZERO(page);
	}
	if (!err) {
		scoped_guard(mutex, &lock)
			number = ++last_flb;
		page->number = number;
		args->data = virt_to_phys(page);
		args->obj = page;
	}

	return end(FLB_PRESERVE, args->flb->compatible, number, err);
}

static void test_flb_unpreserve(struct liveupdate_flb_op_args *args)
{
	struct flb_page *page = args->obj;
	const u64 number = page->number;
	const int err = args->data == virt_to_phys(page) ? 0 : -EINVAL;

	begin(FLB_UNPRESERVE);
	kho_unpreserve_free(page);
	end(FLB_UNPRESERVE, args->flb->compatible, number, err);
}

static int test_flb_retrieve(struct liveupdate_flb_op_args *args)
{
	int err = begin(FLB_RETRIEVE);
	struct flb_page *page;
	struct folio *folio;
	u64 number = 0;

	if (!err) {
		folio = kho_restore_folio(args->data);
		if (folio) {
			page = folio_address(folio);
			number = page->number;
			args->obj = page;
		} else {
			err = -EIO;
		}
	}

	return end(FLB_RETRIEVE, args->flb->compatible, number, err);
}

static void test_flb_finish(struct liveupdate_flb_op_args *args)
{
	struct flb_page *page = args->obj;
	u64 number = page->number;

	begin(FLB_FINISH);
	folio_put(virt_to_folio(page));
	end(FLB_FINISH, args->flb->compatible, number, 0);
}

static const struct liveupdate_flb_ops flb_ops = {
	.preserve = test_flb_preserve,
	.unpreserve = test_flb_unpreserve,
	.retrieve = test_flb_retrieve,
	.finish = test_flb_finish,
	.owner = THIS_MODULE,
};

static struct liveupdate_flb test_flb = {
	.ops = &flb_ops,
	.compatible = "test-flb-v1",
};

static struct liveupdate_flb second_flb = {
	.ops = &flb_ops,
	.compatible = "test-second-v1",
};

/* A put without a get is a bug, about which the kernel warns. This can be tested, too. */
static int call_flb(int operation, struct liveupdate_flb *flb)
{
	struct flb_page *page;
	u64 number = 0;
	int err = 0;

	begin(operation);
	switch (operation) {
	case GET_OUTGOING:
		err = liveupdate_flb_get_outgoing(flb, (void **)&page);
		break;
	case GET_INCOMING:
		err = liveupdate_flb_get_incoming(flb, (void **)&page);
		break;
	case PUT_OUTGOING:
		liveupdate_flb_put_outgoing(flb);
		break;
	case PUT_INCOMING:
		liveupdate_flb_put_incoming(flb);
		break;
	default:
		return -EINVAL;
	}
	if (!err && (operation == GET_OUTGOING || operation == GET_INCOMING))
		number = page->number;

	return end(operation, flb->compatible, number, err);
}

static ssize_t flb_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	char text[32] = "", name[16];
	unsigned int second = 0;
	int i, err;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, size))
		return -EFAULT;
	if (sscanf(text, "%15s %u", name, &second) < 1 || second > 1)
		return -EINVAL;
	i = match_string(names, NR_OPERATIONS, name);
	if (i < GET_OUTGOING)
		return -EINVAL;
	err = call_flb(i, second ? &second_flb : &test_flb);

	return err ?: size;
}

static const struct file_operations flb_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = flb_write,
};

/*
 * Start and end
 */

static void unregister_flbs(void)
{
	liveupdate_unregister_flb(&other_handler, &test_flb);
	liveupdate_unregister_flb(&test_handler, &second_flb);
	liveupdate_unregister_flb(&test_handler, &test_flb);
}

static int register_flbs(void)
{
	int err = liveupdate_register_flb(&test_handler, &test_flb) ?:
		  liveupdate_register_flb(&test_handler, &second_flb) ?:
		  liveupdate_register_flb(&other_handler, &test_flb);

	/* Unregistering an FLB that is not registered does nothing. */
	if (err)
		unregister_flbs();

	return err;
}

static int register_all(void)
{
	int err = liveupdate_register_file_handler(&test_handler);

	if (err)
		return err;

	err = liveupdate_register_file_handler(&other_handler);
	if (err)
		goto unregister_test;
	err = register_flbs();
	if (err)
		goto unregister_other;

	return 0;

unregister_other:
	liveupdate_unregister_file_handler(&other_handler);
unregister_test:
	liveupdate_unregister_file_handler(&test_handler);

	return err;
}

/*
 * The open files of new and new_other must keep file_fops as their f_op, by which the
 * handlers recognise them, so debugfs must not use a proxy. This module owns file_fops,
 * so it cannot be removed while one of the files is open.
 */
static void create_files(void)
{
	dir = debugfs_create_dir("test_liveupdate", NULL);
	debugfs_create_file_unsafe("new", 0600, dir, &test_handler, &file_fops);
	debugfs_create_file_unsafe("new_other", 0600, dir, &other_handler, &file_fops);
	debugfs_create_file("fail", 0600, dir, NULL, &fail_fops);
	debugfs_create_file("slow", 0200, dir, NULL, &slow_fops);
	debugfs_create_file("flb", 0200, dir, NULL, &flb_fops);
	debugfs_create_file("log", 0600, dir, NULL, &log_fops);
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
}

static int __init test_init(void)
{
	int err = register_all();

	/* Without liveupdate=on, register_all() fails, and a built-in test does nothing. */
	if (err)
		return err;
	create_files();

	return 0;
}
module_init(test_init);

static void __exit test_exit(void)
{
	debugfs_remove_recursive(dir);
	unregister_flbs();
	liveupdate_unregister_file_handler(&other_handler);
	liveupdate_unregister_file_handler(&test_handler);
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test of the kernel interface of live update");
MODULE_AUTHOR("KHO for 6.12 developers");
MODULE_LICENSE("GPL");
