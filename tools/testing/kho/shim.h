/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of kernel/kexec_handover/ want and tools/include does not have.
 *
 * Physical addresses are addresses of this process: world.c maps memory where
 * the machine has its RAM.
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
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/types.h>

struct seq_file;
struct mutex { };

#define PAGE_ALIGNED(addr)	IS_ALIGNED((unsigned long)(addr), PAGE_SIZE)

#define __ro_after_init

#define early_memremap(phys, size)	phys_to_virt(phys)
#define early_memunmap(virt, size)	((void)(virt))

/* There is no command line, and there are no modules. */
#define MODULE_LICENSE(name)	static_assert(sizeof(name))
#define MODULE_DESCRIPTION(text) static_assert(sizeof(text))

static inline int kstrtobool(const char *s, bool *res)
{
	return -EINVAL;
}

static inline const char *str_on_off(bool on)
{
	return on ? "on" : "off";
}

#define __free_with(fn)		__attribute__((__cleanup__(cleanup_##fn)))
#define __free(fn)		__free_with(fn)

static inline void cleanup_kfree(void *p)
{
	free(*(void **)p);
}

#define cmpxchg64(p, old, new)	__sync_val_compare_and_swap(p, old, new)
/* There is one thread. */
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)

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

#endif /* _KHO_SHIM_H */
