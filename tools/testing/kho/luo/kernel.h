/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of kernel/liveupdate/ need from the kernel, for luo_fuzz. memfd_fuzz and
 * hugetlb_fuzz use this as well.
 *
 * The Makefile includes this file before each of them; most headers that they include are
 * empty. Physical addresses are virtual addresses of this process. The fuzzer has one
 * thread: locks only check that they are held when they are released, and not held when
 * they are taken.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_LUO_KERNEL_H
#define _KHO_LUO_KERNEL_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/align.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/pfn.h>
#include <linux/rbtree.h>
#include <linux/string.h>
#include <linux/stringify.h>
#include <linux/types.h>

#define CONFIG_LIVEUPDATE
#define CONFIG_DEBUG_FS

/* A bug in the kernel's code, or in its use of these functions, ends the fuzzer. */
#define luo_bug(what) do {						\
	fprintf(stderr, "ERROR: %s:%d: %s\n", __FILE__, __LINE__, what);	\
	abort();							\
} while (0)

#undef WARN_ON
#undef WARN_ON_ONCE
#define WARN_ON(x)	({ bool __x = !!(x); if (__x) luo_bug("WARN_ON(" #x ")"); __x; })
#define WARN_ON_ONCE(x)	WARN_ON(x)

/* Messages are counted, and the last one is kept, without its values. */
void luo_say(const char *fmt, ...);
#undef pr_warn
#undef pr_err
#undef pr_info
#undef pr_warn_ratelimited
#define pr_warn(fmt, ...)	luo_say(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_ratelimited	pr_warn
#define pr_err(fmt, ...)	luo_say(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...)	luo_say(pr_fmt(fmt), ##__VA_ARGS__)

/* Sections, exports and parameters */

#define __init
#define __initdata
#define __ro_after_init
#define __user
#define EXPORT_SYMBOL_GPL(sym)	static_assert(sizeof(sym))
#define THIS_MODULE		NULL
#define MODULE_PARM_DESC(name, desc)	static_assert(sizeof(name) && sizeof(desc))
#define module_param(name, type, perm)	static_assert(sizeof(name) == sizeof(type) && (perm))
#define early_param(name, fn)						\
	int (*luo_early_param)(char *arg) = sizeof(name) ? (fn) : NULL
#define postcore_initcall(fn)		int (*luo_initcall)(void) = fn
#define device_initcall(fn)		int (*luo_device_initcall)(void) = fn

int kstrtobool(const char *s, bool *res);

struct module;
bool try_module_get(struct module *module);
void module_put(struct module *module);

/* Memory */

#define U32_MAX ((u32)~0U)
#define PAGE_SHIFT		12
#define PAGE_SIZE		BIT(PAGE_SHIFT)
#define PAGE_ALIGNED(addr)	IS_ALIGNED((unsigned long)(addr), PAGE_SIZE)
#define offset_in_page(addr)	((unsigned long)(addr) & (PAGE_SIZE - 1))
#define phys_to_virt(phys)	((void *)(unsigned long)(phys))
#define virt_to_phys(virt)	((phys_addr_t)(unsigned long)(virt))
#define cond_resched()		do { } while (0)

#ifndef GFP_KERNEL
#define GFP_KERNEL		0
#endif
#define GFP_KERNEL_ACCOUNT	0

/* Any of these can fail, see luo_fail_next(). */
void *kmalloc(size_t size, gfp_t gfp);
void *kzalloc(size_t size, gfp_t gfp);
void *kcalloc(size_t nr, size_t size, gfp_t gfp);
void kfree(const void *p);

static inline void cleanup_kfree(void *p)
{
	void *it = *(void **)p;

	if (!IS_ERR_OR_NULL(it))
		kfree(it);
}

#define __free(fn)		__attribute__((__cleanup__(cleanup_##fn)))
#define no_free_ptr(p)		((typeof(p))luo_take_ptr(&(p)))

static inline void *luo_take_ptr(void *p)
{
	void *it = *(void **)p;

	*(void **)p = NULL;

	return it;
}

#undef strscpy
#define strscpy luo_strscpy
static inline ssize_t luo_strscpy(char *to, const char *from, size_t size)
{
	size_t length = 0;

	while (length < size - 1 && from[length]) {
		to[length] = from[length];
		length++;
	}
	to[length] = '\0';

	return length;
}

/* Locks */

struct mutex {
	bool held;
};

struct rw_semaphore {
	int readers;
	bool written;
};

#define __MUTEX_INITIALIZER(name)	{ .held = !sizeof(name) }
#define DEFINE_MUTEX(name)		struct mutex name
#define DECLARE_RWSEM(name)		struct rw_semaphore name

static inline void mutex_init(struct mutex *lock)
{
	lock->held = false;
}

static inline void mutex_lock(struct mutex *lock)
{
	if (lock->held)
		luo_bug("a mutex is locked twice");
	lock->held = true;
}

static inline void mutex_unlock(struct mutex *lock)
{
	if (!lock->held)
		luo_bug("a mutex is unlocked twice");
	lock->held = false;
}

static inline void down_read(struct rw_semaphore *sem)
{
	if (sem->written)
		luo_bug("a semaphore is written and then read");
	sem->readers++;
}

