// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz - tests how the kernel checks damaged handovers
 *
 *   fuzz [--seed N] [--cases N] [--one SEED]
 *
 * Each case is a handover with up to four changes, which the seed determines. The
 * kernel and the oracle must agree: if the oracle finds a defect, the kernel must
 * refuse the handover with one message; otherwise the kernel must find exactly the
 * folios that the oracle finds. The kernel must also use the blobs correctly: its regions
 * of reserve_mem= must not contain memory that is in use, and its files in debugfs must
 * have the content of the blobs. AddressSanitizer and UBSan check the kernel's code. The
 * named cases are defects that the kernel once did not notice, or that are unlikely in
 * random cases.
 *
 * Prints TAP. The exit status is 0 only if all results are "ok".
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <stdio.h>

#include <libfdt.h>
#include <linux/kho/abi/memblock.h>
#include <linux/memblock.h>

#include "../../../kernel/kexec_handover/check.h"
#include "../../../kernel/kexec_handover/fdt.h"
#include "../../../kernel/kexec_handover/incoming.h"
#include "../../../kernel/kexec_handover/scratch.h"
#include "../../../kernel/kexec_handover/vacant.h"
#include "options.h"
#include "world.h"

static unsigned int results, failures;

static struct reading reading;

/* Places and values */

static u64 used_page(void)
{
	return OWN_START + random_below((world.next - OWN_START) / PAGE_SIZE) * PAGE_SIZE;
}

/* Returns the address of a certain object, an invalid address, or that of any page. */
static u64 odd_address(void)
{
	switch (random_below(12)) {
	case 0: return used_page();
	case 1: return used_page() + 8;
	case 2: return virt_to_phys(world.map.root);
	case 3: return world.fdt;
	case 4: return world.scratch;
	case 5: return 0x14000000 + random_below(0x2000000);
	case 6: return HOLE_START + random_below(0x100) * PAGE_SIZE;
	case 7: return FIRMWARE_START;
	case 8: return RAM_END;
	case 9: return 1ULL << random_below(64);
	case 10: return -1ULL << random_below(64);
	default: return ALIGN_DOWN(RAM_START + random_below(RAM_END - RAM_START), PAGE_SIZE);
	}
}

static u64 *word_in(u64 page)
{
	return phys_to_virt(page + random_below(PAGE_SIZE / 8) * 8);
}

/* Returns a word in a page of the old kernel that is not zero. */
static u64 *live_word(void)
{
	for (int i = 0; i < 10000; i++) {
		u64 *word = word_in(used_page());

		if (*word)
			return word;
	}

	return phys_to_virt(world.fdt);
}

/* Changes */

static void change_bit(void)
{
	*word_in(used_page()) ^= 1ULL << random_below(64);
}

static void change_live_bit(void)
{
	*live_word() ^= 1ULL << random_below(64);
}

static void change_word(void)
{
	*word_in(used_page()) = odd_address();
}

static void change_pointer(void)
{
	*live_word() = odd_address();
}

static void change_page(void)
{
	u64 *page = phys_to_virt(used_page());

	switch (random_below(4)) {
	case 0:
		memset(page, 0xff, PAGE_SIZE);
		break;
	case 1:
		memset(page, 0, PAGE_SIZE);
		break;
	case 2:
		memmove(page, phys_to_virt(used_page()), PAGE_SIZE);
		break;
	default:
		for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
			page[i] = random_below(-1ULL);
	}
}

static void change_fdt(void)
{
	u8 *fdt = phys_to_virt(world.fdt);
	/* The size of the header, the structure and the strings. */
	u64 size = fdt_totalsize(fdt) % PAGE_SIZE + 1;
	u64 at = random_below(random_below(2) ? 40 : size);

	fdt[at] = random_below(2) ? random_below(256) : 0;
}

