// SPDX-License-Identifier: GPL-2.0-only
/*
 * The incoming handover: what the previous kernel preserved.
 *
 * This file defines kho_incoming and owns the functions that search it: for blobs by
 * their name, and for folios and map nodes in a range of PFNs. The only function here
 * that writes to kho_incoming is kho_incoming_forget(). In the order of boot, the other
 * writers are kho_populate(), kho_check_map(), use_map(), kho_check_discard() and
 * forget_handover() in boot.c and check.c, until kho_memory_init() returns; then
 * count_taken() and drop_map_once() in restore.c; and kho_start(). incoming.h says which
 * of them writes which field. No function here accesses a struct page.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/export.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/minmax.h>
#include <linux/printk.h>

#include "fdt.h"
#include "incoming.h"
#include "ram.h"

struct kho_incoming kho_incoming;

/**
 * is_kho_boot - was memory handed over to this kernel?
 *
 * Context: any, never sleeps. Constant from the end of kho_memory_init() on; not to be
 * called before.
 * Return: true if this kernel was started with a handover that it accepted; false
 * if there was none or it was refused.
 */
bool is_kho_boot(void)
{
	return kho_incoming.fdt;
}
EXPORT_SYMBOL_GPL(is_kho_boot);

/**
 * kho_retrieve_subtree - find a blob of the previous kernel by its name
 * @name: name of the blob
 * @phys: where to store its physical address; unchanged after an error
 * @size: where to store its size in bytes, or NULL; unchanged after an error
 *
 * The caller restores the folios of the blob before it frees or keeps them.
 *
 * Context: process context or boot, from the end of kho_memory_init() on. Before that,
 * kho_ram_is_ram() knows no RAM, and the handover can still be refused.
 * Return: 0; -ENOENT if there was no handover or it has no blob of this name;
 * -EINVAL if the node of the blob in the root FDT is malformed, or if the blob is
 * not in RAM.
 */
int kho_retrieve_subtree(const char *name, phys_addr_t *phys, size_t *size)
{
	phys_addr_t addr;
	size_t bytes;
	int err;

	if (!kho_incoming.fdt)
		return -ENOENT;

	err = kho_fdt_get(kho_incoming.fdt, name, &addr, &bytes);
	if (err)
		return err;
	if (!kho_ram_is_ram(addr, bytes)) {
		pr_warn("blob %s, %zu bytes at %pa, is not in RAM: ignored\n", name, bytes, &addr);
		return -EINVAL;
	}

	*phys = addr;
	if (size)
		*size = bytes;

	return 0;
}
EXPORT_SYMBOL_GPL(kho_retrieve_subtree);

/**
 * kho_incoming_node_from - find the first map node in a range
 * @pfn: first PFN of the range
 *
 * Context: any, from kho_check_map() until kho_restore_finish(), which is the first
 * that can drop the map.
 * Return: index in kho_incoming.nodes of the lowest node at @pfn or above;
 * kho_incoming.nr_nodes if there is none.
 */
unsigned long __init kho_incoming_node_from(unsigned long pfn)
{
	unsigned long low = 0, high = kho_incoming.nr_nodes;

	while (low < high) {
		unsigned long mid = low + (high - low) / 2;

		if (kho_incoming.nodes[mid] < pfn)
			low = mid + 1;
		else
			high = mid;
	}

	return low;
}

/**
 * kho_incoming_node_before - is a map node below the end of a range?
 * @i: index of the node in kho_incoming.nodes
 * @end: first PFN after the range
 *
 * Context: as kho_incoming_node_from().
 * Return: true if there is a node with this index and it lies below @end; false
 * otherwise.
 */
bool __init kho_incoming_node_before(unsigned long i, unsigned long end)
{
	return i < kho_incoming.nr_nodes && kho_incoming.nodes[i] < end;
}

/**
 * kho_incoming_keeps - does a range consist of folios that were handed over?
 * @phys: physical address of the range, which is in RAM
 * @size: size of the range in bytes, not 0
 *
 * Context: kho_memory_known() or kho_memory_init(), after kho_check_map() has accepted the
 * map.
 * Return: true if folios without a gap between them cover the range; false if not.
 */
bool __init kho_incoming_keeps(phys_addr_t phys, u64 size)
{
	unsigned long pfn = PHYS_PFN(phys), end = PHYS_PFN(phys + size - 1) + 1;
	struct kho_map_folio folio;

	for (; pfn < end; pfn = folio.pfn + BIT(folio.order)) {
		if (!kho_map_next(&kho_incoming.map, pfn, pfn + 1, &folio))
			return false;
	}

	return true;
}

