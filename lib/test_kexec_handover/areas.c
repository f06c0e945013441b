// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: runs of pages and vmalloc areas.
 *
 * This file owns /sys/kernel/debug/test_kho_areas/:
 *
 *   create     write "pages NR OFFSET": a run that begins OFFSET pages after
 *              the start of a block of the page allocator; "pages NR border": a
 *              run with its middle at the border of two nodes; "vmalloc BYTES" or
 *              "vmalloc BYTES huge"
 *   drop       write anything: unpreserve and free all areas
 *   errors     read: one line for each call that must fail, with its return value
 *   poke       write anything: report a write of a byte after the end of the last
 *              vmalloc area to KASAN, which must find it invalid
 *   stats      read: one line for each area, and the number of errors
 *
 * Each page is full of a number that depends on the area and on the index of the
 * page. The next kernel tries invalid restores, restores all areas, checks their
 * content and struct pages, and preserves them again. With test_kho_early on the
 * command line it restores them before deferred struct page initialisation, and
 * checks them once more after it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kasan-checks.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/memblock.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "check.h"

#define BLOB_NAME	"test-kho-areas"
#define PAGE_WORDS	(PAGE_SIZE / sizeof(u64))

enum area_kind {
	AREA_PAGES = 1,
	AREA_VMALLOC,
};

/**
 * struct area_desc - description of an area for the next kernel
 * @kind: an &enum area_kind
 * @guarded: the page after a run is not preserved
 * @seed: makes the content differ from that of other areas
 * @nr_pages: number of pages
 * @phys: address of the first page of a run
 * @vmalloc: description of a vmalloc area
 */
struct area_desc {
	u16 kind;
	u16 guarded;
	u32 seed;
	u64 nr_pages;
	u64 phys;
	struct kho_vmalloc vmalloc;
};

#define MAX_AREAS	((PAGE_SIZE - sizeof(u64)) / sizeof(struct area_desc))

struct blob {
	u64 nr;
	struct area_desc desc[MAX_AREAS];
};

static_assert(sizeof(struct blob) <= PAGE_SIZE);

/**
 * struct area - a run of pages or a vmalloc area
 * @desc: description for the next kernel
 * @addr: address of a vmalloc area
 * @guard: the page after a new run, which is allocated but not preserved, so that no
 *	other run begins there
 * @preserve_ns: how long it took to preserve the area
 * @restore_ns: how long it took to restore the area, 0 if it is new
 */
struct area {
	struct area_desc desc;
	void *addr;
	struct page *guard;
	u64 preserve_ns;
	u64 restore_ns;
};

/* Guards the variables below, from the late_initcall on. */
static DEFINE_MUTEX(lock);
static struct area areas[MAX_AREAS];
static unsigned int nr_areas;
static struct blob *blob;
static struct folio_checks checks;

/* Number of all invalid restores, and of those that succeeded. */
static unsigned int denied, granted;

/* Updates the descriptions of the areas for the next kernel. */
static void write_blob(void)
{
	blob->nr = nr_areas;
	for (unsigned int i = 0; i < nr_areas; i++)
		blob->desc[i] = areas[i].desc;
}

static struct page *nth_of(const struct area *area, unsigned long i)
{
	if (area->desc.kind == AREA_VMALLOC)
		return vmalloc_to_page(area->addr + i * PAGE_SIZE);

	return pfn_to_page(PHYS_PFN(area->desc.phys) + i);
}

static void *nth_address(const struct area *area, unsigned long i)
{
	if (area->desc.kind == AREA_VMALLOC)
		return area->addr + i * PAGE_SIZE;

	return page_address(nth_of(area, i));
}

static u64 nth_content(const struct area *area, unsigned long i)
{
	return (((u64)area->desc.seed << 32) + i + 1) * 0x9e3779b97f4a7c15ULL;
}

/* Fills whole pages, even if the size of a vmalloc area is no multiple of a page. */
static void fill(const struct area *area)
{
	for (unsigned long i = 0; i < area->desc.nr_pages; i++) {
		memset64(page_address(nth_of(area, i)), nth_content(area, i), PAGE_WORDS);
		cond_resched();
	}
}

