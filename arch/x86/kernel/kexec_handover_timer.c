// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frequency of the local APIC timer, which each kernel tells the next one.
 *
 * On CPUs without a TSC deadline timer the kernel measures at boot how fast the timer
 * counts. That takes 100 ms, in which nothing else runs. The clock behind the timer is the
 * same after a kexec, so this file hands over what was measured. It owns the property of
 * the root FDT.
 *
 * Format: see include/linux/kho/abi/kexec_handover.h.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/libfdt.h>
#include <linux/math64.h>
#include <linux/param.h>
#include <linux/printk.h>
#include <linux/types.h>

#include <asm/apic.h>
#include <asm/kexec_handover.h>

#include "../../../kernel/kexec_handover/fdt.h"

/* In Hz. The kernel uses no slower timer, and there is no faster one. */
#define LAPIC_SLOWEST	1000000ULL
#define LAPIC_FASTEST	10000000000ULL

/* The frequency of the timer that this kernel uses, in Hz, 0 if it is not known. */
static u64 lapic_hz __initdata;

/**
 * x86_kho_lapic_timer - note the frequency of the local APIC timer for the next kernel
 * @period: cycles of the timer in a jiffy, measured, told by the CPU or the hypervisor, or
 *	handed over; 0 if the kernel does not need to know
 *
 * Context: boot, before core_initcalls, unless the kernel has found the timer unusable.
 */
void __init x86_kho_lapic_timer(unsigned int period)
{
	lapic_hz = (u64)period * HZ;
}

int __init arch_kho_describe(void *fdt)
{
	if (!lapic_hz)
		return 0;

	return fdt_setprop(fdt, 0, KHO_FDT_PROP_LAPIC_HZ, &lapic_hz, sizeof(lapic_hz)) ?
	       -EINVAL : 0;
}

void __init arch_kho_accept(const void *fdt)
{
	u64 hz = 0;

	/* Some CPUs and hypervisors tell the frequency. */
	if (lapic_timer_period || !fdt_getprop(fdt, 0, KHO_FDT_PROP_LAPIC_HZ, NULL))
		return;

	/* A value of another size is as invalid as 0. */
	kho_fdt_u64(fdt, 0, KHO_FDT_PROP_LAPIC_HZ, &hz);
	if (hz < LAPIC_SLOWEST || hz > LAPIC_FASTEST) {
		pr_warn("the previous kernel says that the local APIC timer has %llu Hz: ignored\n",
			hz);
		return;
	}
	lapic_timer_period = div_u64(hz, HZ);
}
