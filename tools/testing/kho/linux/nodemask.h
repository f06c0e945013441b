/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulated machine has one NUMA node.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_NODEMASK_H
#define _LINUX_NODEMASK_H

#define for_each_online_node(nid)	for ((nid) = 0; (nid) < 1; (nid)++)

#endif /* _LINUX_NODEMASK_H */
