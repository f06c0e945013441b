/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kexec HandOver (KHO): what live update calls beside the functions of kexec_handover.h.
 *
 * A client of KHO knows what it has preserved, and restores it. Live update reads lists of
 * memory from the previous kernel, and must be able to refuse one as a whole: so it asks
 * first whether all that the list names waits for an owner, and takes it then. Its file
 * handlers preserve memory that others have allocated, and ask whether it can be handed
 * over at all.
 *
 * Nothing here is exported to modules. The functions are documented where they are defined,
 * in restore.c, vmalloc.c, pages.c and ram.c of kernel/kexec_handover/. Those that are
 * inline are so because the fuzzer of memfds compiles them with what it has of the kernel.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef LINUX_KEXEC_HANDOVER_WAITING_H
#define LINUX_KEXEC_HANDOVER_WAITING_H

#include <linux/io.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/types.h>

struct folio;

int kho_waiting_order(unsigned long pfn);
struct folio *kho_restore_if_waiting(unsigned long pfn);
unsigned int kho_restore_batch(const unsigned long *pfns, unsigned int nr, struct folio **folios);
bool kho_restore_copy(phys_addr_t phys, size_t size, void *to);
bool kho_vmalloc_is_valid(const struct kho_vmalloc *kv);
void kho_pages_on_release(void (*fn)(void));

bool kho_ram_can_go_out(unsigned long pfn, unsigned long end);
bool kho_ram_has_bad(unsigned long pfn, unsigned long end);

/*
 * Reads memory that waits. It does not change while it does, so what was read is right if
 * the memory waits before and after.
 */
static inline bool kho_read_waiting(u64 phys, void *to, size_t size)
{
	if (kho_waiting_order(PHYS_PFN(phys)))
		return false;
	memcpy(to, phys_to_virt(phys), size);
	/* Pairs with cmpxchg() in claim(): an owner claims the page before it writes to it. */
	smp_rmb();

	return !kho_waiting_order(PHYS_PFN(phys));
}

/*
 * Do all pages of the area wait? kho_restore_vmalloc() frees the other pages if one does
 * not. The caller has checked @kv with kho_vmalloc_is_valid().
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
