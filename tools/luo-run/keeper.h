/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * keeper.h - what the parts of the keeper share
 *
 * keeper.c is the process and its conversation with luo-run, store.c has the files and the
 * outgoing sessions, arrival.c has the incoming sessions.
 */
#ifndef LUO_RUN_KEEPER_H
#define LUO_RUN_KEEPER_H

#include <sys/types.h>

#include "list.h"
#include "luo-run.h"

/* What has failed for a temporary reason is tried again after this time. */
#define RETRY_MS	1000

/*
 * The error of a file that has left its incoming session and was not preserved again yet. It
 * goes away in time, like the other errors for which passes() returns true.
 */
#define NOT_YET	EINPROGRESS

/**
 * struct file - a file of the service
 * @entry: its name and token; @entry.error says why the next kernel does not get it
 * @fd: the file, or -1 if it is an incoming one that could not be taken
 * @out: the session in which it is preserved, or -1
 * @came: the token of an incoming file in the incoming list, or 0 if the service has stored
 *	the file under this kernel. It differs from the token in @entry if another file got
 *	that token before the incoming list could be read.
 * @in: the incoming session of the file, until that is finished; or -1
 * @why: the errno with which the file could not be taken
 * @accepted: the service has it, so @in can be finished
 * @finishing: the child finishes @in
 */
struct file {
	struct list_entry entry;
	int fd;
	int out;
	unsigned int came;
	int in;
	int why;
	bool accepted;
	bool finishing;
};

struct keeper {
	const struct settings *set;

	/* store.c: the files, in the order in which they were stored */
	struct file file[FILES_MAX];
	unsigned int files;
	unsigned int room;		/* we have descriptors for at most this many files */
	int list, list_out;		/* the outgoing list, and its session; or -1 */
	int no_list;			/* why there is no such list, an errno */
	int not_written;		/* why the list is not up to date, an errno */

	/* arrival.c */
	int list_in;			/* the session of the incoming list, or -1 */
	bool known;			/* the incoming list was read, or there is none */
	const char *damage;		/* what is wrong with the incoming list, or NULL */
	struct list came;		/* its entries, until a service has started */
	bool accepted;			/* a service has started since the list was read */
	bool strays;			/* sessions that are in no list have to be ended */
	int finisher;			/* pipe that hangs up when the child ends; or -1 */
	pid_t finisher_pid;

	/* keeper.c */
	int lock, listener;
	int hangups;			/* epoll of files that are kept until they hang up */
	int client;			/* the connection to a luo-run, or -1 */
	pid_t client_pid;
	int service;			/* pidfd of the service, or -1 */
	char service_pid[16];
};

extern struct keeper keeper;

static inline bool came_in(const struct file *it)
{
	return it->came && (it->fd < 0 || it->in >= 0);
}

/* keeper.c: sends a message to the client. A client that does not listen is dropped. */
void __printf(2, 3) tell(__u32 what, const char *format, ...);

/* keeper.c: closes *fd if it is open, and sets it to -1. */
void drop_fd(int *fd);

/* keeper.c: the name of the session that holds the file with this token; 0 is the list. */
const char *session_name(unsigned int token);

/* keeper.c: is this a temporary error, after which the same call can work later? */
bool passes(int error);

/* store.c: adds an incoming file. The caller has checked that there is room. */
struct file *add_came(const struct list_entry *entry);

/*
 * store.c: keeps this file, whose name is valid; if @poll, until its other end is closed.
 */
void store(const char *name, int fd, bool poll);

/* store.c: forgets a file whose other end is closed, of those that were to be polled. */
void forget_hung_up(void);

/* store.c: forgets all files of this name. */
void remove_name(const char *name);

/* store.c: forgets one file, by its place. */
void forget(unsigned int i);

/* store.c: tries to create the outgoing list and to preserve it, if that was not done yet. */
void begin_list(void);

/* store.c: is there something that preserve_rest() would try? */
bool rest_waits(void);

/*
 * store.c: tries again to preserve the files whose last attempt failed for a temporary reason
 * or, if @device, because there was no device. Writes the list if writing it failed before.
 */
void preserve_rest(bool device);

/*
 * arrival.c: tries to take the incoming files that we do not have yet. Nothing is given up
 * here. Returns false if another program has the device.
 */
bool collect(void);

/* arrival.c: tells the client which files of the previous kernel are lost or wait. */
void tell_arrival(void);

/* arrival.c: the service has started. What is lost is given up, and the rest finished. */
void accept_arrival(void);

/* arrival.c: is there an undamaged incoming list, with no entry that waits for a service? */
bool nothing_came(void);

/* arrival.c: starts the child that finishes sessions, if needed and if none runs yet. */
void start_finisher(void);
void stop_finisher(void);

/* arrival.c: the child has ended. */
void finisher_ended(void);

/* arrival.c: is there something that go_on_with_arrival() would do? */
bool arrival_waits(void);

/* arrival.c: tries again what could not be finished or ended before. */
void go_on_with_arrival(void);

/* arrival.c: gives up all incoming sessions. Returns 0 or a negative errno. */
int drop_arrival(void);

#endif
