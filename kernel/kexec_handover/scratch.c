// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scratch: the memory that a starting kernel may use before it knows what the
 * previous one preserved.
 *
 * This file owns the scratch regions: how large they are, where they come from
 * at cold boot or over a handover, that the page allocator only puts movable
 * pages there, and that kexec puts the next kernel there and nowhere else.
 *
 * Scratch is chosen once, at cold boot, and inherited by every later kernel. It
 * must hold what a kernel allocates from memblock while it boots, and beside it
 * the kernel image (twice: as it is loaded and as it is decompressed) and the
 * initrd.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <kunit/visibility.h>

#include <linux/bitmap.h>
#include <linux/cma.h>
#include <linux/crash_core.h>
#include <linux/hugetlb.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/kmemleak.h>
#include <linux/kstrtox.h>
#include <linux/math64.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/pageblock-flags.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/sections.h>

#include "../mm/internal.h"
#include "kexec_handover_internal.h"

/* A region for low memory and one for any comes before those of the nodes. */
#define SCRATCH_LOW	0
#define SCRATCH_GLOBAL	1
#define SCRATCH_NODES	2
#define SCRATCH_MAX	(SCRATCH_NODES + MAX_NUMNODES)

struct kho_scratch *kho_scratch __ro_after_init;
unsigned int kho_scratch_cnt __ro_after_init;
unsigned long *kho_scratch_stretches __ro_after_init;
unsigned long kho_nr_stretches __ro_after_init;

/* True if the regions came with a handover, false if they are from memblock. */
static bool scratch_inherited __initdata;

/*
 * The image is there twice, see above. All else will be as large as it is in this
 * kernel, and nearly all of it is struct pages and swiotlb, in large pieces: the
 * fifth that is left beside them is for alignment and for a next kernel that takes
 * a little more. process_kho_scratch() knows of it.
 */
#define SCRATCH_DEFAULT	((struct kho_scratch_request) { .percent = 125, .image_percent = 200 })

static struct kho_scratch_request request __initdata = SCRATCH_DEFAULT;

static bool __init parse_percent(const char *arg, struct kho_scratch_request *req)
{
	char digits[8];
	size_t len = strlen(arg);
	unsigned int percent;

	if (len < 2 || len > sizeof(digits) || arg[len - 1] != '%')
		return false;

	strscpy(digits, arg, len);
	if (kstrtouint(digits, 10, &percent) || !percent)
		return false;
	req->percent = percent;
	req->image_percent = percent;

	return true;
}

static bool __init parse_sizes(const char *arg, struct kho_scratch_request *req)
{
	u64 *size[] = { &req->low, &req->global, &req->node };

	for (int i = 0; i < ARRAY_SIZE(size); i++) {
		char *end;

		*size[i] = memparse(arg, &end);
		if (end == arg || *arg == '-' || !*size[i] ||
		    *size[i] > U64_MAX - KHO_SCRATCH_ALIGN)
			return false;
		if (*end != (i == ARRAY_SIZE(size) - 1 ? '\0' : ','))
			return false;
		arg = end + 1;
	}

	return true;
}

/* The value of kho_scratch=; @req is changed even if it cannot be understood. */
VISIBLE_IF_KUNIT bool __init kho_scratch_parse(const char *arg, struct kho_scratch_request *req)
{
	*req = (struct kho_scratch_request){};

	return parse_percent(arg, req) || parse_sizes(arg, req);
}

static int __init kho_scratch_param(char *arg)
{
	if (arg && kho_scratch_parse(arg, &request))
		return 0;

	request = SCRATCH_DEFAULT;
	pr_warn("malformed kho_scratch=%s, want N%% or LOW,GLOBAL,PERNODE: using the default\n",
		arg ?: "");

	return 0;
}
early_param("kho_scratch", kho_scratch_param);

static u64 __init bytes_within(phys_addr_t start, phys_addr_t end, phys_addr_t from,
			       phys_addr_t to)
{
	from = max(start, from);
	to = min(end, to);

	return from < to ? to - from : 0;
}

struct range_use {
	phys_addr_t start;
	phys_addr_t end;
	u64 bytes;
};

static int __init count_hugetlb_cma(struct cma *cma, void *arg)
{
	struct range_use *use = arg;
	phys_addr_t base = cma_get_base(cma);

	if (strstarts(cma_get_name(cma), "hugetlb"))
		use->bytes += bytes_within(use->start, use->end, base, base + cma_get_size(cma));

	return 0;
}

