// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver (KHO): the boot sequence, from top to bottom.
 *
 * This file owns kho= and the order of the steps while a kernel boots: it records
 * where an incoming handover is, calls check.c for the checks, accepts or refuses
 * the handover, and at cold boot calls scratch_reserve.c to reserve scratch. The
 * architectures, memblock and the page allocator call this file.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

/**
 * DOC: KHO overview
 *
 * Kexec HandOver (KHO) hands folios over from a running kernel to the kernel
 * that it kexecs into.
 *
 * The model
 * ---------
 *
 * The old kernel records each preserved folio as one bit in the *preserved
 * map*, a radix tree of bitmaps. It hands the tree over as it is in memory. The
 * root FDT contains the address of the tree and the names and addresses of
 * blobs, through which subsystems find their data again.
 *
 * The new kernel starts in *scratch*: memory regions in which nothing can be
 * preserved. It knows the addresses of the root FDT and of the array of scratch
 * regions from its boot parameters, and allocates from scratch only until it
 * has read and checked the map. It does that before it allocates struct pages, so
 * that the size of scratch does not depend on the size of memory. From then on it
 * allocates from *vacant* memory, in which nothing is preserved.
 *
 * The new kernel does not put preserved folios into memblock.reserved. The two
 * places that give memory to the page allocator, memblock_free_all() and
 * deferred struct page initialisation, ask KHO which pages to keep. KHO works
 * in *blocks* of MAX_ORDER_NR_PAGES aligned pages: freeing a page reads the
 * struct pages of its buddies, and these lie in the same block. A block in
 * which the map names a page is a *named block*. It is set up once: KHO initialises
 * its struct pages and prepares each preserved folio so that it *waits* for its
 * owner. All other blocks are initialised and freed as on a machine without a
 * handover.
 *
 * The new kernel: hooks in the order of boot
 * ------------------------------------------
 *
 * 1. ``kho=``, ``kho_checksum=``, ``kho_log=`` and ``kho_scratch=`` are parsed as early
 *    parameters. One CPU runs, memblock may not know all RAM yet. Afterwards
 *    KHO knows whether it is wanted.
 *
 * 2. The architecture finds the parameters of the handover (setup_data on x86,
 *    properties of ``/chosen`` on arm64) and calls kho_populate(), as soon as
 *    memblock knows all RAM and before anything is allocated from it. The
 *    direct map need not exist yet: kho_populate() uses early_memremap(). It
 *    checks the root FDT and the scratch regions. If both are valid, memblock
 *    allocates from scratch only from here on. Otherwise the handover is
 *    refused.
 *
 * 3. The architecture sets up page tables and NUMA nodes. All of it is allocated
 *    from scratch. Then it calls kho_memory_known(): the direct map exists, memblock
 *    knows the nodes, nothing was allocated yet whose size follows from the size of
 *    memory.
 *
 *    - At cold boot kho_memory_known() measures what memblock has reserved by now.
 *      The default size of scratch is derived from it.
 *    - After a handover it reads and checks the whole map, including the
 *      checksum (kernel/kexec_handover/check.c), allocates the bitmaps of
 *      named, locked and ready blocks (mm/kho_init.c), reserves pages that the
 *      previous kernel knows to be bad, and marks the largest gaps between preserved
 *      memory in memblock (kernel/kexec_handover/vacant.c). From here on memblock
 *      allocates from these, and from scratch if they have no room. If a check fails,
 *      the handover is refused: the kernel boots as from cold, but with the inherited
 *      scratch, and memblock allocates from all memory.
 *
 *    Zones, struct pages that are initialised early, memory of ``crashkernel=``,
 *    ``hugetlb_cma=``, ``cma=`` and so on come after this. KHO is not called for them,
 *    except for ``reserve_mem=`` (kho_reserve_mem_deferred() says that the region gets its
 *    address later, and kho_reserve_mem_add() records the region that the command line
 *    asks for) and for areas of CMA at a fixed address (kho_ram_fixed()).
 *
 * 4. memblock_free_all() calls kho_memory_init() first. memblock still works,
 *    interrupts are off, there is no slab allocator.
 *
 *    - At cold boot kho_memory_init() reserves scratch.
 *    - After a handover it checks that nothing preserved was reserved since, as by
 *      ``cma=`` at a fixed address, which refuses the handover; and it settles the
 *      addresses of ``reserve_mem=`` regions.
 *
 *    When it returns, the set of kept pages is final, is_kho_boot() and
 *    kho_retrieve_subtree() have their answers, and kho_restore_folio() works
 *    in any context but hard interrupts. A folio that is restored before its
 *    struct pages are initialised has its block set up by kho_restore_folio().
 *
 * 5. memblock_free_all() then calls kho_scratch_mark_reserved(), which gives the
 *    pageblocks of reserved pages in inherited scratch their type, MIGRATE_CMA, and
 *    frees memory block by block.
 *    memblock_free_pages() asks kho_init_free(), which sets up a named
 *    block and frees only those of its pages that are not kept. Pages of inherited
 *    scratch are freed there, too. Waiting pages are counted as managed here, so that
 *    watermarks and other limits are the same as without a handover.
 *
 * 6. page_alloc_init_late() starts the deferred-init threads, which run in
 *    parallel with interrupts on. deferred_init_maxorder() asks
 *    kho_init_block() for each block whether KHO has initialised or now
 *    initialises its struct pages; deferred_free_pages() asks
 *    kho_init_free(), as in step 5. A lock bit and a ready bit for
 *    each block keep the threads and an early kho_restore_folio() apart.
 *
 * 7. When the deferred-init threads have finished, page_alloc_init_late() calls
 *    kho_deferred_done(), before memblock_discard(). All struct
 *    pages are initialised, workqueues accept work. From here on
 *    kho_restore_folio() reads the struct page alone, not the map. The block
 *    bitmaps are freed. The nodes of the map are freed once the last folio has
 *    been restored, after a grace period of RCU.
 *
 * 8. core_initcall: kho_start() releases scratch for movable allocations and
 *    sets up the outgoing side with an empty map and a root FDT. From here on
 *    kho_is_enabled() is true and memory can be preserved. Process context.
 *
 * 9. postcore_initcall: ``reserve_mem=`` regions are preserved for the next
 *    kernel. fs_initcall: the files in debugfs appear. late_initcall_sync: the
 *    log says how many folios still wait for their owners.
 *
 * The old kernel: hooks until the kexec
 * -------------------------------------
 *
 * - Any time after core_initcalls, owners preserve and unpreserve memory. The
 *   map needs no lock: nodes are added with cmpxchg() and bits are changed
 *   atomically. Preserving may sleep, unpreserving works in any context.
 *
 * - kexec_file_load(): kho_image_prepare() takes blocks with bad pages out of scratch,
 *   lists bad pages for the next kernel and writes the log as far as it is known.
 *   kho_image_locate_hole() places the segments of the image in scratch.
 *   kho_image_check_room() refuses an image if scratch has no room for what the next
 *   kernel allocates before it has read the map, or if scratch and vacant memory
 *   together have none for its struct pages; kernel_kexec() calls it once more.
 *   kho_ahead_take_places() takes the places of the segments and writes them;
 *   kho_arrival_record() records why the image would lose the handover. The loader of
 *   the architecture writes the addresses of the root FDT and of the scratch array into
 *   the parameters of the next kernel.
 *   Process context, with the kexec lock held. Crash images are not affected.
 *   Owners may still preserve memory afterwards, because the addresses stay the
 *   same.
 *
 * - The kexec itself: kho_image_seal() copies the root FDT to the page in which the
 *   next kernel finds it, computes the checksum of it and of the map, and completes the
 *   log, after all devices have been shut down, with one CPU running. Nothing can be
 *   preserved any more.
 */

