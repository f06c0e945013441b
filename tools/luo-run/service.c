// SPDX-License-Identifier: GPL-2.0-only
/*
 * service.c - runs the service, as systemd would
 *
 * Owns the process of the service, its environment, the socket for its messages, and the
 * connection to the keeper (keeper.c), which has its files.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "link.h"
#include "luo-run.h"
#include "notify.h"

/* The first descriptor that is passed to a service, see sd_listen_fds(3). */
#define FIRST_FD	3

/* As many as fit into one message of a socket. */
#define MESSAGE_FDS	253

/* At most this many messages are read before other events, such as signals, are handled. */
#define MESSAGES	32

/* More messages than can wait in a socket: systemd sets net.unix.max_dgram_qlen to 512. */
#define LAST_MESSAGES	4096

/* To preserve a file of some TiB takes minutes. */
#define LINK_LIMIT_S	600
#define LINK_STEP_S	10

/* How long the service of a luo-run that was killed may take to end. */
#define LEFT_LIMIT_MS	10000

/* This directory exists where systemd runs. */
#ifndef SYSTEMD_DIRECTORY
#define SYSTEMD_DIRECTORY	"/run/systemd/system"
#endif

#ifndef CGROUP_FILE
#define CGROUP_FILE		"/proc/self/cgroup"
#endif

static struct {
	const struct settings *set;
	int link;			/* to the keeper, or -1 */
	int notify;			/* where the service sends its messages */
	char notify_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int signals;
	sigset_t mask_before;
	void (*sigpipe_before)(int number);
	void (*sigchld_before)(int number);
	struct rlimit files_before;

	int fd[FILES_MAX];		/* what the service gets */
	char *name[FILES_MAX];
	unsigned int files;
	bool lost;			/* something is not there, or cannot be kept */
	bool left;			/* an earlier luo-run's service still has them */

	pid_t main;
	bool child_ended;		/* there was a SIGCHLD */
} it = {
	.link = -1, .notify = -1, .signals = -1,
};

/* These signals are forwarded to the service. */
static const int forwarded[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH,
};

/* ----------------------------------------------------------------- keeper */

/* Starts a keeper that does not end with us, and waits until it listens or has failed. */
static void start_keeper(void)
{
	/* The @ at the front tells systemd's last kill to spare it. */
	char *const words[] = {
		"@luo-run", "--directory", (char *)it.set->directory, "--detach", "--keep",
		(char *)it.set->session, NULL,
	};
	char byte;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return;
	pid = fork();
	if (!pid) {
		setsid();
		if (fork())
			_exit(0);
		/* We notify our service manager about the service, not about the keeper. */
		unsetenv("NOTIFY_SOCKET");
		dup2(ends[1], STDOUT_FILENO);
		/* The descriptors that we were started with are for the service. */
		syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
		execv("/proc/self/exe", words);
		say("/proc/self/exe: %m");
		_exit(1);
	}
	close(ends[1]);
	if (pid > 0) {
		waitpid(pid, NULL, 0);
		while (read(ends[0], &byte, 1) > 0)
			;
	}
	close(ends[0]);
}

static void detach(void)
{
	if (it.link >= 0)
		close(it.link);
	it.link = -1;
}

static void add_file(const char *name, int fd)
{
	if (fd < 0 || it.files == FILES_MAX) {
		say("session %s: '%s' cannot be passed on: there are too many files",
		    it.set->session, name);
		it.lost = true;
		if (fd >= 0)
			close(fd);
		return;
	}
	it.fd[it.files] = fd;
	it.name[it.files++] = strdup(name);
}

static void keeper_gone(void)
{
	say("session %s: its keeper is gone, or is of another version: nothing is kept any more",
	    it.set->session);
	it.lost = true;
	detach();
}

/* Deals with the next signal, if there is one: it can have been taken meanwhile. */
static void take_signal(void)
{
	struct signalfd_siginfo signal;

	if (read(it.signals, &signal, sizeof(signal)) != sizeof(signal))
		return;
	if (signal.ssi_signo == SIGCHLD)
		it.child_ended = true;
	/* The terminal sends its signals to the service itself. */
	else if (signal.ssi_code != SI_KERNEL && it.main > 0)
		kill(it.main, signal.ssi_signo);
}