static void found_wrong(const struct area *area, const char *what, unsigned long i)
{
	checks.bad++;
	pr_err_ratelimited("area %u, page %lu of %llu: wrong %s\n", area->desc.seed,
			   i, area->desc.nr_pages, what);
}

static void check_page(const struct area *area, unsigned long i)
{
	const u64 *words = nth_address(area, i);
	struct page *page = nth_of(area, i);
	u64 content = nth_content(area, i);
	unsigned long word = 0;

	while (word < PAGE_WORDS && words[word] == content)
		word++;
	if (word < PAGE_WORDS)
		found_wrong(area, "content", i);

	if (PageCompound(page))
		found_wrong(area, "kind of page", i);
	else
		check_folio_like_new(page_folio(page), &checks);
}

static bool huge_mapped(unsigned long addr)
{
	return pmd_leaf(*pmd_off_k(addr));
}

/* The vm_struct must be as vmalloc() made it in the previous kernel. */
static void check_vm_struct(const struct area *area)
{
	const struct kho_vmalloc *kv = &area->desc.vmalloc;
	struct vm_struct *vm = find_vm_area(area->addr);
	unsigned long flags = VM_ALLOC;

	if (kv->flags & KHO_VMALLOC_HUGE_VMAP)
		flags |= VM_ALLOW_HUGE_VMAP;
	if (!vm || vm->addr != area->addr)
		return found_wrong(area, "address", 0);
	if (vm->flags != flags)
		found_wrong(area, "flags", 0);
	if (vm->nr_pages != area->desc.nr_pages || get_vm_area_size(vm) !=
	    area->desc.nr_pages << PAGE_SHIFT)
		found_wrong(area, "size", 0);
#ifdef CONFIG_HAVE_ARCH_HUGE_VMALLOC
	if (vm->page_order != kv->order)
		found_wrong(area, "page order", 0);
	for (unsigned long i = 0; i < vm->nr_pages; i += BIT(kv->order)) {
		if (PAGE_SHIFT + kv->order == PMD_SHIFT &&
		    !huge_mapped((unsigned long)area->addr + i * PAGE_SIZE))
			found_wrong(area, "mapping", i);
	}
#endif
}

static void check_area(const struct area *area)
{
	for (unsigned long i = 0; i < area->desc.nr_pages; i++) {
		check_page(area, i);
		cond_resched();
	}
	if (area->desc.kind == AREA_VMALLOC)
		check_vm_struct(area);
}

static int preserve(struct area *area)
{
	u64 start = ktime_get_ns();
	int err;

	if (area->desc.kind == AREA_VMALLOC) {
		err = kho_preserve_vmalloc(area->addr, &area->desc.vmalloc);
		area->desc.nr_pages = area->desc.vmalloc.total_pages;
	} else {
		err = kho_preserve_pages(nth_of(area, 0), area->desc.nr_pages);
	}
	area->preserve_ns = ktime_get_ns() - start;

	return err;
}

static void unpreserve(struct area *area)
{
	if (area->desc.kind == AREA_VMALLOC)
		kho_unpreserve_vmalloc(&area->desc.vmalloc);
	else
		kho_unpreserve_pages(nth_of(area, 0), area->desc.nr_pages);
}

/* Frees every second page, and then the others in descending order. */
static void free_pages_of(struct page *page, unsigned long nr)
{
	const unsigned long pfn = page_to_pfn(page);

	for (unsigned long i = 1; i < nr; i += 2)
		__free_page(pfn_to_page(pfn + i));
	for (unsigned long i = round_up(nr, 2); i; i -= 2)
		__free_page(pfn_to_page(pfn + i - 2));
}

static void free_area(struct area *area)
{
	if (area->desc.kind == AREA_VMALLOC)
		vfree(area->addr);
	else
		free_pages_of(nth_of(area, 0), area->desc.nr_pages);
	if (area->guard)
		__free_page(area->guard);
	*area = (struct area){};
}

/*
 * New areas
 */

