/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated machine of luo_fuzz, and the live update state in its memory.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_LUO_WORLD_H
#define _KHO_LUO_WORLD_H

#include "../../../kernel/liveupdate/internal.h"

/* RAM. The old kernel allocates pages from its start. LUO_LARGE is a folio of order 2. */
#define LUO_RAM		0x20000000UL
#define LUO_PAGES	2048
#define LUO_LARGE	(LUO_RAM + (LUO_PAGES - 16) * PAGE_SIZE)
#define LUO_END		(LUO_RAM + LUO_PAGES * PAGE_SIZE)

/* Each page of RAM can be a block with as many entries as fit. */
#define MOST_SESSIONS	(LUO_PAGES * 51)
#define MOST_FILES	(LUO_PAGES * 63)
#define MOST_FLBS	63

/**
 * struct luo_world - a handover with live update
 * @orders: order of the folio that waits at each page; -1 for none
 * @next: address of the next page that the old kernel has not used
 * @blob: address of the blob, 0 if there is none
 * @blob_size: its size as the root FDT has it
 * @said: number of messages since luo_world.said was last cleared
 * @last_said: the last of them, without values
 * @modules: how often modules are held
 * @installed: the file that the last ioctl returned
 * @device: file operations of /dev/liveupdate
 */
struct luo_world {
	s8 orders[LUO_PAGES];
	u64 next;
	u64 blob;
	u64 blob_size;
	unsigned int said;
	const char *last_said;
	int modules;
	struct file *installed;
	const struct file_operations *device;
};

/**
 * struct luo_reading - what the oracle found, without the files of sessions
 * @defect: what is wrong with the blob or with the list of sessions, or NULL
 * @blob_defect: @defect is one of the blob
 * @list: address of the list of sessions
 * @nr_sessions: number of @sessions
 * @nr_twice: how many sessions have no name, or the name of an earlier one
 * @sessions: the sessions, without those with the name of an earlier one
 * @flb_defect: what is wrong with the page of FLBs, or NULL
 * @nr_flbs: number of @flbs
 * @flbs: the FLBs
 */
struct luo_reading {
	const char *defect;
	bool blob_defect;
	u64 list;
	unsigned int nr_sessions;
	unsigned int nr_twice;
	struct {
		char name[LIVEUPDATE_SESSION_NAME_LENGTH];
		u64 files;
		u64 count;
		bool twice;
	} sessions[MOST_SESSIONS];
	const char *flb_defect;
	unsigned int nr_flbs;
	struct luo_flb_ser flbs[MOST_FLBS];
};

/**
 * struct luo_files_reading - what the oracle found in a list of files
 * @defect: what is wrong with it, or NULL
 * @nr_twice: how many files have the token of an earlier one
 * @nr: number of @files
 * @files: the files, without those with the token of an earlier one
 */
struct luo_files_reading {
	const char *defect;
	unsigned int nr_twice;
	unsigned int nr;
	struct luo_file_ser files[MOST_FILES];
};

extern struct luo_world luo_world;

/* What the kernel does at boot. */
extern int (*luo_early_param)(char *arg);
extern int (*luo_initcall)(void);
extern int (*luo_device_initcall)(void);

/* luo_world.c */

u64 random_below(u64 limit);
void random_seed(u64 seed);
void luo_world_init(void);
void luo_world_reset(void);
void luo_fail_next(unsigned int nr);
bool luo_fail_stop(void);
bool luo_waits(u64 phys, int order);
u64 luo_phys(const struct folio *folio);
unsigned int luo_nr_taken(void);

/* luo_world.c: the old kernel */

void luo_make(void);
u64 luo_folio(unsigned int order);
u64 luo_page(void);
u64 luo_make_list(size_t entry_size, const void *entries, unsigned int nr);
u64 luo_make_files(unsigned int nr, u64 first_token);
void luo_make_state(u64 sessions, u64 flbs);

/* luo_oracle.c */

void luo_oracle_read(struct luo_reading *reading);
void luo_oracle_files(u64 files, u64 count, struct luo_files_reading *reading);

/* luo_flb.c */

void luo_flb_forget(void);

#endif /* _KHO_LUO_WORLD_H */
