/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * link.h - what luo-run and the keeper of its session say to each other
 *
 * They have a connection of SOCK_SEQPACKET. luo-run asks for one thing, and gets any number
 * of answers, of which the last one is LINK_DONE. The first answer comes unasked, when luo-run
 * has connected: LINK_DONE, or LINK_BUSY or LINK_LEFT before it.
 */
#ifndef LUO_RUN_LINK_H
#define LUO_RUN_LINK_H

#include <linux/types.h>

#include "luo-run.h"

/* This number has to change with struct link_message. */
#define LINK_VERSION	1

/* Subdirectories for the sockets of keepers, for their locks, and for sockets of services. */
#define LINK_SOCKETS	"keepers"
#define LINK_LOCKS	"locks"
#define LINK_NOTIFY	"services"

enum {
	/* Questions */
	LINK_OPEN = 1,		/* list the files: LINK_FILE for each, and what was lost */
	LINK_ACCEPT,		/* the service has started: what is lost can be forgotten */
	LINK_STORE,		/* keep this file under this name */
	LINK_REMOVE,		/* do not keep the files of this name any more */
	LINK_DROP,		/* give up the session, and end */
	LINK_STORE_POLL,	/* keep this file, until its other end is closed */
	LINK_SERVICE,		/* here is the pidfd of the service, the text is its pid */

	/* Answers */
	LINK_FILE = 64,		/* a file, with its name */
	LINK_TOLD,		/* a line for the user */
	LINK_LOST,		/* the same; with --require the service is not started */
	LINK_BUSY,		/* another luo-run has the session, the text is its pid */
	LINK_DONE,
	LINK_LEFT,		/* a service runs whose luo-run has ended, the text is its pid */
};

/**
 * struct link_message - one message in either direction
 * @version: LINK_VERSION
 * @what: from the list above
 * @text: a name or a line
 */
struct link_message {
	__u32 version;
	__u32 what;
	char text[2 * NAME_SIZE];
};

/* Makes the directories, if they are not there. */
void link_directories(const struct settings *set);

/*
 * Writes the path of the session's socket or lock, in the subdirectory @kind, to @to. Returns
 * false if the path is too long.
 */
bool link_path(const struct settings *set, const char *kind, const char *suffix, char *to,
	       size_t size);

/* Connects to the keeper. Returns a descriptor, or -1. */
int link_connect(const struct settings *set);

/* Listens for luo-run. Returns a descriptor, or -1. */
int link_listen(const struct settings *set);

/* Sends a message, with a file if @fd is not -1. Returns false if the other side is gone. */
bool link_send(int link, __u32 what, const char *text, int fd);

/*
 * Receives a message, and in *fd the file that came with it or -1. Returns false if the other
 * side is gone, or has another LINK_VERSION.
 */
bool link_receive(int link, struct link_message *to, int *fd);

#endif
