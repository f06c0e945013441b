// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec HandOver (KHO): folios that outlive a kexec.
 *
 * This file owns preserving folios and naming blobs, start-up, and what an image
 * that is loaded for kexec takes along. The others, all kexec_handover_*.c:
 *
 *   map           the set of preserved folios
 *   fdt           the root FDT, with the blobs that subsystems name
 *   scratch       the memory that a starting kernel lives in
 *   incoming      what came in: checked before it is believed
 *   blocks        its struct pages, kept from the page allocator
 *   restore       folios given back
 *   pages         runs of single pages
 *   vmalloc       vmalloc areas
 *   reserve_mem   regions of reserve_mem=
 *   checksum      what tells that nothing wrote over it
 *   debug         debugfs
 *   checks        warnings for mistakes of callers, if configured
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/cleanup.h>
#include <linux/crash_dump.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/instruction_pointer.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/kstrtox.h>
#include <linux/libfdt.h>
#include <linux/memblock.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/string_choices.h>
#include <linux/utsname.h>

#include "kexec_handover_internal.h"

#define CREATE_TRACE_POINTS
#include <trace/events/kho.h>

static_assert(sizeof_field(struct kho_kexec_metadata, previous_release) ==
	      sizeof_field(struct new_utsname, release));

struct kho_out kho_out = {
	.lock = __MUTEX_INITIALIZER(kho_out.lock),
};

struct kho_in kho_in __ro_after_init;

unsigned long kho_boot_end __ro_after_init;

/* What kho= asks for. */
static bool kho_wanted __initdata = IS_ENABLED(CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT);
static bool kho_strict __initdata;

/* True once folios can be preserved. */
static bool kho_enabled __ro_after_init;

static int __init kho_param(char *arg)
{
	kho_strict = arg && !strcmp(arg, "strict");
	kho_wanted = kho_strict || IS_ENABLED(CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT);
	if (!kho_strict && (!arg || kstrtobool(arg, &kho_wanted)))
		pr_warn("malformed kho=%s, want on, off or strict: it is %s\n",
			arg ?: "", str_on_off(kho_wanted));

	return 0;
}
early_param("kho", kho_param);

/**
 * kho_is_enabled - can folios be preserved?
 *
 * Context: any. True from the core_initcalls on.
 * Return: true if KHO is on (``kho=``) and its set-up worked.
 */
bool kho_is_enabled(void)
{
	return kho_enabled;
}
EXPORT_SYMBOL_GPL(kho_is_enabled);

/**
 * is_kho_boot - was memory handed over to this kernel?
 *
 * Context: any, from kho_memory_init() on.
 * Return: true if this kernel was started with a handover that it accepted.
 */
bool is_kho_boot(void)
{
	return kho_in.fdt;
}
EXPORT_SYMBOL_GPL(is_kho_boot);

/* Memory in scratch would be lost; the page allocator gives the kernel none. */
static bool next_finds(struct folio *folio)
{
	if (WARN_ON_ONCE(kho_scratch_overlap(PFN_PHYS(folio_pfn(folio)), folio_size(folio))))
		return false;

	return kho_next_knows(folio_pfn(folio) + folio_nr_pages(folio));
}

/**
 * kho_alloc_folio - allocate memory where the next kernel finds it
 * @order: of the folio
 *
 * That is none that was added after boot, and none in scratch.
 *
 * Context: may sleep.
 * Return: a zeroed folio, not preserved; NULL if there is no memory.
 */
struct folio *kho_alloc_folio(unsigned int order)
{
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, order);

	if (!folio || likely(next_finds(folio)))
		return folio;

	/* That is above all other memory, so what is low was there at boot. */
	folio_put(folio);
	folio = folio_alloc(GFP_KERNEL | GFP_DMA32 | __GFP_ZERO, order);
	if (!folio || next_finds(folio))
		return folio;
	folio_put(folio);

	return NULL;
}

/* The nodes of the map must survive until the next kernel has read them. */
static union kho_map_node *alloc_map_node(void)
{
	struct folio *folio = kho_alloc_folio(0);

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
	if (kho_scratch_overlap(PFN_PHYS(pfn), PAGE_SIZE << order) ||
	    !kho_next_knows(pfn + BIT(order)))
		return -EINVAL;

	return kho_map_add(&kho_out.map, pfn, order);
}

/**
 * kho_preserve_folio - hand a folio over to the next kernel
 * @folio: the folio; it must stay allocated, and what it is, until it is
 *	unpreserved or the kexec is done
 *
 * Its content at the time of the kexec is what the next kernel finds. How to
 * find it there is up to the caller, see kho_add_subtree().
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: 0; -EOPNOTSUPP if KHO is off; -EINVAL if the folio lies in scratch, or
 * in memory that was added after boot; -ENOMEM. After an error nothing has
 * changed.
 */
