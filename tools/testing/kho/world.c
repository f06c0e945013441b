// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated machine: its memory, which this process maps at the same addresses,
 * the handover that an old kernel leaves there, and the new kernel that checks it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <stdio.h>
#include <sys/mman.h>

#include <linux/memblock.h>

#include "../../../kernel/kexec_handover/check.h"
#include "../../../kernel/kexec_handover/checksum.h"
#include "../../../kernel/kexec_handover/fdt.h"
#include "../../../kernel/kexec_handover/incoming.h"
#include "../../../kernel/kexec_handover/ram.h"
#include "../../../kernel/kexec_handover/scratch.h"
#include "world.h"

struct world world;
bool movable_node_enabled;

static const struct kho_scratch regions[NR_SCRATCH] = {
	{ 0x11000000, 0x1000000 }, { 0x14000000, 0x2000000 }, { 0x24000000, 0x800000 },
};

/* Memory where no named case adds a folio. */
#define NAMED_START	0x16000000
#define NAMED_END	0x1c000000

static u64 random_state;
static char said[256];

/* xorshift64*: a seed gives the same numbers on all hosts. */
static u64 random_u64(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;

	return random_state * 0x2545f4914f6cdd1dULL;
}

u64 random_below(u64 limit)
{
	return random_u64() % limit;
}