/* Waits for an answer, and passes signals on meanwhile. Returns false if no answer came. */
static bool wait_for_keeper(void)
{
	struct pollfd on[] = {
		{ .fd = it.link, .events = POLLIN },
		{ .fd = it.signals, .events = POLLIN },
	};
	int waited = 0, ready;

	while (waited < LINK_LIMIT_S) {
		ready = poll(on, ARRAY_SIZE(on), LINK_STEP_S * 1000);
		if (ready < 0)
			continue;
		if (!ready) {
			if (!waited)
				say("session %s: its keeper does not answer yet",
				    it.set->session);
			waited += LINK_STEP_S;
			/* We forward nothing now: that must not get the service killed. */
			notify_outer("EXTEND_TIMEOUT_USEC=60000000\nWATCHDOG=1", -1);
			continue;
		}
		if (on[1].revents)
			take_signal();
		if (on[0].revents)
			return true;
	}
	return false;
}

/* Deals with the answers of the keeper, of which the last one is LINK_DONE. */
static void hear(void)
{
	struct link_message answer;
	int fd;

	do {
		if (!wait_for_keeper() || !link_receive(it.link, &answer, &fd)) {
			keeper_gone();
			return;
		}
		switch (answer.what) {
		case LINK_FILE:
			add_file(answer.text, fd);
			break;
		case LINK_BUSY:
			say("session %s is in use by process %s", it.set->session, answer.text);
			it.lost = true;
			detach();
			return;
		case LINK_LEFT:
			if (!it.left)
				say("session %s: process %s, which has its files, has to end first",
				    it.set->session, answer.text);
			it.left = true;
			detach();
			return;
		case LINK_LOST:
		case LINK_TOLD:
			it.lost |= answer.what == LINK_LOST;
			say("session %s: %s", it.set->session, answer.text);
			break;
		}
	} while (answer.what != LINK_DONE);
}

/* Asks the keeper, and deals with its answers. Does nothing if there is no keeper. */
static void ask(__u32 what, const char *text, int with)
{
	if (it.link < 0)
		return;
	if (link_send(it.link, what, text, with))
		hear();
	else
		keeper_gone();
}

/* Is this a unit whose processes systemd ends together with the unit? */
static bool is_unit(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (!strcmp(dot, ".service") || !strcmp(dot, ".scope")) &&
	       strcmp(name, "init.scope");
}

/* The unit to which we, and any keeper that we start, belong; NULL if there is none. */
static const char *our_unit(void)
{
	static char unit[NAME_SIZE];
	char line[4096], *path, *part;
	FILE *file;

	unit[0] = '\0';
	if (access(SYSTEMD_DIRECTORY, F_OK))
		return NULL;
	file = fopen(CGROUP_FILE, "re");
	while (file && fgets(line, sizeof(line), file)) {
		/* systemd's hierarchy is the second version's, or has its name. */
		if (strncmp(line, "0::", 3) && !strstr(line, ":name=systemd:"))
			continue;
		path = strchr(line, '/');
		while ((part = strsep(&path, "/\n"))) {
			if (is_unit(part))
				snprintf(unit, sizeof(unit), "%s", part);
		}
	}
	if (file)
		fclose(file);
	return unit[0] ? unit : NULL;
}

/* Would a keeper that we start outlive our unit? Prints a line if it would not. */
static bool would_keep(void)
{
	const char *unit = our_unit();

	if (unit)
		say("session %s: without luo-keep@%s.service, files end with %s",
		    it.set->session, it.set->session, unit);
	return !unit;
}

static bool nobody_listens(void)
{
	return it.link < 0 && (errno == ENOENT || errno == ECONNREFUSED);
}

/* Starts a keeper, and connects to it, or to the one that another luo-run has just started. */
static void connect_new(void)
{
	int tries = 0;

	start_keeper();
	for (;;) {
		it.link = link_connect(it.set);
		if (!nobody_listens() || ++tries == 20)
			return;
		wait_ms(100);
	}
}

/* Connects to the keeper, which says whether it has time for us. */
static void attach_once(bool keeps)
{
	it.link = link_connect(it.set);
	if (nobody_listens()) {
		if (keeps && !would_keep() && it.set->require) {
			it.lost = true;
			return;
		}
		connect_new();
	}
	if (it.link < 0) {
		say("session %s: there is no keeper: %s/" LINK_SOCKETS "/%s: %m",
		    it.set->session, it.set->directory, it.set->session);
		it.lost = true;
		return;
	}
	hear();
}

/*
 * Connects to the keeper, and waits if the service of an earlier luo-run still has the files.
 * @keeps: the connection is for keeping files, and not for dropping them.
 */
static void attach(bool keeps)
{
	unsigned int waited = 0;

	link_directories(it.set);
	attach_once(keeps);
	while (it.link < 0 && it.left && !it.lost && waited < LEFT_LIMIT_MS) {
		wait_ms(100);
		waited += 100;
		attach_once(keeps);
	}
	it.lost |= it.left && it.link < 0;
}