int kho_preserve_folio(struct folio *folio)
{
	const unsigned long pfn = folio_pfn(folio);
	const unsigned int order = folio_order(folio);
	unsigned long *leaf;
	int err = 0;

	kho_check_preserve(pfn, pfn + BIT(order), _RET_IP_);
	/* As nearly always: there is a leaf, so KHO is on, and no scratch near. */
	if (likely(kho_scratch_far(pfn, order) &&
		   kho_map_near_leaf(&kho_out.map, pfn, order, &leaf) && leaf))
		set_bit(kho_map_bit(kho_map_key(pfn, order)), leaf);
	else
		err = preserve(pfn, order);
	trace_kho_preserve(pfn, order, BIT(order), err);

	return err;
}
EXPORT_SYMBOL_GPL(kho_preserve_folio);

/**
 * kho_unpreserve_folio - keep a folio after all
 * @folio: a folio that is preserved, of the order that it was preserved with
 *
 * Context: any.
 */
void kho_unpreserve_folio(struct folio *folio)
{
	const unsigned long pfn = folio_pfn(folio);
	const unsigned int order = folio_order(folio);
	unsigned long *leaf;
	bool found;

	kho_check_unpreserve(pfn, pfn + BIT(order), _RET_IP_);
	if (likely(kho_map_near_leaf(&kho_out.map, pfn, order, &leaf) && leaf))
		found = test_and_clear_bit(kho_map_bit(kho_map_key(pfn, order)), leaf);
	else
		found = kho_enabled && kho_map_del(&kho_out.map, pfn, order);
	trace_kho_unpreserve(pfn, order, BIT(order), found ? 0 : -ENOENT);
}
EXPORT_SYMBOL_GPL(kho_unpreserve_folio);

/**
 * kho_alloc_preserve - allocate memory that the next kernel will find
 * @size: bytes, rounded up to a power of two of pages
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: address of zeroed, physically contiguous memory; an ERR_PTR():
 * -EINVAL if @size is 0, -E2BIG if it is more than a page allocation can give,
 * -ENOMEM, or an error of kho_preserve_folio().
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

	folio = kho_alloc_folio(order);
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
 * Context: any.
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
 * Context: as kho_restore_folio().
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

/**
 * kho_add_subtree - let the next kernel find a blob by its name
 * @name: the name, a valid FDT node name
 * @blob: in the direct map. The caller preserves it; it need not be an FDT.
 * @size: its bytes
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: 0; -EOPNOTSUPP if KHO is off; -EINVAL if an argument cannot be;
 * -EEXIST if the name is taken; -ENOSPC if the root FDT, one page, is full;
 * -ENOMEM. After an error the root FDT is as it was.
 */
int kho_add_subtree(const char *name, void *blob, size_t size)
{
	int err;

	if (!kho_enabled)
		return -EOPNOTSUPP;
	if (!name || !size || !virt_addr_valid(blob))
		return -EINVAL;

	guard(mutex)(&kho_out.lock);
	err = kho_fdt_add(kho_out.fdt, name, virt_to_phys(blob), size);
	if (!err)
		kho_debugfs_add(name, blob, size);

	return err;
}
EXPORT_SYMBOL_GPL(kho_add_subtree);

/**
 * kho_remove_subtree - take a blob away from the next kernel
 * @blob: as it was given to kho_add_subtree()
 *
 * Context: may sleep.
 */
void kho_remove_subtree(void *blob)
{
	if (!kho_enabled || !blob)
		return;

	guard(mutex)(&kho_out.lock);
	if (kho_fdt_del(kho_out.fdt, virt_to_phys(blob)))
		kho_debugfs_remove(blob);
}
EXPORT_SYMBOL_GPL(kho_remove_subtree);

static int count_ram(unsigned long start_pfn, unsigned long nr_pages, void *arg)
{
	*(unsigned long *)arg += nr_pages;

	return 0;
}

/**
 * kho_is_ram - can memory be read that somebody else named?
 * @phys: physical address
 * @size: bytes
 *
 * Context: any, from kho_memory_init() on.
 * Return: true if all of it is RAM.
 */
bool kho_is_ram(u64 phys, u64 size)
{
	unsigned long first = PHYS_PFN(phys), nr, found = 0;

	if (!size || phys + size <= phys)
		return false;

	/* Not region_intersects(), for which a hole is as good as RAM. */
	nr = PHYS_PFN(phys + size - 1) - first + 1;
	walk_system_ram_range(first, nr, &found, count_ram);

	return found == nr;
}

