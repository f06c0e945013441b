// SPDX-License-Identifier: GPL-2.0-only
/*
 * fdstore - a service that stores files, for the tests of luo-run
 *
 * Does one thing after another, as its words say, and then ends:
 *
 *   show               prints each file that it was given: its number, name, kind, size,
 *                      KiB, seals and text
 *   memfd NAME TEXT    stores a memfd with this text at its start
 *   sealed NAME TEXT   stores a memfd that can be neither written nor resized
 *   sparse NAME TEXT   stores a memfd of 64 MiB with the text in the middle, and holes
 *   huge NAME TEXT     stores a memfd of one page of hugetlb
 *   pipe NAME          stores the end of a pipe
 *   polled NAME        stores the end of a pipe, until the other end is closed
 *   close              closes that other end
 *   session NAME       stores a session of live update
 *   again N            stores the file with this number once more, as "again"
 *   many NAME COUNT    stores COUNT memfds
 *   write N TEXT       writes into the file with this number
 *   remove NAME        no longer stores the files of this name
 *   notify TEXT        sends this text
 *   barrier            waits until the supervisor has handled all that was sent
 *   wait               waits for a signal, and prints its number
 *   exit STATUS        ends with this status
 *   kill SIGNAL        ends by this signal
 *
 * Files are numbered from 0 on, in the order in which they were given.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD	3
#define SPARSE_SIZE	(64 << 20)
#define TEXT_SIZE	256

static void fail(const char *what)
{
	fprintf(stderr, "fdstore: %s: %s\n", what, strerror(errno));
	exit(9);
}

/* Sends @text to the supervisor, with a file if @fd is not -1. */
static void notify(const char *text, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct iovec data = { .iov_base = (void *)text, .iov_len = strlen(text) };
	union {
		char data[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .data = "" };
	struct msghdr head = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &data, .msg_iovlen = 1,
	};
	int by = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (by < 0 || !path)
		fail("NOTIFY_SOCKET");
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd >= 0) {
		head.msg_control = &control;
		head.msg_controllen = sizeof(control.data);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	if (sendmsg(by, &head, 0) < 0)
		fail("sendmsg");
	close(by);
}

static void store(const char *name, int fd)
{
	char text[TEXT_SIZE + 32];

	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	notify(text, fd);
	close(fd);
}

static int make(const char *name, off_t size, off_t at, const char *text)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, size) || pwrite(fd, text, strlen(text), at) < 0)
		fail("memfd");
	return fd;
}

static void store_sealed(const char *name, const char *text)
{
	int fd = make(name, 4096, 0, text);

	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW))
		fail("seals");
	store(name, fd);
}

static void store_huge(const char *name, const char *text)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_HUGETLB);
	struct stat stat;
	char *page;

	/* A block of such a file is a page. Only a mapping can write to the file. */
	if (fd < 0 || fstat(fd, &stat) || ftruncate(fd, stat.st_blksize))
		fail("hugetlb");
	page = mmap(NULL, stat.st_blksize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		fail("hugetlb");
	strcat(page, text);
	munmap(page, stat.st_blksize);
	store(name, fd);
}

static void store_pipe(const char *name)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		fail("pipe");
	close(ends[1]);
	store(name, ends[0]);
}

/* The other end of the pipe of the word "polled". */
static int other_end = -1;

static void store_polled(const char *name)
{
	char text[TEXT_SIZE + 32];
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		fail("pipe");
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
	notify(text, ends[0]);
	close(ends[0]);
	other_end = ends[1];
}

static void store_session(const char *name)
{
	struct liveupdate_ioctl_create_session it = { .size = sizeof(it), .name = "fdstore" };
	int device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);

	if (device < 0 || ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &it))
		fail("/dev/liveupdate");
	close(device);
	store(name, it.fd);
}

static void store_many(const char *name, unsigned int count)
{
	char text[TEXT_SIZE];
	unsigned int i;

	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%s%u", name, i);
		store(text, make(text, 4096, 0, text));
	}
}

static void remove_name(const char *name)
{
	char text[TEXT_SIZE + 32];

	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	notify(text, -1);
}

static void barrier(void)
{
	struct pollfd end;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		fail("pipe");
	notify("BARRIER=1", ends[1]);
	close(ends[1]);
	end = (struct pollfd){ .fd = ends[0] };
	if (poll(&end, 1, 20000) != 1) {
		errno = ETIMEDOUT;
		fail("barrier");
	}
	close(ends[0]);
}