static void truncate_fdt(void)
{
	void *fdt = phys_to_virt(world.fdt);

	switch (random_below(3)) {
	case 0:
		fdt_set_totalsize(fdt, random_below(2 * PAGE_SIZE));
		break;
	case 1:
		fdt_set_size_dt_struct(fdt, random_below(2 * PAGE_SIZE));
		break;
	default:
		fdt_set_off_dt_strings(fdt, random_below(2 * PAGE_SIZE));
	}
}

static void other_version(void)
{
	static const char * const versions[] = {
		"kho-v1", "kho-v2", "kho-v3", "kho-v5", "kho-v4x", "", "memblock-v1",
	};

	const char *version = versions[random_below(ARRAY_SIZE(versions))];

	fdt_setprop_string(phys_to_virt(world.fdt), 0, "compatible", version);
}

static void other_map(void)
{
	u64 root = odd_address();

	fdt_setprop(phys_to_virt(world.fdt), 0, KHO_FDT_PROP_MAP, &root,
		    random_below(8) ? sizeof(root) : random_below(sizeof(root)));
}

/* In an FDT before version 16 each name must be a path: libfdt returns NULL for others. */
static void old_libfdt(void *fdt)
{
	fdt_set_version(fdt, 15);
	fdt_set_last_comp_version(fdt, 15);
}

static void older_libfdt(void)
{
	if (world.regions && random_below(2))
		old_libfdt(phys_to_virt(world.regions));
	else
		old_libfdt(phys_to_virt(world.fdt));
}

static void change_regions(void)
{
	u8 *fdt = phys_to_virt(world.regions);

	if (world.regions)
		fdt[random_below(fdt_totalsize(fdt) % PAGE_SIZE + 1)] = random_below(256);
}

/* Sets the address and the size of a region in the blob of the regions. */
static void move_region(unsigned int i, u64 start, u64 size)
{
	void *fdt = phys_to_virt(world.regions);
	int node = fdt_first_subnode(fdt, 0);

	while (i-- && node >= 0)
		node = fdt_next_subnode(fdt, node);
	fdt_setprop_inplace(fdt, node, KHO_RESERVE_MEM_PROP_START, &start, sizeof(start));
	fdt_setprop_inplace(fdt, node, KHO_RESERVE_MEM_PROP_SIZE, &size, sizeof(size));
}

static void change_region(void)
{
	const struct kho_map_folio *f;
	u64 start = odd_address(), size = PAGE_SIZE << random_below(20);

	if (!world.nr_regions)
		return;
	if (world.nr_folios && random_below(2)) {
		f = &world.folios[random_below(world.nr_folios)];
		start = PFN_PHYS(f->pfn);
		size = PAGE_SIZE << f->order;
	}
	move_region(random_below(world.nr_regions), start, size);
}

static void change_scratch(void)
{
	u64 *word = phys_to_virt(world.scratch + random_below(2 * NR_SCRATCH) * 8);

	if (random_below(2))
		*word = ALIGN_DOWN(odd_address(), 4 << 20);
	else
		*word ^= BIT(random_below(64));
}

/* Adds a folio that may overlap another one, or may be at an invalid address. */
static void another_folio(void)
{
	unsigned int order = random_below(22);
	u64 addr = odd_address();

	if (world.nr_folios == MAX_FOLIOS || world.next > OWN_START + (OWN_PAGES - 16) * PAGE_SIZE)
		return;
	if (world.nr_folios && random_below(2))
		addr = PFN_PHYS(world.folios[random_below(world.nr_folios)].pfn);
	if (order <= KHO_MAP_MAX_ORDER)
		kho_map_add(&world.map, ALIGN_DOWN(PHYS_PFN(addr), BIT(order)), order);
}

static void lost_folio(void)
{
	const struct kho_map_folio *f;

	if (!world.nr_folios)
		return;
	f = &world.folios[random_below(world.nr_folios)];
	kho_map_del(&world.map, f->pfn, f->order);
}