/**
 * kho_retrieve_subtree - find a blob of the previous kernel by its name
 * @name: the name
 * @phys: where to put its physical address
 * @size: where to put its size in bytes; may be NULL
 *
 * The blob still has to be restored by its owner.
 *
 * Context: any, from kho_memory_init() on.
 * Return: 0; -ENOENT if there was no handover or nothing of that name in it;
 * -EINVAL if what there is cannot be understood.
 */
int kho_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size)
{
	phys_addr_t addr;
	size_t bytes;
	int err;

	if (!kho_in.fdt)
		return -ENOENT;

	err = kho_fdt_get(kho_in.fdt, name, &addr, &bytes);
	if (err)
		return err;
	if (!kho_is_ram(addr, bytes)) {
		pr_warn("blob %s, %zu bytes at %pa, is not in RAM: ignored\n", name, bytes, &addr);
		return -EINVAL;
	}

	*phys = addr;
	if (size)
		*size = bytes;

	return 0;
}
EXPORT_SYMBOL_GPL(kho_retrieve_subtree);

/**
 * kho_refuse - say why a handover is refused
 * @fmt: what is wrong and where, and what belongs to it
 *
 * The one line for it, whatever the reason; with ``kho=strict``, the last one.
 * Nobody is told who does not want the handover.
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
	pr_err("handover refused: %pV, booting as from cold\n", &vaf);
	va_end(args);
}

static bool __init check_fdt(phys_addr_t phys, u64 len)
{
	const char *defect;
	void *fdt;

	if (len != KHO_FDT_SIZE) {
		kho_refuse("root FDT, %llu bytes at %pa, cannot be where pages have %lu", len,
			   &phys, PAGE_SIZE);
		return false;
	}

	if (!phys || !PAGE_ALIGNED(phys) || !kho_memblock_has(phys, len)) {
		kho_refuse("root FDT, %llu bytes at %pa, cannot be", len, &phys);
		return false;
	}
	if (memblock_is_region_reserved(phys, len)) {
		kho_refuse("root FDT at %pa is in use", &phys);
		return false;
	}

	fdt = early_memremap(phys, len);
	if (!fdt) {
		kho_refuse("cannot map the root FDT at %pa", &phys);
		return false;
	}

	defect = kho_fdt_defect(fdt);
	if (defect)
		kho_refuse("root FDT at %pa %s", &phys, defect);
	early_memunmap(fdt, len);

	return !defect;
}

/**
 * kho_populate - take note of a handover
 * @fdt_phys: address of the root FDT
 * @fdt_len: its size in bytes
 * @scratch_phys: address of the array of scratch regions
 * @scratch_len: its size in bytes
 *
 * From here on memblock allocates from scratch only, if the handover is not
 * refused, which is said in the log.
 *
 * Context: as soon as memblock knows all RAM and has the command line parsed,
 * before anything is allocated from it.
 */
void __init kho_populate(phys_addr_t fdt_phys, u64 fdt_len,
			 phys_addr_t scratch_phys, u64 scratch_len)
{
	if (!kho_wanted) {
		pr_info("kho=off: what the previous kernel preserved is lost\n");
		return;
	}
	if (is_kdump_kernel() || !check_fdt(fdt_phys, fdt_len))
		return;

	memblock_reserve(fdt_phys, fdt_len);
	if (kho_scratch_adopt(scratch_phys, scratch_len))
		kho_in.fdt_phys = fdt_phys;
	else
		memblock_phys_free(fdt_phys, fdt_len);
}

/*
 * A blob that the map does not keep is memory of somebody else by now: it goes
 * out of the root FDT, so that its owner does not take it for what it was.
 */
static void __init drop_lost_blobs(void *fdt)
{
	int node = fdt_first_subnode(fdt, 0), next;

	for (; node >= 0; node = next) {
		const char *name = fdt_get_name(fdt, node, NULL);
		u64 phys, size;

		next = fdt_next_subnode(fdt, node);
		if (kho_fdt_u64(fdt, node, KHO_FDT_PROP_DATA, &phys) ||
		    kho_fdt_u64(fdt, node, KHO_FDT_PROP_SIZE, &size) ||
		    !kho_memblock_has(phys, size) || kho_incoming_keeps(phys, size))
			continue;

		pr_warn("blob %s, %llu bytes at %#llx, was not preserved: ignored\n",
			name, size, phys);
		fdt_nop_node(fdt, node);
	}
}

/**
 * kho_memory_init - find out what must not get into the page allocator
 *
 * After a handover: reads what the previous kernel preserved. At cold boot:
 * reserves scratch for those to come.
 *
 * Context: just before memblock hands memory to the page allocator.
 */
