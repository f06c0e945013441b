// SPDX-License-Identifier: GPL-2.0-only
/*
 * list_test.c - tests list.c, also with lists that are damaged in each byte. Prints TAP.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "list.h"

/* As in list.c. */
#define HALF	(512 << 10)
#define HEAD	32

static int tests, failed;

static void check(const char *what, bool right)
{
	printf("%sok %d - %s\n", right ? "" : "not ", ++tests, what);
	failed += !right;
}

/* A list of @count files, whose names have @letter in them. */
static const struct list *list_of(unsigned int count, char letter)
{
	static struct list it;
	unsigned int i;

	it.count = count;
	memset(it.entry, 0, sizeof(it.entry));
	for (i = 0; i < count; i++) {
		it.entry[i].token = count - i;
		it.entry[i].error = i % 3;
		sprintf(it.entry[i].name, "%c %u", letter, i);
	}
	return &it;
}

static bool same(int fd, const struct list *as)
{
	static struct list is;
	bool later;

	return !list_read(fd, &is, &later) && is.count == as->count &&
	       !memcmp(is.entry, as->entry, is.count * sizeof(is.entry[0]));
}

static bool refused(int fd, const char *why)
{
	static struct list is;
	bool later;
	const char *wrong = list_read(fd, &is, &later);

	if (wrong && strstr(wrong, why) && !is.count && later == !!strstr(wrong, "version"))
		return true;
	printf("# %s%s\n", wrong ?: "is read", later ? ", later" : "");
	return false;
}

/* A list of three files, with a byte of the first half changed. */
static int damaged(off_t at)
{
	int fd = list_create();
	char byte;

	list_write(fd, list_of(3, 'a'));
	if (pread(fd, &byte, 1, at) != 1)
		exit(1);
	byte ^= 4;
	if (pwrite(fd, &byte, 1, at) != 1)
		exit(1);
	return fd;
}

/* list_read() notices each damaged byte. */
static bool each_byte(void)
{
	static struct list is;
	bool later;
	off_t at;
	int fd;

	for (at = 0; at < (off_t)(HEAD + 3 * sizeof(struct list_entry)); at++) {
		fd = damaged(at);
		if (!list_read(fd, &is, &later)) {
			printf("# byte %lld\n", (long long)at);
			return false;
		}
		close(fd);
	}
	return true;
}

/* However much of list_write() took place, the file has the new list or the one before. */
static bool torn(void)
{
	const size_t size = HEAD + 5 * sizeof(struct list_entry);
	static char before[HALF], after[HALF];
	int fd = list_create();
	size_t len;

	list_write(fd, list_of(4, 'a'));
	list_write(fd, list_of(4, 'b'));
	if (pread(fd, before, size, 0) != (ssize_t)size)
		return false;
	list_write(fd, list_of(5, 'c'));
	if (pread(fd, after, size, 0) != (ssize_t)size)
		return false;
	for (len = 0; len < size; len++) {
		if (pwrite(fd, before, size, 0) != (ssize_t)size ||
		    pwrite(fd, after + size - len, len, size - len) != (ssize_t)len)
			return false;
		/* The head begins with magic and version, which are the same in both lists. */
		if (!same(fd, list_of(4, 'b')) &&
		    (len < size - HEAD / 2 || !same(fd, list_of(5, 'c')))) {
			printf("# the last %zu bytes\n", len);
			return false;
		}
	}
	return pwrite(fd, after, size, 0) == (ssize_t)size && same(fd, list_of(5, 'c'));
}

static int written(const struct list *it)
{
	int fd = list_create();

	list_write(fd, it);
	return fd;
}

static bool bad_entries(void)
{
	struct list *it;
	bool right = true;

	it = (struct list *)list_of(3, 'a');
	it->entry[1].token = it->entry[2].token;
	right &= refused(written(it), "entry");
	it = (struct list *)list_of(3, 'a');
	it->entry[1].token = 0;
	right &= refused(written(it), "entry");
	it = (struct list *)list_of(3, 'a');
	it->entry[1].token = FILES_MAX + 1;
	right &= refused(written(it), "entry");
	it = (struct list *)list_of(3, 'a');
	it->entry[1].name[0] = '\0';
	right &= refused(written(it), "entry");
	it = (struct list *)list_of(3, 'a');
	memset(it->entry[1].name, 'x', NAME_SIZE);
	right &= refused(written(it), "entry");
	it = (struct list *)list_of(3, 'a');
	it->entry[1].name[0] = ':';
	return right & refused(written(it), "entry");
}

int main(void)
{
	int fd = list_create();

	puts("1..9");
	check("a list that was never written is refused", refused(fd, "empty"));
	list_write(fd, list_of(0, 'a'));
	check("an empty list can be read", same(fd, list_of(0, 'a')));
	list_write(fd, list_of(FILES_MAX, 'b'));
	check("a full list can be read", same(fd, list_of(FILES_MAX, 'b')));
	list_write(fd, list_of(7, 'c'));
	check("the later list counts", same(fd, list_of(7, 'c')));
	check("each byte that is damaged is noticed", each_byte());
	check("a list that is half written is not there", torn());
	check("what cannot be an entry is refused", bad_entries());
	check("another version is said to be one, and is no damage",
	      refused(damaged(8), "another version"));
	if (ftruncate(fd, HALF))
		return 1;
	check("a file of another size is refused", refused(fd, "size"));
	return failed != 0;
}
