// SPDX-License-Identifier: GPL-2.0-only
/*
 * content.c - pages whose content says where they belong
 */

#include "content.h"

/* The Makefile includes nolibc.h, which is the C library here. */

size_t page_size(void)
{
	static size_t size;

	if (!size)
		size = getpagesize();
	return size;
}

/*
 * Odd multipliers are bijections modulo 2^64: no two words of one seed are the same. So at
 * most one word of a seed is 0, and a page is never all zero.
 */
static __u64 word(__u64 seed, __u64 place)
{
	return (seed * 0x9e3779b97f4a7c15ULL) ^ (place * 0xd1342543de82ef95ULL);
}

void content_fill(void *page, __u64 seed, __u64 index)
{
	__u64 *words = page, n = page_size() / 8;

	for (__u64 i = 0; i < n; i++)
		words[i] = word(seed, index * n + i);
}

static long first_byte(__u64 is, __u64 should)
{
	for (long i = 0; i < 8; i++)
		if (((unsigned char *)&is)[i] != ((unsigned char *)&should)[i])
			return i;
	return 0;
}

long content_wrong(const void *page, __u64 seed, __u64 index)
{
	const __u64 *words = page;
	__u64 n = page_size() / 8;

	for (__u64 i = 0; i < n; i++) {
		__u64 should = word(seed, index * n + i);

		if (words[i] != should)
			return 8 * i + first_byte(words[i], should);
	}
	return -1;
}

long content_not_zero(const void *page)
{
	const __u64 *words = page;

	for (size_t i = 0; i < page_size() / 8; i++)
		if (words[i])
			return 8 * i + first_byte(words[i], 0);
	return -1;
}
