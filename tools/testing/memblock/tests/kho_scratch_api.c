// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of scratch, the memory that memblock allocates from after a handover: how it
 * is marked, and that memblock allocates no other memory after
 * memblock_set_kho_scratch_only(), and of vacant memory, which comes before scratch after
 * memblock_set_kho_vacant_first().
 *
 * The memory has MEM_SIZE bytes, and begins with the first page of the dummy physical
 * memory. It consists of 8 units. Units 2, 5 and 6 are scratch unless a test says
 * otherwise:
 *
 *      0     1     2     3     4     5     6     7
 *   +-----+-----+=====+-----+-----+===========+-----+
 *   |           | LOW |           |    HIGH   |     |
 *   +-----+-----+=====+-----+-----+===========+-----+
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#include <limits.h>

#include "kho_scratch_api.h"

#define UNIT		(MEM_SIZE / 8)

static phys_addr_t unit(int n)
{
	return PAGE_ALIGN(dummy_physical_memory_base()) + n * UNIT;
}

static void setup_no_scratch(void)
{
	setup_memblock();
	reset_memblock_regions();
	memblock_add(unit(0), MEM_SIZE);
}

static void mark_low_and_high(void)
{
	ASSERT_EQ(0, memblock_mark_kho_scratch(unit(2), UNIT));
	ASSERT_EQ(0, memblock_mark_kho_scratch(unit(5), 2 * UNIT));
}

static void setup_scratch(void)
{
	setup_no_scratch();
	mark_low_and_high();
}

static void assert_region(int i, phys_addr_t base, phys_addr_t size, int flags)
{
	struct memblock_region *rgn = &memblock.memory.regions[i];

	ASSERT_LT(i, memblock.memory.cnt);
	ASSERT_EQ(rgn->base, base);
	ASSERT_EQ(rgn->size, size);
	ASSERT_EQ(rgn->flags, flags);
}

/* Asserts that this range is reserved, and no other memory. */
static void assert_reserved(phys_addr_t base, phys_addr_t size)
{
	ASSERT_EQ(memblock.reserved.cnt, 1);
	ASSERT_EQ(memblock.reserved.regions[0].base, base);
	ASSERT_EQ(memblock.reserved.regions[0].size, size);
	ASSERT_EQ(memblock.reserved.total_size, size);
}

static void assert_nothing_reserved(void)
{
	ASSERT_EQ(memblock.reserved.total_size, 0);
}

/* ASSERT_EQ() evaluates its arguments twice, so they must not be allocations. */
static void assert_at(phys_addr_t expected, phys_addr_t seen)
{
	ASSERT_EQ(expected, seen);
}

static void assert_got(phys_addr_t seen)
{
	ASSERT_NE(0, seen);
}

static void assert_none(phys_addr_t seen)
{
	ASSERT_EQ(0, seen);
}

static void assert_null(void *seen)
{
	ASSERT_EQ(NULL, seen);
}

/*
 * Marking scratch
 */

static int kho_scratch_mark_splits_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	ASSERT_EQ(memblock.memory.cnt, 5);
	assert_region(0, unit(0), 2 * UNIT, MEMBLOCK_NONE);
	assert_region(1, unit(2), UNIT, MEMBLOCK_KHO_SCRATCH);
	assert_region(2, unit(3), 2 * UNIT, MEMBLOCK_NONE);
	assert_region(3, unit(5), 2 * UNIT, MEMBLOCK_KHO_SCRATCH);
	assert_region(4, unit(7), UNIT, MEMBLOCK_NONE);
	ASSERT_FALSE(memblock_is_kho_scratch(&memblock.memory.regions[0]));
	ASSERT_TRUE(memblock_is_kho_scratch(&memblock.memory.regions[1]));
	ASSERT_EQ(memblock.memory.total_size, MEM_SIZE);
	assert_nothing_reserved();

	test_pass_pop();

	return 0;
}

