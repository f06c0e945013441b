// SPDX-License-Identifier: GPL-2.0-only
/*
 * arrival.c - the sessions and files that a keeper gets from the previous kernel
 *
 * Owns the incoming sessions. To close one of them is to give up what was not taken out of
 * it. So the keeper retrieves no session until a service asks for its files, and gives one up
 * only if its file is lost for good and a service has started nevertheless. A file that cannot
 * be retrieved for a temporary reason waits, and the kernel refuses a kexec until it is taken.
 *
 * No kexec may find an incoming file without a session. The file has to leave its incoming
 * session before it can be preserved in a new one, so the list's incoming session is finished
 * last of all: until then the kernel refuses a kexec.
 *
 * To finish a session takes as long as it takes to bring all of its pages, and has to wait
 * when there is no memory. A child process does that, while the service already runs.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "link.h"
#include "session.h"

/* Is this error no sign of damage, so that the same call can work later? */
static bool waits(int error)
{
	return passes(error) || error == EBUSY || error == ENODEV || error == EACCES ||
	       error == EPERM;
}

/* ------------------------------------------------------------------ taking */

static void take(struct file *it)
{
	it->why = 0;
	if (it->in < 0) {
		it->in = session_retrieve(session_name(it->came));
		if (it->in < 0) {
			it->why = -it->in;
			it->in = -1;
			return;
		}
	}
	it->fd = session_take(it->in);
	if (it->fd < 0) {
		it->why = -it->fd;
		it->fd = -1;
	}
}

/*
 * Reads the incoming list. Returns an errno if that has to be tried again. If it returns 0,
 * there is no list, or keeper.came has it, or keeper.damage says what is wrong with it.
 */
static int read_list_in(void)
{
	bool later = false;
	int fd;

	keeper.damage = NULL;
	keeper.came.count = 0;
	if (keeper.list_in < 0) {
		fd = session_retrieve(session_name(0));
		if (fd == -ENOENT)
			return 0;
		if (fd < 0)
			goto failed;
		keeper.list_in = fd;
	}
	fd = session_take(keeper.list_in);
	if (fd < 0)
		goto failed;
	keeper.damage = list_read(fd, &keeper.came, &later);
	close(fd);
	if (!keeper.damage && keeper.files + keeper.came.count > keeper.room) {
		keeper.damage = "there are too many files";
		later = true;
	}
	if (later)
		keeper.came.count = 0;
	return later ? EBUSY : 0;
failed:
	/* With these errors nothing can be preserved either, and answer_open() says that. */
	if (fd != -ENODEV && fd != -EACCES && fd != -EPERM)
		keeper.damage = retrieve_error(-fd);
	return waits(-fd) ? -fd : 0;
}

bool collect(void)
{
	bool device = true;
	struct file *it;
	unsigned int i;
	int error;

	if (!keeper.known) {
		error = read_list_in();
		keeper.known = !error;
		device = error != EAGAIN;
		for (i = 0; keeper.known && i < keeper.came.count; i++) {
			if (!keeper.came.entry[i].error)
				add_came(&keeper.came.entry[i]);
		}
	}
	for (i = 0; i < keeper.files; i++) {
		it = &keeper.file[i];
		if (it->fd >= 0)
			continue;
		if (device)
			take(it);
		else
			it->why = EAGAIN;
		/* The program that has the device open will have it for the next file, too. */
		if (it->why == EAGAIN)
			device = false;
	}
	return device;
}

bool nothing_came(void)
{
	return keeper.known && keeper.list_in >= 0 && !keeper.damage && !keeper.came.count &&
	       !keeper.accepted;
}

void tell_arrival(void)
{
	const struct list_entry *entry;
	struct file *it;
	unsigned int i;

	if (keeper.damage)
		tell(LINK_LOST, "the files of the previous kernel %s: the list of them: %s",
		     keeper.known ? "are lost" : "wait", keeper.damage);
	for (i = 0; i < keeper.came.count; i++) {
		entry = &keeper.came.entry[i];
		/* ENOENT: files of this type are never handed over, so nothing was lost. */
		if (entry->error)
			tell(entry->error == ENOENT ? LINK_TOLD : LINK_LOST,
			     "'%s' was not handed over: %s", entry->name,
			     preserve_error(entry->error));
	}
	for (i = 0; i < keeper.files; i++) {
		it = &keeper.file[i];
		if (it->fd < 0)
			tell(LINK_LOST, "'%s' %s: %s", it->entry.name,
			     waits(it->why) ? "cannot be had now, and waits" : "is lost",
			     retrieve_error(it->why));
	}
}

/* --------------------------------------------------------------- finishing */

void accept_arrival(void)
{
	unsigned int i = keeper.files;
	struct file *it;

	while (i--) {
		it = &keeper.file[i];
		if (it->fd < 0 && !waits(it->why))
			forget(i);
		else if (it->fd >= 0 && it->in >= 0)
			it->accepted = true;
	}
	if (keeper.known && (keeper.list_in >= 0 || keeper.damage) && !keeper.accepted) {
		keeper.accepted = true;
		keeper.strays = true;
	}
	if (keeper.known) {
		keeper.came.count = 0;
		keeper.damage = NULL;
	}
	start_finisher();
}

/* In the child: finishes the sessions of all files that the service has. */
static void finish_all(void)
{
	unsigned int i;
	int error, said;

	for (i = 0; i < keeper.files; i++) {
		if (!keeper.file[i].finishing)
			continue;
		said = 0;
		while ((error = session_finish(keeper.file[i].in))) {
			if (error != said)
				say("session %s: '%s' waits, and no kexec is possible: %s",
				    keeper.set->session, keeper.file[i].entry.name,
				    finish_error(-error));
			said = error;
			wait_ms(RETRY_MS);
		}
	}
}