/* Returns false if the first page of any page block shows that it cannot be free. */
static bool looks_free(unsigned long pfn, unsigned long end)
{
	struct zone *zone;

	if (!pfn_to_online_page(pfn) || !pfn_to_online_page(end - 1))
		return false;

	zone = page_zone(pfn_to_page(pfn));
	if (page_zone(pfn_to_page(end - 1)) != zone)
		return false;
	for (pfn = pageblock_start_pfn(pfn); pfn < end; pfn += pageblock_nr_pages) {
		if (!pfn_to_online_page(pfn) || page_zone(pfn_to_page(pfn)) != zone ||
		    PageReserved(pfn_to_page(pfn)) ||
		    kho_scratch_overlap(PFN_PHYS(pfn), PAGE_SIZE))
			return false;
	}

	return true;
}

static bool alloc_run(unsigned long pfn, unsigned long nr)
{
	return looks_free(pfn, pfn + nr) &&
	       !alloc_contig_range(pfn, pfn + nr, MIGRATE_MOVABLE, GFP_KERNEL);
}

/* Offsets count from multiples of this order, with pages of any size. */
#define STEP_ORDER	10

/* Allocates a block of up to MAX_PAGE_ORDER, and frees the pages around the run. */
static bool alloc_out_of_block(struct area *area, unsigned long offset)
{
	const unsigned long end = offset + area->desc.nr_pages + 1;
	const unsigned int order = max(STEP_ORDER, order_base_2(end));
	struct page *block;

	if (order > MAX_PAGE_ORDER)
		return false;
	block = alloc_pages(GFP_KERNEL | __GFP_NOWARN, order);
	if (!block)
		return false;

	split_page(block, order);
	for (unsigned long i = 0; i < BIT(order); i++) {
		if (i < offset || i >= end)
			__free_page(block + i);
	}
	area->desc.phys = page_to_phys(block + offset);
	area->guard = block + end - 1;

	return true;
}

/* Allocates a run of single pages, and one more page as a guard. */
static int alloc_pages_at(struct area *area, unsigned long offset)
{
	const unsigned long nr = area->desc.nr_pages;

	if (alloc_out_of_block(area, offset))
		return 0;

	for (unsigned long pfn = offset; pfn < max_pfn; pfn += BIT(STEP_ORDER)) {
		if (!alloc_run(pfn, nr + 1))
			continue;
		area->desc.phys = PFN_PHYS(pfn);
		area->guard = pfn_to_page(pfn + nr);
		return 0;
	}

	return -ENOMEM;
}

/* Repeats alloc_contig_range(), which may fail to migrate a page for a while. */
static bool alloc_this_run(unsigned long pfn, unsigned long nr)
{
	for (int try = 0; try < 50; try++) {
		if (alloc_run(pfn, nr))
			return true;
		msleep(20);
	}

	return false;
}

static int alloc_pages_at_border(struct area *area)
{
	const unsigned long half = area->desc.nr_pages / 2;
	int nid;

	for_each_online_node(nid) {
		unsigned long border = node_start_pfn(nid);

		if (border < half || !pfn_to_online_page(border - 1) ||
		    pfn_to_nid(border - 1) == nid)
			continue;
		if (!alloc_this_run(border - half, half))
			return -EBUSY;
		if (!alloc_this_run(border, area->desc.nr_pages - half)) {
			free_contig_range(border - half, half);
			return -EBUSY;
		}
		area->desc.phys = PFN_PHYS(border - half);
		return 0;
	}

	return -ENXIO;
}

static int alloc_area(struct area *area, const char *kind, unsigned long n,
		      const char *how)
{
	unsigned long offset;

	if (!n)
		return -EINVAL;
	if (!strcmp(kind, "vmalloc")) {
		area->desc.kind = AREA_VMALLOC;
		area->desc.nr_pages = PFN_UP(n);
		area->addr = strcmp(how, "huge") ? vmalloc(n) : vmalloc_huge(n, GFP_KERNEL);
		return area->addr ? 0 : -ENOMEM;
	}
	if (strcmp(kind, "pages"))
		return -EINVAL;

	area->desc.kind = AREA_PAGES;
	area->desc.nr_pages = n;
	if (!strcmp(how, "border"))
		return alloc_pages_at_border(area);
	if (kstrtoul(how, 0, &offset))
		return -EINVAL;

	return alloc_pages_at(area, offset);
}