static int kho_scratch_mark_neighbours_merge_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	ASSERT_EQ(0, memblock_mark_kho_scratch(unit(3), 2 * UNIT));
	ASSERT_EQ(memblock.memory.cnt, 3);
	assert_region(0, unit(0), 2 * UNIT, MEMBLOCK_NONE);
	assert_region(1, unit(2), 5 * UNIT, MEMBLOCK_KHO_SCRATCH);
	assert_region(2, unit(7), UNIT, MEMBLOCK_NONE);

	test_pass_pop();

	return 0;
}

/* Marking addresses after the end of memory adds no memory. */
static int kho_scratch_mark_beyond_check(void)
{
	PREFIX_PUSH();
	setup_no_scratch();

	ASSERT_EQ(0, memblock_mark_kho_scratch(unit(7), 4 * UNIT));
	ASSERT_EQ(memblock.memory.cnt, 2);
	assert_region(1, unit(7), UNIT, MEMBLOCK_KHO_SCRATCH);
	ASSERT_EQ(0, memblock_mark_kho_scratch(unit(9), UNIT));
	ASSERT_EQ(memblock.memory.cnt, 2);

	test_pass_pop();

	return 0;
}

static int kho_scratch_other_flags_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	ASSERT_EQ(0, memblock_mark_hotplug(unit(2), UNIT));
	assert_region(1, unit(2), UNIT, MEMBLOCK_KHO_SCRATCH | MEMBLOCK_HOTPLUG);
	ASSERT_EQ(0, memblock_clear_hotplug(unit(2), UNIT));
	assert_region(1, unit(2), UNIT, MEMBLOCK_KHO_SCRATCH);

	test_pass_pop();

	return 0;
}

/* memblock_is_region_memory() accepts a range with borders of scratch in it. */
static int kho_scratch_region_memory_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	ASSERT_TRUE(memblock_is_region_memory(unit(0), MEM_SIZE));
	ASSERT_TRUE(memblock_is_region_memory(unit(2), UNIT));
	ASSERT_TRUE(memblock_is_region_memory(unit(3) - 1, 2));
	ASSERT_TRUE(memblock_is_region_memory(unit(7), UNIT));
	ASSERT_FALSE(memblock_is_region_memory(unit(0), MEM_SIZE + 1));
	ASSERT_FALSE(memblock_is_region_memory(unit(0) - 1, 2));

	/* A hole ends the memory, and so does a NOMAP region. */
	memblock_remove(unit(3), UNIT);
	ASSERT_TRUE(memblock_is_region_memory(unit(0), 3 * UNIT));
	ASSERT_FALSE(memblock_is_region_memory(unit(0), 3 * UNIT + 1));
	ASSERT_EQ(0, memblock_mark_nomap(unit(7), UNIT));
	ASSERT_TRUE(memblock_is_region_memory(unit(4), 3 * UNIT));
	ASSERT_FALSE(memblock_is_region_memory(unit(4), 3 * UNIT + 1));

	test_pass_pop();

	return 0;
}

static phys_addr_t free_bytes(enum memblock_flags flags)
{
	phys_addr_t start, end, bytes = 0;
	u64 i;

	for_each_free_mem_range(i, NUMA_NO_NODE, flags, &start, &end, NULL)
		bytes += end - start;

	return bytes;
}

/* The iterator finds all free memory, or only scratch if the caller asks for scratch. */
static int kho_scratch_free_ranges_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	memblock_reserve(unit(1), 2 * UNIT);
	ASSERT_EQ(free_bytes(MEMBLOCK_NONE), 6 * UNIT);
	ASSERT_EQ(free_bytes(MEMBLOCK_KHO_SCRATCH), 2 * UNIT);

	test_pass_pop();

	return 0;
}

/*
 * Allocations before memblock_set_kho_scratch_only()
 */

static int kho_scratch_mark_only_check(void)
{
	phys_addr_t base;

	PREFIX_PUSH();
	setup_scratch();

	base = memblock_phys_alloc(UNIT, SMP_CACHE_BYTES);
	ASSERT_EQ(base, memblock_bottom_up() ? unit(0) : unit(7));

	test_pass_pop();

	return 0;
}

/*
 * Allocations after memblock_set_kho_scratch_only()
 */

