// SPDX-License-Identifier: GPL-2.0-only
/*
 * luo-run - runs a service whose files outlive the kernel
 *
 *   luo-run [--session NAME] [--require] [--] COMMAND [ARGUMENT...]
 *   luo-run --keep NAME        be the keeper of a session
 *   luo-run --drop NAME        give up what a session keeps
 *
 * systemd has a store for the file descriptors of a service: when the service is started
 * again, it gets back as LISTEN_FDS what it has sent there with sd_notify(FDSTORE=1). luo-run
 * is such a store that also outlives a kexec, by means of the kernel's live update.
 *
 * There are two processes. luo-run itself (service.c) lives as long as the service: it ends
 * when the service ends, in the same way, and restarts nothing: that is up to the program that
 * has started luo-run. The keeper (keeper.c) of the session lives from the first start to the
 * kexec, and holds the files. So a service that is started again under the same kernel gets
 * its files from the keeper, and its files are not lost although the shutdown stops the
 * service long before the kexec.
 *
 * Under systemd the keeper should be a unit of its own, luo-keep@NAME.service, which survives
 * the shutdown. Without it luo-run starts a keeper.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "luo-run.h"

#define DIRECTORY	"/run/luo-run"

/* The kernel's name of a session is this name, ':' and the token of a file. */
#define SESSION_MAX	50

void say(const char *format, ...)
{
	char text[1024];
	int error = errno;
	va_list args;

	va_start(args, format);
	errno = error;
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "luo-run: %s\n", text);
}

void wait_ms(unsigned int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

static int print_usage(int status)
{
	dprintf(status ? STDERR_FILENO : STDOUT_FILENO,
		"usage: luo-run [--session NAME] [--require] [--directory DIR] [--] COMMAND [ARGUMENT...]\n"
		"       luo-run --keep NAME [--directory DIR]\n"
		"       luo-run --drop NAME [--directory DIR]\n");
	return status;
}

/* Is this a valid name? It becomes part of the names of sessions, and of paths. */
static bool session_valid(const char *name)
{
	const char *at;

	for (at = name; *at; at++) {
		if (*at <= ' ' || *at >= 0x7f || *at == '/' || *at == ':')
			return false;
	}
	return at != name && at - name <= SESSION_MAX && name[0] != '.';
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* All descriptors that are opened here have to be above those of the standard streams. */
static void open_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "session", required_argument, NULL, 's' },
		{ "require", no_argument, NULL, 'r' },
		{ "directory", required_argument, NULL, 'd' },
		{ "keep", required_argument, NULL, 'k' },
		{ "drop", required_argument, NULL, 'x' },
		{ "detach", no_argument, NULL, 'D' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct settings set = { .directory = DIRECTORY };
	int option, role = 's';

	open_standard_streams();
	/* "+": options after the command are not ours. */
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'k':
		case 'x':
		case 's':
			/* Each of them names the session. */
			if (set.session)
				return print_usage(EXIT_SELF);
			role = option;
			set.session = optarg;
			break;
		case 'r':
			set.require = true;
			break;
		case 'd':
			set.directory = optarg;
			break;
		case 'D':
			set.detach = true;
			break;
		case 'h':
			return print_usage(0);
		default:
			return print_usage(EXIT_SELF);
		}
	}
	if ((role == 's' && optind == argc) || (role != 's' && optind < argc))
		return print_usage(EXIT_SELF);
	if (set.directory[0] != '/') {
		say("the directory '%s' must begin with '/'", set.directory);
		return EXIT_SELF;
	}
	if (!set.session)
		set.session = base_name(argv[optind]);
	if (!session_valid(set.session)) {
		say("'%s' cannot be the name of a session", set.session);
		return EXIT_SELF;
	}
	switch (role) {
	case 'k':
		return keeper_run(&set);
	case 'x':
		return service_drop(&set);
	default:
		return service_run(&set, argv + optind);
	}
}
