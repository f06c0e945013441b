/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mm/memfd_luo_in.c needs from the kernel, in addition to luo/kernel.h, for
 * memfd_fuzz. The page cache is in memfd_fuzz.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_LUO_MM_H
#define _KHO_LUO_MM_H

/* mm/internal.h and include/linux/memfd_luo.h are not needed. */
#define __MM_INTERNAL_H
#define _LINUX_MEMFD_LUO_H

#include <linux/kconfig.h>

#define CONFIG_TRANSPARENT_HUGEPAGE 1
#define MAX_PAGE_ORDER		10
#define MAX_PAGECACHE_ORDER	9
#define MAX_LFS_FILESIZE	((u64)LLONG_MAX)
#define HZ			100
#define VM_NORESERVE		0
#define FMODE_LSEEK		0
#define FMODE_PREAD		0
#define FMODE_PWRITE		0
#define O_LARGEFILE		0
#define U64_MAX			(~0ULL)
#define SECTOR_SHIFT		9

/* These compare numbers of different types. */
#undef min
#undef max
#define min(a, b)	({ __auto_type __a = (a); __auto_type __b = (b); __a < __b ? __a : __b; })
#define max(a, b)	({ __auto_type __a = (a); __auto_type __b = (b); __a > __b ? __a : __b; })

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC		0x20
#endif
#ifndef DIV_ROUND_UP_ULL
#define DIV_ROUND_UP_ULL	DIV_ROUND_UP
#endif

#ifndef __GFP_NORETRY
#define __GFP_NORETRY		0
#endif
#ifndef __GFP_NOWARN
#define __GFP_NOWARN		0
#endif
#ifndef __GFP_RETRY_MAYFAIL
#define __GFP_RETRY_MAYFAIL	0
#endif

#ifndef GFP_RECLAIM_MASK
#define GFP_RECLAIM_MASK	0
#endif

#define clamp_t(type, v, lo, hi) min((type)max((type)(v), (type)(lo)), (type)(hi))
#define min3(a, b, c)		({ __auto_type __c = min(a, b); min(__c, c); })
#define memchr_inv(p, c, size)	luo_memchr_inv(p, c, size)
/* The fuzzer has only one thread. */
#define smp_rmb()		barrier()

static inline const void *luo_memchr_inv(const void *p, int c, size_t size)
{
	for (const u8 *it = p; size; it++, size--) {
		if (*it != c)
			return it;
	}

	return NULL;
}

#define pgoff_t			unsigned long

/* The page cache */

struct xarray {
	unsigned int unused;
};

struct address_space {
	struct xarray i_pages;
	unsigned long nrpages;
};

#define XA_CHUNK_SIZE			64UL

/* The leaf of an xa_state. xas_unlock_irq() adds the folios in it to the page cache. */
struct xa_node {
	unsigned int count;
	struct folio *slots[XA_CHUNK_SIZE];
};

struct xa_state {
	struct xarray *xa;
	unsigned long index;
	struct xa_node *xa_node;
	unsigned int xa_offset;
	int err;
};

#define XA_STATE(name, array, i)	struct xa_state name = { .xa = (array), .index = (i) }
#define xas_lock_irq(xas)		((void)(xas))
#define xas_error(xas)			((xas)->err)
#define xa_entry_locked(xa, node, at)	((void *)((xa) ? (node)->slots[at] : NULL))
#define rcu_assign_pointer(p, v)	((void)((p) = (v)))
void xas_unlock_irq(struct xa_state *xas);
void xas_set(struct xa_state *xas, unsigned long index);
void *xas_load(struct xa_state *xas);
void xas_store(struct xa_state *xas, struct folio *folio);
bool xas_nomem(struct xa_state *xas, gfp_t gfp);

struct memfd_luo;

struct inode {
	struct address_space *i_mapping;
	struct address_space mapping;
	unsigned int i_mode;
	blkcnt_t i_blocks;
	u64 size;
	unsigned int seals;
	struct memfd_luo *luo;
};

#define SHMEM_I(inode)		(inode)
#define file_inode(file)	((file)->f_inode)
#define i_size_write(inode, bytes) ((void)((inode)->size = (bytes)))
#define mapping_deny_writable(mapping) ((mapping) ? 0 : -EPERM)

#define wait_queue_head_t	unsigned long

struct file *shmem_file_setup(const char *name, u64 size, unsigned long flags);
int shmem_insert_folio(struct inode *inode, struct folio *folio, pgoff_t index, gfp_t gfp);
int shmem_insert_poison(struct inode *inode, pgoff_t index);
void *xa_load(struct xarray *pages, unsigned long index);
int xa_get_order(struct xarray *pages, unsigned long index);

int shmem_insert_begin(struct inode *inode, long pages);

static inline void shmem_insert_end(struct inode *inode, long pages, long added) { }