/* What hugepages= and hugetlb_cma= took of [start, end) for gigantic pages. */
static u64 __init hugetlb_bytes(phys_addr_t start, phys_addr_t end)
{
	struct range_use use = { .start = start, .end = end };

	cma_for_each_area(count_hugetlb_cma, &use);

#ifdef CONFIG_HUGETLB_PAGE
	for (int nid = 0; nid < MAX_NUMNODES; nid++) {
		struct huge_bootmem_page *page;

		/* Not initialised if nobody asked for such pages. */
		if (!huge_boot_pages[nid].next)
			continue;
		list_for_each_entry(page, &huge_boot_pages[nid], list)
			use.bytes += bytes_within(start, end, __pa(page),
						  __pa(page) + huge_page_size(page->hstate));
	}
#endif
	return use.bytes;
}

/*
 * Bytes of [start, end) that memblock has given away. The next kernel does not put
 * reserve_mem= regions into scratch, and no scratch is large enough for gigantic
 * pages.
 */
static u64 __init reserved_bytes(phys_addr_t start, phys_addr_t end)
{
	struct memblock_region *mem, *res;
	u64 bytes = 0;

	for_each_mem_region(mem) {
		for_each_reserved_mem_region(res) {
			phys_addr_t from = max3(start, mem->base, res->base);
			phys_addr_t to = min3(end, mem->base + mem->size,
					      res->base + res->size);

			if (from < to)
				bytes += to - from - kho_reserve_mem_bytes(from, to);
		}
		bytes -= hugetlb_bytes(max(start, mem->base), min(end, mem->base + mem->size));
	}

	return bytes;
}

/* What the kernel and its initrd have of [start, end). */
static u64 __init image_bytes(phys_addr_t start, phys_addr_t end)
{
	u64 bytes = bytes_within(start, end, __pa_symbol(_text), __pa_symbol(_end));

	if (IS_ENABLED(CONFIG_BLK_DEV_INITRD) && initrd_start)
		bytes += bytes_within(start, end, __pa(initrd_start), __pa(initrd_end));

	return bytes;
}

/* What crashkernel= took of [start, end): as much again will do, unscaled. */
static u64 __init crash_bytes(phys_addr_t start, phys_addr_t end)
{
	u64 bytes = 0;

#ifdef CONFIG_CRASH_RESERVE
	const struct resource *res[] = { &crashk_res, &crashk_low_res };

	for (int i = 0; i < ARRAY_SIZE(res); i++) {
		if (res[i]->end && res[i]->start >= start && res[i]->start < end)
			bytes += resource_size(res[i]);
	}
#endif
	return bytes;
}

static u64 __init scale(u64 bytes, unsigned int percent)
{
	return div_u64(bytes * percent, 100);
}

/*
 * What the next kernel will want is what this one took: the same again, scaled.
 * Each byte counts in one region. The image counts as global, which is where kexec
 * and KASLR put kernels, so that they are in nobody's way. Low memory counts as
 * low, also on node 0: allocations that ask for a node take memory from another
 * one before they fail. What lies above low memory counts on its node. What
 * crashkernel= took counts as global or low, and is not scaled.
 */
VISIBLE_IF_KUNIT void __init kho_scratch_sizes(const struct kho_scratch_use *use,
					       const struct kho_scratch_request *req,
					       u64 *low, u64 *global)
{
	u64 below = use->below - use->crash_below;

	*low = scale(below - min(below, use->image_below), req->percent) + use->crash_below;
	*global = scale(use->image_below + use->image_above, req->image_percent) + use->crash_above;
}

static void __init default_sizes(u64 *low, u64 *global)
{
	phys_addr_t limit = ARCH_LOW_ADDRESS_LIMIT;
	struct kho_scratch_use use = {
		.image_below = image_bytes(0, limit),
		.image_above = image_bytes(limit, PHYS_ADDR_MAX),
		.below = reserved_bytes(0, limit),
		.crash_below = crash_bytes(0, limit),
		.crash_above = crash_bytes(limit, PHYS_ADDR_MAX),
	};

	kho_scratch_sizes(&use, &request, low, global);
}

/* Of a node, what neither counts as global nor as low. */
static u64 __init default_node_size(int nid)
{
	struct memblock_region *mem;
	u64 bytes = 0;

	for_each_mem_region(mem) {
		phys_addr_t start = max(mem->base, ARCH_LOW_ADDRESS_LIMIT);
		phys_addr_t end = mem->base + mem->size;
		u64 reserved, counted;

		if (memblock_get_region_node(mem) != nid || start >= end)
			continue;

		reserved = reserved_bytes(start, end);
		counted = image_bytes(start, end) + crash_bytes(start, end);
		bytes += reserved - min(reserved, counted);
	}

	return scale(bytes, request.percent);
}

