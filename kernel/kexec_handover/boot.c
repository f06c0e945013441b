// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver (KHO): the boot sequence, from top to bottom.
 *
 * This file owns kho=, and what happens when while a kernel boots: it takes note
 * of an incoming handover, has it checked, accepts or refuses it, and has scratch
 * reserved if there is none. How each of these is done is in the files that it
 * calls. Nothing in KHO calls this file.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
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
#include "check.h"
#include "incoming.h"
#include "reserve_mem.h"
#include "restore.h"
#include "scratch.h"

/*
 * KMSAN takes pages for its metadata as memblock frees them, and could not tell
 * those that were handed over. Kconfig cannot express that one excludes the other.
 */
#define KHO_DEFAULT	(IS_ENABLED(CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT) && \
			 !IS_ENABLED(CONFIG_KMSAN))

/* What kho= asks for. */
static bool kho_wanted __initdata = KHO_DEFAULT;
static bool kho_strict __initdata;

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

/**
 * kho_refuse - refuse the incoming handover
 * @fmt: what is wrong with what, and where
 *
 * Logs the one line that says why, whatever the reason. With ``kho=strict`` the
 * kernel panics. With ``kho=off`` and in a crash kernel nothing is logged, since
 * nobody wants the handover.
 *
 * Context: boot, once the command line is parsed.
 */
void __init kho_refuse(const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	if (!kho_wanted || is_kdump_kernel())
		return;

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
 * kho_populate - take note of an incoming handover
 * @fdt_phys: address of the root FDT
 * @fdt_len: its size in bytes
 * @scratch_phys: address of the array of scratch regions
 * @scratch_len: its size in bytes
 *
 * If the handover is not refused, memblock allocates from scratch only from here
 * on. What the previous kernel preserved is not known until kho_memory_init().
 *
 * Context: the architecture calls it as soon as memblock knows all RAM and the
 * command line is parsed, before anything is allocated from memblock.
 */
void __init kho_populate(phys_addr_t fdt_phys, u64 fdt_len, phys_addr_t scratch_phys,
			 u64 scratch_len)
{
	struct kho_defect defect;

	if (!kho_wanted) {
		pr_info("kho=off: what the previous kernel preserved is lost\n");
		return;
	}
	if (is_kdump_kernel())
		return;

	if (!kho_check_fdt(fdt_phys, fdt_len, &defect)) {
		refuse_defect(&defect);
		return;
	}

	/* The array of scratch regions must not be part of the root FDT. */
	memblock_reserve(fdt_phys, fdt_len);
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

/* The map says what must not get into the page allocator, once it was checked. */
static bool __init accept_handover(void)
{
	struct kho_defect defect;

	if (!kho_check_map(&defect)) {
		refuse_defect(&defect);
		return false;
	}
	if (!kho_init_prepare()) {
		kho_check_discard();
		kho_refuse("no memory to note which blocks have preserved pages");
		return false;
	}

	kho_check_blobs();
	kho_incoming.fdt = phys_to_virt(kho_incoming.fdt_phys);

	return true;
}

static void __init forget_handover(void)
{
	memblock_phys_free(kho_incoming.fdt_phys, KHO_FDT_SIZE);
	kho_incoming.fdt_phys = 0;
}

/**
 * kho_memory_init - find out what must not get into the page allocator
 *
 * After a handover: checks what the previous kernel preserved and accepts it, or
 * refuses it as a whole. The scratch regions are in order then, and stay. At cold
 * boot: reserves scratch for the kernels to come. All that a kernel allocates from
 * memblock is allocated by then, and its size is what that of scratch is derived
 * from.
 *
 * Folios can be restored from the end of this function on.
 *
 * Context: memblock_free_all(), before memblock hands any memory to the page
 * allocator.
 */
void __init kho_memory_init(void)
{
	bool accepted;

	/* A crash kernel must not touch any memory, and has no successor. */
	if (!kho_wanted || is_kdump_kernel())
		return;

	if (!kho_scratch_cnt) {
		kho_scratch_reserve(kho_reserve_mem_bytes);
		return;
	}

	kho_scratch_mark_early();
	accepted = accept_handover();
	if (!accepted)
		forget_handover();
	kho_reserve_mem_settle();
	if (accepted)
		kho_init_start();
}

/**
 * kho_deferred_done - all struct pages are initialised
 *
 * Context: page_alloc_init_late(), with or without deferred initialisation.
 */
void __init kho_deferred_done(void)
{
	kho_scratch_mark_rest();
	kho_restore_finish();
}
