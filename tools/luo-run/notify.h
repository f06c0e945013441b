/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notify.h - messages of sd_notify(3)
 */
#ifndef LUO_RUN_NOTIFY_H
#define LUO_RUN_NOTIFY_H

#include <sys/types.h>

#include "luo-run.h"

/* Longer messages are not read to the end; systemd has the same limit. */
#define NOTICE_SIZE	4096

/**
 * struct notice - a message of a service
 * @store: its files are to be stored
 * @remove: the files called @name are not to be stored any more
 * @no_poll: they are to stay stored when their other end is closed
 * @barrier: the sender waits until the descriptor with it is closed
 * @bad_name: the message has a name that is invalid
 * @name: name of the files; empty if the message has none, or an invalid one
 * @main_pid: the process that is the service from now on, or 0
 * @rest: all lines that are not for luo-run, as text
 */
struct notice {
	bool store;
	bool no_poll;
	bool remove;
	bool barrier;
	bool bad_name;
	char name[NAME_SIZE];
	pid_t main_pid;
	char rest[NOTICE_SIZE];
};

/* Reads the message @text, which is cut into lines. */
void notice_read(char *text, struct notice *to);

/*
 * Sends a message, with a descriptor if @fd is not -1, to the NOTIFY_SOCKET with which luo-run
 * was started. Does nothing if there was none.
 */
void notify_outer(const char *text, int fd);

#endif