/*
 * Of the descriptors that it shares with the keeper, the child needs only the sessions that
 * it finishes. It closes all others: what the keeper closes must not stay open here.
 */
static void become_finisher(pid_t parent, int ready)
{
	struct file *it;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	drop_fd(&keeper.lock);
	drop_fd(&keeper.listener);
	drop_fd(&keeper.client);
	drop_fd(&keeper.service);
	drop_fd(&keeper.hangups);
	drop_fd(&keeper.list);
	drop_fd(&keeper.list_out);
	for (i = 0; i < keeper.files; i++) {
		it = &keeper.file[i];
		drop_fd(&it->fd);
		drop_fd(&it->out);
		if (!it->finishing)
			drop_fd(&it->in);
	}
	if (write(ready, "", 1) < 0)
		_exit(1);
	finish_all();
	_exit(0);
}

static bool must_finish(void)
{
	unsigned int i;

	for (i = 0; !keeper.finisher_pid && i < keeper.files; i++) {
		if (keeper.file[i].accepted)
			return true;
	}
	return false;
}

void start_finisher(void)
{
	pid_t parent = getpid();
	unsigned int i;
	int ends[2];
	char byte;

	if (!must_finish() || pipe2(ends, O_CLOEXEC))
		return;
	for (i = 0; i < keeper.files; i++)
		keeper.file[i].finishing = keeper.file[i].accepted;
	keeper.finisher_pid = fork();
	if (!keeper.finisher_pid)
		become_finisher(parent, ends[1]);
	close(ends[1]);
	keeper.finisher = ends[0];
	/* If the child has ended already then poll() will say so. */
	if (keeper.finisher_pid > 0 && read(ends[0], &byte, 1) >= 0)
		return;
	if (keeper.finisher_pid < 0)
		keeper.finisher_pid = 0;
	stop_finisher();
}

/* Reaps the child. Returns the status of waitpid(). */
static int reap_finisher(void)
{
	int status = -1;

	drop_fd(&keeper.finisher);
	while (keeper.finisher_pid && waitpid(keeper.finisher_pid, &status, 0) < 0 &&
	       errno == EINTR)
		;
	keeper.finisher_pid = 0;
	return status;
}

void stop_finisher(void)
{
	unsigned int i;

	if (keeper.finisher_pid)
		kill(keeper.finisher_pid, SIGKILL);
	reap_finisher();
	for (i = 0; i < keeper.files; i++)
		keeper.file[i].finishing = false;
}

/* All pages are there now: preserve the files in new sessions, like any other file. */
void finisher_ended(void)
{
	int status = reap_finisher();
	struct file *it;
	unsigned int i;

	if (status) {
		say("session %s: the process that finishes it ended (%#x): free memory; retrying",
		    keeper.set->session, status);
		stop_finisher();
		return;
	}
	for (i = 0; i < keeper.files; i++) {
		it = &keeper.file[i];
		if (!it->finishing)
			continue;
		it->finishing = false;
		it->accepted = false;
		drop_fd(&it->in);
		it->entry.error = NOT_YET;
	}
	preserve_rest(false);
	go_on_with_arrival();
}

/*
 * Finishes a session and closes it. A session that cannot be finished, because there is no
 * memory, goes on waiting after it is closed. Returns 0 or a negative errno.
 */
static int end_session(int session)
{
	int error = session_finish(session);

	close(session);
	return error;
}

/*
 * Ends incoming sessions of our name that belong to no file in the list, so that they do not
 * wait for ever. Returns 0 or a negative errno: that of the device, or -ENOMEM if one of them
 * goes on waiting.
 */
static int discard_strays(void)
{
	bool listed[FILES_MAX + 1] = { false };
	unsigned int token, i;
	int session, error = 0;

	for (i = 0; i < keeper.files; i++) {
		if (came_in(&keeper.file[i]))
			listed[keeper.file[i].came] = true;
	}
	for (token = 1; token <= FILES_MAX; token++) {
		session = listed[token] ? -ENOENT : session_retrieve(session_name(token));
		if (session == -ENODEV || passes(-session))
			return session;
		if (session >= 0 && passes(-end_session(session)))
			error = -ENOMEM;
	}
	return error;
}

/* Is there a file that would be lost if a kexec took place now? */
static bool list_in_is_needed(void)
{
	unsigned int i;

	for (i = 0; i < keeper.files; i++) {
		if (came_in(&keeper.file[i]))
			return true;
	}
	return rest_waits();
}

bool arrival_waits(void)
{
	return must_finish() || keeper.strays ||
	       (keeper.accepted && keeper.list_in >= 0 && !keeper.finisher_pid);
}

void go_on_with_arrival(void)
{
	start_finisher();
	if (keeper.strays)
		keeper.strays = passes(-discard_strays());
	if (keeper.accepted && !keeper.strays && !list_in_is_needed() &&
	    keeper.list_in >= 0 && !passes(-session_finish(keeper.list_in)))
		drop_fd(&keeper.list_in);
}

int drop_arrival(void)
{
	int session, error, list = 0;

	drop_fd(&keeper.list_in);
	session = session_retrieve(session_name(0));
	if (session >= 0)
		list = end_session(session);
	else if (session != -ENOENT)
		list = session;
	error = discard_strays();
	if (!error)
		error = list;
	return error == -ENODEV ? 0 : error;
}