/* Of all regions at once: each that is reserved would count for the next. */
static void __init choose_sizes(void)
{
	u64 low = request.low, global = request.global;
	unsigned int i = SCRATCH_NODES;
	int nid;

	if (request.percent)
		default_sizes(&low, &global);

	kho_scratch[SCRATCH_LOW].size = low;
	kho_scratch[SCRATCH_GLOBAL].size = global;
	for_each_node_state(nid, N_MEMORY)
		kho_scratch[i++].size = request.percent ? default_node_size(nid) : request.node;
}

/* A region with the size that it has in the array. */
static bool __init reserve_region(unsigned int i, phys_addr_t limit, int nid)
{
	struct kho_scratch *region = &kho_scratch[i];

	/* The regions are all there, so that their order tells what they are. */
	region->size = ALIGN(max(region->size, 1), KHO_SCRATCH_ALIGN);
	region->addr = memblock_alloc_range_nid(region->size, KHO_SCRATCH_ALIGN, 0,
						limit, nid, true);
	if (!region->addr) {
		pr_err("no %pa bytes for scratch region %u, KHO is off; see kho_scratch=\n",
		       &region->size, i);
		return false;
	}

	/* Its pages come and go as free memory, kmemleak must not look there. */
	kmemleak_ignore_phys(region->addr);
	kho_scratch_cnt++;

	return true;
}

/*
 * First those with the fewest places to be in. Low memory may be the only place on
 * a node where a region fits, and low memory is on more nodes than one, as a rule.
 */
static bool __init reserve_regions(void)
{
	unsigned int i = SCRATCH_NODES;
	int nid;

	choose_sizes();
	for_each_node_state(nid, N_MEMORY)
		if (!reserve_region(i++, MEMBLOCK_ALLOC_ACCESSIBLE, nid))
			return false;

	return reserve_region(SCRATCH_LOW, ARCH_LOW_ADDRESS_LIMIT, NUMA_NO_NODE) &&
	       reserve_region(SCRATCH_GLOBAL, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE);
}

static u64 __init scratch_bytes(void)
{
	u64 bytes = 0;

	for (unsigned int i = 0; i < kho_scratch_cnt; i++)
		bytes += kho_scratch[i].size;

	return bytes;
}

/**
 * kho_scratch_reserve - take scratch from memblock, at cold boot
 *
 * Return: true if all of it could be had. If not, says so and leaves memblock
 * as it was.
 */
bool __init kho_scratch_reserve(void)
{
	unsigned int max = SCRATCH_NODES + num_node_state(N_MEMORY);
	size_t array_size = PAGE_ALIGN(max * sizeof(*kho_scratch));
	bool ok;

	kho_scratch_cnt = 0;
	kho_scratch = memblock_alloc(array_size, PAGE_SIZE);
	if (!kho_scratch) {
		pr_err("no memory for the scratch array, KHO is off\n");
		return false;
	}

	ok = reserve_regions();
	if (ok && scratch_bytes() <= memblock_phys_mem_size() / 2) {
		pr_info("%llu MiB of scratch in %u regions\n",
			scratch_bytes() >> 20, kho_scratch_cnt);
		return true;
	}

	if (ok)
		pr_err("%llu MiB of scratch are more than half of memory, KHO is off; see kho_scratch=\n",
		       scratch_bytes() >> 20);

	/* Zeroes in the array: those that were not reached. */
	for (unsigned int i = 0; i < max; i++)
		if (kho_scratch[i].addr)
			memblock_phys_free(kho_scratch[i].addr, kho_scratch[i].size);
	memblock_free(kho_scratch, array_size);
	kho_scratch = NULL;
	kho_scratch_cnt = 0;

	return false;
}

/*
 * Who hands memory over loads the next kernel into scratch. One that lies elsewhere
 * was loaded by somebody who knows nothing of KHO and used all memory as free, but
 * passed on where the handover is, as properties of a device tree are that a loader
 * does not know.
 */
static bool __init kernel_in_scratch(const struct kho_scratch *array, unsigned int cnt)
{
	phys_addr_t start = __pa_symbol(_text), end = __pa_symbol(_end);

	for (unsigned int i = 0; i < cnt; i++) {
		if (start >= array[i].addr && end - array[i].addr <= array[i].size)
			return true;
	}

	kho_refuse("this kernel, at %pa, is not in scratch: another one came between", &start);

	return false;
}

