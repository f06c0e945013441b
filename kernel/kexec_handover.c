// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver (KHO): folios that outlive a kexec.
 *
 * This file owns the outgoing side as its callers see it: the functions that
 * preserve and unpreserve folios and that give blobs a name, and the initcall that
 * sets the outgoing side up. For an overview and the boot sequence see
 * kernel/kexec_handover/boot.c. The files in kernel/kexec_handover/ are:
 *
 *   map           the set of preserved folios
 *   fdt           the root FDT, with the blobs that subsystems name
 *   scratch       the memory that a starting kernel allocates from; scratch_reserve
 *                 and scratch_size choose its place and its size
 *   ram           which memory can be handed over
 *   bad_pages     pages that hardware reported as bad
 *   boot          the boot sequence, and whether an incoming handover is accepted
 *   check         the checks of an incoming handover
 *   incoming      the incoming handover, and questions about it
 *   restore       kho_restore_folio(), and the end of the incoming map
 *   pages         runs of single pages
 *   vmalloc       vmalloc areas
 *   reserve_mem   regions of reserve_mem=
 *   counts        how much is preserved
 *   sysfs         /sys/kernel/kho/
 *   log           the log of the previous kernel
 *   image         where a kexec image is placed and what it tells the next kernel
 *   checksum      detects writes to the root FDT or the map during a kexec
 *   misuse        warnings for mistakes of callers, with CONFIG_KEXEC_HANDOVER_DEBUG
 *
 * Code that accesses struct pages and zones is in mm/kho_init.c and
 * mm/kho_scratch.c; debugfs is in kexec_handover_debug.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/instruction_pointer.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include <trace/events/kho.h>

#include "../mm/internal.h"
#include "kexec_handover/bad_pages.h"
#include "kexec_handover/boot.h"
#include "kexec_handover/checksum.h"
#include "kexec_handover/debug.h"
#include "kexec_handover/fdt.h"
#include "kexec_handover/incoming.h"
#include "kexec_handover/misuse.h"
#include "kexec_handover/outgoing.h"
#include "kexec_handover/ram.h"
#include "kexec_handover/restore.h"
#include "kexec_handover/scratch.h"

static_assert(sizeof_field(struct kho_kexec_metadata, previous_release) ==
	      sizeof_field(struct new_utsname, release));

struct kho_out kho_out = {
	.lock = __MUTEX_INITIALIZER(kho_out.lock),
};

/* True while folios can be preserved. kho_start() sets it, in a core_initcall. */
static bool kho_enabled __ro_after_init;

/**
 * kho_is_enabled - can folios be preserved?
 *
 * Context: any. False before the core_initcalls, constant after them.
 * Return: true if KHO is on (``kho=``) and kho_start() could set up the outgoing
 * side; false otherwise.
 */
bool kho_is_enabled(void)
{
	return kho_enabled;
}
EXPORT_SYMBOL_GPL(kho_is_enabled);

/*
 * Allocates a node of the outgoing map. The next kernel reads it where it lies, so
 * it must lie in memory that can be handed over.
 */
static union kho_map_node *alloc_map_node(void)
{
	struct folio *folio = kho_ram_alloc_folio(0);

	return folio ? folio_address(folio) : NULL;
}

static void free_map_node(union kho_map_node *node)
{
	free_page((unsigned long)node);
}

static const struct kho_map_ops map_node_ops = {
	.alloc = alloc_map_node,
	.free = free_map_node,
};

