// SPDX-License-Identifier: GPL-2.0-only
/*
 * pattern - writes and checks content in which each word depends on its place
 *
 *   pattern write SEED BYTES    write that many bytes to standard output
 *   pattern check SEED BYTES    check that standard input is exactly these bytes
 *
 * Each 8-byte word depends on the seed and on its own offset. So this program
 * finds a page that is in the wrong file, at the wrong offset, twice in a file
 * or in none, where a checksum would only tell that something is wrong. In a
 * second an emulated guest computes the SHA-256 of 30 MB, or the pattern of
 * 500 MB.
 */

#include <linux/types.h>

/* The Makefile includes nolibc.h, which is the C library here. */

#define WORDS 8192

static __u64 buf[WORDS];

/*
 * Odd multipliers are bijections modulo 2^64: no two offsets of one seed
 * yield the same word.
 */
static __u64 word(__u64 seed, __u64 offset)
{
	return (seed * 0x9e3779b97f4a7c15ULL) ^
	       ((offset / 8) * 0xd1342543de82ef95ULL);
}

static size_t chunk(__u64 bytes, __u64 offset)
{
	__u64 left = bytes - offset;

	if (left > sizeof(buf))
		left = sizeof(buf);

	return left;
}

static int write_pattern(__u64 seed, __u64 bytes)
{
	for (__u64 offset = 0; offset < bytes; ) {
		size_t len = chunk(bytes, offset), done = 0;

		for (int i = 0; i < WORDS; i++)
			buf[i] = word(seed, offset + 8 * i);
		while (done < len) {
			ssize_t n = write(1, (char *)buf + done, len - done);

			if (n <= 0) {
				perror("pattern: write");
				return 1;
			}
			done += n;
		}
		offset += len;
	}
	return 0;
}

/* Read @len bytes, or fewer at the end of the input. */
static size_t read_full(void *to, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len && (n = read(0, (char *)to + done, len - done)) > 0)
		done += n;
	return done;
}

/* Return the offset of the first wrong byte in buf, or @len if there is none. */
static size_t first_wrong(__u64 seed, __u64 offset, size_t len)
{
	size_t i, words = len / 8;

	for (i = 0; i < words; i++)
		if (buf[i] != word(seed, offset + 8 * i))
			break;
	for (i *= 8; i < len; i++) {
		__u64 want = word(seed, offset + i / 8 * 8);

		if (((unsigned char *)buf)[i] != ((unsigned char *)&want)[i % 8])
			break;
	}
	return i;
}

static int complain(const char *what, __u64 offset)
{
	fprintf(stderr, "pattern: %s %lu\n", what, (unsigned long)offset);
	return 1;
}

static int check_pattern(__u64 seed, __u64 bytes)
{
	for (__u64 offset = 0; offset < bytes; ) {
		size_t len = chunk(bytes, offset);
		size_t got = read_full(buf, len);
		size_t good = first_wrong(seed, offset, got);

		if (good < got)
			return complain("first wrong byte:", offset + good);
		if (got < len)
			return complain("ends after byte", offset + got);
		offset += len;
	}
	if (read_full(buf, 1))
		return complain("goes on after byte", bytes);
	return 0;
}

int main(int argc, char **argv)
{
	__u64 seed, bytes;

	if (argc != 4) {
		fprintf(stderr, "usage: pattern write|check SEED BYTES\n");
		return 2;
	}
	seed = strtoull(argv[2], NULL, 0);
	bytes = strtoull(argv[3], NULL, 0);

	return !strcmp(argv[1], "write") ? write_pattern(seed, bytes)
					 : check_pattern(seed, bytes);
}
