// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second reader of handovers, as simple as can be: from the description of the
 * format, page by page, and without any of the kernel's code.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <libfdt.h>
#include <linux/xxhash.h>

#include <asm/sections.h>

#include "world.h"

#define TABLE		512
#define LEAF_BITS	32768
#define ORDER_0_KEY	BIT_ULL(52)
#define LARGEST		30
#define NR_PAGES	(RAM_END / 4096)

/* Who has a page: nobody, something that no folio may be in, a node, a folio. */
enum owner { NOBODY, SOMEBODY, NODE, FOLIO };

static u64 checksum;

static u8 owner[NR_PAGES];
static struct reading *reading;

static void defect(const char *what)
{
	if (!reading->defect)
		reading->defect = what;
}

static void own(u64 start, u64 end)
{
	for (u64 page = start / 4096; page < (end + 4095) / 4096; page++)
		owner[page] = SOMEBODY;
}

static bool take(u64 page, enum owner who)
{
	if (page >= NR_PAGES || owner[page] != NOBODY)
		return false;
	owner[page] = who;

	return true;
}

static void read_folio(u64 key)
{
	unsigned int order = 0;
	u64 pfn, node;

	while (!(key & (ORDER_0_KEY >> order)))
		order++;
	pfn = (key ^ (ORDER_0_KEY >> order)) << order;

	if (order > LARGEST || pfn >= NR_PAGES) {
		defect("folio cannot be");
		return;
	}
	node = pfn >= NODE_BORDER / 4096;
	for (u64 page = pfn; page < pfn + (1ULL << order); page++) {
		if (!take(page, FOLIO) || (page >= NODE_BORDER / 4096) != node) {
			defect("folio is where none can be");
			return;
		}
	}
	if (reading->nr_folios < ARRAY_SIZE(reading->folios))
		reading->folios[reading->nr_folios++] = (struct kho_map_folio){ pfn, order };
}

/* Can a node whose keys begin with @prefix, @shift bits above them, name RAM? */
static bool names_ram(u64 first, u64 nr)
{
	for (unsigned int order = 0; order <= LARGEST; order++) {
		u64 low = ORDER_0_KEY >> order, high = low | (NR_PAGES - 1) >> order;

		if (first <= high && low < first + nr)
			return true;
	}

	return false;
}

/* Nodes first: what a folio may be in depends on where they are. */
static void read_node(u64 addr, int level, u64 key, bool leaves)
{
	u64 nr = LEAF_BITS;

	for (int i = 0; i < level; i++)
		nr *= TABLE;
	if (!leaves) {
		if (addr % 4096 || !take(addr / 4096, NODE) || !names_ram(key, nr)) {
			defect("node cannot be");
			return;
		}
		reading->nr_nodes++;
		checksum += xxh64((void *)addr, 4096, addr);
	}

	if (!level) {
		const u8 *bytes = (void *)addr;

		for (unsigned int bit = 0; leaves && bit < LEAF_BITS; bit++) {
			if (bytes[bit / 8] >> bit % 8 & 1)
				read_folio(key + bit);
		}
		return;
	}
	for (unsigned int i = 0; i < TABLE && !reading->defect; i++) {
		u64 entry = ((u64 *)addr)[i];

		if (entry)
			read_node(entry, level - 1, key + i * (nr / TABLE), leaves);
	}
}

static bool is_folio(u64 addr, int level, u64 key, u64 wanted)
{
	while (level) {
		u64 nr = LEAF_BITS;

		for (int i = 1; i < level; i++)
			nr *= TABLE;
		addr = ((u64 *)addr)[(wanted - key) / nr];
		if (!addr)
			return false;
		key += (wanted - key) / nr * nr;
		level--;
	}

	return ((u8 *)addr)[(wanted - key) / 8] >> wanted % 8 & 1;
}

static void read_scratch(void)
{
	const u64 (*regions)[2] = (void *)world.scratch;
	bool kernel = false;
	u64 all = 0;

	for (int i = 0; i < NR_SCRATCH; i++) {
		u64 start = regions[i][0], size = regions[i][1], end = start + size;

		all += size;
		if (!size)
			continue;
		kernel |= start <= KERNEL_START && end >= KERNEL_END;
		if (end < start || start % (4 << 20) || size % (4 << 20) ||
		    start < RAM_START || end > RAM_END || (start < HOLE_END && end > HOLE_START)) {
			defect("scratch cannot be");
			return;
		}
		for (int j = 0; j < i; j++) {
			if (regions[j][1] && start < regions[j][0] + regions[j][1] &&
			    regions[j][0] < end) {
				defect("scratch overlaps");
				return;
			}
		}
	}
	if (!all || !kernel) {
		defect("there is no scratch, or the kernel is elsewhere");
		return;
	}
	for (int i = 0; i < NR_SCRATCH; i++) {
		u64 start = regions[i][0], size = regions[i][1];

		if (size && world.fdt < start + size && start < world.fdt + 4096)
			defect("FDT is in scratch");
		if (size)
			own(start, start + size);
	}
}

static bool read_fdt(u64 *map)
{
	const void *fdt = (void *)world.fdt, *prop;
	int len;

	if (fdt_check_header(fdt) || fdt_totalsize(fdt) > 4096 || fdt_off_dt_struct(fdt) % 4 ||
	    fdt_node_check_compatible(fdt, 0, "kho-v4"))
		return false;
	prop = fdt_getprop(fdt, 0, "preserved-memory-map", &len);
	if (!prop || len != 8)
		return false;
	memcpy(map, prop, 8);

	return true;
}

/* Once checksum has that of the nodes. */
static void read_checksum(void)
{
	const u8 *fdt = (void *)world.fdt, *value;
	u64 behind, is;
	int len;

	value = fdt_getprop(fdt, 0, "kho-6.12,checksum", &len);
	if (!value)
		return;
	behind = value + 8 - fdt;
	checksum += xxh64(fdt, behind - 8, 0) + xxh64(fdt + behind, 4096 - behind, behind);
	memcpy(&is, value, 8);
	if (len != 8 || is != checksum)
		defect("checksum is wrong");
}

void oracle_read(struct reading *into)
{
	u64 map;

	reading = into;
	reading->defect = NULL;
	reading->nr_folios = 0;
	reading->nr_nodes = 0;
	checksum = 0;
	memset(owner, NOBODY, sizeof(owner));

	if (!read_fdt(&map))
		defect("FDT cannot be");
	else
		read_scratch();
	if (reading->defect)
		return;

	own(0, RAM_START);
	own(HOLE_START, HOLE_END);
	own(FIRMWARE_START, RAM_END);
	own(world.scratch, world.scratch + world.scratch_size);
	own(world.fdt, world.fdt + 4096);
	read_node(map, 5, 0, false);
	if (!reading->defect)
		read_checksum();
	if (reading->defect)
		return;

	/* The root FDT may be a folio that begins with it; it need not. */
	for (int order = 0; order <= LARGEST; order++) {
		if (!(world.fdt / 4096 % (1ULL << order)) &&
		    is_folio(map, 5, 0, ORDER_0_KEY >> order | world.fdt / 4096 >> order))
			owner[world.fdt / 4096] = NOBODY;
	}
	read_node(map, 5, 0, true);
	if (!reading->nr_folios && fdt_first_subnode((void *)world.fdt, 0) >= 0)
		defect("blobs without a folio");
}