/**
 * DOC: KHO memory before the map is read
 *
 * Between kho_populate() and the moment that kho_memory_known() has read the map,
 * memblock takes preserved memory for free memory. Until then no code may write to
 * memory outside of scratch. The following code could write there; each paragraph says
 * why it does not:
 *
 * Code that allocates from memblock
 *   Before the map is read, all of it comes from scratch: page tables, NUMA tables,
 *   an initrd that x86 moves, ACPI tables from an initrd, dynamic nodes of
 *   ``/reserved-memory``, and the arrays of memblock itself when they grow. After that
 *   it comes from memory in which nothing is preserved, too: KASAN shadow and the
 *   metadata of KFENCE, the memory map, per-CPU areas, hash tables, ``cma=``,
 *   ``hugetlb_cma=``, ``hugepages=`` of gigantic pages, ``crashkernel=``, bounce buffers
 *   (swiotlb), and the hypervisor of arm64. (writers, kasan, tags, hugetlb, hugetlb-cma,
 *   cma, crash, crash-after; the simulator of memblock)
 *
 * memblock before kho_populate()
 *   Its arrays can grow while x86 adds RAM to it. At that time its limit is 1 MiB,
 *   and Linux reserves the first MiB, so that nothing there is ever preserved. On
 *   arm64 they cannot grow before paging_init(). (e820)
 *
 * Code that reserves memory at a given address
 *   Tables of EFI, ACPI and SMBIOS, memory that EFI keeps for run time and boot
 *   services, ``/memreserve/`` and static nodes of ``/reserved-memory``,
 *   ``crashkernel=`` and ``cma=`` with an address. Reserving memory only adds an entry
 *   to memblock: no code writes to the memory before the page allocator has started. If
 *   a preserved folio is there, the handover is refused, by kho_memory_init() if the
 *   memory was reserved after the map was read, as for ``cma=``. In the previous kernel,
 *   kho_ram_fixed() records areas of CMA, so that no folio in them can be preserved.
 *   (cma-fixed, cma-late, format-refused, arm64-efi)
 *
 * ``memtest=`` and ``memory_corruption_check=``
 *   They write to free memory without allocating it. Both ask memblock whether they
 *   have to stay in scratch. (memtest, writers)
 *
 * EFI
 *   On arm64 the memory map of EFI is read before kho_populate(). Data that the EFI stub
 *   has put into memory for Linux stays reserved in each kernel, so it is never
 *   preserved: the memory map, ACPI tables, the list of LPI tables. The random seed
 *   is overwritten after it is read; it lies in ACPI reclaim memory, which arm64
 *   reserves and which is no RAM on x86. A kernel that was started by kexec has no
 *   regions of boot services on x86, where kexec passes only those for run time.
 *   (arm64-efi)
 *
 * IMA
 *   The buffer of measurements is a segment of the kexec image, which lies in
 *   scratch. It is freed in a late_initcall, and its pageblocks have the type of
 *   scratch by then.
 *
 * The start of the kernel
 *   The decompressor of x86 writes to the place that it has chosen for the kernel,
 *   which is in scratch. Its trampoline for the number of page table levels is in
 *   the first MiB. purgatory and the image of arm64 are segments, in scratch.
 *   Encryption of memory (SME) is done in place, for the kernel and the initrd.
 *   (kaslr)
 *
 * Accepting memory (TDX, SEV-SNP)
 *   Accepting destroys the content, but memory that a kernel has used was accepted
 *   before, and each kernel passes on firmware's list of the memory that was not.
 *
 * Poisoning (``init_on_free=``, ``page_poison=``, ``debug_pagealloc=``)
 *   Only the page allocator does this, and it does not get preserved pages. KMSAN
 *   takes pages from memblock without asking, so KHO is off with it. (debug,
 *   phases-debug)
 *
 * The following code walks memory, but only counts or reads: the search for
 * ZONE_MOVABLE, kmemleak, which scans when the system runs, and the loader of kexec.
 *
 * The names in parentheses are scenarios of tools/testing/selftests/kho. No scenario
 * covers IMA, encryption and accepting memory. Xen has not been examined.
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/crash_dump.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kstrtox.h>
#include <linux/memblock.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/string_choices.h>

#include "../../mm/internal.h"
#include "../../mm/kho_init.h"
#include "bad_pages.h"
#include "boot.h"
#include "check.h"
#include "incoming.h"
#include "reserve_mem.h"
#include "restore.h"
#include "scratch.h"
#include "vacant.h"

/*
 * KMSAN takes pages for its metadata when memblock frees them, without asking KHO
 * which of them are preserved. Both can be compiled in, but KHO is disabled then.
 * With "depends on !KMSAN", Kconfig finds a recursive dependency, through CMA and SYSFS.
 */