static const struct {
	const char *name;
	void (*change)(void);
} changes[] = {
	{ "bits", change_bit }, { "bits that are set", change_live_bit },
	{ "words", change_word }, { "pointers", change_pointer },
	{ "pages", change_page }, { "bytes of the FDT", change_fdt },
	{ "sizes of the FDT", truncate_fdt }, { "versions", other_version },
	{ "roots", other_map }, { "scratch", change_scratch },
	{ "versions of the FDT", older_libfdt }, { "bytes of the regions", change_regions },
	{ "regions", change_region },
	{ "folios added", another_folio }, { "folios lost", lost_folio },
};

static unsigned long changed[ARRAY_SIZE(changes)];

/*
 * another_folio() and lost_folio() need a valid map. Their numbers in @changes are the
 * highest, so change() calls them first.
 */
static void change(void)
{
	unsigned int n[4], nr = random_below(5), i, j;

	for (i = 0; i < nr; i++) {
		n[i] = random_below(ARRAY_SIZE(changes));
		for (j = i; j && n[j] > n[j - 1]; j--) {
			unsigned int other = n[j];

			n[j] = n[j - 1];
			n[j - 1] = other;
		}
	}
	for (i = 0; i < nr; i++) {
		changed[n[i]]++;
		changes[n[i]].change();
	}
}

/* Comparing the kernel with the oracle */

