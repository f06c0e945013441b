// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm_check.c - checks whether the guest of vm.c has noticed anything, and prints TAP
 *
 * Reads all that the guest has said under all kernels, and computes on its own what the
 * guest had to say.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

/*
 * How much longer a vCPU may stand still than the VMM has measured: this time in ms, and
 * twice the longest time for which a vCPU stood still without a kexec. The latter depends
 * on how busy the host is, and how many vCPUs share one of its CPUs.
 */
#define SLACK	300

/* The line that the guest prints at a beat. */
#define BEAT	"vm-guest: cpu %u beat %llu sum %llx tsc %llu clock %llu gap %llu " \
		"ticks %llu ipis %llu pit %llu twice %llu"

struct beat {
	unsigned int cpu;
	unsigned long long n, sum, tsc, clock, gap, ticks, ipis, pit, twice;
};

/* What is known of a vCPU: its last beat, and its work as computed here. */
static struct {
	struct beat last;
	__u64 tsc[2];			/* at the two beats before last, older first */
	__u64 sum, page, round;
	unsigned int recent;		/* beats since the last handover */
	struct beat before;		/* the last beat before that handover */
	__u64 blackouts;		/* handovers during which it stood still */
} vcpus[VM_CPUS_MAX];

static const struct vm_console *console;
static struct vm_params params;

enum { LINES, BEATS, SUMS, TSC, CLOCK, TICKS, BLACKOUT, RECENT, CHECKS };

static const char *const titles[CHECKS] = {
	[LINES] = "the guest found nothing wrong in its memory, registers and clocks",
	[BEATS] = "no beat is missing, and none comes twice",
	[SUMS] = "the sum of the guest's memory is right at each beat",
	[TSC] = "the guest's TSC goes on",
	[CLOCK] = "kvmclock goes as fast as the TSC",
	[TICKS] = "timers, the interval timer and other vCPUs interrupt each vCPU",
	[BLACKOUT] = "each vCPU stood still for as long as each kexec took, and no longer",
	[RECENT] = "the guest runs",
};

static unsigned int failures[CHECKS];