static noinline int preserve(unsigned long pfn, unsigned int order)
{
	if (!kho_enabled)
		return -EOPNOTSUPP;
	if (order > KHO_MAX_FOLIO_ORDER || !kho_ram_can_go_out(pfn, pfn + BIT(order)))
		return -EINVAL;
	if (kho_bad_pages_in(pfn, pfn + BIT(order)))
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
 * %KHO_MAX_FOLIO_ORDER; -EHWPOISON if
 * hardware reported a page of it as bad; -ENOMEM if there is no memory for a node of
 * the map. After an error the map is as it was.
 */
int kho_preserve_folio(struct folio *folio)
{
	const unsigned long pfn = folio_pfn(folio);
	const unsigned int order = folio_order(folio);
	unsigned long *leaf;
	int err = 0;

	if (kho_enabled)
		kho_misuse_preserve(&kho_out.map, pfn, pfn + BIT(order), _RET_IP_);
	/*
	 * The common case: the map has a leaf for this folio already, so KHO is on,
	 * all memory of its stretch can be handed over, see ram.h, and no page is known
	 * to be bad.
	 */
	if (likely(kho_ram_ordinary(pfn, order) && !kho_bad_pages_nr() &&
		   kho_map_near_leaf(&kho_out.map, pfn, order, &leaf) && leaf))
		set_bit(kho_map_bit(kho_map_key(pfn, order)), leaf);
	else
		err = preserve(pfn, order);
	trace_kho_preserve(pfn, order, BIT(order), err);

	return err;
}
EXPORT_SYMBOL_GPL(kho_preserve_folio);

/**
 * kho_unpreserve_folio - take a folio out of what is handed over
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

	if (kho_enabled)
		kho_misuse_unpreserve(&kho_out.map, pfn, pfn + BIT(order), _RET_IP_);
	if (likely(kho_map_near_leaf(&kho_out.map, pfn, order, &leaf) && leaf))
		found = test_and_clear_bit(kho_map_bit(kho_map_key(pfn, order)), leaf);
	else
		found = kho_enabled && kho_map_del(&kho_out.map, pfn, order);
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
	if (!kho_enabled)
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

	if (!kho_enabled)
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
	if (!kho_enabled || !blob)
		return;

	guard(mutex)(&kho_out.lock);
	memcpy(kho_out.spare, kho_out.fdt, KHO_FDT_SIZE);
	if (!kho_fdt_del(kho_out.spare, virt_to_phys(blob)))
		return;
	use_spare_fdt();
	kho_debugfs_remove(blob);
}
EXPORT_SYMBOL_GPL(kho_remove_subtree);

#ifdef CONFIG_KEXEC_HANDOVER_DEBUG
/**
 * kho_check_free - warn if a page that is being freed is preserved
 * @page: the first page that is being freed
 * @order: the order that it is freed with
 *
 * Context: free_pages_prepare(): any context, never sleeps.
 */
void kho_check_free(struct page *page, unsigned int order)
{
	if (kho_enabled)
		kho_misuse_free(&kho_out.map, page_to_pfn(page), order);
}
#endif

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
	return kho_enabled ? hotplug_memory_notifier(keep_online, DEFAULT_CALLBACK_PRI) : 0;
}
subsys_initcall(watch_hotremove);
#endif

/*
 * Logs the release of the kernel that did the kexec. Returns the number of kexecs since
 * cold boot, 0 if it is not known.
 */
static u32 __init read_metadata(void)
{
	struct kho_kexec_metadata *metadata;
	struct folio *folio;
	phys_addr_t phys;
	u32 count = 0;
	size_t size;

	if (kho_retrieve_subtree(KHO_METADATA_NAME, &phys, &size) ||
	    size < sizeof(*metadata) || !PAGE_ALIGNED(phys))
		goto unknown;
	folio = kho_restore_folio(phys);
	if (!folio)
		goto unknown;

	metadata = folio_address(folio);
	if (metadata->version == KHO_METADATA_VERSION) {
		count = metadata->kexec_count;
		strscpy(kho_incoming.release, metadata->previous_release);
		pr_info("handover from %.*s, kexec count %u\n",
			(int)sizeof(metadata->previous_release),
			metadata->previous_release, count);
	}
	folio_put(folio);
	if (count)
		return count;
unknown:
	pr_warn("handover from a kernel that does not say which\n");

	return 0;
}