static int cmp_folio(const void *a, const void *b)
{
	const struct kho_map_folio *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

static const char *compare_folios(void)
{
	static DECLARE_BITMAP(bits, RAM_END / PAGE_SIZE / KHO_GRANULE_PAGES + 1);
	const struct kho_named named = { bits, kho_named_nr(max_pfn) };
	unsigned long pfn = 0, nr = 0;
	struct kho_map_folio f;

	bitmap_zero(bits, named.nr);
	kho_vacant_name(&kho_incoming.map, &named);

	qsort(reading.folios, reading.nr_folios, sizeof(f), cmp_folio);
	for (unsigned int i = 0; i < reading.nr_folios; i++) {
		const struct kho_map_folio *want = &reading.folios[i];

		if (!kho_map_next(&kho_incoming.map, pfn, max_pfn, &f) ||
		    f.pfn != want->pfn || f.order != want->order)
			return "the kernel found another folio than the oracle";
		if (!kho_incoming_has(PFN_PHYS(f.pfn), PAGE_SIZE << f.order) ||
		    kho_incoming_has(PFN_PHYS(f.pfn), (PAGE_SIZE << f.order) + 1))
			return "kho_incoming_has() is wrong about a folio";
		if (find_next_zero_bit(bits, named.nr, f.pfn / KHO_GRANULE_PAGES) <
		    kho_named_nr(f.pfn + BIT(f.order)))
			return "kho_vacant_name() left out a granule";
		pfn = f.pfn + BIT(f.order);
	}
	if (kho_map_next(&kho_incoming.map, pfn, max_pfn, &f))
		return "the kernel found a folio that the oracle did not";
	for (unsigned int order = 0; order <= KHO_MAX_RUN_ORDER; order++)
		nr += kho_incoming.folios[order];
	if (nr != reading.nr_folios || kho_incoming.nr_unclaimed.counter != (long)nr)
		return "the number of folios is wrong";

	return kho_incoming.nr_nodes == reading.nr_nodes ? NULL : "the number of nodes is wrong";
}

/* Removes some incoming folios, as KHO does with those of reserve_mem= regions. */
static const char *forget_some(void)
{
	for (int i = 0; i < 4 && reading.nr_folios; i++) {
		struct kho_map_folio *f = &reading.folios[random_below(reading.nr_folios)];
		unsigned long end = f->pfn + BIT(f->order);
		long was = kho_incoming.nr_unclaimed.counter;

		if (f->order && kho_incoming_forget(f->pfn, end - 1))
			return "kho_incoming_forget() removed a part of a folio";
		if (kho_incoming_has(PFN_PHYS(f->pfn), 1) != kho_incoming_forget(f->pfn, end))
			return "kho_incoming_forget() is wrong about a folio";
		if (kho_incoming.nr_unclaimed.counter > was ||
		    kho_incoming_has(PFN_PHYS(f->pfn), 1))
			return "kho_incoming_forget() did not remove a folio";
	}

	return NULL;
}

static bool was_handed_over(u64 addr)
{
	for (unsigned int i = 0; i < reading.nr_folios; i++) {
		const struct kho_map_folio *f = &reading.folios[i];

		if (addr >= PFN_PHYS(f->pfn) && addr < PFN_PHYS(f->pfn + BIT(f->order)))
			return true;
	}

	return false;
}

/*
 * Lets the new kernel make its regions, and then its files in debugfs. No folio of the
 * root FDT or of a blob may leave the map, since its owner would restore it.
 */
static const char *use_blobs(void)
{
	const void *fdt = phys_to_virt(world.fdt);
	const char *wrong;
	bool found;
	int node;

	kho_incoming.fdt = fdt;
	wrong = regions_settle();
	if (wrong)
		return wrong;

	for (unsigned int i = 0; i < NR_WISHES; i++) {
		if (regions_new(i) && !was_handed_over(regions_new(i)) && !regions_accepted(i))
			return "the memory of a region was not accepted";
	}
	fdt_for_each_subnode(node, fdt, 0) {
		u64 phys, size;

		if (!kho_fdt_u64(fdt, node, KHO_FDT_PROP_DATA, &phys) &&
		    !kho_fdt_u64(fdt, node, KHO_FDT_PROP_SIZE, &size) &&
		    kho_check_memblock_has(phys, size) && !kho_incoming_keeps(phys, size))
			return "a region took the memory of a blob";
	}

	return debugfs_look(NULL, &found);
}

/* kho_check_blobs() must remove those blobs in RAM that are not in preserved folios. */
static const char *drop_blobs(void)
{
	const void *fdt = phys_to_virt(world.fdt);
	int node;

	kho_check_blobs();
	fdt_for_each_subnode(node, fdt, 0) {
		u64 phys, size;

		if (kho_fdt_u64(fdt, node, KHO_FDT_PROP_DATA, &phys) ||
		    kho_fdt_u64(fdt, node, KHO_FDT_PROP_SIZE, &size) ||
		    !kho_check_memblock_has(phys, size))
			continue;
		if (!kho_incoming_keeps(phys, size))
			return "kho_check_blobs() kept a blob that is not preserved";
	}

	return NULL;
}

/* A copy of the old kernel's pages, to tell whether a case changes them. */
static u8 before[OWN_PAGES * PAGE_SIZE];

static void remember(void)
{
	memcpy(before, phys_to_virt(OWN_START), sizeof(before));
}

/* Leaves out the scratch array and the regions, which the checksum does not cover. */
static bool same_but_uncovered(void)
{
	for (u64 page = OWN_START; page < world.next; page += PAGE_SIZE) {
		if (page != world.scratch && page != world.regions &&
		    memcmp(before + (page - OWN_START), phys_to_virt(page), PAGE_SIZE))
			return false;
	}

	return true;
}

/* If a change hides the property, then the kernel cannot know of a checksum. */
static bool has_checksum(void)
{
	return world.sealed &&
	       fdt_getprop(phys_to_virt(world.fdt), 0, KHO_FDT_PROP_CHECKSUM, NULL);
}

/* @look, which may be NULL, looks at a handover that was accepted. */
static const char *judge(const char *(*look)(void))
{
	bool accepted;

	oracle_read(&reading);
	/* The array of nodes needs one page. */
	if (((world.poor && !world.spare_pages) || world.crowded || world.crowded_reserved) &&
	    !reading.defect)
		reading.defect = "no memory";
	accepted = world_receive();
	if (accepted != !reading.defect)
		return accepted ? "accepted in spite of a defect" : "refused without a defect";
	if (accepted && has_checksum() && !same_but_uncovered())
		return "accepted in spite of its checksum";
	if (!accepted != !!world_said())
		return accepted ? "accepted with a message" : "refused without a message";
	if (!accepted)
		return kho_incoming.map.root || kho_incoming.nodes ?
		       "kho_check_map() kept data of a refused handover" : NULL;

	return compare_folios() ?: drop_blobs() ?: use_blobs() ?:
	       (look ? look() : NULL) ?: forget_some();
}

static void report(bool ok, const char *name, const char *why)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++results, name);
	failures += !ok;
	if (!ok)
		printf("# %s (the kernel: %s, the oracle: %s)\n", why,
		       world_said() ?: "accepted", reading.defect ?: "no defect");
}

