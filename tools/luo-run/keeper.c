// SPDX-License-Identifier: GPL-2.0-only
/*
 * keeper.c - the keeper of a session
 *
 * A process that holds what a service has stored, from the first start of the service to the
 * kexec. luo-run ends with the service, and the service with a restart or the shutdown; the
 * keeper does not. It owns the files, their names and order, and the sessions of live update.
 * One luo-run at a time is connected to it.
 *
 * A session cannot let go of a single file. So each file has a session of its own, whose name
 * is NAME:TOKEN, and the list of them is in the session NAME. That also means that a file
 * which comes in damaged is lost alone.
 *
 * What must hold at each moment, because the kexec can come at each moment:
 *
 * - A file that is in the list has its session. So the list is written after a file was
 *   preserved, and before it is given up. The other way round, a session that is in no list
 *   can come in, and is ended.
 * - A file that came in is never without a session. It has to leave the one that came in
 *   before it can be in a new one, so the list's incoming session is finished last of all:
 *   until then the kernel refuses a kexec.
 *
 * To finish a session takes as long as it takes to bring all of its pages, and has to wait
 * when there is no memory. A child does that, while the service already runs.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link.h"
#include "list.h"
#include "luo-run.h"
#include "notify.h"
#include "session.h"

/* The longest name of a session, with the token of a file. */
#define SESSION_SIZE	64

/**
 * struct file - a file of the service
 * @entry: its name and token; @entry.error says why the next kernel does not get it
 * @fd: the file, or -1 if it came in and could not be taken
 * @out: the session in which it is preserved, or -1
 * @in: the session in which it came, until that is finished; or -1
 * @why: the error with which it could not be taken
 */
struct file {
	struct list_entry entry;
	int fd;
	int out;
	int in;
	int why;
};

static struct {
	const struct settings *set;
	struct file file[FILES_MAX];	/* in the order in which they were stored */
	unsigned int files;

	int list, list_out;		/* the list that goes out, and its session; or -1 */
	int no_list;			/* why there is none, an errno */

	int list_in;			/* the session of the list that came in, or -1 */
	char damage[NAME_SIZE];		/* what is wrong with it, or "" */
	struct list came;		/* what it said */
	bool arrived;			/* something came in, and was not accepted yet */
	bool unread;			/* the list could not be had, for now */

	int finisher;			/* ends when the child that finishes does; or -1 */
	pid_t finisher_pid;
	int lock, listener, client;	/* -1: nobody */
	pid_t client_pid;
} keeper;

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The name of the session that holds the file with this token; 0 is the list. */
static const char *session_name(unsigned int token)
{
	static char name[SESSION_SIZE];

	if (token)
		snprintf(name, sizeof(name), "%.50s:%u", keeper.set->session, token);
	else
		snprintf(name, sizeof(name), "%.50s", keeper.set->session);
	return name;
}

/* ------------------------------------------------------------ what goes out */

/* Puts a file into a session of its own. Returns the session, or a negative errno. */
static int preserve(unsigned int token, int fd)
{
	int session = session_create(session_name(token)), error;

	if (session < 0)
		return session;
	error = session_preserve(session, fd);
	if (!error)
		return session;
	close(session);
	return error;
}

static void write_list(void)
{
	static struct list list;
	unsigned int i;

	if (keeper.list < 0)
		return;
	list.count = 0;
	for (i = 0; i < keeper.files; i++) {
		if (keeper.file[i].fd >= 0)
			list.entry[list.count++] = keeper.file[i].entry;
	}
	if (list_write(keeper.list, &list))
		say("session %s: the list of files cannot be written: %m", keeper.set->session);
}

/* Tries to put the list into its session, if it is not. */
static void begin_list(void)
{
	int fd, session;

	if (keeper.list_out >= 0)
		return;
	fd = list_create();
	session = fd < 0 ? -errno : preserve(0, fd);
	if (session < 0) {
		keeper.no_list = -session;
		if (fd >= 0)
			close(fd);
		return;
	}
	keeper.list = fd;
	keeper.list_out = session;
	keeper.no_list = 0;
	write_list();
}

