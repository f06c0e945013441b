// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver (KHO): folios that outlive a kexec.
 *
 * This file owns the outgoing side as its callers see it: the functions that
 * preserve and unpreserve folios and that give blobs a name. For an overview and the
 * boot sequence see kernel/kexec_handover/boot.c. The files in kernel/kexec_handover/
 * are the following, each after all files of the list that it calls. This file comes
 * after restore, which it calls, and before vmalloc, which calls it:
 *
 *   map           the set of preserved folios
 *   fdt           the root FDT, with the blobs that subsystems name
 *   scratch       the memory that a starting kernel allocates from; scratch_reserve
 *                 and scratch_size choose its place and its size
 *   vacant        memory in which nothing is preserved
 *   ram           which memory can be handed over
 *   outgoing      the outgoing side, and whether KHO is on
 *   checksum      detects writes to the root FDT or the map during a kexec
 *   misuse        warnings for mistakes of callers, with CONFIG_KEXEC_HANDOVER_DEBUG
 *   incoming      the incoming handover, and questions about it
 *   check         the checks of an incoming handover
 *   restore       kho_restore_folio(), and the end of the incoming map
 *   pages         runs of single pages, and releasing all that waits
 *   vmalloc       vmalloc areas
 *   reserve_mem   regions of reserve_mem=
 *   bad_pages     passes pages that hardware reported as bad on to the next kernel
 *   boot          the boot sequence, and whether an incoming handover is accepted
 *   counts        how much is preserved
 *   sysfs         /sys/kernel/kho/
 *   log           the log of the previous kernel
 *   image         where a kexec image is placed and what it tells the next kernel
 *   unpack        decompresses the kernel of an image
 *   pieces        the parts of scratch that can hold an image before the kexec
 *   ahead         writes an image to its final place when it is loaded
 *   arrival       reasons why the loaded kernel would not accept the handover
 *   start         sets up both sides, in a core_initcall
 *
 * Code that accesses struct pages and zones is in mm/kho_init.c and
 * mm/kho_scratch.c; debugfs is in kexec_handover_debug.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/cleanup.h>
#include <linux/init.h>
#include <linux/instruction_pointer.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/string.h>

#include <trace/events/kho.h>

#include "kexec_handover/debug.h"
#include "kexec_handover/fdt.h"
#include "kexec_handover/misuse.h"
#include "kexec_handover/outgoing.h"
#include "kexec_handover/ram.h"

static noinline int preserve(unsigned long pfn, unsigned int order)
{
	if (!kho_is_enabled())
		return -EOPNOTSUPP;
	if (order > KHO_MAX_FOLIO_ORDER || !kho_ram_can_go_out(pfn, pfn + BIT(order)))
		return -EINVAL;
	if (kho_ram_has_bad(pfn, pfn + BIT(order)))
		return -EHWPOISON;

	return kho_map_add(&kho_out.map, pfn, order);
}

/**
 * kho_preserve_folio - hand a folio over to the next kernel
 * @folio: the folio; it must stay allocated and keep its order until it is
 *	unpreserved or the kexec is done
 *
 * The next kernel finds the content that the folio has at the time of the kexec.
 * The caller tells the next kernel the address of the folio, for example in a blob:
 * see kho_add_subtree().
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: 0; -EOPNOTSUPP if KHO is off; -EINVAL if the folio lies in scratch, in
 * hot-added memory or in an area of CMA at a fixed address, or if its order is above
 * %KHO_MAX_FOLIO_ORDER; -EHWPOISON if hardware reported a page of it as bad; -ENOMEM if
 * there is no memory for a node of the map. After an error the map is as it was.
 */