/* Named cases: how to damage the handover, and the message that the kernel must give. */

static struct kho_scratch *scratch_array(void)
{
	return phys_to_virt(world.scratch);
}

static void add_page(u64 addr)
{
	world_add(PHYS_PFN(addr), 0);
}

static void spoil_nothing(void) { }
static void spoil_border(void) { world_add(PHYS_PFN(NODE_BORDER) - 16, 5); }
static void spoil_hole(void) { add_page(HOLE_START); }
static void spoil_into_hole(void) { world_add(0x20000, 16); }
static void spoil_in_use(void) { add_page(FIRMWARE_START); }
static void spoil_array(void) { add_page(world.scratch); }
static void spoil_scratch(void)
{
	add_page(scratch_array()[1].addr + scratch_array()[1].size - 1);
}

static void spoil_own_node(void) { add_page(virt_to_phys(world.map.root)); }

static void spoil_overlap(void)
{
	world_add(PHYS_PFN(RAM_END) - 0x2000, 9);
	world_add(PHYS_PFN(RAM_END) - 0x2000 + 511, 0);
}

/* Two large folios whose first pages have bits in different words of a bitmap. */
static void spoil_large_overlap(void)
{
	world_add(0x25000, 12);
	world_add(0x25c00, 10);
}

/* RAM ends in the middle of this folio. */
static void spoil_past_ram(void) { world_add(PHYS_PFN(ALIGN_DOWN(RAM_END, 0x20000000)), 17); }
static void spoil_order(void) { world_add(0, 19); }
static void spoil_large_order(void) { world_add(0, KHO_MAX_RUN_ORDER + 1); }
static void spoil_far(void) { add_page(RAM_END << 8); }

static u64 *some_pointer(void)
{
	u64 *root = (u64 *)world.map.root;

	for (unsigned int i = 0; i < PAGE_SIZE / 8; i++) {
		if (root[i])
			return root + i;
	}
	abort();
}

static void spoil_node_unaligned(void) { *some_pointer() += 8; }
static void spoil_node_hole(void) { *some_pointer() = HOLE_START; }
static void spoil_node_scratch(void) { *some_pointer() = 0x14000000; }
static void spoil_node_in_use(void) { *some_pointer() = FIRMWARE_START; }
static void spoil_node_fdt(void) { *some_pointer() = world.fdt; }
static void spoil_cycle(void) { *some_pointer() = virt_to_phys(world.map.root); }

static void spoil_twice(void)
{
	u64 first, second;

	world_add(0x12000, 0);
	world_add(0x2e000, 0);
	first = virt_to_phys(kho_map_leaf(&world.map, 0x12000, 0));
	second = virt_to_phys(kho_map_leaf(&world.map, 0x2e000, 0));

	for (u64 *word = phys_to_virt(OWN_START); virt_to_phys(word) < world.next; word++) {
		if (*word == second)
			*word = first;
	}
}

static void spoil_empty_region(void)
{
	scratch_array()[0] = (struct kho_scratch){ scratch_array()[1].addr + PAGE_SIZE, 0 };
}

static void spoil_all_empty(void)
{
	for (unsigned int i = 0; i < NR_SCRATCH; i++)
		scratch_array()[i].size = 0;
}