static int create_area(const char *kind, unsigned long n, const char *how)
{
	struct area *area = &areas[nr_areas];
	int err;

	if (nr_areas == MAX_AREAS)
		return -ENOSPC;

	*area = (struct area){ .desc.seed = ktime_get_ns() / 64 };
	err = alloc_area(area, kind, n, how);
	if (err)
		return err;

	err = preserve(area);
	if (err) {
		free_area(area);
		return err;
	}

	area->desc.guarded = !!area->guard;
	fill(area);
	nr_areas++;
	write_blob();

	return 0;
}

static ssize_t create_write(struct file *file, const char __user *buf, size_t count,
			    loff_t *ppos)
{
	char line[64], kind[16], how[16] = "";
	unsigned long n;
	ssize_t len;
	int err;

	len = simple_write_to_buffer(line, sizeof(line) - 1, ppos, buf, count);
	if (len < 0)
		return len;
	line[len] = '\0';
	if (sscanf(line, "%15s %lu %15s", kind, &n, how) < 2)
		return -EINVAL;

	guard(mutex)(&lock);
	err = blob ? create_area(kind, n, how) : -EOPNOTSUPP;

	return err ?: count;
}

static const struct file_operations create_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = create_write,
};

static ssize_t drop_write(struct file *file, const char __user *buf, size_t count,
			  loff_t *ppos)
{
	guard(mutex)(&lock);
	while (nr_areas) {
		struct area *area = &areas[--nr_areas];

		write_blob();
		unpreserve(area);
		free_area(area);
	}
	/* MemFree, which scenarios check, does not include the pages on the lists of CPUs. */
	drain_all_pages(NULL);

	return count;
}

static ssize_t poke_write(struct file *file, const char __user *buf, size_t count,
			  loff_t *ppos)
{
	guard(mutex)(&lock);
	for (unsigned int i = nr_areas; i--;) {
		const struct area *area = &areas[i];

		/* There is no page, but kasan_check_write() only looks at the shadow memory. */
		if (area->desc.kind == AREA_VMALLOC) {
			kasan_check_write(area->addr + area->desc.nr_pages * PAGE_SIZE, 1);
			return count;
		}
	}

	return -ENOENT;
}

static const struct file_operations poke_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = poke_write,
};

static const struct file_operations drop_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = drop_write,
};

/*
 * Calls that must fail
 */

static struct page *scratch_page(void)
{
	for (unsigned long pfn = 0; pfn < max_pfn; pfn += pageblock_nr_pages) {
		if (kho_scratch_overlap(PFN_PHYS(pfn), PAGE_SIZE))
			return pfn_to_page(pfn);
	}

	return NULL;
}

static void show_page_errors(struct seq_file *m, struct page *page, struct page *scratch)
{
	const unsigned long pfn = page_to_pfn(page);

	seq_printf(m, "pages-none %d\n", kho_preserve_pages(page, 0));
	seq_printf(m, "pages-all %d\n", kho_preserve_pages(page, ULONG_MAX));
	seq_printf(m, "pages-wrap %d\n", kho_preserve_pages(page, ULONG_MAX - pfn + 2));
	seq_printf(m, "pages-beyond %d\n",
		   kho_preserve_pages(page, PHYS_PFN(PHYS_ADDR_MAX) - pfn));
	seq_printf(m, "pages-scratch %d\n", kho_preserve_pages(scratch, 1));
	seq_printf(m, "pages-into-scratch %d\n", kho_preserve_pages(scratch - 1, 2));
}

static void show_pages_errors(struct seq_file *m)
{
	struct page *scratch = scratch_page();
	struct page *page = alloc_page(GFP_KERNEL);

	if (page && scratch)
		show_page_errors(m, page, scratch);
	if (page)
		__free_page(page);
}

static int try_vmalloc(void *ptr)
{
	struct kho_vmalloc kv = {};
	int err = kho_preserve_vmalloc(ptr, &kv);

	if (!err)
		kho_unpreserve_vmalloc(&kv);
	else if (kv.first.phys || kv.total_pages)
		err = 1;

	return err;
}

