// SPDX-License-Identifier: GPL-2.0-only
/*
 * agent.c - a process that keeps file descriptors and does what it is asked
 *
 * The agent at PLACE reads a line from the FIFO PLACE.in, does what it says, and writes an
 * answer to the FIFO PLACE.out. A line can have several commands, with ";" in between, for
 * what has to happen without delay. The last line of an answer is "= STATUS", where STATUS
 * is "ok", the name of an error, or "wrong".
 */

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "agent.h"
#include "errname.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

#define LINE 512
#define WORDS 12
#define LABEL 16

/* --------------------------------------------------------------------- labels */

static struct {
	char name[LABEL];
	int fd;
} labels[64];

static int find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (!strcmp(labels[i].name, name))
			return i;
	return -1;
}

int label_fd(const char *label)
{
	int i = *label ? find(label) : -1;

	if (i >= 0)
		return labels[i].fd;
	errno = EBADF;
	return -1;
}

int label_set(const char *label, int fd)
{
	int i;

	if (fd < 0)
		return -1;
	i = find("");
	if (i < 0 || find(label) >= 0 || strlen(label) >= LABEL) {
		close(fd);
		errno = ENOSPC;
		return -1;
	}
	strlcat(labels[i].name, label, LABEL);
	labels[i].fd = fd;
	return 0;
}

int label_take(const char *label)
{
	int i = *label ? find(label) : -1;

	if (i < 0) {
		errno = EBADF;
		return -1;
	}
	labels[i].name[0] = '\0';
	return labels[i].fd;
}

__u64 number(const char *arg)
{
	return arg ? strtoull(arg, NULL, 0) : 0;
}

/* ------------------------------------------------------------------- commands */

static const struct command *const tables[] = {
	session_commands, file_commands, hugetlb_commands, scale_commands, fault_commands,
};

static const struct command *command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct command *it = tables[i]; it->name; it++)
			if (!strcmp(it->name, name))
				return it;
	return NULL;
}

/* Splits a line at its blanks. Returns the number of words. */
static int split(char *line, char **words)
{
	int n = 0;

	while (*line && n < WORDS) {
		while (*line == ' ')
			*line++ = '\0';
		if (*line)
			words[n++] = line;
		while (*line && *line != ' ')
			line++;
	}
	return n;
}

static const char *run_one(char *line)
{
	char *words[WORDS + 1] = {};
	int n = split(line, words), status, error;
	const struct command *it = n ? command(words[0]) : NULL;

	if (!it) {
		printf("there is no such command\n");
		return "usage";
	}
	if (n - 1 < it->args || n - 1 > it->most) {
		printf("usage: %s %s\n", it->name, it->usage);
		return "usage";
	}
	if (fault_begin())
		return errname(errno);
	errno = 0;
	status = it->run(words + 1);
	error = errno;
	if (fault_end())
		return errname(errno);
	if (status == WRONG)
		return "wrong";
	return status ? errname(error) : "ok";
}

/* Runs the commands of a line, which ";" separates, until one fails. */
static const char *run(char *line)
{
	const char *status;
	char *next;

	do {
		next = strchr(line, ';');
		if (next)
			*next++ = '\0';
		status = run_one(line);
		line = next;
	} while (next && !strcmp(status, "ok"));
	return status;
}

/* --------------------------------------------------------------------- FIFOs */

static int open_fifo(const char *place, const char *end, int flags)
{
	char path[LINE] = "";

	strlcat(path, place, LINE);
	strlcat(path, end, LINE);
	if (flags & O_CREAT)
		mknod(path, S_IFIFO | 0600, 0);
	return open(path, (flags & ~O_CREAT) | O_CLOEXEC);
}

static int is_there(const char *place)
{
	int in = open_fifo(place, ".in", O_WRONLY | O_NONBLOCK);

	if (in < 0)
		return 0;
	close(in);
	return 1;
}

/* Waits for the answer. Returns 0 if the agent has ended without one. */
static int wait_for(const char *place, int out)
{
	struct pollfd it = { .fd = out, .events = POLLIN };

	while (poll(&it, 1, 200) == 0)
		if (!is_there(place) && poll(&it, 1, 0) == 0)
			return 0;
	return 1;
}

/*
 * Reads up to the next newline, which is left out. Returns 0 at the end of the file, or
 * when the agent at @place has ended, which may be within the line. @place may be NULL.
 */
static int read_line(int fd, char *line, const char *place)
{
	size_t n = 0;

	while (n < LINE - 1 && (!place || wait_for(place, fd)) && read(fd, line + n, 1) == 1) {
		if (line[n] == '\n') {
			line[n] = '\0';
			return 1;
		}
		n++;
	}
	return 0;
}

/*
 * The agent has both ends of both FIFOs open, so its open() does not wait for a client, and
 * its read() sees no end of file when there is none. reach() assumes that an agent which
 * has opened the FIFO ".in" is ready, so the agent opens ".out" first.
 */
int serve(const char *place)
{
	static char line[LINE];
	int out = open_fifo(place, ".out", O_CREAT | O_RDWR);
	int in = open_fifo(place, ".in", O_CREAT | O_RDWR);

	if (in < 0 || out < 0 || dup2(out, 1) < 0) {
		perror(place);
		return 1;
	}
	while (read_line(in, line, NULL)) {
		const char *status = run(line);

		printf("= %s\n", status);
	}
	return 1;
}

/* An agent that was just started may not be there yet. */
static int reach(const char *place)
{
	int in = -1;

	for (int tries = 0; in < 0 && tries < 50; tries++) {
		if (tries)
			msleep(100);
		in = open_fifo(place, ".in", O_WRONLY | O_NONBLOCK);
	}
	return in;
}

/* Prints the answer without its last line. Returns 0 if that says "ok". */
int ask(const char *place, char **words)
{
	static char line[LINE];
	int in = reach(place), out;

	if (in < 0) {
		fprintf(stderr, "luo: no agent at %s\n", place);
		return 3;
	}
	out = open_fifo(place, ".out", O_RDWR);
	if (out < 0) {
		perror(place);
		return 3;
	}
	for (; *words; words++) {
		strlcat(line, *words, LINE);
		strlcat(line, words[1] ? " " : "\n", LINE);
	}
	write(in, line, strlen(line));
	close(in);

	while (read_line(out, line, place)) {
		if (strncmp(line, "= ", 2)) {
			printf("%s\n", line);
			continue;
		}
		if (!strcmp(line, "= ok"))
			return 0;
		printf("%s\n", line + 2);
		return 1;
	}
	fprintf(stderr, "luo: the agent at %s has ended\n", place);
	return 3;
}