static void spoil_array_place(void)
{
	u64 addr = scratch_array()[1].addr + PAGE_SIZE;

	memcpy(phys_to_virt(addr), scratch_array(), world.scratch_size);
	world.scratch = addr;
}

static void spoil_nodes_scratch(void)
{
	scratch_array()[1].addr = NODE_BORDER / 0x400000 * 0x400000;
}

static void spoil_alignment(void)
{
	void *fdt = phys_to_virt(world.fdt);

	fdt_set_off_dt_struct(fdt, fdt_off_dt_struct(fdt) + 1);
}

static void spoil_memory(unsigned int spare_pages)
{
	world.poor = true;
	world.spare_pages = spare_pages;
}

static void spoil_no_memory(void) { spoil_memory(0); }
static void spoil_no_marks(void) { world.crowded = true; }
static void spoil_no_reserved(void) { world.crowded_reserved = true; }
static void spoil_just_enough_memory(void) { spoil_memory(1); }

/* Zeroes the map, although there is a blob. */
static void spoil_empty_map(void)
{
	memset(world.map.root, 0, PAGE_SIZE);
	if (kho_fdt_add(phys_to_virt(world.fdt), "letter", RAM_START, 5))
		abort();
}

static void spoil_sealed(void) { world_seal(); }

static void spoil_sealed_bit(void)
{
	world_seal();
	*(u64 *)kho_map_leaf(&world.map, 0x10000, 0) ^= 2;
}

static void spoil_sealed_padding(void)
{
	world_seal();
	((u8 *)phys_to_virt(world.fdt))[PAGE_SIZE - 1] ^= 1;
}

static void spoil_sealed_blob(void)
{
	const void *fdt = phys_to_virt(world.fdt);
	int node;

	if (kho_fdt_add(phys_to_virt(world.fdt), "letter", RAM_START, 5))
		abort();
	world_seal();
	node = fdt_subnode_offset(fdt, 0, "letter");
	*(u8 *)fdt_getprop(fdt, node, KHO_FDT_PROP_SIZE, NULL) ^= 1;
}

static void spoil_checksum_length(void)
{
	fdt_setprop_u32(phys_to_virt(world.fdt), 0, KHO_FDT_PROP_CHECKSUM, 0);
}

/* Adds a blob. Returns the address of its page. */
static u64 add_letter(bool preserved)
{
	u64 page = world_page();

	if (preserved)
		add_page(page);
	if (kho_fdt_add(phys_to_virt(world.fdt), "letter", page, PAGE_SIZE))
		abort();

	return page;
}

static void spoil_kept_blob(void) { add_letter(true); }
static void spoil_lost_blob(void) { add_letter(false); }

/* Adds a blob that is not preserved, in a node without an end. libfdt cannot remove it. */
static void spoil_open_blob(void)
{
	void *fdt = phys_to_virt(world.fdt);
	int at, next;

	add_letter(false);
	next = fdt_subnode_offset(fdt, 0, "letter");
	do {
		at = next;
	} while (fdt_next_tag(fdt, at, &next) != FDT_END_NODE);
	*(fdt32_t *)(fdt + fdt_off_dt_struct(fdt) + at) = cpu_to_fdt32(5);
}

static void spoil_old_fdt(void) { old_libfdt(phys_to_virt(world.fdt)); }
static void spoil_old_regions(void) { old_libfdt(phys_to_virt(world.regions)); }

static void spoil_regions_alignment(void)
{
	void *fdt = phys_to_virt(world.regions);

	fdt_set_off_dt_struct(fdt, fdt_off_dt_struct(fdt) + 1);
}

static void spoil_region_blob(void) { move_region(0, add_letter(true), PAGE_SIZE); }
static void spoil_region_regions(void) { move_region(0, world.regions, PAGE_SIZE); }

static void spoil_region_fdt(void)
{
	if (!kho_map_test(&world.map, PHYS_PFN(world.fdt), 0))
		add_page(world.fdt);
	move_region(0, world.fdt, PAGE_SIZE);
}

