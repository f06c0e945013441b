// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle of luo_fuzz: reads live update state without the kernel's code, as simply as
 * possible. It was written from the description of the format.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include "luo_world.h"

static u64 word_at(u64 phys)
{
	return *(const u64 *)phys;
}

/*
 * Collects the addresses of the entries of a list. Returns what is wrong with it, or NULL.
 */
static const char *read_list(u64 phys, unsigned int entry_size, u64 *entries, unsigned int *nr)
{
	static bool seen[LUO_PAGES];

	memset(seen, 0, sizeof(seen));
	*nr = 0;
	while (phys) {
		u64 count;

		if (!luo_waits(phys, 0))
			return "a block does not wait";
		if (seen[(phys - LUO_RAM) / PAGE_SIZE])
			return "a cycle";
		seen[(phys - LUO_RAM) / PAGE_SIZE] = true;
		count = word_at(phys + 8);
		if (count > (PAGE_SIZE - 16) / entry_size)
			return "too many entries";
		for (u64 i = 0; i < count; i++)
			entries[(*nr)++] = phys + 16 + i * entry_size;
		phys = word_at(phys);
	}

	return NULL;
}

static void read_sessions(u64 phys, struct luo_reading *reading)
{
	static u64 entries[MOST_SESSIONS];
	unsigned int nr;

	reading->defect = read_list(phys, 80, entries, &nr);
	if (reading->defect)
		return;
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int j = 0;
		char name[64];

		memcpy(name, (const char *)entries[i], 64);
		name[63] = '\0';
		while (j < reading->nr_sessions && strcmp(name, reading->sessions[j].name))
			j++;
		if (j < reading->nr_sessions) {
			reading->sessions[j].twice = true;
			reading->nr_twice++;
			continue;
		}
		memset(reading->sessions[j].name, 0, 64);
		memcpy(reading->sessions[j].name, name, strlen(name));
		reading->sessions[j].files = word_at(entries[i] + 64);
		reading->sessions[j].count = word_at(entries[i] + 72);
		/* A session without a name cannot be retrieved either. */
		reading->sessions[j].twice = !*name;
		reading->nr_twice += !*name;
		reading->nr_sessions++;
	}
}

static const char *read_flbs(u64 phys, struct luo_reading *reading)
{
	u64 nr;

	reading->nr_flbs = 0;
	if (!phys)
		return NULL;
	if (!luo_waits(phys, 0))
		return "the page of FLBs does not wait";
	nr = word_at(phys + 8);
	if (word_at(phys) != 1 || nr > 63)
		return "the page of FLBs has a wrong size";
	memcpy(reading->flbs, (const void *)(phys + 16), nr * 64);
	for (u64 i = 0; i < nr; i++) {
		if (!memchr(reading->flbs[i].name, 0, 48))
			return "the name of an FLB has no end";
	}
	reading->nr_flbs = nr;

	return NULL;
}

/*
 * Reads everything but the files of sessions. The blob and the page of FLBs do not wait
 * while this reads the list of sessions, since the kernel has freed them by then.
 */
void luo_oracle_read(struct luo_reading *reading)
{
	const char *blob = (const char *)luo_world.blob;
	s8 *blob_order, *flb_order, order;
	u64 flbs;

	reading->list = 0;
	reading->nr_sessions = 0;
	reading->nr_twice = 0;
	reading->nr_flbs = 0;
	reading->defect = NULL;
	reading->flb_defect = NULL;
	reading->blob_defect = blob && (luo_world.blob_size < 32 ||
					!luo_waits(luo_world.blob, 0) ||
					strncmp(blob, "luo-v5", 8));
	if (reading->blob_defect)
		reading->defect = "the blob is broken";
	if (!blob || reading->defect)
		return;

	blob_order = &luo_world.orders[(luo_world.blob - LUO_RAM) / PAGE_SIZE];
	*blob_order = -1;
	flbs = word_at(luo_world.blob + 24);
	reading->flb_defect = read_flbs(flbs, reading);
	flb_order = flbs && !reading->flb_defect ?
		    &luo_world.orders[(flbs - LUO_RAM) / PAGE_SIZE] : &order;
	*flb_order = -1;
	reading->list = word_at(luo_world.blob + 16);
	read_sessions(reading->list, reading);
	*flb_order = 0;
	*blob_order = 0;
}

/* Reads the files of a session. Blocks of sessions that were retrieved wait no longer. */
void luo_oracle_files(u64 files, u64 count, struct luo_files_reading *reading)
{
	static u64 entries[MOST_FILES];
	unsigned int nr;

	reading->nr = 0;
	reading->nr_twice = 0;
	reading->defect = read_list(files, 64, entries, &nr);
	if (reading->defect)
		return;
	for (unsigned int i = 0; i < nr; i++) {
		const struct luo_file_ser *entry = (const void *)entries[i];
		unsigned int j = 0;

		if (!memchr(entry->compatible, 0, 48)) {
			reading->defect = "the name of a handler has no end";
			return;
		}
		while (j < reading->nr && reading->files[j].token != entry->token)
			j++;
		if (j < reading->nr) {
			reading->nr_twice++;
			continue;
		}
		if (strcmp(entry->compatible, "handler-a") &&
		    strcmp(entry->compatible, "handler-b")) {
			reading->defect = "a handler is unknown";
			return;
		}
		reading->files[reading->nr++] = *entry;
	}
	if (nr != count)
		reading->defect = "another number of files";
}
