// SPDX-License-Identifier: GPL-2.0-only
/*
 * store.c - the files that a keeper keeps, and their outgoing sessions
 *
 * Owns the files, their names and order, the sessions in which they are preserved, and the
 * list that is handed over with them.
 *
 * A file that the list says is handed over has its session. So the list is written after a
 * file was preserved, and before it is given up. The next kernel can therefore get a session
 * that is in no list, which arrival.c ends, but never a listed file whose session is missing.
 *
 * What fails for a temporary reason, such as a lack of memory, is tried again from time to
 * time, see keeper.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keeper.h"
#include "link.h"
#include "session.h"

/* How /proc calls the file of a session. */
#define SESSION_FILE	"anon_inode:[luo_session]"

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

/* Writes the outgoing list. If that fails, the errno is in keeper.not_written. */
static void write_list(void)
{
	static struct list list;
	int before = keeper.not_written;
	unsigned int i;

	if (keeper.list < 0)
		return;
	list.count = 0;
	for (i = 0; i < keeper.files; i++) {
		if (keeper.file[i].fd >= 0)
			list.entry[list.count++] = keeper.file[i].entry;
	}
	keeper.not_written = -list_write(keeper.list, &list);
	if (keeper.not_written && keeper.not_written != before)
		say("session %s: the list of files cannot be written: %s", keeper.set->session,
		    strerror(keeper.not_written));
}

void begin_list(void)
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

/* Preserves a file that is in no session. If that fails, the errno is in @it->entry.error. */
static void preserve_file(struct file *it)
{
	begin_list();
	it->out = keeper.no_list ? -keeper.no_list : preserve(it->entry.token, it->fd);
	it->entry.error = it->out < 0 ? -it->out : 0;
	if (it->out < 0)
		it->out = -1;
}

/* Should this file be in a session? */
static bool is_rest(const struct file *it)
{
	return it->fd >= 0 && it->in < 0 && it->out < 0;
}

bool rest_waits(void)
{
	unsigned int i;

	for (i = 0; i < keeper.files; i++) {
		if (is_rest(&keeper.file[i]) && passes(keeper.file[i].entry.error))
			return true;
	}
	return keeper.not_written;
}

/*
 * Is it worth trying to preserve a file again? EBUSY means that its memory is in another
 * session, which can be given up, or cannot be moved at the moment. rest_waits() does not
 * count such a file, so EBUSY alone causes no new attempts.
 */
static bool can_try(const struct file *it, bool device)
{
	return is_rest(it) && (passes(it->entry.error) || it->entry.error == EBUSY ||
			       (device && it->entry.error == ENODEV));
}

void preserve_rest(bool device)
{
	bool changed = keeper.not_written;
	struct file *it;
	unsigned int i;
	__u32 before;

	for (i = 0; i < keeper.files; i++) {
		it = &keeper.file[i];
		if (!can_try(it, device))
			continue;
		before = it->entry.error;
		preserve_file(it);
		if (it->entry.error == before)
			goto next;
		changed = true;
		if (it->entry.error)
			say("session %s: '%s' is kept for restarts and not over a kexec: %s%s",
			    keeper.set->session, it->entry.name,
			    preserve_error(it->entry.error),
			    passes(it->entry.error) ? ", for now" : "");
		else if (before != NOT_YET)
			say("session %s: '%s' is now kept over a kexec", keeper.set->session,
			    it->entry.name);
next:
		/* The program that has the device open will have it for the next file, too. */
		if (it->entry.error == EAGAIN)
			break;
	}
	if (changed)
		write_list();
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
 * Are these descriptors of the same open file? Where the kernel has no kcmp(), they count as
 * such if they have the same regular file open with the same flags. Files of other kinds can
 * share an inode and be different.
 */
static bool same_file(int a, int b)
{
	struct stat of_a, of_b;
	long differ = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b);

	if (differ >= 0)
		return !differ;
	return !fstat(a, &of_a) && !fstat(b, &of_b) && S_ISREG(of_a.st_mode) &&
	       of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino &&
	       fcntl(a, F_GETFL) == fcntl(b, F_GETFL);
}

