/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Definitions that the files of kernel/kexec_handover/ need, and that tools/include
 * does not have.
 *
 * Physical addresses are virtual addresses of this process: world.c maps memory at
 * the addresses of the machine's RAM.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_SHIM_H
#define _KHO_SHIM_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/types.h>

struct seq_file;

static inline __printf(1, 2) void no_printf(const char *fmt, ...) { }

struct mutex { };

/* The fuzzer has only one thread, so it does not take this lock. */
#define _KHO_KEXEC_LOCK_H
static inline void kho_assert_kexec_lock(void) { }

#define PAGE_ALIGNED(addr)	IS_ALIGNED((unsigned long)(addr), PAGE_SIZE)

#define __ro_after_init

static inline void *early_memremap(phys_addr_t phys, unsigned long size)
{
	return phys_to_virt(phys);
}

static inline void early_memunmap(void *virt, unsigned long size) { }

/* The fuzzer damages thousands of blobs. Warnings about them would hide its results. */
#undef pr_warn
#define pr_warn(fmt, ...)		no_printf(fmt, ##__VA_ARGS__)
#undef pr_info
#define pr_info(fmt, ...)		no_printf(fmt, ##__VA_ARGS__)

/* The fuzzer has neither a kernel command line nor modules. */
#define MODULE_LICENSE(name)	static_assert(sizeof(name))
#define MODULE_DESCRIPTION(text) static_assert(sizeof(text))

static inline int kstrtobool(const char *s, bool *res)
{
	return -EINVAL;
}

#define str_on_off(on)		((on) ? "on" : "off")

#define __free_with(fn)		__attribute__((__cleanup__(cleanup_##fn)))
#define __free(fn)		__free_with(fn)

static inline void cleanup_kfree(void *p)
{
	free(*(void **)p);
}

#define cmpxchg64(p, old, new)	__sync_val_compare_and_swap(p, old, new)
/* The fuzzer has only one thread. */
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)
/* The fuzzer has only one thread. */
#define smp_wmb()		barrier()

static inline void *kmemdup(const void *p, size_t size, gfp_t gfp)
{
	return memcpy(malloc(size), p, size);
}

static inline void sort(void *base, size_t nr, size_t size,
			int (*cmp)(const void *, const void *), void *swap)
{
	qsort(base, nr, size, cmp);
}

#define atomic_long_set(v, i)	((void)((v)->counter = (i)))
#define atomic_long_add(i, v)	((void)((v)->counter += (i)))
#define atomic_long_dec(v)	((void)((v)->counter--))

static inline void bitmap_set(unsigned long *map, unsigned int start, unsigned int nr)
{
	while (nr--)
		__set_bit(start++, map);
}

static inline unsigned long find_last_bit(const unsigned long *map, unsigned long nr)
{
	while (nr--) {
		if (test_bit(nr, map))
			return nr;
	}

	return ULONG_MAX;
}

/* regions.c and debugfs.c call the initcalls of the files that they include. */
#define postcore_initcall(fn)	static int (*const fn##_call)(void) __maybe_unused = (fn)
#define late_initcall(fn)	postcore_initcall(fn)

void accept_memory(phys_addr_t start, unsigned long size);

/* The fuzzer has only one thread, so it needs no locks. */
#define guard(name)		guard_##name
#define scoped_guard(name, lock) for (bool once = held_##name(lock); once; once = false)

static inline void guard_mutex(struct mutex *lock) { }

static inline bool held_mutex(struct mutex *lock)
{
	return true;
}

#define kvmalloc(size, gfp)	kmalloc(size, gfp)
#define kvfree(p)		kfree(p)

#endif /* _KHO_SHIM_H */
