// SPDX-License-Identifier: GPL-2.0-only
/*
 * stamp - the last user space of one kernel and the first of the next
 *
 *   stamp kexec    say what the clock is, and kexec
 *   stamp          as process 1: run /init with the clock in kho_bench_arrived
 *
 * The clock is the one of the CPU that runs on over a kexec: the TSC, on arm64
 * the virtual counter.
 *
 * Between both no user space runs, whichever kernels there are.
 */

#include <linux/reboot.h>

/* The C library is nolibc.h, see the Makefile. */

#define LEFT "kho-bench: 1 left "
#define ARRIVED "kho_bench_arrived="
#define WORDS_MAX 64

static unsigned long long read_clock(void)
{
#ifdef __aarch64__
	unsigned long long clock;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(clock));
	return clock;
#else
	unsigned int low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (unsigned long long)high << 32 | low;
#endif
}

/* The clock, in digits. Returns how many. */
static int put_clock(char *to)
{
	return u64toa_r(read_clock(), to);
}

/* One write, so that it is one line of the kernel's log. */
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
