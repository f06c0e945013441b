// SPDX-License-Identifier: GPL-2.0-only
/*
 * list.c - the list of a session's files, in the form in which the next kernel gets it
 *
 * The memfd has two halves, each with a head, a number that grows with each writing, and a
 * checksum. A list is always written over the older one of the two. The kexec can take place
 * in the middle of a write: the other half is still valid then.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "list.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#endif

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

/*
 * read_all() and write_all() return 0 or a negative errno; -EIO at the end of the file, or if
 * a write was short. A read that comes to a page for which there is no memory returns the
 * bytes before that page, and the next read returns the error.
 */
static int read_all(int fd, void *to, size_t len, off_t at)
{
	char *next = to;
	ssize_t done;

	for (; len; next += done, at += done, len -= done) {
		done = pread(fd, next, len, at);
		if (done <= 0)
			return done ? -errno : -EIO;
	}
	return 0;
}

static int write_all(int fd, const void *from, size_t len, off_t at)
{
	ssize_t done = pwrite(fd, from, len, at);

	return done == (ssize_t)len ? 0 : done < 0 ? -errno : -EIO;
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

/* Entries of another program can be invalid although the checksum is right. */
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
 * Says why a half cannot be read. Only -EIO is final: a page for which there was no memory,
 * for example, can still be read later.
 */
static const char *unreadable(int error, bool *later)
{
	*later |= error != -EIO;
	return error == -EIO ? "it cannot be read" : strerror(-error);
}

static const char another_version[] = "it is in the format of another version of luo-run";

/*
 * Reads one half. *number is 0 if there is no valid list in it. Returns what is wrong with it,
 * or NULL; *later is set if it can perhaps be read later.
 */
static const char *read_half(int fd, int half, struct list *to, __u64 *number, bool *later)
{
	static const struct list_head nothing;
	struct list_head head;
	int error;

	*number = 0;
	error = read_all(fd, &head, sizeof(head), half * HALF);
	if (error)
		return unreadable(error, later);
	if (!memcmp(&head, &nothing, sizeof(head)))
		return NULL;
	if (memcmp(head.magic, LIST_MAGIC, sizeof(head.magic)))
		return "it is no list of luo-run";
	if (head.version != LIST_VERSION)
		return another_version;
	if (head.count > FILES_MAX)
		return "it has too many entries";
	to->count = head.count;
	error = read_all(fd, to->entry, head.count * sizeof(to->entry[0]),
			 half * HALF + sizeof(head));
	if (error)
		return unreadable(error, later);
	if (!head.number || head.checksum != checksum(head, to->entry))
		return "its checksum is wrong";
	if (!entries_valid(to))
		return "an entry is not valid";
	*number = head.number;
	return NULL;
}

int list_create(void)
{
	int fd = memfd_create("luo-run list", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	/* Earlier kernels do not know MFD_NOEXEC_SEAL, and some systems require it. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("luo-run list", MFD_CLOEXEC);
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
	bool later = false;
	int half;

	read_half(fd, 0, &before, &number[0], &later);
	read_half(fd, 1, &before, &number[1], &later);
	half = number[0] > number[1];
	head.number = number[!half] + 1;
	head.checksum = checksum(head, from->entry);
	return write_all(fd, from->entry, from->count * sizeof(from->entry[0]),
			 half * HALF + sizeof(head)) ?:
	       write_all(fd, &head, sizeof(head), half * HALF);
}

const char *list_read(int fd, struct list *to, bool *later)
{
	static struct list half[2];
	const char *wrong[2];
	struct stat stat;
	__u64 number[2];

	to->count = 0;
	*later = false;
	if (fstat(fd, &stat) || stat.st_size != 2 * HALF)
		return "it has a wrong size";
	wrong[0] = read_half(fd, 0, &half[0], &number[0], later);
	wrong[1] = read_half(fd, 1, &half[1], &number[1], later);
	/* A half that cannot be read now could be the newer one of the two. */
	if (*later)
		return wrong[0] ?: wrong[1];
	if (!number[0] && !number[1]) {
		*later = wrong[0] == another_version || wrong[1] == another_version;
		return wrong[0] ?: wrong[1] ?: "it is empty";
	}
	*to = half[number[1] > number[0]];
	return NULL;
}
