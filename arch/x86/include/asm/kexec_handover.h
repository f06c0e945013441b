/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kexec HandOver on x86: adding the setup_data entries of a handover to a kexec image,
 * reading them at boot, and the frequency of the local APIC timer.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _ASM_X86_KEXEC_HANDOVER_H
#define _ASM_X86_KEXEC_HANDOVER_H

#include <linux/types.h>

struct boot_params;
struct kexec_buf;
struct kimage;
struct setup_header;

#ifdef CONFIG_KEXEC_HANDOVER

void x86_kho_setup_data(u64 pa_data, u32 len);
void x86_kho_populate(void);
void x86_kho_realmode_reserved(void);
void x86_kho_lapic_timer(unsigned int period);

unsigned int x86_kho_setup_data_size(void);
unsigned int x86_kho_add_setup_data(const struct kimage *image,
				    struct boot_params *params,
				    unsigned long params_load_addr,
				    unsigned int offset);

int x86_kho_unpack(struct kexec_buf *kbuf, const struct setup_header *header,
		   const char *cmdline, unsigned long later, unsigned long *entry, u8 *loadflags);

#else /* CONFIG_KEXEC_HANDOVER */

static inline void x86_kho_setup_data(u64 pa_data, u32 len) { }
static inline void x86_kho_populate(void) { }
static inline void x86_kho_realmode_reserved(void) { }
static inline void x86_kho_lapic_timer(unsigned int period) { }

static inline unsigned int x86_kho_setup_data_size(void)
{
	return 0;
}

static inline unsigned int
x86_kho_add_setup_data(const struct kimage *image, struct boot_params *params,
		       unsigned long params_load_addr, unsigned int offset)
{
	return 0;
}

static inline int x86_kho_unpack(struct kexec_buf *kbuf, const struct setup_header *header,
				 const char *cmdline, unsigned long later,
				 unsigned long *entry, u8 *loadflags)
{
	return 0;
}

#endif /* CONFIG_KEXEC_HANDOVER */

#endif /* _ASM_X86_KEXEC_HANDOVER_H */