static void spoil_region_twice(void)
{
	u64 size, start = regions_old(1, &size);

	move_region(0, start, size);
}

static void spoil_region_shorter(void)
{
	u64 size, start = regions_old(0, &size);

	move_region(0, start, size - PAGE_SIZE);
}

/* Functions that look at an accepted handover. They return what is wrong, or NULL. */

static const char *look_blob(bool wanted)
{
	const char *wrong;
	phys_addr_t phys;
	bool shown;

	wrong = debugfs_look("letter", &shown);
	if (wrong)
		return wrong;
	if (!kho_fdt_get(kho_incoming.fdt, "letter", &phys, NULL) != wanted)
		return wanted ? "the blob is gone" : "the blob is still there";

	return shown == wanted ? NULL : "debugfs is wrong about the blob";
}

static const char *look_blob_there(void) { return look_blob(true); }
static const char *look_blob_gone(void) { return look_blob(false); }

static const char *look_regions(bool first, bool second)
{
	u64 size;

	if (!regions_new(0) || !regions_new(1))
		return "a region has no memory";
	if ((regions_new(0) == regions_old(0, &size)) != first)
		return first ? "the first region is lost" : "the first region is revived";
	if ((regions_new(1) == regions_old(1, &size)) != second)
		return second ? "the second region is lost" : "the second region is revived";

	return NULL;
}

static const char *look_both_regions(void) { return look_regions(true, true); }
static const char *look_no_region(void) { return look_regions(false, false); }
static const char *look_second_region(void) { return look_regions(false, true); }

static const struct {
	const char *name;
	void (*spoil)(void);
	const char *says;	/* NULL: the kernel accepts the handover */
	const char *(*look)(void);
} named[] = {
	{ "a valid handover", spoil_nothing, NULL },
	{ "a scratch region on two nodes", spoil_nodes_scratch, NULL },
	{ "an empty scratch region in another one", spoil_empty_region, NULL },
	{ "a scratch array with empty regions only", spoil_all_empty, "has empty regions only" },
	{ "the scratch array in scratch", spoil_array_place, NULL },
	{ "a folio on two nodes", spoil_border, "is on two NUMA nodes" },
	{ "a folio where there is no RAM", spoil_hole, "is not in RAM" },
	{ "a folio that ends where there is no RAM", spoil_into_hole, "is not in RAM" },
	{ "a folio that ends after all RAM", spoil_past_ram, "is not in RAM" },
	{ "a folio in memory of the firmware", spoil_in_use, "is in use" },
	{ "a folio that contains the scratch array", spoil_array, "is in use" },
	{ "a folio at the end of scratch", spoil_scratch, "is in scratch" },
	{ "a folio that contains a node", spoil_own_node, "holds a node of the map" },
	{ "a folio at the end of a larger one", spoil_overlap, "overlaps a larger folio" },
	{ "a large folio in a larger one", spoil_large_overlap, "overlaps a larger folio" },
	{ "a folio that is larger than memory", spoil_order, "is not in RAM" },
	{ "a folio of an order that is too large", spoil_large_order, "covers no memory" },
	{ "a folio far after the end of memory", spoil_far, "covers no memory" },
	{ "a node that is not aligned", spoil_node_unaligned, "is not in RAM" },
	{ "a node where there is no RAM", spoil_node_hole, "is not in RAM" },
	{ "a node in scratch", spoil_node_scratch, "is in scratch" },
	{ "a node in memory of the firmware", spoil_node_in_use, "is in use" },
	{ "a node that is the root FDT", spoil_node_fdt, "is in use" },
	{ "the root as its own child", spoil_cycle, "node of the map" },
	{ "an FDT whose structure is not aligned", spoil_alignment, "is damaged" },
	{ "a valid checksum", spoil_sealed, NULL },
	{ "a folio added after the checksum", spoil_sealed_bit, "the checksum" },
	{ "a bit after the FDT, changed after the checksum", spoil_sealed_padding, "the checksum" },
	{ "a size of a blob, changed after the checksum", spoil_sealed_blob, "the checksum" },
	{ "a checksum of four bytes", spoil_checksum_length, "the checksum" },
	{ "no memory for the array of nodes", spoil_no_memory, "needs more memory" },
	{ "no memory for the marks of scratch", spoil_no_marks, "no memory to note" },
	{ "no memory to reserve the array of scratch", spoil_no_reserved, "no memory to note" },
	{ "a blob and an empty map", spoil_empty_map, "the map names no folio" },
	{ "just enough memory for the array of nodes", spoil_just_enough_memory, NULL },
	{ "a leaf that is in the map twice", spoil_twice, "is in the map twice" },
	{ "an FDT of an old version", spoil_old_fdt, "is damaged" },
	{ "a blob", spoil_kept_blob, NULL, look_blob_there },
	{ "a blob that is not preserved", spoil_lost_blob, NULL, look_blob_gone },
	{ "the same, and its node has no end", spoil_open_blob, NULL, look_blob_gone },
	{ "regions", spoil_nothing, NULL, look_both_regions },
	{ "regions in an FDT of an old version", spoil_old_regions, NULL, look_no_region },
	{ "regions in an FDT that is not aligned", spoil_regions_alignment, NULL, look_no_region },
	{ "a region with a blob in it", spoil_region_blob, NULL, look_second_region },
	{ "a region with the list of regions in it", spoil_region_regions, NULL,
	  look_second_region },
	{ "a region with the root FDT in it", spoil_region_fdt, NULL, look_second_region },
	{ "two regions at the same address", spoil_region_twice, NULL, look_no_region },
	{ "a region that is shorter than it was", spoil_region_shorter, NULL, look_second_region },
};

