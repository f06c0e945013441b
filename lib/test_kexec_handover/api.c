// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: calls each function of the interface.
 *
 * This file owns a small client that calls all functions. With test_kho_api.run=1 on
 * the command line, it preserves a folio, a run of pages and a vmalloc area,
 * unpreserves them, and preserves them again. In the next kernel it finds them through
 * its blob, checks their content and frees them. The file test_kho_api in debugfs has
 * the results.
 *
 * The client uses public headers only. It compiles without warnings with KHO in the
 * kernel, without KHO, and as an out-of-tree module, which host/tests/client.sh
 * checks. The functions have the same types as in mainline.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#ifndef KEXEC_HANDOVER_HAS_HOOKS
#include <linux/kexec_handover_boot.h>
#endif
#include <linux/kho/abi/kexec_handover.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define HAS_TYPE(func, ret, ...)	\
	static_assert(__same_type(func, ret(__VA_ARGS__)))

HAS_TYPE(kho_is_enabled, bool, void);
HAS_TYPE(is_kho_boot, bool, void);
HAS_TYPE(kho_preserve_folio, int, struct folio *);
HAS_TYPE(kho_unpreserve_folio, void, struct folio *);
HAS_TYPE(kho_restore_folio, struct folio *, phys_addr_t);
HAS_TYPE(kho_preserve_pages, int, struct page *, unsigned long);
HAS_TYPE(kho_unpreserve_pages, void, struct page *, unsigned long);
HAS_TYPE(kho_restore_pages, struct page *, phys_addr_t, unsigned long);
HAS_TYPE(kho_preserve_vmalloc, int, void *, struct kho_vmalloc *);
HAS_TYPE(kho_unpreserve_vmalloc, void, struct kho_vmalloc *);
HAS_TYPE(kho_restore_vmalloc, void *, const struct kho_vmalloc *);
HAS_TYPE(kho_alloc_preserve, void *, size_t);
HAS_TYPE(kho_unpreserve_free, void, void *);
HAS_TYPE(kho_restore_free, void, void *);
HAS_TYPE(kho_add_subtree, int, const char *, void *, size_t);
HAS_TYPE(kho_remove_subtree, void, void *);
HAS_TYPE(kho_retrieve_subtree, int, const char *, phys_addr_t *, size_t *);
HAS_TYPE(kho_scratch_overlap, bool, phys_addr_t, size_t);
/* Only early boot may call these two. */
HAS_TYPE(kho_memory_init, void, void);
HAS_TYPE(kho_populate, void, phys_addr_t, u64, phys_addr_t, u64);

#define BLOB_NAME	"test-kho-api"
#define FOLIO_ORDER	2
#define NR_PAGES	5

/* The blob. It has no version number, since both kernels have the same client. */
struct blob {
	u64 folio;
	u64 pages;
	struct kho_vmalloc area;
};

/* The objects in this kernel, NULL if there are none. */
static struct blob *blob;
static struct folio *folio;
static struct page *pages;
static void *area;

static unsigned int kept, taken, wrong;

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX	"test_kho_api."

static bool run;
module_param(run, bool, 0);
MODULE_PARM_DESC(run, "preserve a folio, a run of pages and a vmalloc area");

static void free_run(struct page *page)
{
	for (int i = 0; i < NR_PAGES; i++)
		__free_page(page + i);
}

/* Allocates a folio, a run and an area, and fills each with another byte. */
static int alloc_all(void)
{
	folio = folio_alloc(GFP_KERNEL, FOLIO_ORDER);
	pages = alloc_pages(GFP_KERNEL, get_order(NR_PAGES * PAGE_SIZE));
	area = vmalloc(NR_PAGES * PAGE_SIZE);
	if (pages) {
		split_page(pages, get_order(NR_PAGES * PAGE_SIZE));
		for (int i = NR_PAGES; i < roundup_pow_of_two(NR_PAGES); i++)
			__free_page(pages + i);
	}
	if (!folio || !pages || !area)
		return -ENOMEM;

	memset(folio_address(folio), 'f', folio_size(folio));
	memset(page_address(pages), 'p', NR_PAGES * PAGE_SIZE);
	memset(area, 'v', NR_PAGES * PAGE_SIZE);

	return 0;
}

static void free_all(void)
{
	if (folio)
		folio_put(folio);
	if (pages)
		free_run(pages);
	vfree(area);
	folio = NULL;
	pages = NULL;
	area = NULL;
}

