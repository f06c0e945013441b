// SPDX-License-Identifier: GPL-2.0-only
/*
 * kexec_load - the two system calls that a kexec needs, and nothing else
 *
 *   kexec_load load KERNEL INITRD COMMAND-LINE    load a kernel for "exec"
 *   kexec_load crash KERNEL INITRD COMMAND-LINE   load a kernel for a panic
 *   kexec_load unload                             unload the kernel for "exec"
 *   kexec_load exec                               start it at once
 *   kexec_load fail N load KERNEL INITRD COMMAND-LINE
 *                                                 load while the Nth allocation fails;
 *                                                 says if there was none
 *   kexec_load fail N exec                        the same; says so only if it fails
 *
 * INITRD may be "-". kexec-tools could do all this, but would put its own file
 * formats, purgatory and options between a test and the kernel.
 */

#include <linux/kexec.h>
#include <linux/reboot.h>

/* The Makefile includes nolibc.h, which is the C library here. */

static int fail(const char *what)
{
	fprintf(stderr, "kexec_load: %s: error %d\n", what, errno);
	return 1;
}

static const char *const fail_nth = "/proc/thread-self/fail-nth";

/* Stays open, so that these functions need no allocation. */
static int fault_file;

static int set_fault(const char *nth)
{
	if (!fault_file)
		fault_file = open(fail_nth, O_RDWR);
	if (fault_file < 0 || write(fault_file, nth, strlen(nth)) < 0)
		return fail(fail_nth);
	return 0;
}

/* Return whether the allocation that should fail has not come, because there were fewer. */
static int fault_left(void)
{
	char left = '0';

	if (syscall(__NR_pread64, fault_file, &left, 1, 0) != 1)
		return fail(fail_nth);
	return left != '0';
}

static int load(const char *kernel, const char *initrd, const char *cmdline,
		unsigned long flags)
{
	int kernel_fd, initrd_fd = -1;
	/*
	 * Computed before the call: nolibc puts the arguments of the system call into
	 * fixed registers, which a call to strlen() among them would overwrite.
	 */
	size_t len = strlen(cmdline) + 1;

	kernel_fd = open(kernel, O_RDONLY);
	if (kernel_fd < 0)
		return fail(kernel);

	if (strcmp(initrd, "-")) {
		initrd_fd = open(initrd, O_RDONLY);
		if (initrd_fd < 0)
			return fail(initrd);
	} else {
		flags |= KEXEC_FILE_NO_INITRAMFS;
	}

	if (syscall(__NR_kexec_file_load, kernel_fd, initrd_fd, len, cmdline,
		    flags))
		return fail("kexec_file_load");
	return 0;
}

static int load_with_fault(const char *kernel, const char *initrd,
			   const char *cmdline, const char *nth)
{
	if (set_fault(nth) || load(kernel, initrd, cmdline, 0))
		return 1;
	puts(fault_left() ? "no such allocation" : "loaded all the same");
	return 0;
}

static int exec_with_fault(const char *nth)
{
	int error, left;

	if (set_fault(nth))
		return 1;
	reboot(LINUX_REBOOT_CMD_KEXEC);
	error = errno;
	left = fault_left();
	set_fault("0");
	if (left)
		puts("no such allocation");
	errno = error;
	return fail("kexec");
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (argc == 5 && !strcmp(verb, "load"))
		return load(argv[2], argv[3], argv[4], 0);
	if (argc == 5 && !strcmp(verb, "crash"))
		return load(argv[2], argv[3], argv[4], KEXEC_FILE_ON_CRASH);

	if (argc == 7 && !strcmp(verb, "fail") && !strcmp(argv[3], "load"))
		return load_with_fault(argv[4], argv[5], argv[6], argv[2]);

	if (argc == 4 && !strcmp(verb, "fail") && !strcmp(argv[3], "exec"))
		return exec_with_fault(argv[2]);

	if (argc == 2 && !strcmp(verb, "unload")) {
		if (syscall(__NR_kexec_file_load, -1, -1, 0, NULL,
			    KEXEC_FILE_UNLOAD))
			return fail("unload");
		return 0;
	}

	if (argc == 2 && !strcmp(verb, "exec")) {
		reboot(LINUX_REBOOT_CMD_KEXEC);
		return fail("kexec");	/* on success this is never reached */
	}

	fprintf(stderr, "usage: kexec_load load|crash KERNEL INITRD COMMAND-LINE\n"
			"       kexec_load unload|exec\n");
	return 2;
}
