// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block lists: arrays of any length in preserved pages.
 *
 * This file owns the blocks of the lists for the next kernel, from luo_blocks_add() to
 * luo_blocks_del(), and knows how to read and free those of the previous kernel. Only the
 * callers know the layout of an entry.
 *
 * A list for the next kernel always has the blocks that its entries need, so nothing
 * is left to allocate when they are written. A new block goes to the front. All blocks
 * but the front one are full, and so the front one is the one that is freed when there
 * are fewer entries.
 *
 * The memory of a list of the previous kernel may be damaged, so the list is validated: each
 * block has to be a folio that waits, and is copied before its header is checked, so that
 * it cannot change after the check.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "LUO: " fmt

#include <linux/bug.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <linux/kho/abi/block.h>

#include "blocks.h"

static unsigned int entries_per_block(size_t entry_size)
{
	return (PAGE_SIZE - sizeof(struct kho_block_header)) / entry_size;
}

/*
 * Lists for the next kernel
 */

/**
 * luo_blocks_init - make a list without entries
 * @blocks: the list
 * @entry_size: size of an entry in bytes, a multiple of 8 that fits into a block
 *
 * Context: any, never sleeps.
 */
void luo_blocks_init(struct luo_blocks *blocks, size_t entry_size)
{
	*blocks = (struct luo_blocks){
		.entry_size = entry_size,
		.per_block = entries_per_block(entry_size),
	};
}

/* The block after @block, which this kernel has linked. */
static struct kho_block_header *next_block(const struct kho_block_header *block)
{
	return block->next ? phys_to_virt(block->next) : NULL;
}

/**
 * luo_blocks_add - make room for one entry more
 * @blocks: the list
 *
 * Context: may sleep. The caller serialises all calls for @blocks.
 * Return: 0; with the list as it was, an error of kho_alloc_preserve(): -ENOMEM, or
 * -EOPNOTSUPP if KHO is off.
 */
int luo_blocks_add(struct luo_blocks *blocks)
{
	struct kho_block_header *block;

	if (blocks->nr == blocks->nr_blocks * blocks->per_block) {
		block = kho_alloc_preserve(PAGE_SIZE);
		if (IS_ERR(block))
			return PTR_ERR(block);
		block->next = luo_blocks_addr(blocks);
		blocks->first = block;
		blocks->nr_blocks++;
	}
	blocks->nr++;

	return 0;
}

/**
 * luo_blocks_del - give up the room for one entry
 * @blocks: the list, which has room for an entry at least
 *
 * Once there is no room for any entry the list owns no memory.
 *
 * Context: may sleep. The caller serialises all calls for @blocks.
 */
void luo_blocks_del(struct luo_blocks *blocks)
{
	struct kho_block_header *block = blocks->first;

	if (WARN_ON_ONCE(!blocks->nr))
		return;

	blocks->nr--;
	if (blocks->nr == (blocks->nr_blocks - 1) * blocks->per_block) {
		blocks->first = next_block(block);
		blocks->nr_blocks--;
		kho_unpreserve_free(block);
	}
}

/**
 * luo_blocks_begin - begin to write the entries
 * @blocks: the list
 *
 * Clears all entries that were written before. The caller then writes as many entries as
 * there is room for, each to the place that luo_blocks_next() returns.
 *
 * Context: any, never sleeps. The caller serialises all calls for @blocks.
 */
void luo_blocks_begin(struct luo_blocks *blocks)
{
	struct kho_block_header *block;

	for (block = blocks->first; block; block = next_block(block)) {
		block->count = 0;
		memset(block + 1, 0, PAGE_SIZE - sizeof(*block));
	}
	blocks->at = blocks->first;
}

/* The number of entries that @block has in the end. */
static unsigned long entries_of(const struct luo_blocks *blocks,
				const struct kho_block_header *block)
{
	if (block != blocks->first)
		return blocks->per_block;

	return blocks->nr - (blocks->nr_blocks - 1) * blocks->per_block;
}

/**
 * luo_blocks_next - get the place of the next entry
 * @blocks: the list
 *
 * The count of a block is the number of its entries that luo_blocks_next() has returned.
 *
 * Context: any, never sleeps, after luo_blocks_begin(), with no luo_blocks_add() and
 * luo_blocks_del() in between. The caller serialises all calls for @blocks.
 * Return: the address of the entry, which is all zero; NULL if there is no room for
 * another one.
 */
