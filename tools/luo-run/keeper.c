// SPDX-License-Identifier: GPL-2.0-only
/*
 * keeper.c - the keeper of a session
 *
 * A process that holds what a service has stored, from the first start of the service to the
 * kexec. luo-run ends with the service, and the service with a restart or the shutdown; the
 * keeper does not. It owns the files, their names and order (store.c), and the sessions of
 * live update, the outgoing (store.c) and the incoming ones (arrival.c). One luo-run at a
 * time is connected to it, and not before the service of the previous luo-run has ended.
 *
 * A session cannot let go of a single file. So each file has a session of its own, whose name
 * is NAME:TOKEN, and the list of them is in the session NAME. That also means that a file
 * which arrives damaged does not take others with it.
 *
 * The kexec can come at any moment, so the rules at the top of store.c and arrival.c hold at
 * any moment. The end of the keeper ends its sessions. So it retrieves nothing from the
 * previous kernel before a client asks for it, and it limits the number of files to those for
 * which it has descriptors.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "keeper.h"
#include "link.h"
#include "notify.h"
#include "session.h"

/* The longest name of a session, with the token of a file. */
#define SESSION_SIZE	64

/* Descriptors for other things than files: the list, sockets, and short-lived ones. */
#define OTHER_FDS	32

struct keeper keeper = {
	.list = -1, .list_out = -1, .list_in = -1, .finisher = -1, .lock = -1, .listener = -1,
	.client = -1, .service = -1, .hangups = -1,
};

void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

const char *session_name(unsigned int token)
{
	static char name[SESSION_SIZE];

	if (token)
		snprintf(name, sizeof(name), "%.50s:%u", keeper.set->session, token);
	else
		snprintf(name, sizeof(name), "%.50s", keeper.set->session);
	return name;
}

bool passes(int error)
{
	return error == EAGAIN || error == ENOMEM || error == ENOSPC || error == EMFILE ||
	       error == ENFILE || error == EINTR || error == NOT_YET;
}

/* ------------------------------------------------------------- conversation */

static bool send_client(__u32 what, const char *text, int fd)
{
	if (keeper.client < 0)
		return false;
	/* A client that does not listen must not delay us again with each further message. */
	if (!link_send(keeper.client, what, text, fd))
		drop_fd(&keeper.client);
	return keeper.client >= 0;
}

void tell(__u32 what, const char *format, ...)
{
	char text[2 * NAME_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	send_client(what, text, -1);
}

static void answer_open(void)
{
	unsigned int i;

	/* If collect() has waited for the device in vain, do not wait for it again. */
	session_patience(collect());
	begin_list();
	preserve_rest(true);
	session_patience(true);
	for (i = 0; i < keeper.files; i++) {
		if (keeper.file[i].fd >= 0 &&
		    !send_client(LINK_FILE, keeper.file[i].entry.name, keeper.file[i].fd))
			return;
	}
	if (keeper.no_list)
		tell(LINK_LOST, "nothing can be kept over a kexec: %s",
		     preserve_error(keeper.no_list));
	tell_arrival();
	/* An incoming list without entries need not wait until a service has started. */
	if (nothing_came()) {
		accept_arrival();
		go_on_with_arrival();
	}
}

/* The client has started a service. The text is the pid of the service, for messages. */
static void set_service(const struct link_message *question, int *fd)
{
	if (*fd < 0)
		return;
	drop_fd(&keeper.service);
	keeper.service = *fd;
	*fd = -1;
	snprintf(keeper.service_pid, sizeof(keeper.service_pid), "%.15s", question->text);
}

static void answer_store(const struct link_message *question, int *fd)
{
	if (*fd < 0) {
		tell(LINK_TOLD, "'%s' is not kept: its descriptor has not arrived",
		     question->text);
	} else if (!name_valid(question->text)) {
		tell(LINK_TOLD, "a file is not kept: its name is not valid");
	} else {
		store(question->text, *fd, question->what == LINK_STORE_POLL);
		*fd = -1;
	}
}

/* Another keeper can begin as soon as the client has its answer. */
static void drop_all(void)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int error;

	while (keeper.files)
		forget(keeper.files - 1);
	error = drop_arrival();
	if (error)
		tell(LINK_LOST, "not all can be given up: %s", retrieve_error(-error));
	drop_fd(&keeper.list_out);
	drop_fd(&keeper.list);
	drop_fd(&keeper.listener);
	if (link_path(keeper.set, LINK_SOCKETS, "", path, sizeof(path)))
		unlink(path);
	drop_fd(&keeper.lock);
}

/* Answers the client. Returns false when the keeper has to end. */
static bool answer(void)
{
	struct link_message question;
	int fd;

	if (!link_receive(keeper.client, &question, &fd)) {
		drop_fd(&keeper.client);
		return true;
	}
	switch (question.what) {
	case LINK_OPEN:
		answer_open();
		break;
	case LINK_SERVICE:
		set_service(&question, &fd);
		break;
	case LINK_ACCEPT:
		accept_arrival();
		go_on_with_arrival();
		break;
	case LINK_STORE:
	case LINK_STORE_POLL:
		answer_store(&question, &fd);
		break;
	case LINK_REMOVE:
		remove_name(question.text);
		break;
	case LINK_DROP:
		drop_all();
		break;
	}
	drop_fd(&fd);
	tell(LINK_DONE, "%s", "");
	return question.what != LINK_DROP;
}