int service_drop(const struct settings *set)
{
	it.set = set;
	attach(false);
	ask(LINK_DROP, "", -1);
	return it.lost ? EXIT_SELF : 0;
}

/*
 * Tells the keeper which process has its files: until that process has ended no other service
 * gets them, even if we are killed.
 */
static void tell_service(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);
	char text[16];

	if (fd < 0)
		return;
	snprintf(text, sizeof(text), "%d", pid);
	ask(LINK_SERVICE, text, fd);
	close(fd);
}

/* ---------------------------------------------------------------- command */

static pid_t pid_in(const char *variable)
{
	const char *value = getenv(variable);

	return value ? atoi(value) : 0;
}

/* How many descriptors for the service we were started with ourselves. */
static unsigned int inherited(void)
{
	const char *value = getenv("LISTEN_FDS");

	return value && pid_in("LISTEN_PID") == getpid() ? atoi(value) : 0;
}

/* In the child: sets LISTEN_FDNAMES; the descriptors that we were started with come first. */
static void set_names(unsigned int before)
{
	const char *names = getenv("LISTEN_FDNAMES");
	size_t size = (before + it.files) * NAME_SIZE + (names ? strlen(names) : 0) + 1;
	char *all = malloc(size), *at = all;
	unsigned int i;

	if (!all)
		_exit(EXIT_SELF);
	*at = '\0';
	if (before && names)
		at += sprintf(at, "%s", names);
	for (i = 0; before && !names && i < before; i++)
		at += sprintf(at, "%sunknown", i ? ":" : "");
	for (i = 0; i < it.files; i++)
		at += sprintf(at, "%s%s", at == all ? "" : ":", it.name[i]);
	setenv("LISTEN_FDNAMES", all, 1);
	free(all);
}

static void set_number(const char *variable, int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	setenv(variable, text, 1);
}

static void set_environment(unsigned int before, pid_t parent)
{
	setenv("NOTIFY_SOCKET", it.notify_path, 1);
	if (it.link >= 0)
		set_number("FDSTORE", FILES_MAX);
	else
		unsetenv("FDSTORE");
	unsetenv("LISTEN_PIDFDID");
	if (pid_in("WATCHDOG_PID") == parent)
		set_number("WATCHDOG_PID", getpid());
	if (before + it.files) {
		set_names(before);
		set_number("LISTEN_FDS", before + it.files);
		set_number("LISTEN_PID", getpid());
	} else {
		unsetenv("LISTEN_FDS");
		unsetenv("LISTEN_PID");
		unsetenv("LISTEN_FDNAMES");
	}
}

/*
 * In the child: puts the files where the service looks for them. *report moves out of the
 * way. All other descriptors of ours are closed by exec.
 */
static bool place_files(unsigned int before, int *report)
{
	unsigned int first = FIRST_FD + before, end = first + it.files, i;

	*report = fcntl(*report, F_DUPFD_CLOEXEC, end);
	for (i = 0; i < it.files; i++)
		it.fd[i] = fcntl(it.fd[i], F_DUPFD_CLOEXEC, end);
	for (i = 0; i < it.files; i++) {
		if (it.fd[i] < 0 || dup2(it.fd[i], first + i) < 0)
			return false;
	}
	return *report >= 0;
}

static void run_command(char **command, int go, int report, unsigned int before, pid_t parent)
{
	int error = 0;
	char byte;

	/*
	 * The service must not run without us. But the kernel resets the death signal if the
	 * service changes its user. So the service must not run before the keeper knows of it,
	 * either.
	 */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || read(go, &byte, 1) != 1)
		_exit(EXIT_SELF);
	set_environment(before, parent);
	if (place_files(before, &report)) {
		setrlimit(RLIMIT_NOFILE, &it.files_before);
		signal(SIGPIPE, it.sigpipe_before);
		signal(SIGCHLD, it.sigchld_before);
		sigprocmask(SIG_SETMASK, &it.mask_before, NULL);
		execvp(command[0], command);
	}
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		say("%s: %s", command[0], strerror(error));
	_exit(EXIT_SELF);
}