void __init kho_memory_init(void)
{
	void *fdt;
	u64 map;

	kho_boot_end = max_pfn;

	/* A crash kernel must not touch anything, and has no successor. */
	if (!kho_wanted || is_kdump_kernel())
		return;

	if (!kho_scratch_cnt) {
		kho_scratch_reserve();
		return;
	}

	kho_scratch_mark_early();
	fdt = phys_to_virt(kho_in.fdt_phys);
	if (!kho_fdt_u64(fdt, 0, KHO_FDT_PROP_MAP, &map) &&
	    kho_incoming_accept(map, kho_in.fdt_phys)) {
		drop_lost_blobs(fdt);
		kho_in.fdt = fdt;
		kho_reserve_mem_settle();
		kho_incoming_start();
		return;
	}

	/* It was said why. Scratch is in order and stays. */
	memblock_phys_free(kho_in.fdt_phys, KHO_FDT_SIZE);
	kho_in.fdt_phys = 0;
	kho_reserve_mem_settle();
}

/**
 * kho_deferred_done - all struct pages are initialised
 *
 * Context: the end of deferred initialisation, with or without it.
 */
void __init kho_deferred_done(void)
{
	kho_scratch_finish();
	kho_incoming_finish();
}

/**
 * kho_handover_params - what a kexec image takes along
 * @image: the image
 * @fdt_phys: where to put the address of the root FDT, which is %KHO_FDT_SIZE
 * @scratch_phys: where to put the address of the array of scratch regions
 * @scratch_len: where to put the size of this array in bytes
 *
 * Context: any.
 * Return: true if the image takes the handover along. Crash images do not.
 */
bool kho_handover_params(const struct kimage *image, phys_addr_t *fdt_phys,
			 phys_addr_t *scratch_phys, u64 *scratch_len)
{
	if (!kho_enabled || image->type == KEXEC_TYPE_CRASH)
		return false;

	*fdt_phys = virt_to_phys(kho_out.fdt);
	*scratch_phys = virt_to_phys(kho_scratch);
	*scratch_len = kho_scratch_cnt * sizeof(*kho_scratch);

	return true;
}

#ifdef CONFIG_MEMORY_HOTREMOVE
/*
 * To take memory away, what can be moved is moved first: the map would name
 * pages that are gone, with somebody else's folio left behind.
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
 * Reads who did the kexec and returns how many there have been since cold boot.
 * The blob is kept, for debugfs.
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
		pr_info("handover from %.*s, kexec count %u\n",
			(int)sizeof(metadata->previous_release),
			metadata->previous_release, count);
	}
	if (count)
		return count;
unknown:
	pr_warn("handover from a kernel that does not say which\n");

	return 0;
}

static int __init write_metadata(u32 count)
{
	struct kho_kexec_metadata *metadata = kho_alloc_preserve(sizeof(*metadata));
	int err;

	if (IS_ERR(metadata))
		return PTR_ERR(metadata);

	metadata->version = KHO_METADATA_VERSION;
	strscpy(metadata->previous_release, init_uts_ns.name.release);
	metadata->kexec_count = count;

	err = kho_add_subtree(KHO_METADATA_NAME, metadata, sizeof(*metadata));
	if (err)
		kho_unpreserve_free(metadata);

	return err;
}

static int __init kho_init(void)
{
	u32 kexecs = 0;
	int err;

	if (!kho_scratch_cnt)
		return 0;

	kho_scratch_release();
	if (is_kho_boot()) {
		kho_incoming_trace();
		kexecs = read_metadata();
	}

	err = kho_scratch_move_array() ?: kho_map_init(&kho_out.map, &map_node_ops);
	if (err)
		goto out;

	kho_enabled = true;
	kho_out.fdt = kho_alloc_preserve(KHO_FDT_SIZE);
	if (IS_ERR(kho_out.fdt)) {
		err = PTR_ERR(kho_out.fdt);
		goto out_map;
	}

	err = kho_fdt_create(kho_out.fdt, virt_to_phys(kho_out.map.root)) ?:
	      kho_checksum_prepare(kho_out.fdt) ?:
	      write_metadata(kexecs + 1);
	if (!err)
		return 0;

	kho_unpreserve_free(kho_out.fdt);
out_map:
	kho_enabled = false;
	kho_map_destroy(&kho_out.map);
out:
	pr_err("cannot set up (%d), KHO is off for the next kernel\n", err);

	return err;
}
core_initcall(kho_init);

static int __init kho_late_init(void)
{
	/* What came in can be looked at and released also if nothing goes out. */
	if (kho_enabled || is_kho_boot())
		kho_debugfs_init();

	return 0;
}
fs_initcall(kho_late_init);
