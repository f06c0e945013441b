/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live update of hugetlb pages: the places at which hugetlb and hugetlbfs call it.
 *
 * Nearly no file takes part in a live update. For all others each of the functions for
 * files reads one pointer of the inode and finds it NULL. The functions for pools are
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
void __hugetlb_luo_seal(struct inode *inode);
unsigned int hugetlb_luo_refs(struct folio *folio);
gfp_t hugetlb_luo_gfp(gfp_t gfp, int nid);
void hugetlb_luo_free(struct inode *inode);

void hugetlb_luo_boot_begin(struct hstate *h);
void hugetlb_luo_boot_end(struct hstate *h);
void hugetlb_luo_boot_pools(void);
void hugetlb_luo_reserving(struct hstate *h);

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

/* Before a page fault. Sleeps while a frozen file must get no page. False to give up. */
static inline bool hugetlb_luo_wait(struct vm_area_struct *vma, pgoff_t index)
{
	struct inode *inode = vma->vm_file->f_mapping->host;

	return !hugetlb_luo_has(inode) || !(vma->vm_flags & VM_MAYSHARE) ||
	       __hugetlb_luo_wait(inode, index);
}

/* When a page is in the page cache, still locked. After an error the caller removes it. */
static inline int hugetlb_luo_add(struct inode *inode, struct folio *folio)
{
	return hugetlb_luo_has(inode) ? __hugetlb_luo_add(inode, folio) : 0;
}

/* Must no page be made for the file? Asked before one is, with the lock of page faults held. */
static inline bool hugetlb_luo_is_frozen(struct inode *inode)
{
	return hugetlb_luo_has(inode) && __hugetlb_luo_is_frozen(inode);
}

/* Must the size stay as it is, and no page go? The caller holds the inode lock. */
static inline bool hugetlb_luo_is_fixed(struct inode *inode)
{
	return hugetlb_luo_has(inode) && __hugetlb_luo_is_fixed(inode);
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

static inline void hugetlb_luo_init(struct inode *inode) { }
static inline void hugetlb_luo_free(struct inode *inode) { }
static inline void hugetlb_luo_boot_begin(struct hstate *h) { }
static inline void hugetlb_luo_boot_end(struct hstate *h) { }
static inline void hugetlb_luo_boot_pools(void) { }
static inline void hugetlb_luo_reserving(struct hstate *h) { }

#endif /* CONFIG_LIVEUPDATE_HUGETLB */

/* When a seal was set. The caller holds the inode lock. */
static inline void hugetlb_luo_seal(struct file *file)
{
#ifdef CONFIG_LIVEUPDATE_HUGETLB
	if (is_file_hugepages(file) && hugetlb_luo_has(file_inode(file)))
		__hugetlb_luo_seal(file_inode(file));
#endif
}

#endif /* _LINUX_HUGETLB_LUO_H */