static void run_named(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(named); i++) {
		const char *why;

		random_seed(0);
		world_make(2, true);
		world.same_wishes = true;
		/* Some cases change the leaf of this folio, far from the others. */
		world_add(0x10000, 0);
		named[i].spoil();
		remember();
		why = judge(named[i].look);
		if (!why && named[i].says && !strstr(world_said() ?: "", named[i].says))
			why = "the message is wrong";
		if (!why && !named[i].says && world_said())
			why = "there is a message";
		report(!why, named[i].name, why);
	}
}

static const char *run_case(u64 seed)
{
	random_seed(seed);
	world_make(random_below(4), false);
	if (random_below(4) == 0)
		world_seal();
	remember();
	change();

	return judge(NULL);
}

static void run_random(u64 seed, u64 cases)
{
	unsigned long accepted = 0, wrong = 0;
	char name[120];

	for (u64 i = 0; i < cases; i++) {
		const char *why = run_case(seed + i);

		accepted += !why && !world_said();
		if (why && wrong++ < 10)
			printf("# --one %llu: %s (the kernel: %s, the oracle: %s)\n",
			       (unsigned long long)(seed + i), why, world_said() ?: "accepted",
			       reading.defect ?: "no defect");
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(changes); i++)
		printf("# %s: %lu\n", changes[i].name, changed[i]);
	snprintf(name, sizeof(name), "%llu cases from seed %llu: %lu accepted, %lu wrong",
		 (unsigned long long)cases, (unsigned long long)seed, accepted, wrong);
	report(!wrong && accepted && accepted < cases, name, "some cases are wrong, see above");
}

int main(int argc, char **argv)
{
	struct fuzz_options options = { .seed = 1, .cases = 20000 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	world_init();
	if (!fuzz_options(&options, argc, argv))
		return 2;
	if (options.one) {
		printf("%s\n", run_case(options.seed) ?: "ok");
		printf("the kernel: %s, the oracle: %s\n", world_said() ?: "accepted",
		       reading.defect ?: "no defect");
		return 0;
	}

	printf("1..%zu\n", ARRAY_SIZE(named) + 1);
	run_named();
	run_random(options.seed, options.cases);

	return failures ? 1 : 0;
}