/* Preserves a file that is in no session. What fails is in @entry.error. */
static void preserve_file(struct file *it)
{
	begin_list();
	it->out = keeper.no_list ? -keeper.no_list : preserve(it->entry.token, it->fd);
	it->entry.error = it->out < 0 ? -it->out : 0;
	if (it->out < 0)
		it->out = -1;
}

static unsigned int free_token(void)
{
	bool used[FILES_MAX + 1] = { false };
	unsigned int i, token = 1;

	for (i = 0; i < keeper.files; i++)
		used[keeper.file[i].entry.token] = true;
	while (used[token])
		token++;
	return token;
}

/*
 * Are these descriptors of the same open file? Where the kernel cannot compare them, two of
 * the same file that are open in the same way count.
 */
static bool same_file(int a, int b)
{
	struct stat of_a, of_b;
	long differ = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b);

	if (differ >= 0)
		return !differ;
	return !fstat(a, &of_a) && !fstat(b, &of_b) && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino && of_a.st_rdev == of_b.st_rdev &&
	       fcntl(a, F_GETFL) == fcntl(b, F_GETFL);
}

static void forget(unsigned int i)
{
	struct file it = keeper.file[i];

	keeper.files--;
	memmove(&keeper.file[i], &keeper.file[i + 1],
		(keeper.files - i) * sizeof(keeper.file[0]));
	write_list();
	drop_fd(&it.fd);
	drop_fd(&it.out);
	drop_fd(&it.in);
}

