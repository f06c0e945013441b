// SPDX-License-Identifier: GPL-2.0-only
/*
 * errors.c - calls that have to fail, each with its error
 *
 * Most cases are a row of a table: the file on which an ioctl is called, its number, its
 * size and its argument, and the error. Where a call is wrong in two ways, the error shows
 * which of them the kernel checks first. The functions that run the rows prepare the state
 * that these need, such as an open session.
 */

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/liveupdate.h>
#include <linux/resource.h>

#include "content.h"
#include "errname.h"
#include "errors.h"
#include "session.h"
#include "sys.h"

/* The Makefile includes nolibc.h, which is the C library here. */

/* -------------------------------------------------------------------- results */

static int results, failures;

static void result(const char *what, int is, int should)
{
	results++;
	if (is == should) {
		printf("ok %d - %s: %s\n", results, what, errname(should));
		return;
	}
	failures++;
	printf("not ok %d - %s: %s\n", results, what, errname(should));
	printf("# returned %s (%d)\n", errname(is), is);
}

/* Returns the error of a call that returned @status. */
static int error_of(long status)
{
	return status < 0 ? errno : 0;
}

static int finished(void)
{
	printf("1..%d\n", results);
	return failures ? 1 : 0;
}

static int unable(const char *what)
{
	printf("1..0 # SKIP %s: %s\n", what, errname(errno));
	return 4;	/* KSFT_SKIP */
}

/* ---------------------------------------------------------------------- rows */

/* The file on which an ioctl is called. */
enum target { DEVICE, MADE, CAME, TARGETS };

static int targets[TARGETS];

/* What is wrong with the argument, besides its content. */
enum argument {
	FINE,
	NO_ADDRESS,	/* NULL */
	AT_THE_END,	/* the size can be read, and what follows cannot */
	ZERO_TAIL,	/* longer than known, and zero there */
	BAD_TAIL,	/* longer than known, and not zero there */
};

struct row {
	const char *what;
	enum target on;
	unsigned long number;
	__u32 size;
	enum argument argument;
	int error;
};

/* Points to a page that can be read and written, with an unmapped page after it. */
static char *pages;

/* Writes size and content into the argument, and calls the ioctl. Returns its error. */
static int call(const struct row *row, const void *content, size_t len)
{
	char *at = pages;

	if (row->argument == NO_ADDRESS)
		return error_of(ioctl(targets[row->on], row->number, NULL));
	if (row->argument == AT_THE_END)
		at += page_size() - 4;
	else
		memset(at, 0, page_size());
	if (row->argument != AT_THE_END)
		memcpy(at, content, len);
	*(__u32 *)at = row->size;
	if (row->argument == BAD_TAIL)
		at[row->size - 1] = 1;
	return error_of(ioctl(targets[row->on], row->number, at));
}

static void run(const struct row *rows, size_t count, const void *content, size_t len)
{
	for (size_t i = 0; i < count; i++)
		result(rows[i].what, call(&rows[i], content, len), rows[i].error);
}

#define CREATE		LIVEUPDATE_IOCTL_CREATE_SESSION
#define RETRIEVE	LIVEUPDATE_IOCTL_RETRIEVE_SESSION
#define PRESERVE_FD	LIVEUPDATE_SESSION_PRESERVE_FD
#define RETRIEVE_FD	LIVEUPDATE_SESSION_RETRIEVE_FD
#define FINISH		LIVEUPDATE_SESSION_FINISH
#define GET_NAME	LIVEUPDATE_SESSION_GET_NAME

static unsigned long other_type(unsigned long number)
{
	return _IO('x', _IOC_NR(number));
}

static unsigned long with_size(unsigned long number)
{
	return _IOWR(LIVEUPDATE_IOCTL_TYPE, _IOC_NR(number), __u64);
}

/*
 * The content is a name that is in use for CREATE, and unknown for RETRIEVE. So also a call
 * that is right otherwise fails, with EEXIST or ENOENT, and changes nothing.
 */
