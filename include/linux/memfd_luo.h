/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live update of memfds: hooks for mm/shmem.c and for other code that uses shmem files.
 *
 * Nearly no file takes part in a live update. For all other files, each of these functions
 * reads one pointer of the inode and finds it NULL.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_MEMFD_LUO_H
#define _LINUX_MEMFD_LUO_H

#include <linux/pagemap.h>
#include <linux/shmem_fs.h>

#ifdef CONFIG_LIVEUPDATE_MEMFD

int __memfd_luo_get(struct inode *inode, pgoff_t index, enum sgp_type sgp);
bool __memfd_luo_is_frozen(struct inode *inode);
int __memfd_luo_add(struct inode *inode, struct folio *folio);
void __memfd_luo_del(struct inode *inode, struct folio *folio);
gfp_t __memfd_luo_gfp(struct inode *inode, gfp_t gfp);
struct folio *__memfd_luo_suit(struct inode *inode, struct folio *folio, gfp_t gfp);
bool __memfd_luo_is_fixed(struct inode *inode);
bool __memfd_luo_is_busy(struct inode *inode);
int __memfd_luo_populate(struct inode *inode);
blkcnt_t __memfd_luo_blocks(struct inode *inode);
unsigned int __memfd_luo_refs(struct inode *inode, struct folio *folio);
void __memfd_luo_evict(struct inode *inode);
void memfd_luo_free(struct inode *inode);

/*
 * Once it is set, the pointer stays until the inode is freed. Pairs with
 * smp_store_release() in memfd_luo_of().
 */
static inline bool memfd_luo_has(struct inode *inode)
{
	return unlikely(READ_ONCE(SHMEM_I(inode)->luo));
}

/* Called when an inode is allocated, since it may be freed before it is set up. */
static inline void memfd_luo_init_inode(struct inode *inode)
{
	SHMEM_I(inode)->luo = NULL;
}

#else /* CONFIG_LIVEUPDATE_MEMFD */

static inline int __memfd_luo_get(struct inode *inode, pgoff_t index, enum sgp_type sgp)
{
	return 0;
}

static inline bool __memfd_luo_is_frozen(struct inode *inode)
{
	return false;
}

static inline int __memfd_luo_add(struct inode *inode, struct folio *folio)
{
	return 0;
}

static inline void __memfd_luo_del(struct inode *inode, struct folio *folio) { }

static inline gfp_t __memfd_luo_gfp(struct inode *inode, gfp_t gfp)
{
	return gfp;
}

static inline struct folio *__memfd_luo_suit(struct inode *inode, struct folio *folio,
					     gfp_t gfp)
{
	return folio;
}

static inline bool __memfd_luo_is_fixed(struct inode *inode)
{
	return false;
}

static inline bool __memfd_luo_is_busy(struct inode *inode)
{
	return false;
}

static inline int __memfd_luo_populate(struct inode *inode)
{
	return 0;
}

static inline blkcnt_t __memfd_luo_blocks(struct inode *inode)
{
	return 0;
}

static inline unsigned int __memfd_luo_refs(struct inode *inode, struct folio *folio)
{
	return 0;
}

static inline void __memfd_luo_evict(struct inode *inode) { }
static inline void memfd_luo_free(struct inode *inode) { }
static inline void memfd_luo_init_inode(struct inode *inode) { }

static inline bool memfd_luo_has(struct inode *inode)
{
	return false;
}

#endif /* CONFIG_LIVEUPDATE_MEMFD */

/* Constant without CONFIG_LIVEUPDATE_MEMFD, so that the callers cost nothing. */
static inline bool memfd_luo_can(struct address_space *mapping)
{
	return IS_ENABLED(CONFIG_LIVEUPDATE_MEMFD) && shmem_mapping(mapping);
}

/*
 * Called before a page is looked up. Puts a page that waits into the file, and sleeps if
 * the look-up would add a page to a frozen file. May sleep, so the caller has no folio
 * locked.
 */
static inline int memfd_luo_get(struct inode *inode, pgoff_t index, enum sgp_type sgp)
{
	return memfd_luo_has(inode) ? __memfd_luo_get(inode, index, sgp) : 0;
}

/* Must a locked page that is not up to date stay so? If yes, the caller looks it up again. */
static inline bool memfd_luo_is_frozen(struct inode *inode)
{
	return memfd_luo_has(inode) && __memfd_luo_is_frozen(inode);
}

/*
 * Called when a new folio is in the page cache, still locked. After an error the caller
 * removes the folio; after -EAGAIN it then starts again with the look-up.
 */
static inline int memfd_luo_add(struct inode *inode, struct folio *folio)
{
	return memfd_luo_has(inode) ? __memfd_luo_add(inode, folio) : 0;
}

/* Undoes memfd_luo_add(), with the folio locked since then. */
static inline void memfd_luo_del(struct inode *inode, struct folio *folio)
{
	if (memfd_luo_has(inode))
		__memfd_luo_del(inode, folio);
}

/* Returns the flags to allocate a folio of the file with. */
static inline gfp_t memfd_luo_gfp(struct inode *inode, gfp_t gfp)
{
	return memfd_luo_has(inode) ? __memfd_luo_gfp(inode, gfp) : gfp;
}

/* Called when a folio was allocated. Returns it, or a replacement that can be handed over. */
static inline struct folio *memfd_luo_suit(struct inode *inode, struct folio *folio, gfp_t gfp)
{
	return folio && memfd_luo_has(inode) ? __memfd_luo_suit(inode, folio, gfp) : folio;
}

/* Must the size stay as it is, and no page be removed? The caller holds the inode lock. */
static inline bool memfd_luo_is_fixed(struct inode *inode)
{
	return memfd_luo_has(inode) && __memfd_luo_is_fixed(inode);
}

/* Does the file have folios that must not be collapsed, or pages that still wait? */
static inline bool memfd_luo_is_busy(struct address_space *mapping)
{
	return memfd_luo_can(mapping) && memfd_luo_has(mapping->host) &&
	       __memfd_luo_is_busy(mapping->host);
}

/* Called before the file is looked at as a whole. Puts all pages that wait into it. */
static inline int memfd_luo_populate(struct inode *inode)
{
	return memfd_luo_has(inode) ? __memfd_luo_populate(inode) : 0;
}

/* Like memfd_luo_populate(), for any mapping. */
static inline int memfd_luo_populate_mapping(struct address_space *mapping)
{
	return memfd_luo_can(mapping) ? memfd_luo_populate(mapping->host) : 0;
}

/* Returns @blocks, or the number of blocks including pages that wait if any may wait. */
static inline blkcnt_t memfd_luo_blocks(struct inode *inode, blkcnt_t blocks)
{
	return memfd_luo_has(inode) ? __memfd_luo_blocks(inode) : blocks;
}

/* Returns the number of references that live update holds on a folio in the page cache. */
static inline unsigned int memfd_luo_refs(struct folio *folio)
{
	struct address_space *mapping = folio->mapping;

	return mapping && memfd_luo_can(mapping) && memfd_luo_has(mapping->host) ?
	       __memfd_luo_refs(mapping->host, folio) : 0;
}

/* Called before the pages of an inode are removed when it is evicted. */
static inline void memfd_luo_evict(struct inode *inode)
{
	if (memfd_luo_has(inode))
		__memfd_luo_evict(inode);
}

#endif /* _LINUX_MEMFD_LUO_H */
