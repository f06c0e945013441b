/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KHO's files in sysfs, see sysfs.c.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _KHO_SYSFS_H
#define _KHO_SYSFS_H

struct kobject;

/*
 * /sys/kernel/kho/, NULL if it could not be made. A postcore_initcall sets it; constant
 * from then on. Other files of KHO and live update add what they own.
 */
extern struct kobject *kho_kobj;

#endif /* _KHO_SYSFS_H */
