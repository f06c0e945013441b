/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live update of hugetlb pages: hooks for hugetlb and hugetlbfs.
 *
 * Nearly no file takes part in a live update. For all other files, each of the functions
 * for files reads one pointer of the inode and finds it NULL. The functions for pools are
 * called at boot, and when a reservation is made.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_HUGETLB_LUO_H
#define _LINUX_HUGETLB_LUO_H

#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#ifdef CONFIG_LIVEUPDATE_HUGETLB

bool __hugetlb_luo_wait(struct inode *inode, pgoff_t index);
int __hugetlb_luo_add(struct inode *inode, struct folio *folio);
bool __hugetlb_luo_is_fixed(struct inode *inode);
bool __hugetlb_luo_is_frozen(struct inode *inode);
unsigned int hugetlb_luo_refs(struct folio *folio);
gfp_t hugetlb_luo_gfp(gfp_t gfp, int nid);
bool hugetlb_luo_can_pin(struct hstate *h, struct folio *folio);
void hugetlb_luo_sort(struct hstate *h, struct folio *folio);
struct folio *__hugetlb_luo_alloc(struct vm_area_struct *vma, unsigned long addr);
struct folio *__hugetlb_luo_alloc_reserve(struct hstate *h, gfp_t gfp);
void hugetlb_luo_free(struct inode *inode);

void hugetlb_luo_boot_sized(struct hstate *h);
void hugetlb_luo_boot_begin(struct hstate *h);
void hugetlb_luo_boot_end(struct hstate *h);
void hugetlb_luo_boot_pools(void);
unsigned long hugetlb_luo_boot_border(unsigned long pfn);
long hugetlb_luo_reserving(struct hstate *h, long delta);

/*
 * Once it is set, the pointer stays until the inode is freed. Pairs with
 * smp_store_release() in luo_of().
 */
static inline bool hugetlb_luo_has(struct inode *inode)
{
	return unlikely(READ_ONCE(HUGETLBFS_I(inode)->luo));
}

static inline void hugetlb_luo_init(struct inode *inode)
{
	HUGETLBFS_I(inode)->luo = NULL;
}

/*
 * Called before a page fault. Sleeps if the fault would add a page to a frozen file.
 * Returns false if the caller has to give up.
 */
static inline bool hugetlb_luo_wait(struct vm_area_struct *vma, pgoff_t index)
{
	struct inode *inode = vma->vm_file->f_mapping->host;

	return !hugetlb_luo_has(inode) || !(vma->vm_flags & VM_MAYSHARE) ||
	       __hugetlb_luo_wait(inode, index);
}

/*
 * Called when a page is in the page cache, still locked. After an error the caller removes
 * the page.
 */
static inline int hugetlb_luo_add(struct inode *inode, struct folio *folio)
{
	return hugetlb_luo_has(inode) ? __hugetlb_luo_add(inode, folio) : 0;
}

/*
 * Must no page be added to the file? Called with the fault mutex of the page held, before a
 * page is allocated.
 */
static inline bool hugetlb_luo_is_frozen(struct inode *inode)
{
	return hugetlb_luo_has(inode) && __hugetlb_luo_is_frozen(inode);
}

/*
 * Must the size stay as it is, and no page be removed? The caller holds the inode lock, or
 * uses the answer only to choose the page to allocate.
 */
static inline bool hugetlb_luo_is_fixed(struct inode *inode)
{
	return hugetlb_luo_has(inode) && __hugetlb_luo_is_fixed(inode);
}

/*
 * Allocates a page for a mapping. If the file is preserved, a page that can be handed over
 * is preferred.
 */
static inline struct folio *hugetlb_luo_alloc(struct vm_area_struct *vma, unsigned long addr)
{
	struct inode *inode = vma->vm_file->f_mapping->host;

	if (vma->vm_flags & VM_MAYSHARE && hugetlb_luo_is_fixed(inode))
		return __hugetlb_luo_alloc(vma, addr);

	return alloc_hugetlb_folio(vma, addr, false);
}

/*
 * Returns the result of a page fault whose page was not added. On -EAGAIN the fault is
 * retried, and waits in hugetlb_luo_wait() while the file is frozen.
 */
static inline vm_fault_t hugetlb_luo_fault_error(int err)
{
	return err == -EAGAIN ? 0 : vmf_error(err);
}

#else /* CONFIG_LIVEUPDATE_HUGETLB */

static inline bool hugetlb_luo_wait(struct vm_area_struct *vma, pgoff_t index)
{
	return true;
}

static inline int hugetlb_luo_add(struct inode *inode, struct folio *folio)
{
	return 0;
}

static inline bool hugetlb_luo_is_fixed(struct inode *inode)
{
	return false;
}

static inline bool hugetlb_luo_is_frozen(struct inode *inode)
{
	return false;
}

static inline unsigned int hugetlb_luo_refs(struct folio *folio)
{
	return 0;
}

static inline gfp_t hugetlb_luo_gfp(gfp_t gfp, int nid)
{
	return gfp;
}

static inline bool hugetlb_luo_can_pin(struct hstate *h, struct folio *folio)
{
	return folio_is_longterm_pinnable(folio);
}

static inline struct folio *hugetlb_luo_alloc(struct vm_area_struct *vma, unsigned long addr)
{
	return alloc_hugetlb_folio(vma, addr, false);
}

static inline vm_fault_t hugetlb_luo_fault_error(int err)
{
	return VM_FAULT_SIGBUS;
}

static inline unsigned long hugetlb_luo_boot_border(unsigned long pfn)
{
	return pfn;
}

static inline long hugetlb_luo_reserving(struct hstate *h, long delta)
{
	return 0;
}

static inline void hugetlb_luo_init(struct inode *inode) { }
static inline void hugetlb_luo_sort(struct hstate *h, struct folio *folio) { }
static inline void hugetlb_luo_free(struct inode *inode) { }
static inline void hugetlb_luo_boot_sized(struct hstate *h) { }
static inline void hugetlb_luo_boot_begin(struct hstate *h) { }
static inline void hugetlb_luo_boot_end(struct hstate *h) { }
static inline void hugetlb_luo_boot_pools(void) { }

#endif /* CONFIG_LIVEUPDATE_HUGETLB */

#ifdef CONFIG_HUGETLB_PAGE
/* Allocates a reserved page for memfd_pin_folios(), as hugetlb_luo_alloc() does. */
static inline struct folio *hugetlb_luo_alloc_reserve(struct inode *inode, gfp_t gfp)
{
#ifdef CONFIG_LIVEUPDATE_HUGETLB
	if (hugetlb_luo_is_fixed(inode))
		return __hugetlb_luo_alloc_reserve(hstate_inode(inode), gfp);
#endif
	return alloc_hugetlb_folio_reserve(hstate_inode(inode), numa_node_id(), NULL, gfp);
}
#endif

#endif /* _LINUX_HUGETLB_LUO_H */