static int kho_scratch_only_place_check(void)
{
	phys_addr_t base;

	PREFIX_PUSH();
	setup_scratch();

	base = memblock_phys_alloc(UNIT / 2, SMP_CACHE_BYTES);
	ASSERT_EQ(base, memblock_bottom_up() ? unit(2) : unit(7) - UNIT / 2);
	assert_reserved(base, UNIT / 2);

	test_pass_pop();

	return 0;
}

/* Allocations use scratch to the last byte, and fail after that. */
static int kho_scratch_only_exhaust_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	for (int i = 0; i < 3; i++)
		assert_got(memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));
	assert_none(memblock_phys_alloc(SMP_CACHE_BYTES, SMP_CACHE_BYTES));

	ASSERT_EQ(memblock.reserved.cnt, 2);
	ASSERT_EQ(memblock.reserved.regions[0].base, unit(2));
	ASSERT_EQ(memblock.reserved.regions[0].size, UNIT);
	ASSERT_EQ(memblock.reserved.regions[1].base, unit(5));
	ASSERT_EQ(memblock.reserved.regions[1].size, 2 * UNIT);

	test_pass_pop();

	return 0;
}

/* No scratch region is large enough, although other memory is. */
static int kho_scratch_only_too_large_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	assert_null(memblock_alloc(2 * UNIT + 1, SMP_CACHE_BYTES));
	assert_null(memblock_alloc_raw(3 * UNIT, SMP_CACHE_BYTES));
	assert_null(memblock_alloc_from(3 * UNIT, SMP_CACHE_BYTES, unit(1)));
	assert_nothing_reserved();
	assert_at(unit(5), memblock_phys_alloc(2 * UNIT, SMP_CACHE_BYTES));

	test_pass_pop();

	return 0;
}

static int kho_scratch_only_none_check(void)
{
	PREFIX_PUSH();
	setup_no_scratch();

	assert_null(memblock_alloc(SMP_CACHE_BYTES, SMP_CACHE_BYTES));
	assert_none(memblock_phys_alloc(SMP_CACHE_BYTES, SMP_CACHE_BYTES));
	assert_nothing_reserved();

	test_pass_pop();

	return 0;
}

static int kho_scratch_only_range_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	assert_at(unit(2), memblock_phys_alloc_range(UNIT, SMP_CACHE_BYTES, 0, unit(4)));
	assert_none(memblock_phys_alloc_range(UNIT, SMP_CACHE_BYTES, unit(3), unit(5)));
	assert_none(memblock_phys_alloc_range(UNIT, SMP_CACHE_BYTES, unit(3), unit(5) + UNIT / 2));
	assert_reserved(unit(2), UNIT);

	memblock_set_current_limit(unit(5));
	assert_null(memblock_alloc(SMP_CACHE_BYTES, SMP_CACHE_BYTES));
	memblock_set_current_limit(MEMBLOCK_ALLOC_ANYWHERE);

	test_pass_pop();

	return 0;
}

static int kho_scratch_only_content_check(void)
{
	void *mem;

	PREFIX_PUSH();
	setup_scratch();

	mem = memblock_alloc(UNIT, SMP_CACHE_BYTES);
	ASSERT_NE(mem, NULL);
	assert_mem_content(mem, UNIT, TEST_F_NONE);
	mem = memblock_alloc_raw(UNIT, SMP_CACHE_BYTES);
	ASSERT_NE(mem, NULL);
	assert_mem_content(mem, UNIT, TEST_F_RAW);

	test_pass_pop();

	return 0;
}

/* memblock_reserve() and memblock_phys_free() work outside of scratch, too. */
static int kho_scratch_only_reserve_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	ASSERT_EQ(0, memblock_reserve(unit(3), UNIT));
	assert_reserved(unit(3), UNIT);
	ASSERT_EQ(0, memblock_phys_free(unit(3), UNIT));
	assert_nothing_reserved();
	ASSERT_EQ(free_bytes(MEMBLOCK_NONE), MEM_SIZE);

	ASSERT_EQ(0, memblock_reserve(unit(2), UNIT));
	ASSERT_EQ(0, memblock_reserve(unit(5), 2 * UNIT));
	assert_null(memblock_alloc(SMP_CACHE_BYTES, SMP_CACHE_BYTES));
	ASSERT_EQ(0, memblock_phys_free(unit(2), UNIT));
	assert_at(unit(2), memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));

	test_pass_pop();

	return 0;
}

