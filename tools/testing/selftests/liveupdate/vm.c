// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm - a virtual machine that outlives its host's kernel
 *
 *   vm start [WORD...]     start a guest, see vm_guest.c, and run it
 *      cpus=N mib=N        with N vCPUs, and with N MiB of memory
 *      step=N              the guest uses only every Nth page of its memory
 *      beat=N              pages from one beat to the next
 *      fill                all pages of its memory are there from the beginning
 *      huge                its memory has huge pages, if the kernel has any for shmem
 *      hugetlb             its memory has pages of hugetlb
 *   vm resume              go on with the guest of the previous kernel
 *   vm check CONSOLE MEMORY BEATS
 *                          check what the guest has said, and print TAP, see vm_check.c
 *
 * As process 1 it resumes the guest in a child, and then runs /init, which finds the PID of
 * this child in $vm_pid.
 *
 * The guest's memory, the state of the machine (vm_state.h) and what the guest says are three
 * files, which this program keeps in a session of live update. They have the file descriptors
 * 100, 101 and 102. Signals tell the program what to do:
 *
 *   USR1   stop the guest and write its state
 *   USR2   let the guest go on
 *   HUP    stop the guest, write its state, and start the next kernel; if the kexec is
 *          refused, let the guest go on
 *   TERM   end
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/memfd.h>
#include <linux/reboot.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session.h"
#include "vm.h"

#define SESSION	"vm"

/* Both the tokens in the session and, from FD on, the file descriptors. */
enum { MEMORY, STATE, CONSOLE, FILES };

#define FD	100

static struct machine machine;
static struct vm_state *state;
static struct vm_console *console;

/* Moments of a resumption, as values of the TSC. */
static struct {
	__u64 started, retrieved, created, restored, resumed;
} at;

/*
 * Prints with one write(), so that the message becomes one line of the kernel log.
 * dprintf() would fail: it asks for the position, which /dev/kmsg does not have.
 */
void fail(const char *format, ...)
{
	int error = errno;
	char text[256], line[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(line, sizeof(line), "vmm: %s%s%s\n", text, error ? ": " : "",
		 error ? strerror(error) : "");
	(void)!write(2, line, strlen(line));
	exit(1);
}

/* --------------------------------------------------------------------------- vCPUs */

#define KICK	SIGRTMIN

/*
 * Threads are in the guest, or wait at the gate. @shut says which of these they should do.
 * @waiting counts the threads that wait.
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int waiting;
	int shut;
} gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };

static pthread_t threads[VM_CPUS_MAX];

/* How many bytes of the console this process has shown; guarded by gate.lock. */
static __u64 shown;

/* Called with gate.lock held. Shows one whole line at a time, for the kernel log. */
static void show_console(void)
{
	char *end;

	console->text[console->len] = '\0';
	while ((end = strchr(console->text + shown, '\n'))) {
		__u64 next = end + 1 - console->text;

		(void)!write(1, console->text + shown, next - shown);
		shown = next;
	}
}

static void hear(const char *text, __u64 len)
{
	pthread_mutex_lock(&gate.lock);
	if (console->len + len >= VM_CONSOLE_TEXT)
		fail("the guest said more than %zu bytes", VM_CONSOLE_TEXT);
	memcpy(console->text + console->len, text, len);
	console->len += len;
	show_console();
	pthread_mutex_unlock(&gate.lock);
}

#define SERIAL		0x3f8
#define SERIAL_STATUS	0x3fd
#define SERIAL_READY	0x60

/* The serial port is always ready, so it has no state. No other port has a device. */
static void do_port(struct kvm_run *run)
{
	char *data = (char *)run + run->io.data_offset;

	if (run->io.direction == KVM_EXIT_IO_OUT) {
		if (run->io.port == SERIAL)
			hear(data, (__u64)run->io.size * run->io.count);
		return;
	}
	memset(data, run->io.port == SERIAL_STATUS ? SERIAL_READY : 0xff,
	       (size_t)run->io.size * run->io.count);
}

static void wait_at_gate(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.waiting++;
	pthread_cond_broadcast(&gate.changed);
	while (gate.shut)
		pthread_cond_wait(&gate.changed, &gate.lock);
	gate.waiting--;
	pthread_mutex_unlock(&gate.lock);
}

/* Prints the state of a vCPU, before fail() says that the guest cannot go on. */
static void tell_vcpu(unsigned long id)
{
	const struct kvm_run *run = machine.runs[id];
	struct kvm_vcpu_events events = {};
	struct kvm_sregs sregs = {};
	struct kvm_regs regs = {};

	ioctl(machine.vcpu_fds[id], KVM_GET_REGS, &regs);
	ioctl(machine.vcpu_fds[id], KVM_GET_SREGS, &sregs);
	ioctl(machine.vcpu_fds[id], KVM_GET_VCPU_EVENTS, &events);
	printf("vmm: vCPU %lu rip %#llx rsp %#llx rflags %#llx cr0 %#llx cr2 %#llx cr3 %#llx\n", id,
	       regs.rip, regs.rsp, regs.rflags, sregs.cr0, sregs.cr2, sregs.cr3);
	printf("vmm: exception %u nr %u error %u, interrupt %u nr %u, idt %#llx limit %#x\n",
	       events.exception.injected, events.exception.nr, events.exception.error_code,
	       events.interrupt.injected, events.interrupt.nr, sregs.idt.base, sregs.idt.limit);
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		printf("vmm: suberror %u, %u numbers: %#llx %#llx %#llx %#llx\n",
		       run->internal.suberror, run->internal.ndata, run->internal.data[0],
		       run->internal.data[1], run->internal.data[2], run->internal.data[3]);
	errno = 0;
}

/*
 * KVM completes what the guest asked for with an exit at the next call of KVM_RUN, and only
 * then is it part of the state. So a thread goes to the gate when KVM_RUN fails with EINTR,
 * and never after an exit.
 */
static void *run_vcpu(void *arg)
{
	unsigned long id = (unsigned long)arg;
	struct kvm_run *run = machine.runs[id];
	sigset_t kick;

	sigemptyset(&kick);
	sigaddset(&kick, KICK);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	for (;;) {
		if (ioctl(machine.vcpu_fds[id], KVM_RUN, 0) < 0) {
			if (errno == EINTR)
				wait_at_gate();
			else if (errno != EAGAIN)
				fail("KVM_RUN of vCPU %lu", id);
			continue;
		}
		errno = 0;
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			do_port(run);
			break;
		case KVM_EXIT_MMIO:
			if (!run->mmio.is_write)
				memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
			break;
		case KVM_EXIT_INTR:
			break;
		case KVM_EXIT_SHUTDOWN:
			tell_vcpu(id);
			fail("vCPU %lu of the guest has crashed", id);
		default:
			tell_vcpu(id);
			fail("vCPU %lu left the guest for reason %u", id, run->exit_reason);
		}
	}
	return NULL;
}

