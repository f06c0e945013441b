/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * luo-run.h - what all parts of luo-run share
 */
#ifndef LUO_RUN_H
#define LUO_RUN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* These two are the same as in the kernel. */
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Names of files, as systemd limits them: at most 255 bytes, and a NUL. */
#define NAME_SIZE	256

/* How many files a session can have. It is also the highest token. */
#define FILES_MAX	1024

/* The exit statuses that are luo-run's own. Others are those of the command. */
enum {
	EXIT_REQUIRED = 124,	/* --require, and something was lost */
	EXIT_SELF = 125,	/* luo-run itself has failed */
	EXIT_CANNOT_RUN = 126,	/* the command was found and cannot be run */
	EXIT_NOT_FOUND = 127,	/* there is no such command */
};

/**
 * struct settings - what was asked for on the command line
 * @session: name of the session
 * @directory: where sockets are
 * @require: do not start the command unless everything can be kept and nothing was lost
 * @detach: the keeper was started by luo-run, and nobody waits for its output
 */
struct settings {
	const char *session;
	const char *directory;
	bool require;
	bool detach;
};

/* Prints one line on stderr with one write, so that lines of processes do not mix. */
void __printf(1, 2) say(const char *format, ...);

/* Sleeps for @ms milliseconds. */
void wait_ms(unsigned int ms);

/* service.c: runs the command. Returns its exit status, or one of the above. */
int service_run(const struct settings *set, char **command);

/* service.c: gives up the session. Returns an exit status. */
int service_drop(const struct settings *set);

/* keeper.c: is the keeper of a session, until it is killed or asked to drop the session. */
int keeper_run(const struct settings *set);

#endif
