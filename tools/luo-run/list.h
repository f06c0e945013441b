/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * list.h - the list of a session's files, in the form in which the next kernel gets it
 *
 * A session of live update knows its files by numbers. Their names and their order are in
 * a memfd, which is handed over as well. It can be read by the same version of luo-run and
 * by later ones.
 */
#ifndef LUO_RUN_LIST_H
#define LUO_RUN_LIST_H

#include <linux/types.h>

#include "luo-run.h"

/**
 * struct list_entry - a file of the service
 * @token: its number, from 1 to FILES_MAX
 * @error: why the kernel does not hand it over, an errno; 0 if it does
 * @name: its name, not empty, ended by a NUL
 */
struct list_entry {
	__u32 token;
	__u32 error;
	char name[NAME_SIZE];
};

/**
 * struct list - the files of a session in the order in which they were stored
 * @count: how many
 * @entry: of each
 */
struct list {
	__u32 count;
	struct list_entry entry[FILES_MAX];
};

/* Returns a new memfd for a list, or -1. */
int list_create(void);

/*
 * Writes the list. Whenever the kexec takes place, the next kernel finds either this list or
 * the one before. Returns 0 or a negative errno.
 */
int list_write(int fd, const struct list *from);

/*
 * Reads and checks a list. Returns what is wrong with it, or NULL. *later is set if the list
 * need not be damaged: another version of luo-run can read it, or it can be read later.
 */
const char *list_read(int fd, struct list *to, bool *later);

/* Is this a valid name for a stored file? The rules are those of systemd. */
bool name_valid(const char *name);

#endif