static void ignore(int signal)
{
	(void)signal;
}

static void start_threads(void)
{
	struct sigaction kicked = { .sa_handler = ignore };

	sigaction(KICK, &kicked, NULL);
	for (unsigned long id = 0; id < machine.vcpus; id++) {
		errno = pthread_create(&threads[id], NULL, run_vcpu, (void *)id);
		if (errno)
			fail("pthread_create");
	}
}

/* ------------------------------------------------------------------- stop and go on */

static void stop_guest(void)
{
	__u64 stopped;

	pthread_mutex_lock(&gate.lock);
	if (gate.shut) {
		pthread_mutex_unlock(&gate.lock);
		return;
	}
	gate.shut = 1;
	for (unsigned int id = 0; id < machine.vcpus; id++) {
		__atomic_store_n(&machine.runs[id]->immediate_exit, 1, __ATOMIC_RELEASE);
		pthread_kill(threads[id], KICK);
	}
	while (gate.waiting < machine.vcpus)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	stopped = read_clock();
	machine_save(&machine, state, stopped);
}

static void let_go_on(void)
{
	pthread_mutex_lock(&gate.lock);
	for (unsigned int id = 0; id < machine.vcpus; id++) {
		/* Tells watchdogs of the guest that it did not run. Not every guest has one. */
		ioctl(machine.vcpu_fds[id], KVM_KVMCLOCK_CTRL, 0);
		__atomic_store_n(&machine.runs[id]->immediate_exit, 0, __ATOMIC_RELEASE);
	}
	gate.shut = 0;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static void start_next_kernel(void)
{
	stop_guest();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	printf("vmm: the kexec was refused (%s), and the guest goes on\n", strerror(errno));
	let_go_on();
}

static void serve_signals(const sigset_t *asked)
{
	int signal;

	while (!sigwait(asked, &signal)) {
		switch (signal) {
		case SIGUSR1:
			stop_guest();
			printf("vmm: the guest is stopped, its state has %llu bytes\n",
			       (unsigned long long)state->size);
			break;
		case SIGUSR2:
			let_go_on();
			printf("vmm: the guest goes on\n");
			break;
		case SIGHUP:
			start_next_kernel();
			break;
		default:
			exit(0);
		}
	}
}

/* --------------------------------------------------------------------------- files */

/* Gives a file its number, which the tests know and which no other file gets. */
static void keep_fd(int file, int fd)
{
	if (fd < 0 || dup2(fd, FD + file) < 0)
		fail("file %d", file);
	close(fd);
}

static void new_file(int file, const char *name, unsigned int flags, __u64 size)
{
	keep_fd(file, memfd_create(name, flags));
	if (ftruncate(FD + file, size))
		fail("ftruncate of the %s to %llu bytes", name, (unsigned long long)size);
}

static void map_files(void)
{
	state = mmap(NULL, VM_STATE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, FD + STATE, 0);
	console = mmap(NULL, VM_CONSOLE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, FD + CONSOLE, 0);
	if (state == MAP_FAILED || console == MAP_FAILED)
		fail("mmap of the state");
}

static int open_device(void)
{
	int device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);

	if (device < 0)
		fail("/dev/liveupdate");
	return device;
}