#define KHO_DEFAULT	(IS_ENABLED(CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT) && \
			 !IS_ENABLED(CONFIG_KMSAN))

/* The values of kho=: on or strict; strict. Constant after early parameters. */
static bool kho_wanted __initdata = KHO_DEFAULT;
static bool kho_strict __initdata;

const char *kho_off_reason __ro_after_init = "this architecture does not set it up";
bool kho_refused __ro_after_init;
bool kho_ignored __ro_after_init;

static int __init kho_param(char *arg)
{
	kho_strict = arg && !strcmp(arg, "strict");
	kho_wanted = kho_strict || KHO_DEFAULT;
	if (!kho_strict && (!arg || kstrtobool(arg, &kho_wanted)))
		pr_warn("malformed kho=%s, want on, off or strict: it is %s\n",
			arg ?: "", str_on_off(kho_wanted));
	if (IS_ENABLED(CONFIG_KMSAN) && kho_wanted) {
		pr_warn("kho=%s has no effect: KHO does not work with KMSAN\n", arg);
		kho_wanted = false;
	}

	return 0;
}
early_param("kho", kho_param);

/* A crash kernel owns only its own small part of memory and hands nothing over. */
static bool __init kho_is_off(void)
{
	return !kho_wanted || is_kdump_kernel();
}

