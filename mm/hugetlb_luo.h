/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live update of hugetlb pages: declarations that mm/hugetlb_luo*.c share, and functions of
 * hugetlb.c and memory-failure.c that they use.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef __MM_HUGETLB_LUO_H
#define __MM_HUGETLB_LUO_H

#include <linux/fcntl.h>
#include <linux/hugetlb.h>
#include <linux/list.h>
#include <linux/types.h>

struct file;
struct folio;
struct hugetlb_cgroup;
struct hugetlb_luo_folio_ser;
struct hugetlb_luo_pools_ser;
struct hugetlb_luo_range_ser;
struct hugetlb_luo_ser;
struct page;
struct task_struct;

#ifdef CONFIG_LIVEUPDATE_HUGETLB

/* The seals that both sides of a handover know. */
#define HUGETLB_LUO_SEALS	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | \
				 F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)

/**
 * struct hugetlb_luo_want - a task that allocates pages for preserved files
 * @list: entry in @wanting of hugetlb_luo_free.c. Guarded by hugetlb_lock.
 * @task: the task that called hugetlb_luo_want()
 * @low: new pages come from low memory (GFP_DMA32), which is never hot-added
 * @flags: return value of memalloc_pin_save(), for memalloc_pin_restore(). Only @task uses it.
 *
 * The structure is on the stack of @task. hugetlb_luo_want() writes @task, @low and @flags
 * before it adds the structure to @wanting. They are constant until hugetlb_luo_unwant()
 * removes it; is_wanting() reads @task and @low with hugetlb_lock held.
 */
struct hugetlb_luo_want {
	struct list_head list;
	struct task_struct *task;
	bool low;
	unsigned int flags;
};

/* hugetlb_luo_pool.c */
int hugetlb_luo_pool_get(void);
void hugetlb_luo_pool_put(void);
void hugetlb_luo_pool_count(struct hstate *h, int nid, long pages);
void hugetlb_luo_pool_freeze(struct hstate *h, long reserved);
void hugetlb_luo_pool_take(struct hstate *h, int nid);
void hugetlb_luo_pool_offer(unsigned long reserved);
void hugetlb_luo_pool_end_offer(void);
void hugetlb_luo_pool_unhold(struct hstate *h, unsigned long reserved);

/* hugetlb_luo_check.c */
int hugetlb_luo_check_ser(const struct hugetlb_luo_ser *ser);
void hugetlb_luo_complain(const char *what, u64 index);
int hugetlb_luo_check_entries(struct hstate *h, u64 end, struct hugetlb_luo_folio_ser *entries,
			      unsigned long nr);
int hugetlb_luo_check_ranges(struct hstate *h, struct hugetlb_luo_range_ser *ranges,
			     unsigned long nr_ranges, const struct hugetlb_luo_folio_ser *entries,
			     unsigned long nr, unsigned long *reserved);
bool hugetlb_luo_check_pools(const struct hugetlb_luo_pools_ser *blob, size_t size,
			     const unsigned long *folios);

/* hugetlb_luo_free.c */
bool hugetlb_luo_suits(struct folio *folio);
void hugetlb_luo_sort_all(struct hstate *h);
void hugetlb_luo_want(struct hugetlb_luo_want *want, bool low);
void hugetlb_luo_unwant(struct hugetlb_luo_want *want);
int hugetlb_luo_free_prepare(struct hstate *h);

/* hugetlb_luo_in.c */
int hugetlb_luo_in_retrieve(u64 data, struct file **file);
int hugetlb_luo_in_prepare(u64 data);
void hugetlb_luo_in_discard(u64 data);

#endif /* CONFIG_LIVEUPDATE_HUGETLB */

/* hugetlb.c */
extern int num_fault_mutexes;

long hugetlb_region_chg(struct resv_map *resv, long f, long t, long *needed);
long hugetlb_region_add(struct resv_map *resv, long f, long t, long needed,
			struct hstate *h, struct hugetlb_cgroup *h_cg);
void hugetlb_region_abort(struct resv_map *resv, long f, long t, long needed);
void init_new_hugetlb_folio(struct hstate *h, struct folio *folio);
int hugetlb_acct_memory(struct hstate *h, long delta);

/* memory-failure.c */
#ifdef CONFIG_MEMORY_FAILURE
int hugetlb_update_hwpoison(struct folio *folio, struct page *page);
#else
static inline int hugetlb_update_hwpoison(struct folio *folio, struct page *page)
{
	return 0;
}
#endif

#endif /* __MM_HUGETLB_LUO_H */
