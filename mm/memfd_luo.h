/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live update of memfds: declarations that memfd_luo.c, memfd_luo_in.c and
 * memfd_luo_state.c share.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef __MM_MEMFD_LUO_H
#define __MM_MEMFD_LUO_H

#include <linux/fcntl.h>
#include <linux/kho/abi/memfd.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct file;
struct inode;
struct memfd_luo_in;
struct seq_file;

/* The seals that both sides of a handover know. */
#define MEMFD_LUO_SEALS	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | \
			 F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)

/**
 * enum memfd_luo_state - state of a file in a live update
 * @MEMFD_LUO_IDLE: it is neither preserved nor incoming
 * @MEMFD_LUO_OUT: it is preserved: its size is fixed and each folio below it is pinned
 * @MEMFD_LUO_IN: it is incoming, and some of its folios may still wait
 */
enum memfd_luo_state {
	MEMFD_LUO_IDLE,
	MEMFD_LUO_OUT,
	MEMFD_LUO_IN,
};

/**
 * struct memfd_luo - live update state of a file
 * @inode: the file. Constant.
 * @in: the state of an incoming file; NULL if this kernel made the file. Constant.
 * @state: see above. Becomes OUT with the inode lock, @lock and the i_pages lock held, and
 *	IDLE again with @lock and the i_pages lock held. An IN file becomes IDLE once, when
 *	no folio waits any more, see count_done() in memfd_luo_in.c. Also read without a
 *	lock.
 * @lock: guards all members below. Nests within the lock of a folio.
 * @frozen: no page may be added to the file or become up to date. Also read without @lock.
 *	After freeze(), @ser is complete but for the seals and the position, which jump()
 *	writes.
 * @walking: preserve() walks the page cache; folios that are added meanwhile are in @added
 * @unevictable: the mapping was not unevictable before it was preserved
 * @thaw: tasks that wait until @frozen is false
 * @entries: the array that is handed over, in a vmalloc area
 * @nr: number of entries
 * @max: number of entries that @entries has room for
 * @nr_walked: number of entries that preserve() found; these are sorted by index
 * @fresh: no entry before this one lacks MEMFD_LUO_FOLIO_UPTODATE
 * @kv: how @entries is preserved; all zero while @walking
 * @added: the folios that were added while @walking, by their index
 * @ser: the structure that is handed over
 */
struct memfd_luo {
	struct inode *inode;
	struct memfd_luo_in *in;
	enum memfd_luo_state state;
	struct mutex lock; /* see above */
	bool frozen;
	bool walking;
	bool unevictable;
	wait_queue_head_t thaw;
	struct memfd_luo_folio_ser *entries;
	unsigned long nr;
	unsigned long max;
	unsigned long nr_walked;
	unsigned long fresh;
	struct kho_vmalloc kv;
	struct xarray added;
	struct memfd_luo_ser *ser;
};

/* memfd_luo_state.c */
struct memfd_luo *memfd_luo_alloc(struct inode *inode);
void memfd_luo_sort(struct memfd_luo_folio_ser *entries, unsigned long nr);

/* memfd_luo_in.c */
struct file *memfd_luo_in_retrieve(u64 data);
int memfd_luo_in_take(struct memfd_luo *luo, pgoff_t index);
int memfd_luo_in_populate(struct memfd_luo *luo);
blkcnt_t memfd_luo_in_blocks(struct memfd_luo *luo);
void memfd_luo_in_show(struct memfd_luo *luo, struct seq_file *m);
void memfd_luo_in_finish(struct memfd_luo *luo);
void memfd_luo_in_evict(struct memfd_luo *luo);
void memfd_luo_in_free(struct memfd_luo *luo);
void memfd_luo_in_discard(u64 data);

#endif /* __MM_MEMFD_LUO_H */