static const struct row device_rows[] = {
	{ "device: a number after the last", DEVICE, _IO(0xBA, 2), 72, FINE, EINVAL },
	{ "device: the number of a session's ioctl", DEVICE, PRESERVE_FD, 16, FINE, EINVAL },
	{ "device: after the last, no address", DEVICE, _IO(0xBA, 2), 72, NO_ADDRESS, EINVAL },
	{ "create: no address", DEVICE, CREATE, 72, NO_ADDRESS, EFAULT },
	{ "create: half of the struct has no address", DEVICE, CREATE, 72, AT_THE_END, EFAULT },
	{ "create: size 0", DEVICE, CREATE, 0, FINE, EINVAL },
	{ "create: size 71", DEVICE, CREATE, 71, FINE, EINVAL },
	{ "create: size 71, half has no address", DEVICE, CREATE, 71, AT_THE_END, EINVAL },
	{ "create: longer and not zero", DEVICE, CREATE, 80, BAD_TAIL, E2BIG },
	{ "create: longer and zero, name in use", DEVICE, CREATE, 80, ZERO_TAIL, EEXIST },
	{ "create: name in use", DEVICE, CREATE, 72, FINE, EEXIST },
	{ "retrieve: no address", DEVICE, RETRIEVE, 72, NO_ADDRESS, EFAULT },
	{ "retrieve: size 71", DEVICE, RETRIEVE, 71, FINE, EINVAL },
	{ "retrieve: longer and not zero", DEVICE, RETRIEVE, 4096, BAD_TAIL, E2BIG },
	{ "retrieve: longer and zero, made here", DEVICE, RETRIEVE, 80, ZERO_TAIL, ENOENT },
	{ "retrieve: a session that was made here", DEVICE, RETRIEVE, 72, FINE, ENOENT },
};

/* The content is token 1, which is in use, and no file. */
static const struct row made_rows[] = {
	{ "session: a number after the last", MADE, _IO(0xBA, 0x44), 16, FINE, EINVAL },
	{ "session: a number before the first", MADE, _IO(0xBA, 0x3f), 16, FINE, EINVAL },
	{ "session: the number of the device's ioctl", MADE, CREATE, 72, FINE, EINVAL },
	{ "session: after the last, no address", MADE, _IO(0xBA, 0x44), 16, NO_ADDRESS, EINVAL },
	{ "preserve: no address", MADE, PRESERVE_FD, 16, NO_ADDRESS, EFAULT },
	{ "preserve: half of it has no address", MADE, PRESERVE_FD, 16, AT_THE_END, EFAULT },
	{ "preserve: size 15", MADE, PRESERVE_FD, 15, FINE, EINVAL },
	{ "preserve: longer and not zero", MADE, PRESERVE_FD, 24, BAD_TAIL, E2BIG },
	{ "preserve: longer and zero, token in use", MADE, PRESERVE_FD, 24, ZERO_TAIL, EEXIST },
	{ "preserve: token in use, no such file", MADE, PRESERVE_FD, 16, FINE, EEXIST },
	{ "take: from a session that was made here", MADE, RETRIEVE_FD, 16, FINE, EINVAL },
	{ "take: made here, longer and not zero", MADE, RETRIEVE_FD, 24, BAD_TAIL, EINVAL },
	{ "take: made here, no address", MADE, RETRIEVE_FD, 16, NO_ADDRESS, EFAULT },
	{ "finish: a session that was made here", MADE, FINISH, 8, FINE, EINVAL },
	{ "finish: made here, longer and not zero", MADE, FINISH, 16, BAD_TAIL, EINVAL },
	{ "name: no address", MADE, GET_NAME, 72, NO_ADDRESS, EFAULT },
	{ "name: size 71", MADE, GET_NAME, 71, FINE, EINVAL },
	{ "name: longer and not zero", MADE, GET_NAME, 80, BAD_TAIL, E2BIG },
};