/**
 * kho_scratch_adopt - inherit the scratch regions of the previous kernel
 * @array_phys: where their array is
 * @array_len: its size in bytes
 *
 * From here on memblock allocates from scratch only.
 *
 * Context: memblock knows all RAM, early_memremap() works, the direct map may
 * not.
 * Return: true, or false after a message and with nothing changed.
 */
bool __init kho_scratch_adopt(phys_addr_t array_phys, u64 array_len)
{
	unsigned int cnt = div_u64(array_len, sizeof(struct kho_scratch));
	struct kho_scratch *array;
	bool ok;

	if (!cnt || array_len % sizeof(*array) || array_len > SCRATCH_MAX * sizeof(*array) ||
	    !IS_ALIGNED(array_phys, sizeof(*array)) ||
	    !kho_memblock_has(array_phys, array_len) ||
	    memblock_is_region_reserved(array_phys, array_len)) {
		kho_refuse("scratch array, %llu bytes at %pa, cannot be", array_len, &array_phys);
		return false;
	}

	array = early_memremap(array_phys, array_len);
	if (!array) {
		kho_refuse("cannot map the scratch array at %pa", &array_phys);
		return false;
	}

	ok = kho_scratch_valid(array, cnt) && kernel_in_scratch(array, cnt);
	if (ok) {
		for (unsigned int i = 0; i < cnt; i++)
			memblock_mark_kho_scratch(array[i].addr, array[i].size);
		memblock_reserve(array_phys, array_len);
		memblock_set_kho_scratch_only();

		kho_scratch = phys_to_virt(array_phys);
		kho_scratch_cnt = cnt;
		scratch_inherited = true;
	}
	early_memunmap(array, array_len);

	return ok;
}

/**
 * kho_scratch_inherited - does memory lie in scratch that came with a handover?
 * @phys: physical address
 * @size: bytes
 *
 * It is free memory like all other, while that of a cold boot is reserved until
 * kho_scratch_release().
 *
 * Return: true if any byte does.
 */
bool __init kho_scratch_inherited(phys_addr_t phys, size_t size)
{
	return scratch_inherited && kho_scratch_overlap(phys, size);
}

static void __init visit_pageblocks(void (*func)(unsigned long pfn))
{
	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		unsigned long pfn = PHYS_PFN(kho_scratch[i].addr);
		unsigned long end = pfn + PHYS_PFN(kho_scratch[i].size);

		for (; pfn < end; pfn += pageblock_nr_pages)
			func(pfn);
	}
}

static void __init mark_if_initialised(unsigned long pfn)
{
#ifdef CONFIG_DEFERRED_STRUCT_PAGE_INIT
	if (pfn >= NODE_DATA(early_pfn_to_nid(pfn))->first_deferred_pfn)
		return;
#endif
	set_pageblock_migratetype(pfn_to_page(pfn), MIGRATE_CMA);
}

static void __init mark_if_unmarked(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	if (get_pageblock_migratetype(page) != MIGRATE_CMA)
		set_pageblock_migratetype(page, MIGRATE_CMA);
}

static int __init area_has_pfn(struct cma *cma, void *arg)
{
	phys_addr_t phys = PFN_PHYS(*(unsigned long *)arg);
	phys_addr_t base = cma_get_base(cma);

	return phys >= base && phys - base < cma_get_size(cma);
}

static void __init release_or_count(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	/* Drivers' areas, of cma= and the like, are counted by CMA itself. */
	if (cma_for_each_area(area_has_pfn, &pfn))
		return;

	if (scratch_inherited)
		page_zone(page)->cma_pages += pageblock_nr_pages;
	else
		init_cma_reserved_pageblock(page);
	totalcma_pages += pageblock_nr_pages;
}

/**
 * kho_scratch_mark_early - keep unmovable pages out of inherited scratch
 *
 * Context: just before memblock gives its free pages to the page allocator.
 * Page blocks that have no struct pages yet are marked as they get them, by
 * kho_deferred_free_pages().
 */
void __init kho_scratch_mark_early(void)
{
	if (scratch_inherited)
		visit_pageblocks(mark_if_initialised);
}

/**
 * kho_scratch_finish - complete the marks of kho_scratch_mark_early()
 *
 * What is left to be marked are page blocks in which nothing is free: memory
 * that the kernel took while it booted. Some of it is freed later.
 *
 * Context: all struct pages are initialised.
 */