void *luo_blocks_next(struct luo_blocks *blocks)
{
	struct kho_block_header *block = blocks->at;

	if (block && block->count == entries_of(blocks, block)) {
		block = next_block(block);
		blocks->at = block;
	}
	if (!block)
		return NULL;

	return (void *)(block + 1) + block->count++ * blocks->entry_size;
}

/**
 * luo_blocks_addr - get the address of a list for the next kernel
 * @blocks: the list
 *
 * Context: any, never sleeps. The caller serialises all calls for @blocks.
 * Return: the physical address of its first block; 0 if there is room for no entry.
 */
phys_addr_t luo_blocks_addr(const struct luo_blocks *blocks)
{
	return blocks->first ? virt_to_phys(blocks->first) : 0;
}

/*
 * Lists of the previous kernel
 */

/*
 * Copies @size bytes of the block that waits at @phys to @block. Returns false if none
 * waits there, or if it claims to have more entries than it can have.
 */
static bool copy_block(phys_addr_t phys, size_t entry_size, struct kho_block_header *block,
		       size_t size)
{
	return kho_restore_copy(phys, size, block) &&
	       block->count <= entries_per_block(entry_size);
}

/*
 * Counts the blocks of a list. Returns false if one of them is damaged, or if they form a
 * cycle: each address is compared with that of an earlier block, the one of the last
 * step that is a power of two, which in a cycle comes again (Brent's algorithm).
 */
static bool count_blocks(phys_addr_t first, size_t entry_size, unsigned long *nr)
{
	struct kho_block_header block;
	phys_addr_t phys, seen = 0;

	*nr = 0;
	for (phys = first; phys; phys = block.next) {
		if (phys == seen || !copy_block(phys, entry_size, &block, sizeof(block)))
			return false;
		if (is_power_of_2(++*nr))
			seen = phys;
		cond_resched();
	}

	return true;
}

static int read_block(const struct kho_block_header *block, size_t entry_size,
		      int (*func)(const void *entry, void *arg), void *arg)
{
	const void *entry = block + 1;

	for (u64 i = 0; i < block->count; i++, entry += entry_size) {
		int err = func(entry, arg);

		if (err)
			return err;
	}

	return 0;
}

/**
 * luo_blocks_read - read a list of the previous kernel
 * @first: physical address of its first block, 0 for a list without any
 * @entry_size: size of an entry in bytes
 * @func: called for each entry, in order, with a copy of it
 * @arg: passed to @func
 *
 * The blocks go on waiting: luo_blocks_free() frees them. @func is not called before
 * all blocks have been found to be valid.
 *
 * Context: may sleep, and so may @func. From the core_initcalls on.
 * Return: 0; -ENOMEM; -EINVAL if a block is no folio of order 0 that waits, has more
 * entries than fit, or if the list does not end; the first nonzero result of @func, after
 * which no further entry is read.
 */
int luo_blocks_read(phys_addr_t first, size_t entry_size,
		    int (*func)(const void *entry, void *arg), void *arg)
{
	struct kho_block_header *block __free(kfree) = NULL;
	phys_addr_t phys = first;
	unsigned long nr;
	int err;

	if (!count_blocks(first, entry_size, &nr))
		return -EINVAL;
	if (!nr)
		return 0;
	block = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!block)
		return -ENOMEM;

	for (; nr; nr--) {
		if (!copy_block(phys, entry_size, block, PAGE_SIZE))
			return -EINVAL;
		err = read_block(block, entry_size, func, arg);
		if (err)
			return err;
		phys = block->next;
		cond_resched();
	}

	return 0;
}

/**
 * luo_blocks_free - free the blocks of a list of the previous kernel
 * @first: physical address of its first block, 0 for a list without any
 *
 * Frees all blocks of a list that luo_blocks_read() has read. Of a damaged one it frees
 * those that come before the damage.
 *
 * Context: may sleep. From the core_initcalls on.
 */
void luo_blocks_free(phys_addr_t first)
{
	struct kho_block_header block;
	struct folio *folio;

	/* A folio that was freed waits no more, so this ends also in a cycle. */
	for (phys_addr_t phys = first; phys; phys = block.next) {
		if (!kho_restore_copy(phys, sizeof(block), &block))
			return;
		folio = kho_restore_if_waiting(PHYS_PFN(phys));
		if (!folio)
			return;
		folio_put(folio);
		cond_resched();
	}
}
