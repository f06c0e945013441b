/* SPDX-License-Identifier: GPL-2.0-only */
/* PAGE_SIZE and what goes with it. */
#include <linux/mm.h>
