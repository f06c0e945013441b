/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kexec HandOver (KHO): folios that outlive a kexec.
 *
 * A kernel names folios with kho_preserve_folio(); the kernel that it kexecs
 * into takes each back with kho_restore_folio(), same address, same content.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef LINUX_KEXEC_HANDOVER_H
#define LINUX_KEXEC_HANDOVER_H

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/types.h>

struct folio;
struct kexec_buf;
struct kho_vmalloc;
struct kimage;
struct page;
struct resource;

#ifdef CONFIG_KEXEC_HANDOVER

bool kho_is_enabled(void);
bool is_kho_boot(void);

int kho_preserve_folio(struct folio *folio);
void kho_unpreserve_folio(struct folio *folio);
struct folio *kho_restore_folio(phys_addr_t phys);

int kho_preserve_pages(struct page *page, unsigned long nr_pages);
void kho_unpreserve_pages(struct page *page, unsigned long nr_pages);
struct page *kho_restore_pages(phys_addr_t phys, unsigned long nr_pages);

int kho_preserve_vmalloc(void *ptr, struct kho_vmalloc *preservation);
void kho_unpreserve_vmalloc(struct kho_vmalloc *preservation);
void *kho_restore_vmalloc(const struct kho_vmalloc *preservation);

void *kho_alloc_preserve(size_t size);
void kho_unpreserve_free(void *mem);
void kho_restore_free(void *mem);

int kho_add_subtree(const char *name, void *blob, size_t size);
void kho_remove_subtree(void *blob);
int kho_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size);

bool kho_scratch_overlap(phys_addr_t phys, size_t size);

/* For architectures: what the previous kernel handed over, early in boot. */
void kho_populate(phys_addr_t fdt_phys, u64 fdt_len,
		  phys_addr_t scratch_phys, u64 scratch_len);
__printf(1, 2) void kho_refuse(const char *fmt, ...);

/* For reserve_mem=, in mm/memblock.c. */
bool kho_reserve_mem_deferred(void);
void kho_reserve_mem_add(const char *name, phys_addr_t align,
			 phys_addr_t *start, phys_addr_t *size);

/* For kexec_file and the architectures' loaders. */
bool kho_handover_params(const struct kimage *image, phys_addr_t *fdt_phys,
			 phys_addr_t *scratch_phys, u64 *scratch_len);
int kho_locate_mem_hole(struct kexec_buf *kbuf,
			int (*func)(struct resource *, void *));
void kho_load_failed(const struct kimage *image, int err);

/* For the start of the page allocator: mm/memblock.c and mm/mm_init.c. */
void kho_memory_init(void);
unsigned long kho_free_unpreserved(unsigned long start_pfn,
				   unsigned long end_pfn,
				   void (*free)(unsigned long, unsigned long));
bool kho_set_up_block(unsigned long block_pfn);
bool kho_deferred_free_pages(unsigned long pfn, unsigned long nr_pages);
void kho_deferred_done(void);

#else /* CONFIG_KEXEC_HANDOVER */

static inline bool kho_is_enabled(void)
{
	return false;
}

static inline bool is_kho_boot(void)
{
	return false;
}

static inline int kho_preserve_folio(struct folio *folio)
{
	return -EOPNOTSUPP;
}

static inline void kho_unpreserve_folio(struct folio *folio) { }

static inline struct folio *kho_restore_folio(phys_addr_t phys)
{
	return NULL;
}

static inline int kho_preserve_pages(struct page *page, unsigned long nr_pages)
{
	return -EOPNOTSUPP;
}

static inline void kho_unpreserve_pages(struct page *page, unsigned long nr_pages) { }

static inline struct page *kho_restore_pages(phys_addr_t phys,
					     unsigned long nr_pages)
{
	return NULL;
}

static inline int kho_preserve_vmalloc(void *ptr,
				       struct kho_vmalloc *preservation)
{
	return -EOPNOTSUPP;
}

static inline void kho_unpreserve_vmalloc(struct kho_vmalloc *preservation) { }

static inline void *kho_restore_vmalloc(const struct kho_vmalloc *preservation)
{
	return NULL;
}

static inline void *kho_alloc_preserve(size_t size)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void kho_unpreserve_free(void *mem) { }
static inline void kho_restore_free(void *mem) { }

static inline int kho_add_subtree(const char *name, void *blob, size_t size)
{
	return -EOPNOTSUPP;
}

static inline void kho_remove_subtree(void *blob) { }

static inline int kho_retrieve_subtree(const char *name, phys_addr_t *phys,
				       size_t *size)
{
	return -EOPNOTSUPP;
}

static inline bool kho_scratch_overlap(phys_addr_t phys, size_t size)
{
	return false;
}

static inline void kho_populate(phys_addr_t fdt_phys, u64 fdt_len,
				phys_addr_t scratch_phys, u64 scratch_len) { }

static inline bool kho_reserve_mem_deferred(void)
{
	return false;
}

static inline void kho_reserve_mem_add(const char *name, phys_addr_t align,
				       phys_addr_t *start, phys_addr_t *size) { }

static inline bool kho_handover_params(const struct kimage *image,
				       phys_addr_t *fdt_phys,
				       phys_addr_t *scratch_phys,
				       u64 *scratch_len)
{
	return false;
}

static inline int kho_locate_mem_hole(struct kexec_buf *kbuf,
				      int (*func)(struct resource *, void *))
{
	return 1;
}

static inline void kho_load_failed(const struct kimage *image, int err) { }

static inline void kho_memory_init(void) { }

static inline unsigned long
kho_free_unpreserved(unsigned long start_pfn, unsigned long end_pfn,
		     void (*free)(unsigned long, unsigned long))
{
	free(start_pfn, end_pfn);

	return end_pfn - start_pfn;
}

static inline bool kho_set_up_block(unsigned long block_pfn)
{
	return false;
}

static inline bool kho_deferred_free_pages(unsigned long pfn,
					   unsigned long nr_pages)
{
	return false;
}

static inline void kho_deferred_done(void) { }

#endif /* CONFIG_KEXEC_HANDOVER */

/* For kexec. */
#ifdef CONFIG_KEXEC_HANDOVER_CHECKSUM
void kho_seal(const struct kimage *image);
#else
static inline void kho_seal(const struct kimage *image) { }
#endif

/* For the page allocator. */
#ifdef CONFIG_KEXEC_HANDOVER_DEBUG
void kho_check_free(struct page *page, unsigned int order);
#else
static inline void kho_check_free(struct page *page, unsigned int order) { }
#endif

#endif /* LINUX_KEXEC_HANDOVER_H */