static bool is_session(int fd)
{
	char path[32], link[sizeof(SESSION_FILE)] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, link, sizeof(link) - 1) == sizeof(link) - 1 &&
	       !strcmp(link, SESSION_FILE);
}

void forget(unsigned int i)
{
	struct file it;

	/* The finishing child would go on to bring the pages of this file. */
	if (keeper.file[i].finishing)
		stop_finisher();
	it = keeper.file[i];
	keeper.files--;
	memmove(&keeper.file[i], &keeper.file[i + 1],
		(keeper.files - i) * sizeof(keeper.file[0]));
	write_list();
	/* If the service has the same open file, close() would not end the polling. */
	if (it.fd >= 0)
		epoll_ctl(keeper.hangups, EPOLL_CTL_DEL, it.fd, NULL);
	drop_fd(&it.fd);
	drop_fd(&it.out);
	if (it.in < 0)
		return;
	/* If there is no memory to end the incoming session now, it has to be ended later. */
	drop_fd(&it.in);
	keeper.strays = true;
}

struct file *add_came(const struct list_entry *entry)
{
	unsigned int token = entry->token, i;
	struct file *it;

	for (i = 0; i < keeper.files; i++) {
		if (keeper.file[i].entry.token == entry->token)
			token = free_token();
	}
	it = &keeper.file[keeper.files++];
	*it = (struct file){
		.entry = *entry, .fd = -1, .out = -1, .came = entry->token, .in = -1,
	};
	it->entry.token = token;
	return it;
}

/* Is there a reason not to keep this file? If so, tells it to the client. */
static bool refused(const char *name, int fd)
{
	if (is_session(fd))
		tell(LINK_TOLD, "'%s' is not kept: a session of live update cannot be handed over",
		     name);
	else if (keeper.files == keeper.room)
		tell(LINK_TOLD, "'%s' is not kept: there are %u files", name, keeper.room);
	else
		return false;
	return true;
}

void forget_hung_up(void)
{
	struct epoll_event event;
	unsigned int i = keeper.files;

	if (epoll_wait(keeper.hangups, &event, 1, 0) != 1)
		return;
	while (i--) {
		if (keeper.file[i].fd == event.data.fd)
			forget(i);
	}
}

void store(const char *name, int fd, bool poll)
{
	struct epoll_event hangup = { .data.fd = fd };
	struct file *it;
	unsigned int i;

	for (i = 0; i < keeper.files; i++) {
		/* As in systemd, the first name remains. */
		if (keeper.file[i].fd >= 0 && same_file(keeper.file[i].fd, fd)) {
			close(fd);
			return;
		}
	}
	if (refused(name, fd)) {
		close(fd);
		return;
	}
	it = &keeper.file[keeper.files];
	*it = (struct file){ .entry.token = free_token(), .fd = fd, .out = -1, .in = -1 };
	memcpy(it->entry.name, name, strlen(name) + 1);
	preserve_file(it);
	keeper.files++;
	write_list();
	/* epoll_ctl() refuses files that cannot hang up, such as memfds. */
	if (poll)
		epoll_ctl(keeper.hangups, EPOLL_CTL_ADD, fd, &hangup);
	if (it->entry.error)
		tell(LINK_TOLD, "'%s' is kept for restarts and not over a kexec: %s%s", name,
		     preserve_error(it->entry.error),
		     passes(it->entry.error) ? ", for now" : "");
	else if (keeper.not_written)
		tell(LINK_TOLD, "'%s' is kept for restarts and not over a kexec: %s%s", name,
		     "the list of files cannot be written, for now: ",
		     strerror(keeper.not_written));
}

void remove_name(const char *name)
{
	unsigned int i = keeper.files;

	while (i--) {
		if (keeper.file[i].fd >= 0 && !strcmp(keeper.file[i].entry.name, name))
			forget(i);
	}
	start_finisher();
}