/**
 * kho_incoming_has - is a range at the start of one folio that was handed over?
 * @phys: physical address of the range
 * @size: size of the range in bytes
 *
 * Context: kho_memory_known() or kho_memory_init(), after kho_check_map() has accepted the
 * map.
 * Return: true if a folio begins at @phys and has at least @size bytes; false if
 * not.
 */
bool __init kho_incoming_has(phys_addr_t phys, size_t size)
{
	const int order = PAGE_ALIGNED(phys) ? kho_incoming_order(PHYS_PFN(phys)) : -1;

	return order >= 0 && size <= PAGE_SIZE << order;
}

/**
 * kho_incoming_blob - look up a blob before kho_retrieve_subtree() can
 * @name: its name
 * @phys: set to its physical address
 * @size: set to its size in bytes
 *
 * The address and the size are those of the previous kernel. The caller has to check that
 * they are memory that was handed over.
 *
 * Context: boot, from kho_memory_known() on; never sleeps
 * Return: true if there is such a blob; false if not, or if there is no handover.
 */
bool __init kho_incoming_blob(const char *name, phys_addr_t *phys, size_t *size)
{
	return kho_incoming.fdt && !kho_fdt_get(kho_incoming.fdt, name, phys, size);
}

/**
 * kho_incoming_folios - how many folios were handed over?
 *
 * Context: any, from kho_memory_known() on; never sleeps
 * Return: an array with their number by order, up to %KHO_MAX_RUN_ORDER.
 */
const unsigned long * __init kho_incoming_folios(void)
{
	return kho_incoming.folios;
}

/**
 * kho_incoming_order - get the order of a folio before kho_waiting_order() can
 * @pfn: first PFN of the folio
 *
 * Context: boot, from kho_memory_known() until kho_restore_finish(), which is the first
 * that can drop the map; never sleeps
 * Return: its order; -1 if no folio that was handed over begins at @pfn.
 */
int __init kho_incoming_order(unsigned long pfn)
{
	return kho_map_order_at(&kho_incoming.map, pfn);
}

/**
 * kho_incoming_next - find a folio or a map node in a range
 * @pfn: first PFN of the range
 * @end: first PFN after it
 *
 * Context: boot, from kho_memory_known(), after the handover was accepted or refused, until
 * kho_restore_finish(); never sleeps.
 * Return: the lowest PFN of a folio or a node of the map that has a page in the
 * range, which may be below @pfn; %KHO_MAP_NONE if there is none.
 */
unsigned long __init kho_incoming_next(unsigned long pfn, unsigned long end)
{
	unsigned long i = kho_incoming_node_from(pfn), next = KHO_MAP_NONE;
	struct kho_map_folio folio;

	if (kho_incoming_node_before(i, end))
		next = kho_incoming.nodes[i];
	if (kho_map_next(&kho_incoming.map, pfn, end, &folio))
		next = min(next, folio.pfn);

	return next;
}

/* Finds the folio that begins at @pfn. Returns true if it exists and ends by @end. */
static bool __init folio_within(unsigned long pfn, unsigned long end,
				struct kho_map_folio *folio)
{
	return kho_map_find(&kho_incoming.map, pfn, folio) && BIT(folio->order) <= end - pfn;
}

/**
 * kho_incoming_forget - remove all folios of a range from the incoming map
 * @pfn: first PFN of the range
 * @end: first PFN after it
 *
 * The range is memblock's afterwards, like memory in which nothing was handed over.
 * The folios count as restored, although no struct page was accessed.
 *
 * Context: kho_memory_init(), after kho_check_map() has accepted the map and
 * before kho_init_start().
 * Return: true if they were removed; false, with nothing changed, if the range does
 * not consist of whole folios.
 */
bool __init kho_incoming_forget(unsigned long pfn, unsigned long end)
{
	struct kho_map_folio folio;
	unsigned long p;

	for (p = pfn; p < end; p += BIT(folio.order)) {
		if (!folio_within(p, end, &folio))
			return false;
	}
	for (p = pfn; p < end && folio_within(p, end, &folio); p += BIT(folio.order)) {
		kho_map_del(&kho_incoming.map, p, folio.order);
		atomic_long_dec(&kho_incoming.unclaimed[folio.order]);
		atomic_long_dec(&kho_incoming.nr_unclaimed);
	}

	return true;
}
