/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.h - the CPU's counter, which a kexec does not reset
 *
 * It is the TSC, or on arm64 the virtual counter.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef KHO_CLOCK_H
#define KHO_CLOCK_H

static inline unsigned long long read_clock(void)
{
#ifdef __aarch64__
	unsigned long long clock;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(clock) : : "memory");
	return clock;
#else
	unsigned int low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (unsigned long long)high << 32 | low;
#endif
}

#endif
