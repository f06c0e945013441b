/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block lists: arrays of any length in preserved pages, see <linux/kho/abi/block.h>.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LUO_BLOCKS_H
#define _LUO_BLOCKS_H

#include <linux/types.h>

struct kho_block_header;

/**
 * struct luo_blocks - a block list for the next kernel
 * @entry_size: size of an entry in bytes
 * @per_block: entries that fit into a block
 * @nr: entries that there is room for
 * @nr_blocks: blocks that are allocated and preserved: just enough for @nr entries
 * @first: the first block, the last one that was allocated; NULL if there is none
 * @at: while entries are written: the block that the next one goes to
 *
 * The owner of the list serialises all calls.
 */
struct luo_blocks {
	size_t entry_size;
	unsigned int per_block;
	unsigned long nr;
	unsigned long nr_blocks;
	struct kho_block_header *first;
	struct kho_block_header *at;
};

void luo_blocks_init(struct luo_blocks *blocks, size_t entry_size);
int luo_blocks_add(struct luo_blocks *blocks);
void luo_blocks_del(struct luo_blocks *blocks);

void luo_blocks_begin(struct luo_blocks *blocks);
void *luo_blocks_next(struct luo_blocks *blocks);
phys_addr_t luo_blocks_addr(const struct luo_blocks *blocks);

int luo_blocks_read(phys_addr_t first, size_t entry_size,
		    int (*func)(const void *entry, void *arg), void *arg);
void luo_blocks_free(phys_addr_t first);

#endif /* _LUO_BLOCKS_H */