int kho_preserve_folio(struct folio *folio)
{
	const unsigned long pfn = folio_pfn(folio);
	const unsigned int order = folio_order(folio);
	unsigned long *leaf;
	int err = 0;

	kho_misuse_preserve(pfn, pfn + BIT(order), _RET_IP_);
	/*
	 * The common case: the map has a leaf for this folio already, so KHO is on,
	 * all memory of its stretch can be handed over, see ram.h, and no page is known
	 * to be bad.
	 */
	if (likely(kho_ram_ordinary(pfn, order) && !kho_ram_nr_bad() &&
		   kho_map_near_leaf(&kho_out.map, pfn, order, &leaf) && leaf))
		set_bit(kho_map_bit(kho_map_key(pfn, order)), leaf);
	else
		err = preserve(pfn, order);
	trace_kho_preserve(pfn, order, BIT(order), err);

	return err;
}
EXPORT_SYMBOL_GPL(kho_preserve_folio);

/**
 * kho_unpreserve_folio - take a folio out of the outgoing handover
 * @folio: a folio that is preserved, of the order that it was preserved with
 *
 * Does nothing if the folio is not preserved; CONFIG_KEXEC_HANDOVER_DEBUG warns.
 *
 * Context: any, never sleeps. From the core_initcalls on; before them nothing is
 * preserved.
 */
void kho_unpreserve_folio(struct folio *folio)
{
	const unsigned long pfn = folio_pfn(folio);
	const unsigned int order = folio_order(folio);
	unsigned long *leaf;
	bool found;

	kho_misuse_unpreserve(pfn, pfn + BIT(order), _RET_IP_);
	if (likely(kho_map_near_leaf(&kho_out.map, pfn, order, &leaf) && leaf))
		found = test_and_clear_bit(kho_map_bit(kho_map_key(pfn, order)), leaf);
	else
		found = kho_is_enabled() && kho_map_del(&kho_out.map, pfn, order);
	trace_kho_unpreserve(pfn, order, BIT(order), found ? 0 : -ENOENT);
}
EXPORT_SYMBOL_GPL(kho_unpreserve_folio);

/**
 * kho_alloc_preserve - allocate memory and preserve it
 * @size: bytes, rounded up to a power of two of pages
 *
 * The memory is one folio. kho_unpreserve_free() frees it in this kernel,
 * kho_restore_free() in a later one.
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: the address of zeroed, physically contiguous memory, or an ERR_PTR():
 * -EINVAL if @size is 0; -E2BIG if it is above PAGE_SIZE << MAX_PAGE_ORDER;
 * -ENOMEM if there is no memory that can be handed over; an error of
 * kho_preserve_folio().
 */
void *kho_alloc_preserve(size_t size)
{
	struct folio *folio;
	int order, err;

	if (!size)
		return ERR_PTR(-EINVAL);
	order = get_order(size);
	if (order > MAX_PAGE_ORDER)
		return ERR_PTR(-E2BIG);
	if (!kho_is_enabled())
		return ERR_PTR(-EOPNOTSUPP);

	folio = kho_ram_alloc_folio(order);
	if (!folio)
		return ERR_PTR(-ENOMEM);

	err = kho_preserve_folio(folio);
	if (err) {
		folio_put(folio);
		return ERR_PTR(err);
	}

	return folio_address(folio);
}
EXPORT_SYMBOL_GPL(kho_alloc_preserve);

/**
 * kho_unpreserve_free - free memory from kho_alloc_preserve(), in the same kernel
 * @mem: its address, or NULL
 *
 * Context: any that can free pages, never sleeps. From the core_initcalls on.
 */
void kho_unpreserve_free(void *mem)
{
	struct folio *folio;

	if (!mem)
		return;

	folio = virt_to_folio(mem);
	kho_unpreserve_folio(folio);
	folio_put(folio);
}
EXPORT_SYMBOL_GPL(kho_unpreserve_free);

/**
 * kho_restore_free - free memory from kho_alloc_preserve(), in a later kernel
 * @mem: its address in the direct map of this kernel, or NULL
 *
 * Logs a warning and frees nothing if kho_restore_folio() refuses the memory.
 *
 * Context: as kho_restore_folio(), once the page allocator works.
 */