static const char *__init why_off(void)
{
	if (is_kdump_kernel())
		return "this is a crash kernel";
	if (IS_ENABLED(CONFIG_KMSAN))
		return "it does not work with KMSAN";

	return "the command line has no kho=on";
}

/**
 * kho_boot_off - record why KHO is off
 * @reason: the reason, a constant string, for /sys/kernel/kho/off_reason
 *
 * Context: boot, until kho_start() has returned.
 */
void __init kho_boot_off(const char *reason)
{
	kho_off_reason = reason;
}

/**
 * kho_refuse - refuse the incoming handover
 * @fmt: printf() format of the reason: the object, its address, and its defect
 *
 * Logs the reason in one line. With ``kho=strict`` the kernel panics. With
 * ``kho=off`` and in a crash kernel nothing is logged, since no handover is
 * accepted there anyway.
 *
 * Context: boot, after early parameters are parsed.
 */
void __init kho_refuse(const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	if (kho_is_off())
		return;

	kho_refused = true;
	va_start(args, fmt);
	vaf.va = &args;
	if (kho_strict)
		panic(pr_fmt("handover refused: %pV"), &vaf);
	pr_err("handover refused: %pV; booting as from cold\n", &vaf);
	va_end(args);
}

static void __init refuse_defect(const struct kho_defect *defect)
{
	kho_refuse("%s at %pa, %llu bytes, %s", defect->object, &defect->phys, defect->size,
		   defect->what);
}

/**
 * kho_populate - check root FDT and scratch regions of an incoming handover
 * @fdt_phys: physical address of the root FDT
 * @fdt_len: size of the root FDT in bytes
 * @scratch_phys: physical address of the array of scratch regions
 * @scratch_len: size of this array in bytes
 *
 * If both are valid, memblock allocates from scratch only from here on, until
 * kho_memory_known() has read the map. If one of them is invalid, the handover is refused.
 *
 * Context: the architecture calls it as soon as memblock knows all RAM and early
 * parameters are parsed, before anything is allocated from memblock.
 * early_memremap() works; the direct map may not exist yet.
 */
void __init kho_populate(phys_addr_t fdt_phys, u64 fdt_len, phys_addr_t scratch_phys,
			 u64 scratch_len)
{
	struct kho_defect defect;

	if (!kho_wanted) {
		kho_ignored = true;
		pr_info("what the previous kernel preserved is lost: %s\n", why_off());
		return;
	}
	if (is_kdump_kernel())
		return;

	if (!kho_check_fdt(fdt_phys, fdt_len, &defect)) {
		refuse_defect(&defect);
		return;
	}

	/* So that kho_check_scratch() finds an array that overlaps the root FDT in use. */
	if (memblock_reserve(fdt_phys, fdt_len)) {
		kho_refuse("no memory to reserve the root FDT at %pa", &fdt_phys);
		return;
	}
	if (!kho_check_scratch(scratch_phys, scratch_len, &defect)) {
		memblock_phys_free(fdt_phys, fdt_len);
		refuse_defect(&defect);
		return;
	}

	if (!kho_scratch_adopt(scratch_phys, scratch_len / sizeof(struct kho_scratch))) {
		memblock_phys_free(fdt_phys, fdt_len);
		kho_refuse("no memory to note the scratch regions of the array at %pa",
			   &scratch_phys);
		return;
	}
	kho_incoming.fdt_phys = fdt_phys;
}

/*
 * Notes which blocks have preserved pages, and lets memblock allocate from the memory
 * that has none. Returns false if there is no memory to note it.
 */