void __init kho_scratch_finish(void)
{
	if (scratch_inherited)
		visit_pageblocks(mark_if_unmarked);
}

static void __init mark_stretches(void)
{
	unsigned long nr = ((max_pfn - 1) >> KHO_STRETCH_ORDER) + 1;

	kho_scratch_stretches = bitmap_zalloc(nr, GFP_KERNEL);
	if (!kho_scratch_stretches)
		return;

	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		unsigned long pfn = PHYS_PFN(kho_scratch[i].addr);
		unsigned long last = pfn + PHYS_PFN(kho_scratch[i].size) - 1;

		if (!kho_scratch[i].size)
			continue;
		bitmap_set(kho_scratch_stretches, pfn >> KHO_STRETCH_ORDER,
			   (last >> KHO_STRETCH_ORDER) - (pfn >> KHO_STRETCH_ORDER) + 1);
	}
	kho_nr_stretches = max_pfn >> KHO_STRETCH_ORDER;
}

/**
 * kho_scratch_release - scratch is the page allocator's now, for movable pages
 *
 * That of a handover went there with all other memory and is only counted.
 *
 * Context: initcalls.
 */
void __init kho_scratch_release(void)
{
	visit_pageblocks(release_or_count);
	mark_stretches();
}

/**
 * kho_scratch_move_array - get the array of regions out of scratch
 *
 * It is handed over where it is, and the next kernel could be loaded over it if
 * the previous one left it in scratch. Its page there stays reserved: what else is
 * in it nobody knows.
 *
 * Context: initcalls; may sleep.
 * Return: 0, or -ENOMEM.
 */
int __init kho_scratch_move_array(void)
{
	size_t size = kho_scratch_cnt * sizeof(*kho_scratch);
	struct folio *folio;

	if (!kho_scratch_overlap(virt_to_phys(kho_scratch), size))
		return 0;

	folio = kho_alloc_folio(get_order(size));
	if (!folio)
		return -ENOMEM;
	kho_scratch = memcpy(folio_address(folio), kho_scratch, size);

	return 0;
}

/**
 * kho_scratch_overlap - does memory lie in scratch?
 * @phys: physical address
 * @size: bytes
 *
 * What lies in scratch does not survive a kexec and cannot be preserved.
 *
 * Context: any, from kho_memory_init() on.
 * Return: true if any byte does.
 */
bool kho_scratch_overlap(phys_addr_t phys, size_t size)
{
	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		if (kho_region_overlaps(&kho_scratch[i], phys, size))
			return true;
	}

	return false;
}
EXPORT_SYMBOL_GPL(kho_scratch_overlap);

/**
 * kho_locate_mem_hole - find room in scratch for a segment of a kexec image
 * @kbuf: what is looked for
 * @func: tries one range of memory, returns 1 if it found room there
 *
 * Context: kexec_file_load, with the kexec lock.
 * Return: 0 if room was found, -EADDRNOTAVAIL if scratch has none, 1 if this
 * image is none of KHO's business.
 */
int kho_locate_mem_hole(struct kexec_buf *kbuf,
			int (*func)(struct resource *, void *))
{
	if (!kho_is_enabled() || kbuf->image->type == KEXEC_TYPE_CRASH)
		return 1;

	/* Low memory comes last: the next kernel wants large buffers there. */
	for (unsigned int i = 1; i <= kho_scratch_cnt; i++) {
		const struct kho_scratch *r = &kho_scratch[i % kho_scratch_cnt];
		struct resource res = {
			.start = r->addr,
			.end = r->addr + r->size - 1,
			.flags = IORESOURCE_SYSTEM_RAM,
		};

		if (r->size && func(&res, kbuf) == 1)
			return 0;
	}

	/*
	 * Not yet an error: the loader may go on to put the kernel elsewhere, until
	 * there is no place for that. The first one is what had no room.
	 */
	if (!kbuf->image->kho_no_room)
		kbuf->image->kho_no_room = kbuf->memsz;

	return -EADDRNOTAVAIL;
}

/**
 * kho_load_failed - say so if it was for lack of scratch
 * @image: what could not be loaded
 * @err: why, a negative errno
 *
 * Context: kexec_file_load, with the kexec lock.
 */
void kho_load_failed(const struct kimage *image, int err)
{
	if (err == -EADDRNOTAVAIL && image->kho_no_room)
		pr_err("no room in scratch for a kexec segment of %lu bytes; see kho_scratch=\n",
		       image->kho_no_room);
}