void random_seed(u64 seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

static bool refuse(const struct kho_defect *defect)
{
	snprintf(said, sizeof(said), "%s at %#llx, %llu bytes, %s", defect->object,
		 (unsigned long long)defect->phys, (unsigned long long)defect->size,
		 defect->what);

	return false;
}

/* Returns why the kernel refused the handover, or NULL if it accepted it. */
const char *world_said(void)
{
	return *said ? said : NULL;
}

/* The resources of the new kernel name the same memory as memblock. */
bool kho_ram_is_ram(u64 phys, u64 size)
{
	return kho_check_memblock_has(phys, size);
}

static void map_ram(unsigned long start, unsigned long end)
{
	void *ram = mmap((void *)start, end - start, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (ram != (void *)start) {
		perror("cannot map memory at the addresses of the machine's RAM");
		exit(1);
	}
}

void world_init(void)
{
	map_ram(RAM_START, HOLE_START);
	map_ram(HOLE_END, RAM_END);
	max_pfn = PHYS_PFN(RAM_END);
	memblock_set_kho_scratch_only();
}

/* Allocates a page that the old kernel uses itself. */
u64 world_page(void)
{
	u64 page = world.next;

	if (page == OWN_START + OWN_PAGES * PAGE_SIZE)
		abort();
	world.next += PAGE_SIZE;

	return page;
}

static union kho_map_node *alloc_node(void)
{
	return phys_to_virt(world_page());
}

static void free_node(union kho_map_node *node)
{
}

static const struct kho_map_ops ops = { .alloc = alloc_node, .free = free_node };

void world_add(unsigned long pfn, unsigned int order)
{
	if (world.nr_folios == MAX_FOLIOS || kho_map_add(&world.map, pfn, order))
		abort();
	world.folios[world.nr_folios++] = (struct kho_map_folio){ pfn, order };
}

static bool overlaps(u64 start, u64 size, u64 from, u64 to)
{
	return start < to && from < start + size;
}

/* Could the old kernel have preserved this memory? */
static bool place_is_free(u64 start, u64 size)
{
	if (start < RAM_START || start + size > FIRMWARE_START ||
	    overlaps(start, size, HOLE_START, HOLE_END) ||
	    overlaps(start, size, OWN_START, OWN_START + OWN_PAGES * PAGE_SIZE) ||
	    (start < NODE_BORDER && start + size > NODE_BORDER) ||
	    (world.named && (start < NAMED_START || start + size > NAMED_END)))
		return false;

	for (unsigned int i = 0; i < NR_SCRATCH; i++) {
		if (overlaps(start, size, regions[i].addr, regions[i].addr + regions[i].size))
			return false;
	}
	for (unsigned int i = 0; i < world.nr_folios; i++) {
		const struct kho_map_folio *f = &world.folios[i];

		if (overlaps(start, size, PFN_PHYS(f->pfn), PFN_PHYS(f->pfn + BIT(f->order))))
			return false;
	}

	return true;
}

/* Returns the address of memory that the old kernel does not use yet, or 0. */
u64 world_place(u64 size)
{
	for (int i = 0; i < 100; i++) {
		u64 start = RAM_START + random_below((RAM_END - RAM_START) / PAGE_SIZE) * PAGE_SIZE;

		if (place_is_free(start, size))
			return start;
	}

	return 0;
}

/* Adds folios, half of them in the same leaf, and the others far from each other. */
static void add_folios(unsigned int nr)
{
	static const unsigned int orders[] = { 0, 0, 0, 1, 2, 5, 9, 10, 12 };

	while (nr--) {
		unsigned int order = orders[random_below(ARRAY_SIZE(orders))];
		u64 span = random_below(2) ? RAM_END - RAM_START : 0x400000;
		unsigned long pfn = PHYS_PFN(RAM_START + random_below(span));

		pfn = ALIGN_DOWN(pfn, BIT(order));
		if (place_is_free(PFN_PHYS(pfn), PAGE_SIZE << order))
			world_add(pfn, order);
	}
}

static void make_fdt(u64 addr)
{
	void *fdt = phys_to_virt(addr);
	char name[] = "blob-a";

	if (kho_fdt_create(fdt, virt_to_phys(world.map.root)))
		abort();
	for (unsigned int i = random_below(4); i; i--, name[5]++) {
		if (kho_fdt_add(fdt, name, RAM_START + i * PAGE_SIZE, 4096))
			abort();
	}
}

/* Adds a checksum. The new kernel must notice all later changes. */
void world_seal(void)
{
	void *fdt = phys_to_virt(world.fdt);

	if (kho_checksum_prepare(fdt))
		abort();
	kho_checksum_set(fdt, &world.map);
	world.sealed = true;
}

/*
 * Makes a valid handover with up to @nr_regions regions of reserve_mem=. With @named, its
 * regions and folios, but for that of the root FDT, lie where named cases add nothing.
 */
void world_make(unsigned int nr_regions, bool named)
{
	memset(&world, 0, sizeof(world));
	world.named = named;
	memset(phys_to_virt(OWN_START), 0, OWN_PAGES * PAGE_SIZE);
	world.next = OWN_START;

	if (kho_map_init(&world.map, &ops))
		abort();
	world.scratch = world_page();
	world.scratch_size = sizeof(regions);
	memcpy(phys_to_virt(world.scratch), regions, sizeof(regions));

	world.fdt = world_page();
	world.fdt_size = KHO_FDT_SIZE;
	make_fdt(world.fdt);
	if (random_below(4))
		world_add(PHYS_PFN(world.fdt), 0);
	regions_hand_over(nr_regions);
	add_folios(random_below(100));
}

static void reset_memblock(void)
{
	memblock.memory.cnt = 0;
	memblock.memory.total_size = 0;
	memblock.reserved.cnt = 0;
	memblock.reserved.total_size = 0;

	memblock_add_node(RAM_START, NODE_BORDER - RAM_START, 0, MEMBLOCK_NONE);
	memblock_add_node(NODE_BORDER, HOLE_START - NODE_BORDER, 1, MEMBLOCK_NONE);
	memblock_add_node(HOLE_END, RAM_END - HOLE_END, 1, MEMBLOCK_NONE);
	/* Half of the hole is memory of the firmware that must not be mapped. */
	memblock_add_node(HOLE_START, (HOLE_END - HOLE_START) / 2, 1, MEMBLOCK_NOMAP);
	memblock_reserve(FIRMWARE_START, RAM_END - FIRMWARE_START);
}

/* Reserves all of scratch except for @spare_pages pages. */
static void take_memory(void)
{
	for (unsigned int i = 0; i < NR_SCRATCH; i++)
		memblock_reserve(kho_scratch[i].addr, kho_scratch[i].size);
	for (unsigned int i = 0; i < world.spare_pages; i++)
		memblock_phys_free(kho_scratch[1].addr + 2 * i * PAGE_SIZE, PAGE_SIZE);
}

/*
 * Leaves memblock room for the marks of all scratch regions but the last, and no memory
 * to make room for more.
 */
static void crowd(void)
{
	memblock_allow_resize();
	memblock_reserve(RAM_START, RAM_END - RAM_START);
	for (u64 page = RAM_START; memblock.memory.cnt + 2 * NR_SCRATCH <= memblock.memory.max;
	     page += 2 * PAGE_SIZE)
		memblock_mark_hotplug(page + PAGE_SIZE, PAGE_SIZE);
}

/*
 * Leaves memblock no room to reserve the array of scratch regions: only the page of the array
 * is free, which is too little for a larger table of reserved regions.
 */
static void crowd_reserved(void)
{
	memblock_allow_resize();
	memblock_reserve(RAM_START, RAM_END - RAM_START);
	memblock_phys_free(ALIGN_DOWN(world.scratch, PAGE_SIZE), PAGE_SIZE);
	for (u64 page = RAM_END; memblock.reserved.cnt < memblock.reserved.max;
	     page += 2 * PAGE_SIZE)
		memblock_reserve(page + PAGE_SIZE, PAGE_SIZE);
}

static bool scratch_is_marked(void)
{
	struct memblock_region *r;

	for_each_mem_region(r) {
		if (r->flags & MEMBLOCK_KHO_SCRATCH)
			return true;
	}

	return false;
}

static bool refuse_marks(void)
{
	if (scratch_is_marked())
		snprintf(said, sizeof(said), "some scratch is still marked");
	else
		snprintf(said, sizeof(said), "no memory to note the scratch regions");

	return false;
}

/* Does the same checks as kho_populate() and kho_memory_init(), except for blobs. */
bool world_receive(void)
{
	struct kho_defect defect;

	memset(&kho_incoming, 0, sizeof(kho_incoming));
	memset(said, 0, sizeof(said));
	kho_scratch_set(NULL, 0);
	reset_memblock();

	if (!kho_check_fdt(world.fdt, world.fdt_size, &defect))
		return refuse(&defect);
	memblock_reserve(world.fdt, world.fdt_size);
	if (!kho_check_scratch(world.scratch, world.scratch_size, &defect))
		return refuse(&defect);
	if (world.crowded)
		crowd();
	if (world.crowded_reserved)
		crowd_reserved();
	if (!kho_scratch_adopt(world.scratch, NR_SCRATCH))
		return refuse_marks();
	kho_incoming.fdt_phys = world.fdt;
	if (world.poor)
		take_memory();

	return kho_check_map(&defect) || refuse(&defect);
}