/* The content is token 77, which is not in the session, and no file. */
static const struct row came_rows[] = {
	{ "preserve: in a session that came in", CAME, PRESERVE_FD, 16, FINE, EINVAL },
	{ "preserve: came in, longer and not zero", CAME, PRESERVE_FD, 24, BAD_TAIL, EINVAL },
	{ "preserve: came in, no address", CAME, PRESERVE_FD, 16, NO_ADDRESS, EFAULT },
	{ "take: no address", CAME, RETRIEVE_FD, 16, NO_ADDRESS, EFAULT },
	{ "take: half of the struct has no address", CAME, RETRIEVE_FD, 16, AT_THE_END, EFAULT },
	{ "take: size 15", CAME, RETRIEVE_FD, 15, FINE, EINVAL },
	{ "take: longer and not zero", CAME, RETRIEVE_FD, 24, BAD_TAIL, E2BIG },
	{ "take: longer and zero, unknown token", CAME, RETRIEVE_FD, 24, ZERO_TAIL, ENOENT },
	{ "take: unknown token", CAME, RETRIEVE_FD, 16, FINE, ENOENT },
	{ "finish: no address", CAME, FINISH, 8, NO_ADDRESS, EFAULT },
	{ "finish: size 7", CAME, FINISH, 7, FINE, EINVAL },
	{ "finish: longer and not zero", CAME, FINISH, 16, BAD_TAIL, E2BIG },
	{ "name: size 71", CAME, GET_NAME, 71, FINE, EINVAL },
	{ "name: longer and not zero", CAME, GET_NAME, 80, BAD_TAIL, E2BIG },
};

/* A command whose number is right and whose type or size is not. */
static void run_other_commands(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct row row = rows[i];

		if (row.argument != FINE || row.error == EINVAL)
			continue;
		row.number = other_type(rows[i].number);
		result("another type of ioctl", call(&row, "", 0), ENOTTY);
		row.size = 4;
		result("another type of ioctl, size 4", call(&row, "", 0), ENOTTY);
		row.argument = NO_ADDRESS;
		result("another type of ioctl, no address", call(&row, "", 0), EFAULT);
		row.argument = FINE;
		row.number = with_size(rows[i].number);
		result("an ioctl with a size in its number", call(&row, "", 0), ENOTTY);
	}
}

/* ------------------------------------------------------------------ no more fds */

static struct rlimit old_limit;

/* Afterwards this process cannot open any file. */
static void no_more_files(void)
{
	struct rlimit none;
	int next = sys_fcntl(0, F_DUPFD, 0);

	close(next);
	getrlimit(RLIMIT_NOFILE, &old_limit);
	none = old_limit;
	none.rlim_cur = next;
	setrlimit(RLIMIT_NOFILE, &none);
}

static void more_files(void)
{
	setrlimit(RLIMIT_NOFILE, &old_limit);
}

/* ---------------------------------------------------------------- the device */

static int open_device(void)
{
	return open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
}

/* Calls an ioctl of the device with a name of @len times the letter x, then NULs. */
static int named(unsigned long number, size_t len)
{
	struct liveupdate_ioctl_create_session it = { .size = sizeof(it) };
	int status;

	memset(it.name, 'x', len);
	status = error_of(ioctl(targets[DEVICE], number, &it));
	if (!status)
		close(it.fd);
	return status;
}

static void check_names(void)
{
	result("create: an empty name", named(CREATE, 0), EINVAL);
	result("create: a name of 64 letters", named(CREATE, 64), EINVAL);
	result("create: a name of 63 letters", named(CREATE, 63), 0);
	result("create: that name again, after it was closed", named(CREATE, 63), 0);
	result("retrieve: an empty name", named(RETRIEVE, 0), ENOENT);
	result("retrieve: a name of 64 letters", named(RETRIEVE, 64), ENOENT);

	no_more_files();
	result("create: no descriptor is left, and no name", named(CREATE, 0), EMFILE);
	result("create: no descriptor is left", named(CREATE, 10), EMFILE);
	result("retrieve: no descriptor is left", named(RETRIEVE, 10), EMFILE);
	more_files();
	result("create: that left nothing", named(CREATE, 10), 0);
}

/* --------------------------------------------------------- sessions made here */

static int memfd(void)
{
	int fd = memfd_create("errors", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && sys_ftruncate(fd, 4 * page_size()))
		return -1;
	return fd;
}

