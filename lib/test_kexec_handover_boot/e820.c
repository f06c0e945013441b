// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adds holes to the memory map, which then has as many entries as that of a machine
 * with fragmented firmware.
 *
 * With test_kho_holes=NUMBER on the command line, every second page from 128 MiB on is
 * reserved, until there are NUMBER holes. Each hole is an entry of the memory map, and
 * the page of RAM before it is another one. The kernel cannot tell these holes from those
 * of the firmware, so it tells the next kernel about them as well.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/test_kexec_handover.h>

#include <asm/cmdline.h>
#include <asm/e820/api.h>
#include <asm/setup.h>

/* Looks up the parameter itself: early parameters are parsed much later than this. */
void __init test_kho_e820(void)
{
	char value[8];
	unsigned int nr;

	if (cmdline_find_option(boot_command_line, "test_kho_holes", value, sizeof(value)) <= 0 ||
	    kstrtouint(value, 0, &nr))
		return;

	for (unsigned int i = 0; i < nr; i++)
		e820__range_update(SZ_128M + (2 * i + 1) * PAGE_SIZE, PAGE_SIZE,
				   E820_TYPE_RAM, E820_TYPE_RESERVED);
	e820__update_table(e820_table);
}