static inline void up_read(struct rw_semaphore *sem)
{
	if (!sem->readers--)
		luo_bug("a semaphore is released twice");
}

static inline void down_write(struct rw_semaphore *sem)
{
	if (sem->written || sem->readers)
		luo_bug("a semaphore is written that is held");
	sem->written = true;
}

static inline void up_write(struct rw_semaphore *sem)
{
	sem->written = false;
}

#define down_read_killable(sem)		({ down_read(sem); 0; })
#define mutex_lock_killable(lock)	({ mutex_lock(lock); 0; })
#define down_write_killable(sem)	({ down_write(sem); 0; })

struct guard_mutex {
	struct mutex *lock; /* the lock to release */
};

static inline struct guard_mutex guard_mutex(struct mutex *lock)
{
	mutex_lock(lock);

	return (struct guard_mutex){ lock };
}

static inline void end_guard_mutex(struct guard_mutex *guard)
{
	mutex_unlock(guard->lock);
}

struct guard_rwsem_read {
	struct rw_semaphore *sem;
};

static inline struct guard_rwsem_read guard_rwsem_read(struct rw_semaphore *sem)
{
	down_read(sem);

	return (struct guard_rwsem_read){ sem };
}

static inline void end_guard_rwsem_read(struct guard_rwsem_read *guard)
{
	up_read(guard->sem);
}

#define guard(name)							\
	struct guard_##name __attribute__((__cleanup__(end_guard_##name))) \
		__PASTE(luo_guard, __COUNTER__) = guard_##name

/* Files and ioctls */

struct file;
struct inode;
struct seq_file;

struct file_operations {
	struct module *owner;
	int (*open)(struct inode *inode, struct file *file);
	int (*release)(struct inode *inode, struct file *file);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	long (*compat_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	void (*show_fdinfo)(struct seq_file *m, struct file *file);
};

struct file {
	const struct file_operations *f_op;
	void *private_data;
	int count;
	struct inode *f_inode;
	u64 f_pos;
	unsigned int f_mode;
	unsigned int f_flags;
};

struct miscdevice {
	int minor;
	const char *name;
	const struct file_operations *fops;
	unsigned int mode;
};

#define MISC_DYNAMIC_MINOR	255
#define compat_ptr_ioctl	NULL
#define O_RDWR			2
#define O_CLOEXEC		02000000

static inline int nonseekable_open(struct inode *inode, struct file *file)
{
	return 0;
}

int misc_register(struct miscdevice *misc);
struct file *anon_inode_getfile(const char *name, const struct file_operations *fops,
				void *private_data, int flags);
struct file *get_file(struct file *file);
struct file *fget(unsigned int fd);
void fput(struct file *file);
int get_unused_fd_flags(unsigned int flags);
void put_unused_fd(unsigned int fd);
void fd_install(unsigned int fd, struct file *file);

#define get_user(x, p)		({ (x) = *(p); 0; })
#define copy_to_user(to, from, size) ({ memcpy(to, from, size); 0UL; })
int copy_struct_from_user(void *to, size_t ksize, const void *from, size_t usize);

static inline bool test_and_set_bit_lock(long nr, unsigned long *addr)
{
	bool was = *addr >> nr & 1;

	*addr |= 1UL << nr;

	return was;
}

#define clear_bit_unlock(nr, addr)	((void)(*(addr) &= ~(1UL << (nr))))

/* The fuzzer has only one thread. */
#define smp_load_acquire(p)		READ_ONCE(*(p))
/* The fuzzer has only one thread. */
#define smp_store_release(p, v)		WRITE_ONCE(*(p), v)

/* The fuzzer does not look at what these functions show. */
#define ESCAPE_SPACE		0
#define ESCAPE_SPECIAL		0
#define ESCAPE_NP		0
static inline void seq_puts(struct seq_file *m, const char *s) { }
static inline void seq_putc(struct seq_file *m, char c) { }
static inline void seq_escape_str(struct seq_file *m, const char *s, unsigned int flags,
				  const char *esc) { }
static inline void seq_printf(struct seq_file *m, const char *fmt, ...) { }

struct kimage {
	const char *luo_objection;
};

/* KHO */

static inline int kho_image_check_room(const struct kimage *image)
{
	return 0;
}

static inline int kho_ahead_check_places(const struct kimage *image)
{
	return 0;
}

struct page {
	unsigned int zone;
};

/**
 * struct folio - a folio that was restored
 * @page: its first page
 * @order: its order
 * @refs: how often it is held; 0 if it was freed, or not restored yet
 * @flags: as in the kernel
 * @index: its index in a file
 * @lru: position in a list of its holder
 * @mapping: the file it is in
 * @charged: it is charged to a memory cgroup
 */
struct folio {
	struct page page;
	unsigned int order;
	unsigned int refs;
	unsigned long flags;
	unsigned long index;
	struct list_head lru;
	void *mapping;
	bool charged;
};

bool kho_is_enabled(void);
int kho_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size);
int kho_add_subtree(const char *name, void *blob, size_t size);
void kho_remove_subtree(void *blob);
void *kho_alloc_preserve(size_t size);
void kho_unpreserve_free(void *mem);
void kho_restore_free(void *mem);
void folio_put(struct folio *folio);

#endif /* _KHO_LUO_KERNEL_H */