/* Notes that a check fails, and says why if it is one of the first reasons. */
static void wrong(int check, const char *format, ...)
{
	va_list args;

	if (failures[check]++ >= 3)
		return;
	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static void *map(const char *path, __u64 size)
{
	int fd = open(path, O_RDONLY);
	void *it = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (it == MAP_FAILED)
		fail("%s", path);
	close(fd);
	return it;
}

/* Returns how many cycles there are in a ms of the guest. */
static unsigned long long per_ms(void)
{
	return console->khz;
}

/* Computes the sum that a vCPU has after the work of one more beat. */
static void work(unsigned int cpu)
{
	for (__u64 i = 0; i < params.beat; i++) {
		__u64 page = vm_page_sum(cpu, vcpus[cpu].page, vcpus[cpu].round);

		vcpus[cpu].sum = vm_sum(vcpus[cpu].sum, page);
		if (++vcpus[cpu].page == params.pages) {
			vcpus[cpu].page = 0;
			vcpus[cpu].round++;
		}
	}
}

/*
 * Compares the gap of the second of two beats with the longest handover between the two.
 * The vCPU has to stand still for about as long.
 */
static void check_gap(const struct beat *from, const struct beat *to)
{
	static unsigned long long ordinary;
	unsigned long long longest = 0, slack = SLACK * per_ms() + 2 * ordinary;

	for (__u64 i = 0; i < console->handovers; i++) {
		__u64 stopped = console->at[i].stopped + console->offset;
		__u64 resumed = console->at[i].resumed + console->offset;

		if (resumed < from->tsc || resumed > to->tsc)
			continue;
		vcpus[to->cpu].blackouts++;
		if (longest < resumed - stopped)
			longest = resumed - stopped;
	}
	if (!longest && ordinary < to->gap)
		ordinary = to->gap;
	if (longest && (to->gap + per_ms() < longest || to->gap > longest + slack))
		wrong(BLACKOUT, "vCPU %u: gap of %llu ms at beat %llu, kexec of %llu ms",
		      to->cpu, to->gap / per_ms(), to->n, longest / per_ms());
}

/* Returns whether two times in ns differ by more than 2 % and 2 ms. */
static int far_apart(__u64 a, __u64 b)
{
	__u64 apart = a > b ? a - b : b - a;

	return apart > b / 50 + 2000000;
}

static void check_clocks(const struct beat *from, const struct beat *to)
{
	__u64 tsc = to->tsc - from->tsc, clock = to->clock - from->clock;
	__u64 ns = (__uint128_t)tsc * 1000000 / console->khz;

	if (to->tsc <= from->tsc)
		wrong(TSC, "vCPU %u: TSC %llu after %llu", to->cpu, to->tsc, from->tsc);
	else if (to->clock <= from->clock || far_apart(clock, ns))
		wrong(CLOCK, "vCPU %u: kvmclock %llu ns, TSC %llu ns to beat %llu", to->cpu,
		      (unsigned long long)clock, (unsigned long long)ns, to->n);
}

/* How many interrupts came twice, and how many beats there were. */
static unsigned long long twice, beats_seen;

/*
 * KVM on an emulated CPU interrupts a vCPU twice now and then: guests that ran for minutes
 * without any kexec had several such interrupts. So this is only wrong near a kexec, or if
 * it happens often. A vCPU finds out one beat later, and says so at the beat after that
 * one.
 */
static void check_twice(const struct beat *it)
{
	__u64 *tsc = vcpus[it->cpu].tsc;

	twice += it->twice;
	beats_seen++;
	for (__u64 i = 0; it->twice && i < console->handovers; i++) {
		__u64 resumed = console->at[i].resumed + console->offset;

		if (resumed >= tsc[0] && resumed <= it->tsc)
			wrong(LINES, "vCPU %u: %llu interrupts twice near a kexec, at beat %llu",
			      it->cpu, it->twice, it->n);
	}
	tsc[0] = tsc[1];
	tsc[1] = vcpus[it->cpu].last.tsc;
}

static void check_beat(const struct beat *it)
{
	const struct beat *last = &vcpus[it->cpu].last;
	__u64 n = console->handovers;

	if (it->n != last->n + 1)
		wrong(BEATS, "vCPU %u: beat %llu after beat %llu", it->cpu, it->n, last->n);
	work(it->cpu);
	if (it->sum != vcpus[it->cpu].sum)
		wrong(SUMS, "vCPU %u: sum %llx at beat %llu, and not %llx", it->cpu, it->sum, it->n,
		      (unsigned long long)vcpus[it->cpu].sum);
	check_twice(it);
	if (last->n) {
		check_clocks(last, it);
		check_gap(last, it);
		if (it->ticks <= last->ticks || it->ipis < last->ipis)
			wrong(TICKS, "vCPU %u: %llu ticks and %llu interrupts at beat %llu",
			      it->cpu, it->ticks, it->ipis, it->n);
	}
	if (!n || it->tsc > console->at[n - 1].resumed + console->offset)
		vcpus[it->cpu].recent++;
	else
		vcpus[it->cpu].before = *it;
	vcpus[it->cpu].last = *it;
}

static void check_line(const char *line)
{
	struct beat it;
	int end = 0;

	if (sscanf(line, BEAT "%n", &it.cpu, &it.n, &it.sum, &it.tsc, &it.clock, &it.gap,
		   &it.ticks, &it.ipis, &it.pit, &it.twice, &end) != 10 ||
	    line[end] || it.cpu >= params.cpus)
		wrong(LINES, "it said: %s", line);
	else
		check_beat(&it);
}

/* The last line may not be complete yet. */
static void check_lines(char *text)
{
	char *end;

	while ((end = strchr(text, '\n'))) {
		*end = '\0';
		check_line(text);
		text = end + 1;
	}
}

static void check_vcpus(unsigned int beats)
{
	for (unsigned int cpu = 0; cpu < params.cpus; cpu++) {
		const struct beat *last = &vcpus[cpu].last, *before = &vcpus[cpu].before;

		if (vcpus[cpu].recent < beats)
			wrong(RECENT, "vCPU %u has %u beats, and should have %u", cpu,
			      vcpus[cpu].recent, beats);
		if (vcpus[cpu].blackouts < console->handovers)
			wrong(BLACKOUT, "vCPU %u stood still %llu times in %llu kexecs", cpu,
			      (unsigned long long)vcpus[cpu].blackouts,
			      (unsigned long long)console->handovers);
		if (last->ipis <= before->ipis)
			wrong(TICKS, "vCPU %u still has %llu interrupts", cpu, last->ipis);
		/* The interval timer interrupts the first one only. */
		if (!cpu && last->pit <= before->pit)
			wrong(TICKS, "the interval timer still stands at %llu", last->pit);
	}
}

/* @beats is how many beats each vCPU should have had since the last handover. */
int check_beats(const char *console_path, const char *memory_path, unsigned int beats)
{
	static char text[VM_CONSOLE_TEXT];
	char *memory = map(memory_path, VM_CODE);
	int bad = 0;

	console = map(console_path, VM_CONSOLE_SIZE);
	memcpy(&params, memory + VM_PARAMS, sizeof(params));
	errno = 0;
	if (params.cpus < 1 || params.cpus > VM_CPUS_MAX || console->len >= VM_CONSOLE_TEXT)
		fail("this is no guest");
	for (unsigned int cpu = 0; cpu < params.cpus; cpu++)
		vcpus[cpu].round = 0;
	memcpy(text, console->text, console->len);
	check_lines(text);
	check_vcpus(beats);
	if (twice)
		printf("# %llu interrupts in %llu beats came twice\n", twice, beats_seen);
	if (twice > 2 + beats_seen / 10)
		wrong(LINES, "interrupts come twice often");
	for (int i = 0; i < CHECKS; i++) {
		printf("%sok %d - %s\n", failures[i] ? "not " : "", i + 1, titles[i]);
		bad |= !!failures[i];
	}
	printf("1..%d\n", CHECKS);
	return bad;
}
