// SPDX-License-Identifier: GPL-2.0-only
/*
 * stamp - the last user space of one kernel and the first of the next
 *
 *   stamp kexec    say what the TSC is, and kexec
 *   stamp          as process 1: run /init with the TSC in kho_bench_arrived
 *
 * Between both no user space runs, whichever kernels there are.
 */

#include <linux/reboot.h>

/* The C library is nolibc.h, see the Makefile. */

#define LEFT "kho-bench: 1 left "
#define ARRIVED "kho_bench_arrived="
#define WORDS_MAX 64

/* The TSC, in digits. Returns how many. */
static int put_tsc(char *to)
{
	unsigned int low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return u64toa_r((unsigned long long)high << 32 | low, to);
}

/* One write, so that it is one line of the kernel's log. */
static void leave(void)
{
	char line[64] = LEFT;
	int fd = open("/dev/kmsg", O_WRONLY);

	write(fd, line, strlen(LEFT) + put_tsc(line + strlen(LEFT)));
	reboot(LINUX_REBOOT_CMD_KEXEC);
}

static void arrive(char **argv, char **envp)
{
	static char word[64] = ARRIVED, *words[WORDS_MAX + 2];
	int n = 0;

	put_tsc(word + strlen(ARRIVED));
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