static void __printf(2, 3) tell(__u32 what, const char *format, ...)
{
	char text[2 * NAME_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	link_send(keeper.client, what, text, -1);
}

static void store(const char *name, int fd)
{
	struct file *it;
	unsigned int i;

	for (i = 0; i < keeper.files; i++) {
		/* As in systemd, the first name remains. */
		if (keeper.file[i].fd >= 0 && same_file(keeper.file[i].fd, fd)) {
			close(fd);
			return;
		}
	}
	if (keeper.files == FILES_MAX) {
		tell(LINK_TOLD, "'%s' is not kept: there are %d files", name, FILES_MAX);
		close(fd);
		return;
	}
	it = &keeper.file[keeper.files];
	*it = (struct file){ .entry.token = free_token(), .fd = fd, .out = -1, .in = -1 };
	memcpy(it->entry.name, name, strlen(name) + 1);
	preserve_file(it);
	keeper.files++;
	write_list();
	if (it->entry.error)
		tell(LINK_TOLD, "'%s' is kept for restarts and not over a kexec: %s", name,
		     preserve_error(it->entry.error));
}

static void remove_name(const char *name)
{
	unsigned int i = keeper.files;

	while (i--) {
		if (keeper.file[i].fd >= 0 && !strcmp(keeper.file[i].entry.name, name))
			forget(i);
	}
}

/* ------------------------------------------------------------- what came in */

static void take(struct file *it)
{
	if (it->in < 0) {
		it->in = session_retrieve(session_name(it->entry.token));
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

/* Would the same call perhaps work later? */
static bool passes(int error)
{
	return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
}

/* Reads the list that came in. Returns false if there is none that can be read. */
static bool read_list_in(void)
{
	const char *wrong;
	int fd;

	if (keeper.list_in < 0) {
		fd = session_retrieve(session_name(0));
		if (fd == -ENOENT || fd == -ENODEV)
			return false;
		keeper.list_in = fd < 0 ? -1 : fd;
	}
	if (keeper.list_in >= 0)
		fd = session_take(keeper.list_in);
	wrong = fd < 0 ? retrieve_error(-fd) : list_read(fd, &keeper.came);
	snprintf(keeper.damage, sizeof(keeper.damage), "%s", wrong ?: "");
	keeper.unread = fd < 0 && passes(-fd);
	keeper.arrived = true;
	if (fd >= 0)
		close(fd);
	return !wrong;
}

/* Takes what the previous kernel has handed over. Nothing is given up here. */
static void collect(void)
{
	struct file *it;
	unsigned int i;

	if (!read_list_in())
		return;
	for (i = 0; i < keeper.came.count; i++) {
		if (keeper.came.entry[i].error)
			continue;
		it = &keeper.file[keeper.files++];
		*it = (struct file){
			.entry = keeper.came.entry[i], .fd = -1, .out = -1, .in = -1,
		};
		take(it);
	}
}

/* Tells the client what came in and what did not. */
static void tell_arrival(void)
{
	const struct list_entry *entry;
	struct file *it;
	unsigned int i;

	if (keeper.damage[0])
		tell(LINK_LOST, "the files of the previous kernel are lost: the list of them: %s",
		     keeper.damage);
	for (i = 0; i < keeper.came.count; i++) {
		entry = &keeper.came.entry[i];
		if (entry->error)
			tell(LINK_TOLD, "'%s' was not handed over: %s", entry->name,
			     preserve_error(entry->error));
	}
	for (i = 0; i < keeper.files; i++) {
		it = &keeper.file[i];
		if (it->fd < 0)
			tell(LINK_LOST, "'%s' is lost: %s", it->entry.name,
			     retrieve_error(it->why));
	}
}

static void answer_open(void)
{
	struct file *it;
	unsigned int i;

	if (keeper.unread)
		collect();
	begin_list();
	for (i = 0; i < keeper.files; i++) {
		it = &keeper.file[i];
		if (it->fd < 0)
			take(it);
		/* What could not be preserved for a reason that is gone. */
		if (it->entry.error && !keeper.no_list &&
		    (passes(it->entry.error) || it->entry.error == ENODEV)) {
			preserve_file(it);
			write_list();
		}
		if (it->fd >= 0)
			link_send(keeper.client, LINK_FILE, it->entry.name, it->fd);
	}
	if (keeper.no_list)
		tell(LINK_LOST, "nothing can be kept over a kexec: %s",
		     preserve_error(keeper.no_list));
	if (keeper.arrived)
		tell_arrival();
}

/* Ends sessions of our name that are in no list, so that they do not wait for ever. */
static void discard_strays(void)
{
	unsigned int token;
	int session;

	for (token = 1; token <= FILES_MAX; token++) {
		session = session_retrieve(session_name(token));
		if (session >= 0)
			close(session);
		else if (session == -ENODEV || session == -EAGAIN)
			return;
	}
}

/* In the child: finishes all sessions but that of the list. */
static void finish_all(void)
{
	bool told = false;
	unsigned int i;
	int error;

	for (i = 0; i < keeper.files; i++) {
		while (keeper.file[i].in >= 0 &&
		       (error = session_finish(keeper.file[i].in)) == -ENOMEM) {
			if (!told)
				say("session %s: '%s' waits for memory, and no kexec is possible",
				    keeper.set->session, keeper.file[i].entry.name);
			told = true;
			wait_ms(1000);
		}
	}
}

/* The service starts. What was lost is given up, and the rest gets new sessions. */
static void accept_arrival(void)
{
	unsigned int i = keeper.files;
	int ends[2];
	pid_t pid;

	if (!keeper.arrived)
		return;
	keeper.arrived = false;
	if (keeper.unread) {
		/* It is not known to be lost, so it waits, and the kernel refuses a kexec. */
		keeper.unread = false;
		return;
	}
	keeper.came.count = 0;
	keeper.damage[0] = '\0';
	while (i--) {
		if (keeper.file[i].fd < 0)
			forget(i);
	}
	discard_strays();
	pid = pipe2(ends, O_CLOEXEC) ? -1 : fork();
	if (!pid) {
		/* Of what it has in common with the keeper it needs what came in. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		drop_fd(&keeper.listener);
		drop_fd(&keeper.client);
		drop_fd(&keeper.list_out);
		finish_all();
		_exit(0);
	}
	if (pid < 0) {
		finish_all();
		keeper.finisher = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return;
	}
	close(ends[1]);
	keeper.finisher = ends[0];
	keeper.finisher_pid = pid;
}

/* All pages are there: the files are like any others, and go into new sessions. */
static void preserve_again(void)
{
	struct file *it;
	unsigned int i;

	drop_fd(&keeper.finisher);
	if (keeper.finisher_pid)
		waitpid(keeper.finisher_pid, NULL, 0);
	keeper.finisher_pid = 0;
	for (i = 0; i < keeper.files; i++) {
		it = &keeper.file[i];
		if (it->in < 0)
			continue;
		drop_fd(&it->in);
		preserve_file(it);
		if (it->entry.error)
			say("session %s: '%s' is kept for restarts and not over a kexec: %s",
			    keeper.set->session, it->entry.name,
			    preserve_error(it->entry.error));
	}
	write_list();
	drop_fd(&keeper.list_in);
}

/* ------------------------------------------------------------- conversation */

/* Another keeper can begin as soon as the client has its answer. */
static void drop_all(void)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	if (keeper.finisher_pid) {
		kill(keeper.finisher_pid, SIGKILL);
		waitpid(keeper.finisher_pid, NULL, 0);
	}
	while (keeper.files)
		forget(keeper.files - 1);
	discard_strays();
	drop_fd(&keeper.list_in);
	drop_fd(&keeper.list_out);
	drop_fd(&keeper.list);
	drop_fd(&keeper.listener);
	if (link_path(keeper.set, "", path, sizeof(path)))
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
	if (question.what == LINK_STORE && fd >= 0 && name_valid(question.text)) {
		store(question.text, fd);
		fd = -1;
	}
	if (fd >= 0)
		close(fd);
	switch (question.what) {
	case LINK_OPEN:
		answer_open();
		break;
	case LINK_ACCEPT:
		accept_arrival();
		break;
	case LINK_REMOVE:
		remove_name(question.text);
		break;
	case LINK_DROP:
		drop_all();
		break;
	}
	tell(LINK_DONE, "%s", "");
	return question.what != LINK_DROP;
}

/* Somebody connects. There is one client at a time. */
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
	if (keeper.client >= 0) {
		snprintf(pid, sizeof(pid), "%d", keeper.client_pid);
		link_send(fd, LINK_BUSY, pid, -1);
		link_send(fd, LINK_DONE, "", -1);
		close(fd);
		return;
	}
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	keeper.client = fd;
	keeper.client_pid = who.pid;
	tell(LINK_DONE, "%s", "");
}

static int serve(void)
{
	struct pollfd on[3];
	bool go_on = true;

	while (go_on) {
		on[0] = (struct pollfd){ .fd = keeper.client, .events = POLLIN };
		on[1] = (struct pollfd){ .fd = keeper.listener, .events = POLLIN };
		on[2] = (struct pollfd){ .fd = keeper.finisher, .events = POLLIN };
		if (poll(on, ARRAY_SIZE(on), -1) < 0)
			continue;
		if (on[0].revents)
			go_on = answer();
		/* One who has just left must not keep out the next one. */
		else if (on[1].revents)
			welcome();
		if (on[2].revents)
			preserve_again();
	}
	return 0;
}

/* Only one keeper of a session can be there. Returns 0, or -1 if there is another one. */
static int become_only(void)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	if (!link_path(keeper.set, ".lock", path, sizeof(path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	keeper.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return keeper.lock < 0 ? -1 : flock(keeper.lock, LOCK_EX | LOCK_NB);
}

/*
 * Says that the keeper is ready: luo-run waits until the other end of its pipe is closed.
 * Nobody is to wait for our output from then on.
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
	struct rlimit files;

	keeper.set = set;
	keeper.list = -1;
	keeper.list_out = -1;
	keeper.list_in = -1;
	keeper.finisher = -1;
	keeper.client = -1;
	mkdir(set->directory, 0755);
	if (become_only()) {
		if (errno == EWOULDBLOCK)
			say("session %s has a keeper", set->session);
		else
			say("%s/%s.lock: %m", set->directory, set->session);
		return EXIT_SELF;
	}
	/* Each file has a descriptor and a session. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* The journal ends before we do. */
	signal(SIGPIPE, SIG_IGN);
	if (chdir("/"))
		say("/: %m");
	collect();
	keeper.listener = link_listen(set);
	if (keeper.listener < 0) {
		say("%s/%s: %m", set->directory, set->session);
		return EXIT_SELF;
	}
	notify_outer("READY=1\nSTATUS=Keeps the files of a service", -1);
	if (set->detach)
		detach();
	return serve();
}