#define folio_order(folio)		((folio)->order)
#define folio_nr_pages(folio)		BIT((folio)->order)
#define folio_address(folio)		((void *)luo_phys(folio))
#define folio_test_large(folio)		((folio)->order > 0)
#define folio_nid(folio)		((int)((folio)->order & 0))
#define folio_mark_uptodate(folio)	((void)((folio)->flags |= BIT(PG_uptodate)))
#define folio_set_dirty(folio)		((void)((folio)->flags |= BIT(PG_dirty)))

enum { PG_uptodate, PG_dirty, PG_swapbacked, PG_lru };

/* Lists of reclaim */

#define NR_FILE_PAGES			0
#define NR_SHMEM			1
#define __lruvec_stat_mod_folio(folio, item, nr) ((void)((folio)->flags + (item) + (nr)))

enum lru_list { LRU_INACTIVE_ANON, NR_LRU_LISTS };

struct lruvec {
	struct list_head lists[NR_LRU_LISTS];
};

/* The list has the folios that were added since the last update_lru_size(). */
static inline struct lruvec *folio_lruvec_relock_irq(struct folio *folio, struct lruvec *locked)
{
	static struct lruvec lruvec;

	if (!locked)
		INIT_LIST_HEAD(&lruvec.lists[0]);

	return &lruvec;
}

#define page_zone_id(page)		((int)(page)->zone)
#define folio_zonenum(folio)		((folio)->page.zone)
#define folio_lru_list(folio)		((folio)->order ? LRU_INACTIVE_ANON : LRU_INACTIVE_ANON)

static inline bool lru_gen_add_folio(struct lruvec *lruvec, struct folio *folio, bool reclaiming)
{
	return folio->index % 256 == 255;
}

static inline void update_lru_size(struct lruvec *lruvec, enum lru_list lru, unsigned int zone,
				   long nr)
{
	struct folio *folio;

	list_for_each_entry(folio, &lruvec->lists[lru], lru) {
		if (folio->page.zone != zone)
			luo_bug("a folio of another zone is counted");
		nr--;
	}
	if (nr)
		luo_bug("a list of reclaim has another number of folios");
	INIT_LIST_HEAD(&lruvec->lists[lru]);
}

static inline void unlock_page_lruvec_irq(struct lruvec *lruvec)
{
	if (!list_empty(&lruvec->lists[0]))
		luo_bug("folios of a list of reclaim are not counted");
}

static inline void folio_set_lru(struct folio *folio)
{
	if (folio->flags & BIT(PG_lru) || !folio->mapping)
		luo_bug("a folio comes to a list of reclaim twice, or without its file");
	folio->flags |= BIT(PG_lru);
}

u64 luo_phys(const struct folio *folio);

struct kho_vmalloc;
void *kho_restore_vmalloc(const struct kho_vmalloc *kv);

/* Memory cgroups */

static const struct {
	void *mm;
} luo_task;

#define current				(&luo_task)

struct mem_cgroup;

#define folio_memcg(folio)		((struct mem_cgroup *)(folio)->charged)
#define get_mem_cgroup_from_mm(mm)	((void)(mm), (struct mem_cgroup *)NULL)
#define mem_cgroup_disabled()		false
#define mem_cgroup_put(memcg)		((void)(memcg))
static inline struct mem_cgroup *set_active_memcg(struct mem_cgroup *memcg)
{
	return memcg;
}

int mem_cgroup_charge(struct folio *folio, void *mm, gfp_t gfp);

/* Memory */

#define vfree(p)			kfree(p)
#define kvfree(p)			kfree(p)
#define kvmalloc_array(nr, size, gfp)	kmalloc((nr) * (size), gfp)

#define init_rwsem(sem)			((void)((sem)->readers = 0))

static inline void downgrade_write(struct rw_semaphore *sem)
{
	up_write(sem);
	down_read(sem);
}

#define atomic_long_read(v)		READ_ONCE((v)->counter)
#define atomic_long_set(v, i)		((void)((v)->counter = (i)))
#define atomic_long_add(i, v)		((void)((v)->counter += (i)))
#define atomic_long_inc(v)		atomic_long_add(1, v)
#define atomic_long_sub_return(i, v)	((v)->counter -= (i))

static inline long atomic_long_fetch_add(long i, atomic_long_t *v)
{
	v->counter += i;

	return v->counter - i;
}

static inline bool atomic_long_try_cmpxchg(atomic_long_t *v, long *old, long new)
{
	if (v->counter != *old) {
		*old = v->counter;
		return false;
	}
	v->counter = new;

	return true;
}

/* Works, which the fuzzer runs at random times */

struct work_struct {
	void (*func)(struct work_struct *work);
	bool queued;
};

struct delayed_work {
	struct work_struct work;
};

extern struct work_struct *luo_works[64];
extern void *system_unbound_wq;

#define to_delayed_work(it)		container_of(it, struct delayed_work, work)
#define INIT_DELAYED_WORK(it, fn)	((void)((it)->work.func = (fn)))
#define num_online_cpus()		4U
void queue_delayed_work(void *wq, struct delayed_work *work, unsigned long delay);
void cancel_delayed_work_sync(struct delayed_work *work);

#endif /* _KHO_LUO_MM_H */