/* Returns how many files this program was given. */
static int given(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	return pid && count && atoi(pid) == getpid() ? atoi(count) : 0;
}

static void show_file(int i, const char *name)
{
	char text[TEXT_SIZE] = "";
	int fd = FIRST_FD + i, seals;
	struct stat stat;
	off_t at = 0;

	if (fstat(fd, &stat))
		fail(name);
	if (!S_ISREG(stat.st_mode)) {
		printf("%d %s %s\n", i, name, S_ISFIFO(stat.st_mode) ? "pipe" : "other");
		return;
	}
	if (stat.st_size == SPARSE_SIZE)
		at = SPARSE_SIZE / 2;
	if (pread(fd, text, sizeof(text) - 1, at) < 0)
		fail(name);
	seals = fcntl(fd, F_GET_SEALS);
	printf("%d %s memfd size=%lld kib=%lld seals=%x %s\n", i, name, (long long)stat.st_size,
	       (long long)stat.st_blocks / 2, seals, text);
}

static void show(void)
{
	char *names = strdup(getenv("LISTEN_FDNAMES") ?: ""), *name;
	int i, files = given();

	if (!files)
		puts("nothing");
	for (i = 0; i < files; i++) {
		name = strsep(&names, ":");
		show_file(i, name ?: "(no name)");
	}
	/* One file more than LISTEN_FDS says would be a mistake as well. */
	if (fcntl(FIRST_FD + files, F_GETFD) >= 0)
		puts("and one too many");
	fflush(stdout);
}

static void wait_signal(void)
{
	sigset_t all;
	int number;

	sigfillset(&all);
	if (sigwait(&all, &number))
		fail("sigwait");
	printf("signal %d\n", number);
	fflush(stdout);
}

static void end_by(int number)
{
	const struct rlimit none = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	setrlimit(RLIMIT_CORE, &none);
	signal(number, SIG_DFL);
	kill(getpid(), number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	fail("kill");
}

/* Does one thing. Returns how many words it took, or 0 if it failed. */
static int act(char **word)
{
	if (!strcmp(word[0], "show"))
		return show(), 1;
	if (!strcmp(word[0], "barrier"))
		return barrier(), 1;
	if (!strcmp(word[0], "close"))
		return close(other_end) ? 0 : 1;
	if (!strcmp(word[0], "wait"))
		return wait_signal(), 1;
	if (!word[1])
		return 0;
	if (!strcmp(word[0], "pipe"))
		return store_pipe(word[1]), 2;
	if (!strcmp(word[0], "polled"))
		return store_polled(word[1]), 2;
	if (!strcmp(word[0], "session"))
		return store_session(word[1]), 2;
	if (!strcmp(word[0], "again"))
		return store("again", dup(FIRST_FD + atoi(word[1]))), 2;
	if (!strcmp(word[0], "remove"))
		return remove_name(word[1]), 2;
	if (!strcmp(word[0], "notify"))
		return notify(word[1], -1), 2;
	if (!strcmp(word[0], "exit"))
		exit(atoi(word[1]));
	if (!strcmp(word[0], "kill"))
		return end_by(atoi(word[1])), 2;
	if (!word[2])
		return 0;
	if (!strcmp(word[0], "memfd"))
		return store(word[1], make(word[1], 4096, 0, word[2])), 3;
	if (!strcmp(word[0], "sealed"))
		return store_sealed(word[1], word[2]), 3;
	if (!strcmp(word[0], "huge"))
		return store_huge(word[1], word[2]), 3;
	if (!strcmp(word[0], "sparse"))
		return store(word[1], make(word[1], SPARSE_SIZE, SPARSE_SIZE / 2, word[2])), 3;
	if (!strcmp(word[0], "many"))
		return store_many(word[1], atoi(word[2])), 3;
	if (!strcmp(word[0], "write"))
		return pwrite(FIRST_FD + atoi(word[1]), word[2], strlen(word[2]), 0) < 0 ? 0 : 3;
	return 0;
}

int main(int argc, char **argv)
{
	sigset_t all;
	int i = 1, words;

	/* A signal that comes early is for the word "wait". */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	while (i < argc) {
		words = act(argv + i);
		if (!words) {
			fprintf(stderr, "fdstore: %s: cannot be done\n", argv[i]);
			return 9;
		}
		i += words;
	}
	return 0;
}
