/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated machine has one NUMA node.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_NODEMASK_H
#define _LINUX_NODEMASK_H

#include <linux/numa.h>

#define first_online_node	0

static inline int next_online_node(int nid)
{
	return MAX_NUMNODES;
}

#endif /* _LINUX_NODEMASK_H */