static bool __init use_map(void)
{
	const unsigned long nr = kho_named_nr(max_pfn);
	const struct kho_named named = {
		.bits = memblock_alloc(kho_named_bytes(nr), PAGE_SIZE),
		.nr = nr,
	};

	if (!named.bits)
		return false;
	kho_vacant_name(&kho_incoming.map, &named);
	if (!kho_init_prepare(&named)) {
		memblock_free(named.bits, kho_named_bytes(nr));
		return false;
	}

	kho_incoming.fdt = phys_to_virt(kho_incoming.fdt_phys);
	kho_check_blobs();
	/* Before anything is allocated from memory that may be bad. */
	kho_bad_pages_reserve();
	kho_vacant_name_scratch(&named);
	kho_vacant_mark(&named);
	memblock_free(named.bits, kho_named_bytes(nr));

	return true;
}

static void __init forget_handover(void)
{
	/* If the map named its page then kho_check_map() has freed that. */
	if (!kho_incoming.fdt_kept)
		memblock_phys_free(kho_incoming.fdt_phys, KHO_FDT_SIZE);
	kho_incoming.fdt_kept = false;
	kho_incoming.fdt_phys = 0;
	memblock_clear_kho_scratch_only();
}

/**
 * kho_memory_known - read the map of an incoming handover
 *
 * After a handover: checks the map of preserved folios, and accepts the handover or
 * refuses it as a whole. From here on memblock allocates from all larger gaps of
 * memory in which nothing is preserved, or from all memory if the handover is refused.
 * The inherited scratch regions, which kho_populate() has checked, stay in use in either
 * case. At cold boot: measures what the next kernels will need before this point, which
 * is what scratch has to have room for.
 *
 * Context: the architecture calls it from setup_arch(), when the direct map exists and
 * memblock knows the NUMA nodes, before struct pages are allocated. One CPU runs,
 * interrupts are off.
 */
void __init kho_memory_known(void)
{
	struct kho_defect defect;

	if (kho_is_off()) {
		kho_boot_off(why_off());
		return;
	}

	kho_scratch_measure();
	if (!kho_scratch_cnt)
		return;

	if (!kho_check_map(&defect)) {
		refuse_defect(&defect);
		forget_handover();
	} else if (!use_map()) {
		kho_check_discard();
		kho_refuse("no memory to note which blocks have preserved pages");
		forget_handover();
	}
}

/* Refuses a handover that kho_memory_known() has accepted if its memory is used since. */
static void __init check_again(void)
{
	struct kho_defect defect;

	if (!kho_incoming.fdt || kho_check_reserved(&defect))
		return;

	kho_init_discard();
	kho_check_discard();
	kho_bad_pages_forget();
	refuse_defect(&defect);
	forget_handover();
}

/**
 * arch_kho_accept - use what the previous kernel tells this one about the machine
 * @fdt: the root FDT of a handover that was accepted
 *
 * Context: kho_memory_init(). One CPU runs, interrupts are off.
 */
void __init __weak arch_kho_accept(const void *fdt)
{
}

/**
 * kho_memory_init - prepare for restoring folios; at cold boot reserve scratch
 *
 * After a handover: checks that no preserved memory was reserved in memblock since
 * kho_memory_known(), and otherwise refuses the handover. At cold boot: reserves scratch
 * for the next kernels. Nothing else is allocated from memblock afterwards.
 *
 * Folios can be restored from the end of this function on.
 *
 * Context: memblock_free_all(), before memblock frees any memory to the page
 * allocator. One CPU runs, interrupts are off.
 */
void __init kho_memory_init(void)
{
	if (kho_is_off())
		return;

	if (!kho_scratch_cnt) {
		if (!kho_scratch_reserve())
			kho_boot_off("scratch could not be reserved");
		return;
	}

	kho_scratch_mark_early();
	check_again();
	kho_reserve_mem_settle();
	if (kho_incoming.fdt) {
		kho_init_start();
		arch_kho_accept(kho_incoming.fdt);
	}
}

/**
 * kho_deferred_done - do the steps that need all struct pages to be initialised
 *
 * Marks the remaining pageblocks of inherited scratch, and lets restores read
 * struct pages in place of the map.
 *
 * Context: page_alloc_init_late(), with or without deferred struct page
 * initialisation. All struct pages are initialised; workqueues accept work.
 */
void __init kho_deferred_done(void)
{
	kho_scratch_mark_rest();
	kho_restore_finish();
}