/*
 * The last page of this area cannot be preserved, so kho_preserve_vmalloc() must
 * unpreserve the others and free the chunks. After this many calls, MemFree would show
 * a leak.
 */
static int try_undo(void)
{
	void *addr = vmalloc(PAGE_SIZE * (KHO_VMALLOC_CHUNK_LEN + 2));
	struct vm_struct *vm = addr ? find_vm_area(addr) : NULL;
	struct page *last;
	int err = -ENOMEM;

	if (!vm)
		return err;

	last = vm->pages[vm->nr_pages - 1];
	vm->pages[vm->nr_pages - 1] = scratch_page();
	for (int i = 0; i < 512; i++)
		err = try_vmalloc(addr);
	vm->pages[vm->nr_pages - 1] = last;
	vfree(addr);

	return err;
}

static void show_vmalloc_errors(struct seq_file *m)
{
	struct page *page = alloc_page(GFP_KERNEL);
	void *kmem = kmalloc(PAGE_SIZE, GFP_KERNEL);
	void *user = vmalloc_user(PAGE_SIZE);
	void *area = vmalloc(2 * PAGE_SIZE);
	void *map = page ? vmap(&page, 1, VM_MAP, PAGE_KERNEL) : NULL;

	if (kmem && user && area && map) {
		seq_printf(m, "vmalloc-null %d\n", try_vmalloc(NULL));
		seq_printf(m, "vmalloc-kmalloc %d\n", try_vmalloc(kmem));
		seq_printf(m, "vmalloc-inside %d\n", try_vmalloc(area + PAGE_SIZE));
		seq_printf(m, "vmalloc-user %d\n", try_vmalloc(user));
		seq_printf(m, "vmalloc-vmap %d\n", try_vmalloc(map));
		vfree(area);
		seq_printf(m, "vmalloc-freed %d\n", try_vmalloc(area));
		area = NULL;
	}
	seq_printf(m, "vmalloc-scratch %d\n", try_undo());

	vunmap(map);
	vfree(area);
	vfree(user);
	kfree(kmem);
	if (page)
		__free_page(page);
}