/* Tries to preserve a file that no handler takes. Closes @fd. */
static void check_foreign(const char *what, int fd)
{
	result(what, error_of(session_preserve(targets[MADE], 2, fd)), ENOENT);
	close(fd);
}

static void check_files(int fd, int session)
{
	char path[32] = "/proc/self/fd/";
	int other;

	check_foreign("preserve: a directory", open("/", O_RDONLY));
	check_foreign("preserve: a device", open("/dev/null", O_RDWR));
	check_foreign("preserve: a file with a name",
		      open("/dev/luo-errors", O_RDWR | O_CREAT, 0600));
	unlink("/dev/luo-errors");
	check_foreign("preserve: the device of live update", dup(targets[DEVICE]));
	check_foreign("preserve: a session", dup(session));
	result("preserve: no such file", error_of(session_preserve(targets[MADE], 2, -1)), EBADF);
	other = open("/", O_PATH);
	result("preserve: a file that is only a path",
	       error_of(session_preserve(targets[MADE], 2, other)), EBADF);
	close(other);

	result("preserve: the file again", error_of(session_preserve(targets[MADE], 2, fd)), EBUSY);
	result("preserve: the file in another session",
	       error_of(session_preserve(session, 1, fd)), EBUSY);
	u64toa_r(fd, path + strlen(path));
	other = open(path, O_RDWR);
	result("preserve: opened a second time",
	       error_of(session_preserve(session, 1, other)), EBUSY);
	close(other);
}

/* Calls that fail with @error as long as the file is preserved, and others that work. */
static void check_frozen_size(int fd, int error)
{
	char *at = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	__u64 page = page_size();

	result("size: larger", error_of(sys_ftruncate(fd, 5 * page)), error);
	result("size: smaller", error_of(sys_ftruncate(fd, 3 * page)), error);
	result("size: as it is", error_of(sys_ftruncate(fd, error ? 4 * page : 3 * page)), 0);
	result("allocate", error_of(sys_fallocate(fd, 0, 0, page)), error);
	result("allocate beyond the end",
	       error_of(sys_fallocate(fd, FALLOC_FL_KEEP_SIZE, 8 * page, page)), error);
	result("punch", error_of(sys_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					       0, page)), error);
	result("remove pages of a mapping",
	       error_of(sys_madvise(at, page, MADV_REMOVE)), error);
	result("write beyond the end", error_of(sys_pwrite(fd, "x", 1, 6 * page)), error);
	result("write before the end", error_of(sys_pwrite(fd, "x", 1, page)), 0);
	munmap(at, page);
}

static void check_reserved(enum target on)
{
	struct liveupdate_session_get_name it = { .size = sizeof(it), .reserved = 1 };

	result("name: something that is reserved",
	       error_of(ioctl(targets[on], GET_NAME, &it)), EINVAL);
	it.reserved = 0;
	result("name", error_of(ioctl(targets[on], GET_NAME, &it)), 0);
}

static const char made_name[64] = "luo-errors";

