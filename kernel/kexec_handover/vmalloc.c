// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmalloc areas that are preserved over a kexec.
 *
 * This file owns the list of the pages of an area, which is stored in chunks of one
 * page each, and builds an area of the same pages in the next kernel. That area is
 * like one from vmalloc() and has another virtual address.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/cacheflush.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kasan.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../../mm/internal.h"

/* An area with any other flag cannot be rebuilt as one from vmalloc(). */
#define VM_SUPPORTED	(VM_ALLOC | VM_ALLOW_HUGE_VMAP)
#define KHO_SUPPORTED	(KHO_VMALLOC_ALLOC | KHO_VMALLOC_HUGE_VMAP)

static unsigned int area_order(const struct vm_struct *area)
{
#ifdef CONFIG_HAVE_ARCH_HUGE_VMALLOC
	return area->page_order;
#else
	return 0;
#endif
}

/* Returns the area that begins at @ptr, whatever KASAN tag @ptr has, or NULL. */
static struct vm_struct *area_at(const void *ptr)
{
	struct vm_struct *area = is_vmalloc_addr(ptr) ? find_vm_area(ptr) : NULL;

	return area && kasan_reset_tag(area->addr) == kasan_reset_tag(ptr) ? area : NULL;
}

/* After an error, @kv lists the parts that were preserved until then. */
static int preserve_parts(const struct vm_struct *area, struct kho_vmalloc *kv)
{
	struct kho_vmalloc_chunk *chunk = NULL;
	unsigned int n = KHO_VMALLOC_CHUNK_LEN;

	for (unsigned int i = 0; i < area->nr_pages; i += BIT(kv->order)) {
		int err;

		if (n == KHO_VMALLOC_CHUNK_LEN) {
			struct kho_vmalloc_chunk *next = kho_alloc_preserve(sizeof(*next));

			if (IS_ERR(next))
				return PTR_ERR(next);
			if (chunk)
				KHOSER_STORE_PTR(chunk->next, next);
			else
				KHOSER_STORE_PTR(kv->first, next);
			chunk = next;
			n = 0;
		}

		err = kho_preserve_pages(area->pages[i], BIT(kv->order));
		if (err)
			return err;
		chunk->phys[n++] = page_to_phys(area->pages[i]);
	}

	return 0;
}

/**
 * kho_preserve_vmalloc - hand a vmalloc area over to the next kernel
 * @ptr: address of the area, as vmalloc() or a similar function returned it. The area
 *	must not be preserved yet, and must stay allocated until it is unpreserved or
 *	the kexec is done.
 * @preservation: where to store what kho_restore_vmalloc() needs in the next kernel.
 *	The caller hands it over, for example in a blob. Unchanged after an error.
 *
 * The next kernel maps the area with %PAGE_KERNEL, whatever its protection is now.
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: 0; -EOPNOTSUPP if KHO is off, or if the area is of a kind that cannot be
 * rebuilt, like one for modules, for user space or from vmap(); -EINVAL if no area
 * begins at @ptr, if it has no pages, or if one of them lies in scratch, in hot-added
 * memory or in an area of CMA at a fixed address; -EHWPOISON if hardware reported one as
 * bad; -ENOMEM. After an error no page of the area is preserved.
 */
int kho_preserve_vmalloc(void *ptr, struct kho_vmalloc *preservation)
{
	struct vm_struct *area = area_at(ptr);
	struct kho_vmalloc kv = {};
	int err;

	if (!kho_is_enabled())
		return -EOPNOTSUPP;
	if (!area)
		return -EINVAL;
	if (!(area->flags & VM_ALLOC) || area->flags & ~VM_SUPPORTED)
		return -EOPNOTSUPP;
	if (!area->nr_pages)
		return -EINVAL;

	kv.flags = KHO_VMALLOC_ALLOC;
	if (area->flags & VM_ALLOW_HUGE_VMAP)
		kv.flags |= KHO_VMALLOC_HUGE_VMAP;
	kv.total_pages = area->nr_pages;
	kv.order = area_order(area);
	err = preserve_parts(area, &kv);
	if (err)
		kho_unpreserve_vmalloc(&kv);
	else
		*preservation = kv;

	return err;
}
EXPORT_SYMBOL_GPL(kho_preserve_vmalloc);

/**
 * kho_unpreserve_vmalloc - take a vmalloc area out of the outgoing handover
 * @preservation: as kho_preserve_vmalloc() has filled it in; all zero afterwards
 *
 * Context: any that can free pages, never sleeps. From the core_initcalls on.
 */
