// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmalloc areas that outlive a kexec.
 *
 * This file owns the list of what an area consists of, in chunks of a page
 * each, and building an area of the same pages in the next kernel, at an
 * address of its own: one that vmalloc() could have returned.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/cacheflush.h>
#include <linux/io.h>
#include <linux/kasan.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../../mm/internal.h"

/* Areas with other flags are not what vmalloc() returns, or more than that. */
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

/* The area that begins at @ptr, whatever tag that has. */
static struct vm_struct *area_at(const void *ptr)
{
	struct vm_struct *area = is_vmalloc_addr(ptr) ? find_vm_area(ptr) : NULL;

	return area && kasan_reset_tag(area->addr) == kasan_reset_tag(ptr) ? area : NULL;
}

/* Leaves what was preserved, and no more, in @kv, also when it fails. */
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
 * @ptr: the area, as vmalloc() or a relative returned it, which must stay, and
 *	is not preserved yet
 * @preservation: what the next kernel needs to restore it. The caller sees to it
 *	that the next kernel finds it. After an error it is as it was.
 *
 * Whatever its protection was, the area comes back with %PAGE_KERNEL.
 *
 * Context: may sleep. From the core_initcalls on.
 * Return: 0; -EOPNOTSUPP if KHO is off or if the area is of a kind that cannot
 * be rebuilt: not from vmalloc(), or for user space or modules; -EINVAL if @ptr
 * is no area's address or part of it lies in scratch; -ENOMEM. After an error
 * nothing is preserved.
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
 * kho_unpreserve_vmalloc - do not hand a vmalloc area over after all
 * @preservation: as kho_preserve_vmalloc() filled it in; names nothing afterwards
 *
 * Context: any.
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

static int leave_pte(pte_t *pte, unsigned long addr, void *unused)
{
	return 0;
}

/*
 * So that mapping the pages later needs no memory any more: then they are taken,
 * and it would be too late to fail. Huge mappings replace the lowest tables.
 */
static int make_page_tables(const struct vm_struct *area)
{
	return apply_to_page_range(&init_mm, (unsigned long)area->addr,
				   get_vm_area_size(area), leave_pte, NULL);
}

/* An area with room for all pages but none in it, which vfree() takes. */
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
 * Goes on after a part that cannot be restored: the caller frees the others then,
 * since nobody else will ask for them.
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

/* All that vmalloc() does when the pages are mapped, but for their content. */
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

/* The description comes from another kernel: it may say anything. */
static bool is_valid(const struct kho_vmalloc *kv)
{
	return kv->flags & KHO_VMALLOC_ALLOC && !(kv->flags & ~KHO_SUPPORTED) &&
	       kv->order <= MAX_PAGE_ORDER &&
	       (!kv->order || kv->flags & KHO_VMALLOC_HUGE_VMAP) &&
	       kv->total_pages && IS_ALIGNED(kv->total_pages, BIT(kv->order)) &&
	       kv->total_pages <= get_num_physpages();
}

/**
 * kho_restore_vmalloc - take back a vmalloc area of the previous kernel
 * @preservation: as it was filled in there
 *
 * The area is the caller's from then on, to be freed with vfree(). Its address
 * is another one.
 *
 * Context: may sleep; from when there is vmalloc() on.
 * Return: the address; NULL, after a warning, if the area was not handed over, or
 * not as a whole, or if memory is short. If @preservation is invalid, or there is
 * no memory, then nothing is taken and the call can be repeated; otherwise what
 * there is of the area is freed.
 */
void *kho_restore_vmalloc(const struct kho_vmalloc *preservation)
{
	struct vm_struct *area;
	bool whole;

	if (!is_valid(preservation)) {
		pr_warn("nothing to restore: vmalloc area of %u pages, order %u, flags %#x\n",
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
	/* vfree() subtracts them. */
	atomic_long_add(area->nr_pages, &nr_vmalloc_pages);
	if (whole && !map_area(area, preservation->order)) {
		publish_area(area);
		return area->addr;
	}

	pr_warn("cannot restore a vmalloc area: %u of %u pages could be had\n",
		area->nr_pages, preservation->total_pages);
	vfree(area->addr);

	return NULL;
}
EXPORT_SYMBOL_GPL(kho_restore_vmalloc);