int errors_outgoing(void)
{
	struct liveupdate_ioctl_create_session in_use = {};
	struct liveupdate_session_preserve_fd token = { .fd = -1, .token = 1 };
	int fd = memfd(), session;

	targets[DEVICE] = open_device();
	if (targets[DEVICE] < 0)
		return unable("/dev/liveupdate");
	pages = mmap(NULL, 2 * page_size(), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(pages + page_size(), page_size());

	result("device: a second open", error_of(open_device()), EBUSY);
	targets[MADE] = session_create(targets[DEVICE], made_name);
	result("create", error_of(targets[MADE]), 0);
	result("create: closed when a program is executed",
	       sys_fcntl(targets[MADE], F_GETFD, 0) == FD_CLOEXEC ? 0 : -1, 0);
	session = session_create(targets[DEVICE], "luo-errors-2");
	result("create: another one", error_of(session), 0);
	result("preserve", error_of(session_preserve(targets[MADE], 1, fd)), 0);

	memcpy(in_use.name, made_name, sizeof(in_use.name));
	run(device_rows, ARRAY_SIZE(device_rows), &in_use, sizeof(in_use));
	run_other_commands(device_rows, ARRAY_SIZE(device_rows));
	check_names();
	run(made_rows, ARRAY_SIZE(made_rows), &token, sizeof(token));
	run_other_commands(made_rows, ARRAY_SIZE(made_rows));
	check_reserved(MADE);
	check_files(fd, session);
	check_frozen_size(fd, EPERM);

	close(targets[DEVICE]);
	targets[DEVICE] = open_device();
	result("device: open again after it was closed", error_of(targets[DEVICE]), 0);
	close(targets[MADE]);
	result("preserve: after the session was closed",
	       error_of(session_preserve(session, 1, fd)), 0);
	close(session);
	check_frozen_size(fd, 0);
	return finished();
}

/* ------------------------------------------------------ sessions that came in */

static void check_twice(void)
{
	int a = session_take(targets[CAME], 1), b;

	result("take", error_of(a), 0);
	result("take: closed when a program is executed",
	       sys_fcntl(a, F_GETFD, 0) == FD_CLOEXEC ? 0 : -1, 0);
	b = session_take(targets[CAME], 1);
	result("take: again", error_of(b), 0);
	lseek(a, 17, SEEK_SET);
	result("take: again, it is the same open file", lseek(b, 0, SEEK_CUR) == 17 ? 0 : -1, 0);
	close(b);

	result("preserve: a file that has not finished",
	       error_of(session_preserve(targets[MADE], 1, a)), EBUSY);
	no_more_files();
	result("take: no descriptor is left, and an unknown token",
	       error_of(session_take(targets[CAME], 77)), EMFILE);
	more_files();
	close(a);
	b = session_take(targets[CAME], 1);
	result("take: again, after all were closed", error_of(b), 0);
	close(b);
}

static void check_end(const char *name)
{
	struct liveupdate_session_finish it = { .size = sizeof(it), .reserved = 1 };
	int fd = session_take(targets[CAME], 1);

	result("finish: something that is reserved",
	       error_of(ioctl(targets[CAME], FINISH, &it)), EINVAL);
	result("finish", error_of(session_finish(targets[CAME])), 0);
	result("finish: again", error_of(session_finish(targets[CAME])), 0);
	result("take: after finish", error_of(session_take(targets[CAME], 1)), ENOENT);
	result("take: after finish, nobody had taken it",
	       error_of(session_take(targets[CAME], 2)), ENOENT);
	result("preserve: a file that has finished",
	       error_of(session_preserve(targets[MADE], 1, fd)), 0);
	result("retrieve: after finish, still open",
	       error_of(session_retrieve(targets[DEVICE], name)), EINVAL);
	close(targets[CAME]);
	result("retrieve: after it was closed",
	       error_of(session_retrieve(targets[DEVICE], name)), ENOENT);
	close(fd);
}

int errors_incoming(const char *name)
{
	struct liveupdate_session_retrieve_fd token = { .fd = -1, .token = 77 };

	targets[DEVICE] = open_device();
	if (targets[DEVICE] < 0)
		return unable("/dev/liveupdate");
	pages = mmap(NULL, 2 * page_size(), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(pages + page_size(), page_size());

	result("retrieve: no such session",
	       error_of(session_retrieve(targets[DEVICE], "luo-errors-no")), ENOENT);
	targets[CAME] = session_retrieve(targets[DEVICE], name);
	result("retrieve", error_of(targets[CAME]), 0);
	result("retrieve: closed when a program is executed",
	       sys_fcntl(targets[CAME], F_GETFD, 0) == FD_CLOEXEC ? 0 : -1, 0);
	result("retrieve: while it is open",
	       error_of(session_retrieve(targets[DEVICE], name)), EINVAL);
	targets[MADE] = session_create(targets[DEVICE], name);
	result("create: the name of one that came in", error_of(targets[MADE]), 0);

	run(came_rows, ARRAY_SIZE(came_rows), &token, sizeof(token));
	run_other_commands(came_rows, ARRAY_SIZE(came_rows));
	check_reserved(CAME);
	check_twice();
	check_end(name);
	close(targets[MADE]);
	close(targets[DEVICE]);
	return finished();
}