void kho_unpreserve_vmalloc(struct kho_vmalloc *preservation)
{
	struct kho_vmalloc_chunk *chunk = KHOSER_LOAD_PTR(preservation->first);

	while (chunk) {
		struct kho_vmalloc_chunk *next = KHOSER_LOAD_PTR(chunk->next);

		for (int i = 0; i < KHO_VMALLOC_CHUNK_LEN && chunk->phys[i]; i++)
			kho_unpreserve_pages(pfn_to_page(PHYS_PFN(chunk->phys[i])),
					     BIT(preservation->order));
		kho_unpreserve_free(chunk);
		chunk = next;
	}
	*preservation = (struct kho_vmalloc){};
}
EXPORT_SYMBOL_GPL(kho_unpreserve_vmalloc);

/* Preserves an area, or frees it and returns why it cannot be preserved. */
static void *preserve_or_free(void *area, struct kho_vmalloc *preservation)
{
	int err;

	if (!area)
		return ERR_PTR(-ENOMEM);
	err = kho_preserve_vmalloc(area, preservation);
	if (!err)
		return area;
	vfree(area);

	return ERR_PTR(err);
}

/**
 * kho_vzalloc_preserve - allocate a zeroed vmalloc area that is preserved
 * @size: size of the area in bytes
 * @preservation: filled in as by kho_preserve_vmalloc()
 *
 * If the page allocator returns hot-added memory, this tries low memory and then each NUMA
 * node, as kho_ram_alloc_folio() does. kho_unpreserve_vfree() undoes it.
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: the area; ERR_PTR(-ENOMEM) if there is no memory for it that can be handed over;
 * another error of kho_preserve_vmalloc().
 */
void *kho_vzalloc_preserve(unsigned long size, struct kho_vmalloc *preservation)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN;
	void *area = preserve_or_free(vzalloc(size), preservation);
	int nid;

	if (area != ERR_PTR(-EINVAL))
		return area;

	area = preserve_or_free(__vmalloc(size, gfp | GFP_DMA32), preservation);
	for_each_node_state(nid, N_MEMORY) {
		if (area != ERR_PTR(-EINVAL) && area != ERR_PTR(-ENOMEM))
			return area;
		area = __vmalloc_node(size, 1, gfp | __GFP_THISNODE, nid,
				      __builtin_return_address(0));
		area = preserve_or_free(area, preservation);
	}

	return area == ERR_PTR(-EINVAL) ? ERR_PTR(-ENOMEM) : area;
}

/**
 * kho_unpreserve_vfree - free a vmalloc area that may be preserved
 * @area: the area, or NULL
 * @preservation: as kho_vzalloc_preserve() or kho_preserve_vmalloc() has filled it in; all
 *	zero if the area is not preserved, and afterwards
 *
 * Context: may sleep. From the core_initcalls on.
 */
void kho_unpreserve_vfree(void *area, struct kho_vmalloc *preservation)
{
	kho_unpreserve_vmalloc(preservation);
	vfree(area);
}

static int leave_pte(pte_t *pte, unsigned long addr, void *unused)
{
	return 0;
}

/*
 * Allocates all page tables of the area, so that map_area() allocates none: when that
 * is called the pages are restored, and a failure would lose them. Huge mappings
 * replace the lowest tables.
 */
static int make_page_tables(const struct vm_struct *area)
{
	return apply_to_page_range(&init_mm, (unsigned long)area->addr,
				   get_vm_area_size(area), leave_pte, NULL);
}

/* Allocates an area without pages, but with an array for all of them. vfree() frees it. */
static struct vm_struct *make_area(const struct kho_vmalloc *kv, const void *caller)
{
	unsigned long size = (unsigned long)kv->total_pages << PAGE_SHIFT;
	unsigned int shift = PAGE_SHIFT + kv->order;
	unsigned long flags = VM_ALLOC | VM_UNINITIALIZED;
	struct vm_struct *area;

	if (kv->flags & KHO_VMALLOC_HUGE_VMAP)
		flags |= VM_ALLOW_HUGE_VMAP;
	area = __get_vm_area_node(size, 1UL << shift, shift, flags, VMALLOC_START,
				  VMALLOC_END, NUMA_NO_NODE, GFP_KERNEL, caller);
	if (!area)
		return NULL;

	area->pages = kvmalloc_array(kv->total_pages, sizeof(*area->pages), GFP_KERNEL);
	if (!area->pages || make_page_tables(area)) {
		kvfree(area->pages);
		free_vm_area(area);
		return NULL;
	}
#ifdef CONFIG_HAVE_ARCH_HUGE_VMALLOC
	area->page_order = kv->order;
#endif

	return area;
}

