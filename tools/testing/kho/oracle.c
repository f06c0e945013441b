// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle: a second reader of handovers, which is as simple as possible. It was
 * written from the description of the format, goes through the machine's memory page
 * by page, and shares no code with kernel/kexec_handover/.
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

/* What a page contains: nothing, something that no folio may overlap, a node, a folio. */
enum content { FREE, USED, NODE, FOLIO };

static u64 checksum;

static u8 contents[NR_PAGES];
static struct reading *reading;

static void defect(const char *what)
{
	if (!reading->defect)
		reading->defect = what;
}

static void set_used(u64 start, u64 end)
{
	for (u64 page = start / 4096; page < (end + 4095) / 4096; page++)
		contents[page] = USED;
}

static bool take(u64 page, enum content content)
{
	if (page >= NR_PAGES || contents[page] != FREE)
		return false;
	contents[page] = content;

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
		defect("folio is invalid");
		return;
	}
	node = pfn >= NODE_BORDER / 4096;
	for (u64 page = pfn; page < pfn + (1ULL << order); page++) {
		if (!take(page, FOLIO) || (page >= NODE_BORDER / 4096) != node) {
			defect("folio is at an invalid address");
			return;
		}
	}
	if (reading->nr_folios < ARRAY_SIZE(reading->folios))
		reading->folios[reading->nr_folios++] = (struct kho_map_folio){ pfn, order };
}

/* Can one of @nr keys, from @first on, name a folio that begins in RAM? */
static bool names_ram(u64 first, u64 nr)
{
	for (unsigned int order = 0; order <= LARGEST; order++) {
		u64 low = ORDER_0_KEY >> order, high = low | (NR_PAGES - 1) >> order;

		if (first <= high && low < first + nr)
			return true;
	}

	return false;
}

/*
 * Called twice: first for the nodes, and then with @leaves for the folios, because no
 * folio may contain a node.
 */
static void read_node(u64 addr, int level, u64 key, bool leaves)
{
	u64 nr = LEAF_BITS;

	for (int i = 0; i < level; i++)
		nr *= TABLE;
	if (!leaves) {
		if (addr % 4096 || !take(addr / 4096, NODE) || !names_ram(key, nr)) {
			defect("node is invalid");
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
			defect("scratch region is invalid");
			return;
		}
		for (int j = 0; j < i; j++) {
			if (regions[j][1] && start < regions[j][0] + regions[j][1] &&
			    regions[j][0] < end) {
				defect("scratch regions overlap");
				return;
			}
		}
	}
	if (!all || !kernel) {
		defect("there is no scratch, or the kernel is not in scratch");
		return;
	}
	for (int i = 0; i < NR_SCRATCH; i++) {
		u64 start = regions[i][0], size = regions[i][1];

		if (size && world.fdt < start + size && start < world.fdt + 4096)
			defect("FDT is in scratch");
		if (size)
			set_used(start, start + size);
	}
}

static bool read_fdt(u64 *map)
{
	const void *fdt = (void *)world.fdt, *prop;
	int len;

	if (fdt_check_header(fdt) || fdt_version(fdt) < 16 || fdt_totalsize(fdt) > 4096 ||
	    fdt_off_dt_struct(fdt) % 4 ||
	    fdt_node_check_compatible(fdt, 0, "kho-v4"))
		return false;
	prop = fdt_getprop(fdt, 0, "preserved-memory-map", &len);
	if (!prop || len != 8)
		return false;
	memcpy(map, prop, 8);

	return true;
}

/* Called when @checksum already includes the nodes. */
static void read_checksum(void)
{
	const u8 *fdt = (void *)world.fdt, *value;
	u64 after, is;
	int len;

	value = fdt_getprop(fdt, 0, "kho-6.12,checksum", &len);
	if (!value)
		return;
	after = value + 8 - fdt;
	checksum += xxh64(fdt, after - 8, 0) + xxh64(fdt + after, 4096 - after, after);
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
	memset(contents, FREE, sizeof(contents));

	if (!read_fdt(&map))
		defect("FDT is invalid");
	else
		read_scratch();
	if (reading->defect)
		return;

	set_used(0, RAM_START);
	set_used(HOLE_START, HOLE_END);
	set_used(FIRMWARE_START, RAM_END);
	set_used(world.scratch, world.scratch + world.scratch_size);
	set_used(world.fdt, world.fdt + 4096);
	read_node(map, 5, 0, false);
	if (!reading->defect)
		read_checksum();
	if (reading->defect)
		return;

	/* The root FDT may be the first page of a folio, but it need not be preserved. */
	for (int order = 0; order <= LARGEST; order++) {
		if (!(world.fdt / 4096 % (1ULL << order)) &&
		    is_folio(map, 5, 0, ORDER_0_KEY >> order | world.fdt / 4096 >> order))
			contents[world.fdt / 4096] = FREE;
	}
	read_node(map, 5, 0, true);
	if (!reading->nr_folios && fdt_first_subnode((void *)world.fdt, 0) >= 0)
		defect("there are blobs, but no folio");
}
