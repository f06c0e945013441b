// SPDX-License-Identifier: GPL-2.0-only
/*
 * example - a service whose memory outlives the kernel
 *
 * Counts how often it was started, in memory. It takes the memory over from the service
 * of the previous kernel, or begins with new memory. Then it preserves the memory for
 * the next kernel, and runs.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/liveupdate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SESSION "example"	/* the name by which the next service finds us */
#define MEMORY 1		/* our token for the file */
#define SIZE 0x100000

static int fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Returns the memory of the previous service, or -1 if there was none. */
static int take_over(int device)
{
	struct liveupdate_ioctl_retrieve_session session = {
		.size = sizeof(session), .name = SESSION,
	};
	struct liveupdate_session_retrieve_fd file = {
		.size = sizeof(file), .token = MEMORY,
	};
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	if (ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &session)) {
		if (errno == ENOENT)
			return -1;
		fail("retrieve the session");
	}
	if (ioctl(session.fd, LIVEUPDATE_SESSION_RETRIEVE_FD, &file))
		fail("retrieve the memory");

	/* From here on the file is like any other, and can be preserved again. */
	if (ioctl(session.fd, LIVEUPDATE_SESSION_FINISH, &finish))
		fail("finish the session");
	close(session.fd);
	return file.fd;
}

static int new_memory(void)
{
	int fd = memfd_create("example", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, SIZE))
		fail("make memory");
	return fd;
}

/*
 * The session has to stay open: the memory is handed over only if the session is open at
 * the moment of the kexec.
 */
static void preserve(int device, int memory)
{
	struct liveupdate_ioctl_create_session session = {
		.size = sizeof(session), .name = SESSION,
	};
	struct liveupdate_session_preserve_fd file = {
		.size = sizeof(file), .fd = memory, .token = MEMORY,
	};

	if (ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &session))
		fail("create a session");
	if (ioctl(session.fd, LIVEUPDATE_SESSION_PRESERVE_FD, &file))
		fail("put the memory into the session");
}

int main(void)
{
	int device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC), memory;
	unsigned long *starts;

	if (device < 0)
		fail("/dev/liveupdate");
	memory = take_over(device);
	if (memory < 0)
		memory = new_memory();
	starts = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (starts == MAP_FAILED)
		fail("map the memory");

	preserve(device, memory);
	close(device);	/* only one program at a time can have it open */

	/* What is written after the memory was preserved is kept as well. */
	++*starts;
	printf("start %lu\n", *starts);
	fflush(stdout);
	for (;;)
		pause();
}