void kho_restore_free(void *mem)
{
	struct folio *folio;

	if (!mem)
		return;

	folio = kho_restore_folio(virt_to_phys(mem));
	if (folio)
		folio_put(folio);
}
EXPORT_SYMBOL_GPL(kho_restore_free);

/* Lets the next kernel find the root FDT that the caller has made in kho_out.spare. */
static void use_spare_fdt(void)
{
	void *old = kho_out.fdt;

	/*
	 * Pairs with READ_ONCE() in kho_image_seal(): another CPU sees the old root FDT
	 * or all of the new one, even if this CPU is stopped here.
	 */
	smp_store_release(&kho_out.fdt, kho_out.spare);
	kho_out.spare = old;
}

/**
 * kho_add_subtree - let the next kernel find a blob by its name
 * @name: the name, a valid FDT node name
 * @blob: address of the blob in the direct map. The blob can have any format. The
 *	caller preserves it.
 * @size: size of the blob in bytes
 *
 * The next kernel finds the blob with kho_retrieve_subtree().
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: 0; -EOPNOTSUPP if KHO is off; -EINVAL if @name is NULL, empty or contains
 * a slash, if @blob is not in the direct map, or if @size is 0; -EEXIST if there is
 * a blob of this name; -ENOSPC if the root FDT, one page, is full; -ENOMEM. After
 * an error the root FDT is as it was.
 */
int kho_add_subtree(const char *name, void *blob, size_t size)
{
	int err;

	if (!kho_is_enabled())
		return -EOPNOTSUPP;
	if (!name || !size || !virt_addr_valid(blob))
		return -EINVAL;

	guard(mutex)(&kho_out.lock);
	memcpy(kho_out.spare, kho_out.fdt, KHO_FDT_SIZE);
	err = kho_fdt_add(kho_out.spare, name, virt_to_phys(blob), size);
	if (err)
		return err;
	use_spare_fdt();
	kho_debugfs_add(name, blob, size);

	return 0;
}
EXPORT_SYMBOL_GPL(kho_add_subtree);

/**
 * kho_remove_subtree - undo kho_add_subtree()
 * @blob: the address that was passed to kho_add_subtree(), or NULL
 *
 * The blob stays preserved: the caller unpreserves it. Does nothing if the root FDT
 * has no such blob.
 *
 * Context: may sleep. From the core_initcalls on.
 */
void kho_remove_subtree(void *blob)
{
	if (!kho_is_enabled() || !blob)
		return;

	guard(mutex)(&kho_out.lock);
	memcpy(kho_out.spare, kho_out.fdt, KHO_FDT_SIZE);
	if (!kho_fdt_del(kho_out.spare, virt_to_phys(blob)))
		return;
	use_spare_fdt();
	kho_debugfs_remove(blob);
}
EXPORT_SYMBOL_GPL(kho_remove_subtree);

#ifdef CONFIG_MEMORY_HOTREMOVE
/*
 * Memory that goes offline has its movable folios migrated first. If one of them
 * is preserved, the map would name pages that are gone, and not the folio that has
 * the content now. So a range with a preserved folio does not go offline.
 */
static int keep_online(struct notifier_block *nb, unsigned long action, void *arg)
{
	struct memory_notify *mem = arg;
	struct kho_map_folio folio;

	if (action != MEM_GOING_OFFLINE ||
	    !kho_map_next(&kho_out.map, mem->start_pfn, mem->start_pfn + mem->nr_pages, &folio))
		return NOTIFY_OK;

	pr_warn("memory cannot go offline: a folio of order %u at %#llx is preserved\n",
		folio.order, (u64)PFN_PHYS(folio.pfn));

	return notifier_from_errno(-EBUSY);
}

static int __init watch_hotremove(void)
{
	return kho_is_enabled() ? hotplug_memory_notifier(keep_online, DEFAULT_CALLBACK_PRI) : 0;
}
subsys_initcall(watch_hotremove);
#endif