/* Preserves all objects. After an error nothing is preserved. */
static int preserve_all(void)
{
	int err;

	blob = kho_alloc_preserve(sizeof(*blob));
	if (IS_ERR(blob))
		return PTR_ERR(blob);

	err = kho_preserve_folio(folio);
	if (err)
		goto out_blob;
	err = kho_preserve_pages(pages, NR_PAGES);
	if (err)
		goto out_folio;
	err = kho_preserve_vmalloc(area, &blob->area);
	if (err)
		goto out_pages;

	blob->folio = PFN_PHYS(folio_pfn(folio));
	blob->pages = page_to_phys(pages);
	err = kho_add_subtree(BLOB_NAME, blob, sizeof(*blob));
	if (!err)
		return 0;

	kho_unpreserve_vmalloc(&blob->area);
out_pages:
	kho_unpreserve_pages(pages, NR_PAGES);
out_folio:
	kho_unpreserve_folio(folio);
out_blob:
	kho_unpreserve_free(blob);

	return err;
}

static void unpreserve_all(void)
{
	kho_remove_subtree(blob);
	kho_unpreserve_vmalloc(&blob->area);
	kho_unpreserve_pages(pages, NR_PAGES);
	kho_unpreserve_folio(folio);
	kho_unpreserve_free(blob);
}

static void compare(const void *mem, char byte, size_t size)
{
	taken++;
	if (!mem || memchr_inv(mem, byte, size))
		wrong++;
}

static void restore_all(const struct blob *old)
{
	folio = kho_restore_folio(old->folio);
	pages = kho_restore_pages(old->pages, NR_PAGES);
	area = kho_restore_vmalloc(&old->area);

	compare(folio ? folio_address(folio) : NULL, 'f', PAGE_SIZE << FOLIO_ORDER);
	compare(pages ? page_address(pages) : NULL, 'p', NR_PAGES * PAGE_SIZE);
	compare(area, 'v', NR_PAGES * PAGE_SIZE);
	free_all();
}

static void restore_incoming(void)
{
	phys_addr_t phys;
	size_t size;

	if (!is_kho_boot() || kho_retrieve_subtree(BLOB_NAME, &phys, &size))
		return;

	if (size == sizeof(struct blob)) {
		restore_all(phys_to_virt(phys));
		kho_restore_free(phys_to_virt(phys));
	}
	/* A blob must not be in scratch. */
	wrong += kho_scratch_overlap(phys, size);
}

static int api_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "kept=%u taken=%u wrong=%u\n", kept, taken, wrong);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(api);

/* Without KHO, calls return an error or do nothing, so clients need no #ifdef. */
static void check_stubs(void)
{
#ifndef CONFIG_KEXEC_HANDOVER
	BUILD_BUG_ON(kho_is_enabled());
	BUILD_BUG_ON(is_kho_boot());
	BUILD_BUG_ON(kho_preserve_folio(NULL) != -EOPNOTSUPP);
	BUILD_BUG_ON(kho_restore_folio(0));
	BUILD_BUG_ON(kho_preserve_pages(NULL, 1) != -EOPNOTSUPP);
	BUILD_BUG_ON(kho_restore_pages(0, 1));
	BUILD_BUG_ON(kho_preserve_vmalloc(NULL, NULL) != -EOPNOTSUPP);
	BUILD_BUG_ON(kho_restore_vmalloc(NULL));
	BUILD_BUG_ON(PTR_ERR(kho_alloc_preserve(1)) != -EOPNOTSUPP);
	BUILD_BUG_ON(kho_add_subtree(NULL, NULL, 1) != -EOPNOTSUPP);
	BUILD_BUG_ON(kho_retrieve_subtree(NULL, NULL, NULL) != -EOPNOTSUPP);
	BUILD_BUG_ON(kho_scratch_overlap(0, SIZE_MAX));
#endif
}

static int __init test_kho_api_init(void)
{
	check_stubs();
	debugfs_create_file("test_kho_api", 0400, NULL, NULL, &api_fops);

	restore_incoming();
	if (!run || !kho_is_enabled())
		return 0;

	if (!alloc_all() && !preserve_all()) {
		unpreserve_all();
		if (!preserve_all()) {
			kept = 3;
			return 0;
		}
	}
	free_all();

	return -ENOMEM;
}
late_initcall(test_kho_api_init);

MODULE_DESCRIPTION("Test client of Kexec HandOver: calls each function of the interface");
MODULE_LICENSE("GPL");
