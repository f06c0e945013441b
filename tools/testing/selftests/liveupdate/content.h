/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * content.h - pages whose content says where they belong
 *
 * Each 8-byte word of a page depends on a seed, on the index of the page in its file
 * and on its place in the page. So content_wrong() finds a page, or a part of a page, that
 * is in the wrong file, at the wrong index, twice in a file or in none.
 */
#ifndef LUO_CONTENT_H
#define LUO_CONTENT_H

#include <linux/types.h>

/* Returns the page size, which is read once. */
size_t page_size(void);

void content_fill(void *page, __u64 seed, __u64 index);

/* Returns the offset of the first byte that is wrong, or -1 if the page is right. */
long content_wrong(const void *page, __u64 seed, __u64 index);

/* Returns the offset of the first byte that is not zero, or -1 if all are. */
long content_not_zero(const void *page);

#endif