/* The session stays open until this process ends. */
static void preserve_files(int device)
{
	int session = session_create(device, SESSION);

	if (session < 0)
		fail("creating the session " SESSION);
	for (int file = 0; file < FILES; file++)
		if (session_preserve(session, file, FD + file))
			fail("preserving file %d", file);
	close(device);
	printf("vmm: ready for the next kernel\n");
}

/* Returns the session, which resume() finishes when the guest runs. */
static int retrieve_files(int device)
{
	int session = session_retrieve(device, SESSION);

	if (session < 0)
		fail("retrieving the session " SESSION);
	for (int file = 0; file < FILES; file++)
		keep_fd(file, session_take(session, file));
	return session;
}

static __u64 size_of(int file)
{
	off_t size = lseek(FD + file, 0, SEEK_END);

	if (size < 0)
		fail("size of file %d", file);
	return size;
}

/* ------------------------------------------------------------------- start, resume */

struct words {
	__u64 cpus, mib, step, beat, fill, huge, hugetlb;
};

static int word(const char *arg, const char *name, __u64 *value)
{
	size_t len = strlen(name);

	if (strncmp(arg, name, len))
		return 0;
	if (!arg[len])
		*value = 1;
	else if (arg[len] == '=')
		*value = strtoull(arg + len + 1, NULL, 0);
	else
		return 0;
	return 1;
}

static struct words parse(char **args)
{
	struct words it = { .cpus = 1, .mib = 16, .step = 1 };

	errno = 0;
	for (; *args; args++)
		if (!word(*args, "cpus", &it.cpus) && !word(*args, "mib", &it.mib) &&
		    !word(*args, "step", &it.step) && !word(*args, "beat", &it.beat) &&
		    !word(*args, "fill", &it.fill) && !word(*args, "hugetlb", &it.hugetlb) &&
		    !word(*args, "huge", &it.huge))
			fail("there is no word %s", *args);
	if (it.cpus < 1 || it.cpus > VM_CPUS_MAX)
		fail("a guest has 1 to %d vCPUs", VM_CPUS_MAX);
	if (it.mib < 4)
		fail("a guest has 4 MiB or more");
	return it;
}

static void start(char **args)
{
	struct words words = parse(args);
	struct vm_params params = {
		.cpus = words.cpus,
		.pages = ((words.mib << 20) - VM_WORK) / VM_PAGE / words.step / words.cpus,
		.step = words.step, .beat = words.beat,
	};

	if (!params.beat)
		params.beat = params.pages;
	new_file(MEMORY, "memory", words.hugetlb ? MFD_HUGETLB : 0, words.mib << 20);
	new_file(STATE, "state", 0, VM_STATE_SIZE);
	new_file(CONSOLE, "console", 0, VM_CONSOLE_SIZE);
	map_files();
	machine_create(&machine, words.cpus, FD + MEMORY, words.mib << 20);
	if (words.huge)
		madvise(machine.memory, machine.size, MADV_HUGEPAGE);
	if (words.fill && fallocate(FD + MEMORY, 0, 0, machine.size))
		fail("fallocate");
	machine_begin(&machine, &params);
	preserve_files(open_device());

	/* How the guest's clock relates to the host's, for the check. */
	machine_save(&machine, state, 0);
	console->offset = state_tsc(state)->offset;
	console->khz = state_tsc(state)->khz;
	start_threads();
}