/* memblock uses all of scratch, mirrored or not, and no other mirrored memory. */
static int kho_scratch_only_mirror_check(void)
{
	PREFIX_PUSH();
	mirrored_kernelcore = true;
	setup_scratch();

	ASSERT_EQ(0, memblock_mark_mirror(unit(7), UNIT));
	ASSERT_EQ(0, memblock_mark_mirror(unit(2), UNIT));
	for (int i = 0; i < 3; i++)
		assert_got(memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));
	assert_none(memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));

	test_pass_pop();

	return 0;
}

/* When the table of reserved regions is full, memblock allocates a new one in scratch. */
static int kho_scratch_only_double_array_check(void)
{
	struct memblock_region *old = memblock.reserved.regions;
	const phys_addr_t start = unit(0), scratch = start + SZ_8M;
	phys_addr_t table;

	PREFIX_PUSH();
	reset_memblock_regions();
	memblock_allow_resize();
	memblock_add(start, PHYS_MEM_SIZE - PAGE_SIZE);
	ASSERT_EQ(0, memblock_mark_kho_scratch(scratch, SZ_1M));

	for (int i = 0; i <= INIT_MEMBLOCK_RESERVED_REGIONS; i++)
		ASSERT_EQ(0, memblock_reserve(start + 2 * i * SZ_4K, SZ_4K));

	ASSERT_EQ(memblock.reserved.max, 2 * INIT_MEMBLOCK_RESERVED_REGIONS);
	table = __pa(memblock.reserved.regions);
	ASSERT_LE(scratch, table);
	ASSERT_LT(table, scratch + SZ_1M);

	/* Restore the table that the simulator began with. */
	memblock.reserved.regions = old;
	memblock.reserved.cnt = INIT_MEMBLOCK_RESERVED_REGIONS;
	reset_memblock_regions();

	test_pass_pop();

	return 0;
}

/*
 * Allocations after memblock_set_kho_vacant_first()
 */

static int kho_vacant_first_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	ASSERT_EQ(0, memblock_mark_kho_vacant(unit(3), UNIT));
	assert_at(unit(3), memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));
	/* Now there is room in scratch only, and none when that is used. */
	assert_at(memblock_bottom_up() ? unit(2) : unit(6),
		  memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));
	assert_got(memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));
	assert_got(memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));
	assert_none(memblock_phys_alloc(SMP_CACHE_BYTES, SMP_CACHE_BYTES));

	test_pass_pop();

	return 0;
}

/* Allocates in a range that has room in scratch only, and in one that has none. */
static int kho_vacant_range_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	ASSERT_EQ(0, memblock_mark_kho_vacant(unit(3), UNIT));
	assert_at(unit(2), memblock_phys_alloc_range(UNIT, SMP_CACHE_BYTES, 0, unit(3)));
	assert_none(memblock_phys_alloc_range(UNIT, SMP_CACHE_BYTES, unit(4), unit(5)));
	/* memblock_is_region_memory() accepts borders of vacant memory as well. */
	ASSERT_TRUE(memblock_is_region_memory(unit(0), MEM_SIZE));

	test_pass_pop();

	return 0;
}

/* Vacant memory that is mirrored comes first, then vacant memory, then scratch. */
static int kho_vacant_mirror_check(void)
{
	PREFIX_PUSH();
	mirrored_kernelcore = true;
	setup_scratch();

	ASSERT_EQ(0, memblock_mark_kho_vacant(unit(3), 2 * UNIT));
	ASSERT_EQ(0, memblock_mark_mirror(unit(3), UNIT));
	ASSERT_EQ(0, memblock_mark_mirror(unit(7), UNIT));
	assert_at(unit(3), memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));
	assert_at(unit(4), memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));
	for (int i = 0; i < 3; i++)
		assert_got(memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));
	assert_none(memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));

	test_pass_pop();

	return 0;
}