static int errors_show(struct seq_file *m, void *unused)
{
	guard(mutex)(&lock);
	show_pages_errors(m);
	show_vmalloc_errors(m);
	drain_all_pages(NULL);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(errors);

/* Counts an invalid restore. It must fail, and valid restores must work after it. */
static void deny(const void *got)
{
	denied++;
	if (got)
		granted++;
}

static void deny_pages(const struct area_desc *desc)
{
	const unsigned long pfn = PHYS_PFN(desc->phys), nr = desc->nr_pages;

	deny(kho_restore_pages(desc->phys, 0));
	deny(kho_restore_pages(desc->phys, ULONG_MAX));
	deny(kho_restore_pages(desc->phys + 8, nr));
	if (desc->guarded)
		deny(kho_restore_pages(desc->phys, nr + 1));
	/* These runs end or begin in the middle of a block. */
	if (nr > 1 && (pfn + nr) % 2 == 0)
		deny(kho_restore_pages(desc->phys, nr - 1));
	if (nr > 1 && pfn % 2 == 0)
		deny(kho_restore_pages(desc->phys + PAGE_SIZE, nr - 1));
}

static void deny_vmalloc(const struct area_desc *desc)
{
	struct kho_vmalloc kv = desc->vmalloc;

	kv.total_pages = 0;
	deny(kho_restore_vmalloc(&kv));
	kv.total_pages = UINT_MAX;
	deny(kho_restore_vmalloc(&kv));

	kv = desc->vmalloc;
	kv.flags |= BIT(9);
	deny(kho_restore_vmalloc(&kv));
	kv.flags = KHO_VMALLOC_HUGE_VMAP;
	deny(kho_restore_vmalloc(&kv));

	kv = desc->vmalloc;
	kv.order = MAX_PAGE_ORDER + 1;
	deny(kho_restore_vmalloc(&kv));
	kv.order = desc->vmalloc.order;
	kv.first.phys = 0;
	deny(kho_restore_vmalloc(&kv));
}

/*
 * Restoring areas
 */

static bool restore_pages(struct area *area)
{
	struct page *page;
	u64 start;

	deny_pages(&area->desc);
	start = ktime_get_ns();
	page = kho_restore_pages(area->desc.phys, area->desc.nr_pages);
	area->restore_ns = ktime_get_ns() - start;
	deny(kho_restore_pages(area->desc.phys, area->desc.nr_pages));

	return page;
}

static bool restore_vmalloc(struct area *area)
{
	u64 start;

	deny_vmalloc(&area->desc);
	start = ktime_get_ns();
	area->addr = kho_restore_vmalloc(&area->desc.vmalloc);
	area->restore_ns = ktime_get_ns() - start;
	deny(kho_restore_vmalloc(&area->desc.vmalloc));

	return area->addr;
}

static void __init restore_area(const struct area_desc *desc)
{
	struct area *area = &areas[nr_areas];
	bool ok;

	*area = (struct area){ .desc = *desc };
	ok = desc->kind == AREA_VMALLOC ? restore_vmalloc(area) : restore_pages(area);
	if (!ok) {
		found_wrong(area, "result of restoring it", 0);
		return;
	}
	nr_areas++;
	check_area(area);
}

static void __init restore_areas(void)
{
	struct blob *old;
	phys_addr_t phys;
	size_t size;

	if (kho_retrieve_subtree(BLOB_NAME, &phys, &size) || size != sizeof(*old))
		return;

	old = phys_to_virt(phys);
	for (u64 i = 0; i < min_t(u64, old->nr, MAX_AREAS); i++)
		restore_area(&old->desc[i]);
	kho_restore_free(old);
	pr_info("%u areas restored, %lu bad\n", nr_areas, checks.bad);
}

static bool early __initdata;

static int __init test_kho_areas_early(char *arg)
{
	early = true;
	return 0;
}
early_param("test_kho_early", test_kho_areas_early);

static int __init restore_areas_early(void)
{
	if (early)
		restore_areas();

	return 0;
}
early_initcall(restore_areas_early);

static int stats_show(struct seq_file *m, void *unused)
{
	guard(mutex)(&lock);
	for (unsigned int i = 0; i < nr_areas; i++) {
		const struct area *area = &areas[i];

		seq_printf(m, "%s pages=%llu order=%u first=%#lx preserve_ns=%llu restore_ns=%llu\n",
			   area->desc.kind == AREA_VMALLOC ? "vmalloc" : "pages",
			   area->desc.nr_pages, area->desc.vmalloc.order,
			   page_to_pfn(nth_of(area, 0)), area->preserve_ns,
			   area->restore_ns);
	}
	seq_printf(m, "areas=%u checked=%lu bad=%lu denied=%u granted=%u\n",
		   nr_areas, checks.checked, checks.bad, denied, granted);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* Preserves the restored areas again. */
static void __init preserve_areas(void)
{
	for (unsigned int i = 0; i < nr_areas; i++) {
		if (early)
			check_area(&areas[i]);
		areas[i].desc.guarded = false;
		if (preserve(&areas[i]))
			found_wrong(&areas[i], "result of preserving it again", 0);
	}
	write_blob();
}

static int __init test_kho_areas_init(void)
{
	struct dentry *dir = debugfs_create_dir("test_kho_areas", NULL);

	debugfs_create_file("create", 0200, dir, NULL, &create_fops);
	debugfs_create_file("drop", 0200, dir, NULL, &drop_fops);
	debugfs_create_file("poke", 0200, dir, NULL, &poke_fops);
	debugfs_create_file("errors", 0400, dir, NULL, &errors_fops);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);

	if (!kho_is_enabled())
		return 0;

	guard(mutex)(&lock);
	blob = kho_alloc_preserve(sizeof(*blob));
	if (IS_ERR(blob)) {
		blob = NULL;
		return -ENOMEM;
	}
	if (!early)
		restore_areas();
	preserve_areas();

	return kho_add_subtree(BLOB_NAME, blob, sizeof(*blob));
}
late_initcall(test_kho_areas_init);
