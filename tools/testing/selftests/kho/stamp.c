// SPDX-License-Identifier: GPL-2.0-only
/*
 * stamp - the last user space of one kernel and the first of the next
 *
 *   stamp kexec    write the clock to the kernel log, and start the next kernel
 *   stamp          as process 1: run /init with the clock in kho_bench_arrived
 *
 * The clock is the one of clock.h.
 *
 * No user space runs between the two, whichever kernels they run under.
 */

#include <linux/reboot.h>

#include "clock.h"

/* The Makefile includes nolibc.h, which is the C library here. */

#define LEFT "kho-bench: 1 left "
#define ARRIVED "kho_bench_arrived="
#define WORDS_MAX 64

/* Write the clock to @to in decimal, and return the number of digits. */
static int put_clock(char *to)
{
	return u64toa_r(read_clock(), to);
}

/* A single write, so that the kernel log gets a single line. */
static void leave(void)
{
	char line[64] = LEFT;
	int fd = open("/dev/kmsg", O_WRONLY);

	write(fd, line, strlen(LEFT) + put_clock(line + strlen(LEFT)));
	reboot(LINUX_REBOOT_CMD_KEXEC);
}

static void arrive(char **argv, char **envp)
{
	static char word[64] = ARRIVED, *words[WORDS_MAX + 2];
	int n = 0;

	put_clock(word + strlen(ARRIVED));
	for (words[n++] = word; *envp && n < WORDS_MAX; envp++)
		words[n++] = *envp;
	execve("/init", argv, words);
}

int main(int argc, char **argv, char **envp)
{
	if (getpid() == 1)
		arrive(argv, envp);
	else if (argc == 2 && !strcmp(argv[1], "kexec"))
		leave();
	perror("stamp");
	return 1;
}
