// SPDX-License-Identifier: GPL-2.0-only
/*
 * list.c - the list of a session's files, in the form in which the next kernel gets it
 *
 * The memfd has two halves, each with a head, a number that grows with each writing, and a
 * checksum. A list is always written over the older one of the two. The kexec can take place
 * in the middle of that: the other half is still right then.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "list.h"

#define LIST_MAGIC	"luo-run"
#define LIST_VERSION	1

/**
 * struct list_head - what a half begins with, followed by its entries
 * @magic: LIST_MAGIC
 * @version: LIST_VERSION
 * @count: how many entries there are
 * @number: grows by 1 with each writing
 * @checksum: of head and entries, with 0 in this place
 */
struct list_head {
	char magic[8];
	__u32 version;
	__u32 count;
	__u64 number;
	__u64 checksum;
};

static_assert(sizeof(struct list_head) == 32, "the format is fixed");
static_assert(sizeof(struct list_entry) == 264, "the format is fixed");

/* A multiple of the size of pages on all machines, with room for all entries. */
#define HALF	(512 << 10)

static_assert(sizeof(struct list_head) + FILES_MAX * sizeof(struct list_entry) <= HALF,
	      "a list fits");

/* FNV-1a */
static __u64 sum(__u64 so_far, const void *data, size_t len)
{
	const unsigned char *byte = data;

	while (len--)
		so_far = (so_far ^ *byte++) * 0x100000001b3ULL;
	return so_far;
}

static __u64 checksum(struct list_head head, const struct list_entry *entry)
{
	head.checksum = 0;
	return sum(sum(0xcbf29ce484222325ULL, &head, sizeof(head)), entry,
		   head.count * sizeof(*entry));
}

static bool read_all(int fd, void *to, size_t len, off_t at)
{
	return pread(fd, to, len, at) == (ssize_t)len;
}

static bool write_all(int fd, const void *from, size_t len, off_t at)
{
	return pwrite(fd, from, len, at) == (ssize_t)len;
}

bool name_valid(const char *name)
{
	const char *at;

	for (at = name; *at; at++) {
		if (*at < ' ' || *at >= 0x7f || *at == ':')
			return false;
	}
	return at != name && at - name < NAME_SIZE;
}

/* What can be wrong although the checksum is right: who wrote it was not like us. */
static bool entries_valid(const struct list *it)
{
	bool seen[FILES_MAX + 1] = { false };
	__u32 i, token;

	for (i = 0; i < it->count; i++) {
		token = it->entry[i].token;
		if (!token || token > FILES_MAX || seen[token] ||
		    !memchr(it->entry[i].name, 0, NAME_SIZE) || !name_valid(it->entry[i].name))
			return false;
		seen[token] = true;
	}
	return true;
}

/*
 * Reads one half. *number is 0 if there is nothing in it. Returns what is wrong with it, or
 * NULL.
 */
static const char *read_half(int fd, int half, struct list *to, __u64 *number)
{
	static const struct list_head nothing;
	struct list_head head;

	*number = 0;
	if (!read_all(fd, &head, sizeof(head), half * HALF))
		return "it cannot be read";
	if (!memcmp(&head, &nothing, sizeof(head)))
		return NULL;
	if (memcmp(head.magic, LIST_MAGIC, sizeof(head.magic)))
		return "it is no list of luo-run";
	if (head.version != LIST_VERSION)
		return "it is in the format of another version of luo-run";
	if (head.count > FILES_MAX)
		return "it has too many entries";
	to->count = head.count;
	if (!read_all(fd, to->entry, head.count * sizeof(to->entry[0]),
		      half * HALF + sizeof(head)))
		return "it cannot be read";
	if (!head.number || head.checksum != checksum(head, to->entry))
		return "its checksum is wrong";
	if (!entries_valid(to))
		return "an entry is not valid";
	*number = head.number;
	return NULL;
}

int list_create(void)
{
	int fd = memfd_create("luo-run list", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, 2 * HALF)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int list_write(int fd, const struct list *from)
{
	struct list_head head = {
		.magic = LIST_MAGIC, .version = LIST_VERSION, .count = from->count,
	};
	static struct list before;
	__u64 number[2];
	int half;

	read_half(fd, 0, &before, &number[0]);
	read_half(fd, 1, &before, &number[1]);
	half = number[0] > number[1];
	head.number = number[!half] + 1;
	head.checksum = checksum(head, from->entry);
	if (write_all(fd, from->entry, from->count * sizeof(from->entry[0]),
		      half * HALF + sizeof(head)) &&
	    write_all(fd, &head, sizeof(head), half * HALF))
		return 0;
	return -1;
}

const char *list_read(int fd, struct list *to)
{
	static struct list half[2];
	const char *wrong[2];
	struct stat stat;
	__u64 number[2];
	int later;

	to->count = 0;
	if (fstat(fd, &stat) || stat.st_size != 2 * HALF)
		return "it has a wrong size";
	wrong[0] = read_half(fd, 0, &half[0], &number[0]);
	wrong[1] = read_half(fd, 1, &half[1], &number[1]);
	if (!number[0] && !number[1])
		return wrong[0] ?: wrong[1] ?: "it is empty";
	later = number[1] > number[0];
	*to = half[later];
	return NULL;
}
