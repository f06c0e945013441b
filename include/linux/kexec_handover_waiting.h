/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kexec HandOver (KHO): the functions that live update calls besides those of
 * kexec_handover.h.
 *
 * A client of KHO knows which memory it has preserved, and restores it. Live update reads
 * lists of memory from the previous kernel, and must be able to refuse a list as a whole:
 * so it first asks whether all memory of the list waits for an owner, and then takes it.
 * File handlers of live update preserve memory that other code has allocated, and ask
 * whether this memory can be handed over at all.
 *
 * The files of KHO call some of these functions as well. Nothing here is exported to
 * modules. The functions are documented where they are defined, in restore.c, vmalloc.c,
 * pages.c, incoming.c and ram.c of kernel/kexec_handover/. The two inline functions are small
 * combinations of kho_read_waiting() and kho_waiting_order(): live update calls them in
 * the kernel, and in the fuzzers in tools/testing/kho/, which replace these two functions.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef LINUX_KEXEC_HANDOVER_WAITING_H
#define LINUX_KEXEC_HANDOVER_WAITING_H

#include <linux/kho/abi/kexec_handover.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/types.h>

int kho_waiting_order(unsigned long pfn);
struct folio *kho_restore_if_waiting(unsigned long pfn);
unsigned int kho_restore_batch(const unsigned long *pfns, unsigned int nr, struct folio **folios);
bool kho_read_waiting(phys_addr_t phys, void *to, size_t size);
void *kho_vzalloc_preserve(unsigned long size, struct kho_vmalloc *preservation);
void kho_unpreserve_vfree(void *area, struct kho_vmalloc *preservation);
bool kho_vmalloc_is_valid(const struct kho_vmalloc *kv);
void kho_pages_on_release(void (*fn)(void));

/* For boot, when the map was checked, but there are no struct pages yet. */
bool kho_incoming_blob(const char *name, phys_addr_t *phys, size_t *size);
const unsigned long *kho_incoming_folios(void);
int kho_incoming_order(unsigned long pfn);

bool kho_ram_can_go_out(unsigned long pfn, unsigned long end);
bool kho_ram_has_bad(unsigned long pfn, unsigned long end);

/**
 * kho_restore_copy - copy memory from the begin of a waiting folio of order 0
 * @phys: physical address of the folio, can be any number
 * @size: number of bytes to copy, at most %PAGE_SIZE
 * @to: where to copy it to, @size bytes
 *
 * Context: any, never sleeps. From the core_initcalls on; without a handover no folio
 * waits.
 * Return: true if the memory was copied; false, with @to in any state, if no folio of
 * order 0 waits at @phys.
 */
static inline bool kho_restore_copy(phys_addr_t phys, size_t size, void *to)
{
	return PAGE_ALIGNED(phys) && kho_read_waiting(phys, to, size);
}

/**
 * kho_vmalloc_waits - do all pages of a vmalloc area wait?
 * @kv: its description, which kho_vmalloc_is_valid() has accepted
 *
 * kho_restore_vmalloc() frees the other pages of an area if one does not wait.
 *
 * Context: may sleep.
 * Return: true if all pages and all chunks wait; false if not.
 */
static inline bool kho_vmalloc_waits(const struct kho_vmalloc *kv)
{
	u64 chunk = kv->first.phys, phys;
	unsigned int left = kv->total_pages >> kv->order;

	for (; left; chunk = phys) {
		unsigned int nr = min_t(unsigned int, left, KHO_VMALLOC_CHUNK_LEN);

		if (!PAGE_ALIGNED(chunk))
			return false;
		for (unsigned int i = 0; i < nr; i++) {
			if (!kho_read_waiting(chunk + offsetof(struct kho_vmalloc_chunk, phys[i]),
					      &phys, sizeof(phys)) ||
			    kho_waiting_order(PHYS_PFN(phys)) < 0)
				return false;
		}
		left -= nr;
		if (!kho_read_waiting(chunk, &phys, sizeof(phys)))
			return false;
		cond_resched();
	}

	return true;
}

#endif /* LINUX_KEXEC_HANDOVER_WAITING_H */
