// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test client of Kexec HandOver: allocations that fail while KHO is set up.
 *
 * With test_kho_init_fault=N on the command line, the Nth allocation fails that
 * kho_init() and kho_reserve_mem_init() make. The log says so, or that they make
 * fewer allocations.
 *
 * The kernel's fault injection does not fail allocations that may sleep, until user
 * space changes that in debugfs, which is too late. So this file puts probes on the
 * functions with which the allocators ask whether to fail.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "test_kho: " fmt

#include <linux/error-injection.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/sched.h>

/* Number of the allocation to fail, and of the allocations so far. */
static unsigned int wanted;
static unsigned int seen;

/* The task that runs one of the functions in @starts, or NULL. */
static struct task_struct *starting;

static int entered(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	starting = current;
	return 0;
}

static int left(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	starting = NULL;
	return 0;
}

/* For the callers of both probed functions, a return value of 1 means to fail. */
static int allocates(struct kprobe *probe, struct pt_regs *regs)
{
	if (current != starting || ++seen != wanted)
		return 0;

	regs_set_return_value(regs, 1);
	override_function_with_return(regs);

	return 1;
}

static struct kretprobe starts[] = {
	{ .kp.symbol_name = "kho_start", .entry_handler = entered, .handler = left },
	{ .kp.symbol_name = "kho_reserve_mem_init", .entry_handler = entered, .handler = left },
};

static struct kprobe allocators[] = {
	{ .symbol_name = "should_failslab", .pre_handler = allocates },
	{ .symbol_name = "should_fail_alloc_page", .pre_handler = allocates },
};

static int __init test_kho_init_fault(char *arg)
{
	return kstrtouint(arg, 0, &wanted);
}
early_param("test_kho_init_fault", test_kho_init_fault);

/* Runs after init_kprobes(), which is an early_initcall as well. */
static int __init set_probes(void)
{
	int err = 0;

	if (!wanted)
		return 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(allocators) && !err; i++)
		err = register_kprobe(&allocators[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(starts) && !err; i++)
		err = register_kretprobe(&starts[i]);
	if (err)
		pr_err("cannot register probes (%d)\n", err);

	return err;
}
early_initcall(set_probes);

/* The kernel will free the probed functions, which are __init, after this. */
static int __init remove_probes(void)
{
	if (!wanted)
		return 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(starts); i++)
		unregister_kretprobe(&starts[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(allocators); i++)
		unregister_kprobe(&allocators[i]);

	if (seen < wanted)
		pr_info("there are %u allocations\n", seen);
	else
		pr_info("allocation %u failed, there were %u\n", wanted, seen);

	return 0;
}
late_initcall(remove_probes);
