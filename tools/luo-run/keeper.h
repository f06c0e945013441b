/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * keeper.h - what the parts of the keeper share
 *
 * keeper.c is the process and its conversation with luo-run, store.c has the files and what
 * goes out, arrival.c what came in.
 */
#ifndef LUO_RUN_KEEPER_H
#define LUO_RUN_KEEPER_H

#include <sys/types.h>

#include "list.h"
#include "luo-run.h"

/* What could not be done is tried again so often. */
#define RETRY_MS	1000

/*
 * The error of a file that has lost its session and was not tried yet. Like the others of
 * passes() it is gone some time.
 */
#define NOT_YET	EINPROGRESS

/**
 * struct file - a file of the service
 * @entry: its name and token; @entry.error says why the next kernel does not get it
 * @fd: the file, or -1 if it came in and could not be taken
 * @out: the session in which it is preserved, or -1
 * @came: the token with which it came in, or 0 if it was made here. It is another one than
 *	that of @entry if a file was stored before the list could be read.
 * @in: the session in which it came, until that is finished; or -1
 * @why: the error with which it could not be taken
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
	unsigned int room;		/* for so many we have descriptors */
	int list, list_out;		/* the list that goes out, and its session; or -1 */
	int no_list;			/* why there is none, an errno */
	int not_written;		/* why it is not what it should be, an errno */

	/* arrival.c */
	int list_in;			/* the session of the list that came in, or -1 */
	bool known;			/* what came in is known */
	const char *damage;		/* what is wrong with the list, or NULL */
	struct list came;		/* what it said */
	bool accepted;			/* a service has started since then */
	bool strays;			/* sessions that are in no list have to be ended */
	int finisher;			/* ends when the child that finishes does; or -1 */
	pid_t finisher_pid;

	/* keeper.c */
	int lock, listener;
	int hangups;			/* epoll of files that are kept until they hang up */
	int client;			/* -1: nobody */
	pid_t client_pid;
	int service;			/* pidfd of the service, or -1 */
	char service_pid[16];
};

extern struct keeper keeper;

static inline bool came_in(const struct file *it)
{
	return it->came && (it->fd < 0 || it->in >= 0);
}

/* keeper.c: tells the client a line. A client that does not listen is dropped. */
void __printf(2, 3) tell(__u32 what, const char *format, ...);

/* keeper.c: closes what is open. */
void drop_fd(int *fd);

/* keeper.c: the name of the session that holds the file with this token; 0 is the list. */
const char *session_name(unsigned int token);

/* keeper.c: would the same call perhaps work later? */
bool passes(int error);

/* store.c: adds a file that came in. The caller has checked that there is room. */
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

/* store.c: tries to put the list into its session, if it is not. */
void begin_list(void);

/* store.c: is there something that preserve_rest() would try? */
bool rest_waits(void);

/*
 * store.c: puts files into sessions that are in none for a reason that passes, or, if @device,
 * as there was no device. Writes the list, if that failed.
 */
void preserve_rest(bool device);

/*
 * arrival.c: asks for what came in and is not there yet. Nothing is given up here. Returns
 * false if another program has the device.
 */
bool collect(void);

/* arrival.c: tells the client what came in and what did not. */
void tell_arrival(void);

/* arrival.c: the service has started. What is lost is given up, and the rest finished. */
void accept_arrival(void);

/* arrival.c: has all that came in been taken, and did nobody ask for it? */
bool nothing_came(void);

/* arrival.c: starts the child that finishes, if there is something to finish and none yet. */
void start_finisher(void);
void stop_finisher(void);

/* arrival.c: the child has ended. */
void finisher_ended(void);

/* arrival.c: is there something that go_on_with_arrival() would do? */
bool arrival_waits(void);

/* arrival.c: does what could not be done before. */
void go_on_with_arrival(void);

/* arrival.c: gives up all that came in. Returns 0 or a negative errno. */
int drop_arrival(void);

#endif