/* Does the service of a luo-run that has ended still run? Then it still has our files. */
static bool service_runs(void)
{
	struct pollfd on = { .fd = keeper.service, .events = POLLIN };

	if (keeper.service < 0)
		return false;
	if (!poll(&on, 1, 0))
		return true;
	drop_fd(&keeper.service);
	return false;
}

/* A luo-run connects. There is one client at a time. */
static void welcome(void)
{
	/* A client that has stopped must not stop the keeper. */
	struct timeval limit = { .tv_sec = 10 };
	int fd = accept4(keeper.listener, NULL, NULL, SOCK_CLOEXEC);
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	char pid[16];

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (keeper.client >= 0 || service_runs()) {
		snprintf(pid, sizeof(pid), "%d", keeper.client_pid);
		if (keeper.client >= 0)
			link_send(fd, LINK_BUSY, pid, -1);
		else
			link_send(fd, LINK_LEFT, keeper.service_pid, -1);
		link_send(fd, LINK_DONE, "", -1);
		close(fd);
		return;
	}
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	keeper.client = fd;
	keeper.client_pid = who.pid;
	tell(LINK_DONE, "%s", "");
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Retries what has failed before, if it is time. Returns the timeout for poll(). */
static int go_on(void)
{
	static long long when;

	if (!rest_waits() && !arrival_waits()) {
		when = 0;
		return -1;
	}
	if (!when) {
		when = now_ms() + RETRY_MS;
	} else if (now_ms() >= when) {
		/* A client must not have to wait until the device is free. */
		session_patience(false);
		preserve_rest(false);
		go_on_with_arrival();
		session_patience(true);
		when = now_ms() + RETRY_MS;
	}
	return RETRY_MS;
}

static int serve(void)
{
	struct pollfd on[4];
	bool run = true;

	while (run) {
		on[0] = (struct pollfd){ .fd = keeper.client, .events = POLLIN };
		on[1] = (struct pollfd){ .fd = keeper.listener, .events = POLLIN };
		on[2] = (struct pollfd){ .fd = keeper.finisher, .events = POLLIN };
		on[3] = (struct pollfd){ .fd = keeper.hangups, .events = POLLIN };
		if (poll(on, ARRAY_SIZE(on), go_on()) < 0)
			continue;
		/* This comes before answer(), which can start another child. */
		if (on[2].revents)
			finisher_ended();
		if (on[3].revents)
			forget_hung_up();
		if (on[0].revents)
			run = answer();
		/* A client that has just left must not keep out the next one. */
		else if (on[1].revents)
			welcome();
	}
	return 0;
}

/*
 * Takes the lock of the session, which only one keeper can have. Returns 0, or -1 with errno
 * set: EWOULDBLOCK if there is another keeper.
 */
static int become_only(void)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	if (!link_path(keeper.set, LINK_LOCKS, "", path, sizeof(path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	keeper.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return keeper.lock < 0 ? -1 : flock(keeper.lock, LOCK_EX | LOCK_NB);
}

/* Each file has a descriptor and a session. */
static void make_room(void)
{
	struct rlimit files;

	keeper.room = FILES_MAX;
	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur >= 2 * FILES_MAX + OTHER_FDS)
		return;
	keeper.room = files.rlim_cur > OTHER_FDS ? (files.rlim_cur - OTHER_FDS) / 2 : 0;
	say("session %s: there are descriptors for %u files only", keeper.set->session,
	    keeper.room);
}

/*
 * Tells luo-run, which has started this keeper, that it is ready: luo-run waits until our
 * end of its pipe is closed. From then on our messages go to the log of the kernel.
 */
static void detach(void)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	dup2(nothing, STDIN_FILENO);
	dup2(log < 0 ? nothing : log, STDERR_FILENO);
	dup2(nothing, STDOUT_FILENO);
	drop_fd(&nothing);
	drop_fd(&log);
}

int keeper_run(const struct settings *set)
{
	keeper.set = set;
	link_directories(set);
	if (become_only()) {
		if (errno != EWOULDBLOCK)
			say("%s/" LINK_LOCKS "/%s: %m", set->directory, set->session);
		/* If two luo-runs start a keeper at a time, both connect to the same one. */
		else if (!set->detach)
			say("session %s has a keeper", set->session);
		return EXIT_SELF;
	}
	make_room();
	/* If this fails, files stay in the store after their other end was closed. */
	keeper.hangups = epoll_create1(EPOLL_CLOEXEC);
	/* The journal, to which we write, ends before we do. */
	signal(SIGPIPE, SIG_IGN);
	if (chdir("/"))
		say("/: %m");
	keeper.listener = link_listen(set);
	if (keeper.listener < 0) {
		say("%s/" LINK_SOCKETS "/%s: %m", set->directory, set->session);
		return EXIT_SELF;
	}
	notify_outer("READY=1\nSTATUS=Keeps the files of a service", -1);
	if (set->detach)
		detach();
	return serve();
}