static void note_handover(void)
{
	__u64 n = console->handovers;

	errno = 0;
	if (n >= VM_HANDOVERS_MAX || console->len >= VM_CONSOLE_TEXT)
		fail("the console has %llu handovers and %llu bytes", (unsigned long long)n,
		     (unsigned long long)console->len);
	console->at[n].stopped = state->stopped;
	console->at[n].resumed = at.resumed;
	console->handovers = n + 1;
	/* If the guest had begun a line, show_console() will show all of it. */
	for (shown = console->len; shown && console->text[shown - 1] != '\n'; shown--)
		;
}

/* Prints the times in cycles of the TSC, which keeps counting during the kexec. */
static void tell_moments(void)
{
	printf("vmm: save %llu away %llu retrieve %llu create %llu restore %llu in all %llu\n",
	       (unsigned long long)(state->saved - state->stopped),
	       (unsigned long long)(at.started - state->saved),
	       (unsigned long long)(at.retrieved - at.started),
	       (unsigned long long)(at.created - at.retrieved),
	       (unsigned long long)(at.restored - at.created),
	       (unsigned long long)(at.resumed - state->stopped));
}

static void resume(void)
{
	int device, session;

	device = open_device();
	session = retrieve_files(device);
	if (size_of(STATE) != VM_STATE_SIZE || size_of(CONSOLE) != VM_CONSOLE_SIZE)
		fail("the files do not have the right sizes");
	map_files();
	machine_check(state, size_of(MEMORY));
	at.retrieved = read_clock();
	machine_create(&machine, state->vcpus, FD + MEMORY, state->memory);
	at.created = read_clock();
	machine_restore(&machine, state);
	at.restored = read_clock();
	for (unsigned int id = 0; id < machine.vcpus; id++)
		ioctl(machine.vcpu_fds[id], KVM_KVMCLOCK_CTRL, 0);
	at.resumed = read_clock();
	note_handover();
	start_threads();

	/*
	 * The guest comes first. FINISH waits until all of its memory is there, and takes
	 * CPU time that the guest could use.
	 */
	setpriority(PRIO_PROCESS, 0, 19);
	usleep(20000);
	tell_moments();
	if (session_finish(session))
		fail("finishing the session");
	close(session);
	setpriority(PRIO_PROCESS, 0, 0);
	preserve_files(device);
}

/* --------------------------------------------------------------------- process 1 */

#define WORDS_MAX 64

/*
 * The guest comes first, so this waits until the child has resumed it. /init mounts
 * devtmpfs on /dev once more, which does no harm.
 */
static int run_init(char **argv, char **envp, pid_t pid, int resumed)
{
	static char word[32], *words[WORDS_MAX + 2];
	int n = 0;
	char byte;

	snprintf(word, sizeof(word), "vm_pid=%d", pid);

	(void)!read(resumed, &byte, 1);
	close(resumed);
	close(0);
	close(1);
	close(2);
	for (words[n++] = word; *envp && n < WORDS_MAX; envp++)
		words[n++] = *envp;
	execve("/init", argv, words);
	return 1;
}

static int begin_as_init(char **argv, char **envp)
{
	int pipes[2], out;
	pid_t pid;

	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	out = open("/dev/kmsg", O_WRONLY);
	dup2(out, 1);
	dup2(out, 2);
	if (pipe(pipes))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		setsid();
		close(pipes[0]);
		return pipes[1];
	}
	close(pipes[1]);
	exit(run_init(argv, envp, pid, pipes[0]));
}

int main(int argc, char **argv, char **envp)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int resumed = -1;
	sigset_t asked;

	at.started = read_clock();
	setvbuf(stdout, NULL, _IOLBF, 256);
	if (argc == 5 && !strcmp(verb, "check"))
		return check_beats(argv[2], argv[3], atoi(argv[4]));

	sigemptyset(&asked);
	sigaddset(&asked, SIGUSR1);
	sigaddset(&asked, SIGUSR2);
	sigaddset(&asked, SIGHUP);
	sigaddset(&asked, SIGTERM);
	sigaddset(&asked, KICK);
	if (getpid() == 1) {
		resumed = begin_as_init(argv, envp);
		verb = "resume";
	}
	pthread_sigmask(SIG_BLOCK, &asked, NULL);
	sigdelset(&asked, KICK);

	if (!strcmp(verb, "start")) {
		start(argv + 2);
	} else if (!strcmp(verb, "resume")) {
		resume();
	} else {
		fprintf(stderr, "usage: vm start [WORD...]\n"
				"       vm resume\n"
				"       vm check CONSOLE MEMORY BEATS\n");
		return 2;
	}
	if (resumed >= 0)
		close(resumed);
	serve_signals(&asked);
	return 1;
}
