/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent.h - a process that keeps file descriptors and does what it is asked
 *
 * A session lives as long as its file descriptor, and a shell cannot keep one that an
 * ioctl returns. So scenarios start an agent, and ask it for one thing after another.
 */
#ifndef LUO_AGENT_H
#define LUO_AGENT_H

/*
 * What a command returns when nothing failed, but the content is not as it should be.
 * Other failures are -1 with errno set.
 */
#define WRONG 1

/**
 * struct command - something that an agent can be asked to do
 * @name: its name
 * @args: how many arguments it has at least; those in brackets in @usage may be missing
 * @most: how many arguments it has at most
 * @run: gets the arguments, and prints the answer if there is one
 * @usage: names of the arguments
 */
struct command {
	const char *name;
	int args, most;
	int (*run)(char **arg);
	const char *usage;
};

/* Each ends with a command without a name. */
extern const struct command session_commands[];
extern const struct command file_commands[];
extern const struct command hugetlb_commands[];
extern const struct command scale_commands[];
extern const struct command fault_commands[];

/* The agent calls files by labels of at most 15 letters. */

/* Returns the file descriptor with that label, or -1 with EBADF. */
int label_fd(const char *label);

/*
 * Gives @fd a label, unless it is negative. Closes @fd if the label is too long or in use,
 * or if there is no room for it. Returns 0 or -1.
 */
int label_set(const char *label, int fd);

/* Returns the file descriptor and forgets the label. */
int label_take(const char *label);

/* Returns the number in an argument, or 0 if @arg is NULL. */
__u64 number(const char *arg);

/*
 * Called before and after each command. If the previous command was "fail", an allocation
 * of this one fails. They return 0 or -1.
 */
int fault_begin(void);
int fault_end(void);

int serve(const char *place);
int ask(const char *place, char **words);

#endif
