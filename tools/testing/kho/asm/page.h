/* SPDX-License-Identifier: GPL-2.0-only */
/* This header defines PAGE_SIZE. */
#include <linux/mm.h>