static bool take_part(const struct kho_vmalloc *kv, struct vm_struct *area,
		      phys_addr_t phys)
{
	struct page *page;

	if (kv->total_pages - area->nr_pages < BIT(kv->order))
		return false;
	page = kho_restore_pages(phys, BIT(kv->order));
	if (!page)
		return false;

	for (unsigned int i = 0; i < BIT(kv->order); i++)
		area->pages[area->nr_pages++] = page + i;

	return true;
}

/*
 * Restores all parts of an area. If one cannot be restored this continues with the other
 * parts and returns false: the caller frees these, since no other code knows them.
 */
static bool take_parts(const struct kho_vmalloc *kv, struct vm_struct *area)
{
	phys_addr_t next = kv->first.phys;
	bool ok = true;

	while (next) {
		struct folio *folio = kho_restore_folio(next);
		const struct kho_vmalloc_chunk *chunk;

		if (!folio)
			return false;
		chunk = folio_address(folio);
		for (int i = 0; i < KHO_VMALLOC_CHUNK_LEN && chunk->phys[i]; i++)
			ok &= take_part(kv, area, chunk->phys[i]);
		next = chunk->next.phys;
		folio_put(folio);
		cond_resched();
	}

	return ok && area->nr_pages == kv->total_pages;
}

static int map_area(struct vm_struct *area, unsigned int order)
{
	unsigned long start = (unsigned long)area->addr;
	unsigned long end = start + get_vm_area_size(area);
	pgprot_t prot = PAGE_KERNEL;
	int err;

	if (kasan_hw_tags_enabled())
		prot = arch_vmap_pgprot_tagged(prot);
	err = vmap_pages_range_noflush(start, end, prot, area->pages, PAGE_SHIFT + order);
	flush_cache_vmap(start, end);

	return err;
}

/* Does what vmalloc() does after it has mapped the pages, but keeps their content. */
static void publish_area(struct vm_struct *area)
{
	size_t size = get_vm_area_size(area);

	area->addr = kasan_unpoison_vmalloc(area->addr, size,
					    KASAN_VMALLOC_PROT_NORMAL | KASAN_VMALLOC_VM_ALLOC);
	/* Pairs with smp_rmb() in vread_iter() and vmalloc_info_show(). */
	smp_wmb();
	area->flags &= ~VM_UNINITIALIZED;
	kmemleak_vmalloc(area, size, GFP_KERNEL);
}

/**
 * kho_vmalloc_is_valid - check the description of an area, before it is used
 * @kv: the description, which another kernel has written
 *
 * Context: any, never sleeps.
 * Return: true if there can be such an area; false if not.
 */
bool kho_vmalloc_is_valid(const struct kho_vmalloc *kv)
{
	return kv->flags & KHO_VMALLOC_ALLOC && !(kv->flags & ~KHO_SUPPORTED) &&
	       kv->order <= MAX_PAGE_ORDER &&
	       (!kv->order || kv->flags & KHO_VMALLOC_HUGE_VMAP) &&
	       kv->total_pages && IS_ALIGNED(kv->total_pages, BIT(kv->order)) &&
	       kv->total_pages <= get_num_physpages();
}

/**
 * kho_restore_vmalloc - take back a vmalloc area of the previous kernel
 * @preservation: as kho_preserve_vmalloc() has filled it in there
 *
 * The caller owns the area afterwards and frees it with vfree(). Its virtual address
 * differs from the one in the previous kernel.
 *
 * Context: may sleep. From when vmalloc() works on.
 * Return: the address of the area; NULL, after a warning, if @preservation is
 * invalid, if there is no memory, or if a page of the area cannot be restored. In the
 * first two cases no page was restored and the call can be repeated. In the last
 * case all other pages of the area are freed.
 */
void *kho_restore_vmalloc(const struct kho_vmalloc *preservation)
{
	struct vm_struct *area;
	bool whole;

	if (!kho_vmalloc_is_valid(preservation)) {
		pr_warn("cannot restore a vmalloc area: its description is invalid: %u pages, order %u, flags %#x\n",
			preservation->total_pages, preservation->order,
			preservation->flags);
		return NULL;
	}

	area = make_area(preservation, __builtin_return_address(0));
	if (!area) {
		pr_warn("no memory to restore a vmalloc area of %u pages\n",
			preservation->total_pages);
		return NULL;
	}

	whole = take_parts(preservation, area);
	/* vfree() subtracts area->nr_pages from this count. */
	atomic_long_add(area->nr_pages, &nr_vmalloc_pages);
	if (whole && !map_area(area, preservation->order)) {
		publish_area(area);
		return area->addr;
	}

	pr_warn("cannot restore a vmalloc area: %u of %u pages could be restored\n",
		area->nr_pages, preservation->total_pages);
	vfree(area->addr);

	return NULL;
}
EXPORT_SYMBOL_GPL(kho_restore_vmalloc);