/* As kho_alloc_preserve() and kho_add_subtree() do it, before either is possible. */
static int __init write_metadata(u32 count)
{
	struct folio *folio = kho_ram_alloc_folio(0);
	struct kho_kexec_metadata *metadata;
	int err;

	if (!folio)
		return -ENOMEM;

	metadata = folio_address(folio);
	metadata->version = KHO_METADATA_VERSION;
	strscpy(metadata->previous_release, init_uts_ns.name.release);
	metadata->kexec_count = count;

	err = kho_map_add(&kho_out.map, folio_pfn(folio), 0) ?:
	      kho_fdt_add(kho_out.fdt, KHO_METADATA_NAME, PFN_PHYS(folio_pfn(folio)),
			  sizeof(*metadata));
	if (err)
		folio_put(folio);

	return err;
}

/*
 * If the array of scratch regions lies in scratch, where kexec could load the next
 * kernel over it, moves it to memory that can be handed over.
 */
static int __init move_scratch_array(void)
{
	struct folio *folio;

	if (!kho_scratch_array_in_scratch())
		return 0;

	folio = kho_ram_alloc_folio(get_order(kho_scratch_cnt * sizeof(*kho_scratch)));
	if (!folio)
		return -ENOMEM;
	kho_scratch_move_array(folio_address(folio));

	return 0;
}

static int __init set_up_root_fdt(u32 kexec_count)
{
	struct folio *folio = kho_ram_alloc_folio(0);
	int err = -ENOMEM;

	kho_out.fdt = kzalloc(KHO_FDT_SIZE, GFP_KERNEL);
	kho_out.spare = kzalloc(KHO_FDT_SIZE, GFP_KERNEL);
	if (!folio || !kho_out.fdt || !kho_out.spare)
		goto fail;

	kho_out.handed = folio_address(folio);
	err = kho_fdt_create(kho_out.fdt, virt_to_phys(kho_out.map.root)) ?:
	      kho_checksum_prepare(kho_out.fdt) ?:
	      kho_map_add(&kho_out.map, folio_pfn(folio), 0) ?:
	      write_metadata(kexec_count);
	if (!err)
		return 0;
fail:
	kfree(kho_out.fdt);
	kfree(kho_out.spare);
	if (folio)
		folio_put(folio);

	return err;
}

/*
 * Other threads may preserve memory as soon as kho_enabled is true. Nothing can fail
 * from then on.
 */
static int __init set_up_outgoing(u32 kexec_count)
{
	int err;

	err = kho_ram_init() ?: move_scratch_array() ?: kho_map_init(&kho_out.map, &map_node_ops);
	if (err)
		return err;

	err = set_up_root_fdt(kexec_count);
	if (err) {
		kho_map_destroy(&kho_out.map);
		return err;
	}

	kho_ram_start();
	/* The map and the root FDT are complete before another CPU can see that. */
	smp_store_release(&kho_enabled, true);

	return 0;
}

static int __init kho_start(void)
{
	int err;

	if (!kho_scratch_cnt)
		return 0;

	kho_scratch_release();
	if (is_kho_boot()) {
		kho_restore_trace();
		kho_bad_pages_mark();
		kho_debugfs_copy_blobs();
		kho_incoming.kexecs = read_metadata();
	}

	err = set_up_outgoing(kho_incoming.kexecs + 1);
	if (err) {
		kho_off_reason = "it could not be set up for the next kernel";
		pr_err("cannot set up (%d), KHO is off for the next kernel\n", err);
	}

	return err;
}
core_initcall(kho_start);

static int __init kho_start_debugfs(void)
{
	/* The files of an incoming handover exist even if no outgoing side was set up. */
	if (kho_enabled || is_kho_boot())
		kho_debugfs_init(kho_enabled ? &kho_out : NULL);

	return 0;
}
fs_initcall(kho_start_debugfs);