/* After memblock_clear_kho_scratch_only() the marks have no meaning. */
static int kho_vacant_clear_check(void)
{
	PREFIX_PUSH();
	setup_scratch();

	ASSERT_FALSE(memblock_is_kho_scratch_only());
	ASSERT_EQ(0, memblock_mark_kho_vacant(unit(3), UNIT));
	assert_at(memblock_bottom_up() ? unit(0) : unit(7),
		  memblock_phys_alloc(UNIT, SMP_CACHE_BYTES));

	test_pass_pop();

	return 0;
}

#ifdef CONFIG_NUMA

/* Eight nodes of one unit each: LOW is on node 2, HIGH on nodes 5 and 6. */
static void setup_numa_scratch(void)
{
	setup_no_scratch();
	reset_memblock_regions();
	for (int nid = 0; nid < NUMA_NODES; nid++)
		memblock_add_node(unit(nid), UNIT, nid, MEMBLOCK_NONE);
	mark_low_and_high();
}

static void *alloc_on(int nid, phys_addr_t size)
{
	return memblock_alloc_try_nid(size, SMP_CACHE_BYTES, MEMBLOCK_LOW_LIMIT,
				      MEMBLOCK_ALLOC_ACCESSIBLE, nid);
}

static void *alloc_exactly_on(int nid, phys_addr_t size)
{
	return memblock_alloc_exact_nid_raw(size, SMP_CACHE_BYTES, MEMBLOCK_LOW_LIMIT,
					    MEMBLOCK_ALLOC_ACCESSIBLE, nid);
}

static int kho_scratch_only_node_check(void)
{
	PREFIX_PUSH();
	setup_numa_scratch();

	assert_at(unit(5), __pa(alloc_on(5, UNIT)));
	assert_at(unit(2), __pa(alloc_exactly_on(2, UNIT)));

	/* Node 2 has no scratch left, and node 3 never had any. Both have other memory. */
	assert_null(alloc_exactly_on(2, SMP_CACHE_BYTES));
	assert_null(alloc_exactly_on(3, SMP_CACHE_BYTES));
	assert_at(unit(6), __pa(alloc_on(3, UNIT)));
	assert_null(alloc_on(3, SMP_CACHE_BYTES));

	test_pass_pop();

	return 0;
}
#else
static int kho_scratch_only_node_check(void)
{
	return 0;
}
#endif

int memblock_kho_scratch_checks(void)
{
	static int (* const checks[])(void) = {
		kho_scratch_only_place_check,
		kho_scratch_only_exhaust_check,
		kho_scratch_only_too_large_check,
		kho_scratch_only_none_check,
		kho_scratch_only_range_check,
		kho_scratch_only_content_check,
		kho_scratch_only_reserve_check,
		kho_scratch_only_node_check,
		kho_scratch_only_double_array_check,
		kho_scratch_only_mirror_check,
	};
	static int (* const vacant_checks[])(void) = {
		kho_vacant_first_check,
		kho_vacant_range_check,
		kho_vacant_mirror_check,
	};

	prefix_reset();
	prefix_push("kho_scratch");
	reset_memblock_attributes();
	dummy_physical_memory_init();

	test_print("Running scratch tests...\n");
	kho_scratch_mark_splits_check();
	kho_scratch_mark_neighbours_merge_check();
	kho_scratch_mark_beyond_check();
	kho_scratch_other_flags_check();
	kho_scratch_region_memory_check();
	kho_scratch_free_ranges_check();
	run_top_down(kho_scratch_mark_only_check);
	run_bottom_up(kho_scratch_mark_only_check);

	memblock_set_kho_scratch_only();
	for (int i = 0; i < ARRAY_SIZE(checks); i++) {
		run_top_down(checks[i]);
		run_bottom_up(checks[i]);
	}

	memblock_set_kho_vacant_first();
	for (int i = 0; i < ARRAY_SIZE(vacant_checks); i++) {
		run_top_down(vacant_checks[i]);
		run_bottom_up(vacant_checks[i]);
	}
	memblock_clear_kho_scratch_only();
	run_top_down(kho_vacant_clear_check);
	run_bottom_up(kho_vacant_clear_check);

	dummy_physical_memory_cleanup();
	prefix_pop();

	return 0;
}