/* Starts the command. Returns 0, or an exit status. */
static int start_command(char **command)
{
	unsigned int before = inherited();
	pid_t self = getpid();
	int ends[2], go[2], error;

	if (pipe2(ends, O_CLOEXEC) || pipe2(go, O_CLOEXEC)) {
		say("pipe: %m");
		return EXIT_SELF;
	}
	it.main = fork();
	if (!it.main) {
		close(go[1]);
		run_command(command, go[0], ends[1], before, self);
	}
	close(go[0]);
	close(ends[1]);
	if (it.main < 0) {
		say("fork: %m");
		return EXIT_SELF;
	}
	tell_service(it.main);
	error = write(go[1], "", 1) < 0 ? errno : 0;
	close(go[1]);
	if (!error && read(ends[0], &error, sizeof(error)) < 0)
		error = errno;
	close(ends[0]);
	while (it.files) {
		close(it.fd[--it.files]);
		free(it.name[it.files]);
	}
	if (!error)
		return 0;
	waitpid(it.main, NULL, 0);
	say("%s: %s", command[0], strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* --------------------------------------------------------------- messages */

static pid_t parent_of(pid_t pid)
{
	char path[32], text[512];
	const char *after;
	ssize_t len;
	int parent = 0, fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len < 0 ? 0 : len] = '\0';
	after = strrchr(text, ')');
	return after && sscanf(after, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* Is the process one of the service's? All of them are below us. */
static bool is_ours(pid_t pid)
{
	pid_t self = getpid();

	while (pid > 1 && pid != self)
		pid = parent_of(pid);
	return pid == self;
}

/* Any process can write to the socket: only root, our own user and our processes are heard. */
static bool trusted(const struct ucred *who)
{
	return who && (who->uid == geteuid() || who->uid == 0 || is_ours(who->pid));
}

/* Any process can send messages, so the lines about them must not fill the journal. */
static void say_stranger(const struct ucred *who)
{
	static unsigned int ignored;
	static time_t said;
	struct timespec now;

	ignored++;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (said && now.tv_sec - said < 10)
		return;
	say("session %s: a message of process %d, which is not of the service, is ignored (%u)",
	    it.set->session, who ? who->pid : 0, ignored);
	said = now.tv_sec ?: 1;
}

static void obey(const struct notice *notice, const int *fd, unsigned int fds)
{
	unsigned int i;

	if (notice->bad_name)
		say("session %s: the service uses a name that is not valid", it.set->session);
	for (i = 0; notice->store && i < fds; i++) {
		ask(notice->no_poll ? LINK_STORE : LINK_STORE_POLL,
		    notice->name[0] ? notice->name : "stored", fd[i]);
		if (it.link < 0)
			say("session %s: '%s' is not kept", it.set->session,
			    notice->name[0] ? notice->name : "stored");
	}
	if (notice->remove && notice->name[0])
		ask(LINK_REMOVE, notice->name, -1);
	if (notice->main_pid > 1 && notice->main_pid != it.main && is_ours(notice->main_pid)) {
		it.main = notice->main_pid;
		tell_service(it.main);
	}
	/* The service manager gets the messages that we forward, and so the barrier, too. */
	if (notice->barrier && fds == 1)
		notify_outer("BARRIER=1", fd[0]);
	if (notice->rest[0])
		notify_outer(notice->rest, -1);
}

/* Receives one message. Returns false if there is none. */
static bool receive(void)
{
	static struct notice notice;
	static char text[NOTICE_SIZE + 1];
	union {
		char data[CMSG_SPACE(MESSAGE_FDS * sizeof(int)) +
			  CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec data = { .iov_base = text, .iov_len = NOTICE_SIZE };
	struct msghdr head = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control.data),
	};
	const struct ucred *who = NULL;
	struct cmsghdr *part;
	unsigned int fds = 0, i;
	int fd[MESSAGE_FDS];
	ssize_t len;

	len = recvmsg(it.notify, &head, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (len < 0)
		return errno == EINTR;
	for (part = CMSG_FIRSTHDR(&head); part; part = CMSG_NXTHDR(&head, part)) {
		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_CREDENTIALS)
			who = (const struct ucred *)CMSG_DATA(part);
		if (part->cmsg_type == SCM_RIGHTS) {
			fds = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fd, CMSG_DATA(part), fds * sizeof(int));
		}
	}
	text[len] = '\0';
	if (!trusted(who)) {
		say_stranger(who);
	} else if (head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		say("session %s: a message of the service is too long, or has too many files",
		    it.set->session);
	} else {
		notice_read(text, &notice);
		obey(&notice, fd, fds);
	}
	for (i = 0; i < fds; i++)
		close(fd[i]);
	return true;
}

static void receive_some(unsigned int most)
{
	while (most-- && receive())
		;
}

/*
 * Removes the sockets of luo-runs that were killed. As the keeper has accepted our connection,
 * no other luo-run has the session.
 */
static void remove_stale(void)
{
	char path[sizeof(it.notify_path)];
	size_t len = strlen(it.set->session);
	struct dirent *entry;
	DIR *directory;
	char *end;
	long pid;

	if (it.link < 0)
		return;
	snprintf(path, sizeof(path), "%.80s/" LINK_NOTIFY, it.set->directory);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		if (strncmp(entry->d_name, it.set->session, len) || entry->d_name[len] != '.')
			continue;
		/* The name of another session can begin with ours, and a dot. */
		pid = strtol(entry->d_name + len + 1, &end, 10);
		if (!*end && pid > 0 && kill(pid, 0) && errno == ESRCH)
			unlinkat(dirfd(directory), entry->d_name, 0);
	}
	if (directory)
		closedir(directory);
}

static bool listen_for_messages(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char suffix[32];
	int on = 1;

	remove_stale();
	snprintf(suffix, sizeof(suffix), ".%d", getpid());
	if (!link_path(it.set, LINK_NOTIFY, suffix, it.notify_path, sizeof(it.notify_path))) {
		say("%s: the name is too long", it.set->directory);
		return false;
	}
	memcpy(at.sun_path, it.notify_path, sizeof(at.sun_path));
	unlink(at.sun_path);
	it.notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (it.notify < 0 || bind(it.notify, (struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(it.notify, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    chmod(at.sun_path, 0666)) {
		say("%s: %m", it.notify_path);
		return false;
	}
	return true;
}

/* ---------------------------------------------------------------- waiting */

static bool take_signals(void)
{
	sigset_t mask;
	unsigned int i;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&mask, forwarded[i]);
	it.sigchld_before = signal(SIGCHLD, SIG_DFL);
	it.sigpipe_before = signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &mask, &it.mask_before);
	it.signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (it.signals < 0)
		say("signalfd: %m");
	return it.signals >= 0;
}

/*
 * Reaps processes that have ended. Returns true, and the status of waitpid(), if the service
 * has ended. The last messages of a process are read before it is reaped: after that is_ours()
 * could not tell that they are from the service.
 */
static bool reap(int *status)
{
	siginfo_t who;
	int its;

	for (;;) {
		who.si_pid = 0;
		if (waitid(P_ALL, 0, &who, WEXITED | WNOHANG | WNOWAIT) || !who.si_pid)
			break;
		receive_some(LAST_MESSAGES);
		if (waitpid(who.si_pid, &its, 0) == who.si_pid && who.si_pid == it.main) {
			*status = its;
			return true;
		}
	}
	*status = 0;
	return kill(it.main, 0) && errno == ESRCH;
}

/* Waits for the end of the service. Returns the status of waitpid(). */
static int serve(void)
{
	struct pollfd on[3];
	int status;

	for (;;) {
		on[0] = (struct pollfd){ .fd = it.notify, .events = POLLIN };
		on[1] = (struct pollfd){ .fd = it.signals, .events = POLLIN };
		/* The keeper says nothing unasked. */
		on[2] = (struct pollfd){ .fd = it.link };
		/* SIGCHLD can have come while we waited for the keeper, in take_signal(). */
		if (poll(on, ARRAY_SIZE(on), it.child_ended ? 0 : -1) < 0)
			continue;
		if (on[2].revents)
			keeper_gone();
		if (on[0].revents)
			receive_some(MESSAGES);
		if (on[1].revents)
			take_signal();
		if (it.child_ended) {
			it.child_ended = false;
			if (reap(&status))
				return status;
		}
	}
}

/* Ends as the service did. */
static int end_like(int status)
{
	const struct rlimit none = { 0 };
	int number;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	number = WTERMSIG(status);
	setrlimit(RLIMIT_CORE, &none);
	signal(number, SIG_DFL);
	kill(getpid(), number);
	sigprocmask(SIG_SETMASK, &it.mask_before, NULL);
	return 128 + number;
}

int service_run(const struct settings *set, char **command)
{
	struct rlimit files;
	int status;

	it.set = set;
	getrlimit(RLIMIT_NOFILE, &it.files_before);
	files = it.files_before;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);

	attach(true);
	ask(LINK_OPEN, "", -1);
	if (it.lost && set->require) {
		say("session %s: %s is not started", set->session, command[0]);
		return EXIT_REQUIRED;
	}
	if (!take_signals() || !listen_for_messages())
		return EXIT_SELF;
	/* A service that goes into the background stays our descendant. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	status = start_command(command);
	if (!status) {
		ask(LINK_ACCEPT, "", -1);
		status = serve();
		unlink(it.notify_path);
		return end_like(status);
	}
	unlink(it.notify_path);
	return status;
}
