// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/kho/: what a running system needs to know of KHO.
 *
 * This file owns the directory, and the files in it that are there in any case. Unlike
 * those in debugfs, programs may rely on them: see
 * Documentation/ABI/testing/sysfs-kernel-kho. All can be read only, at any time and as
 * often as needed. Files that contain physical addresses are readable by root only.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/init.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_boot.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kobject.h>
#include <linux/libfdt.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "boot.h"
#include "checksum.h"
#include "counts.h"
#include "fdt.h"
#include "incoming.h"
#include "outgoing.h"
#include "restore.h"
#include "scratch.h"
#include "sysfs.h"

struct kobject *kho_kobj __ro_after_init;

#define KHO_ATTR(name, mode)	\
	static struct kobj_attribute name##_attr = __ATTR(name, mode, name##_show, NULL)

static ssize_t enabled_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", kho_is_enabled());
}
KHO_ATTR(enabled, 0444);

static ssize_t off_reason_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", kho_is_enabled() ? "" : kho_off_reason);
}
KHO_ATTR(off_reason, 0444);

static ssize_t format_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", KHO_FDT_COMPATIBLE);
}
KHO_ATTR(format, 0444);

static ssize_t incoming_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const char *what = "none";

	if (is_kho_boot())
		what = "accepted";
	else if (kho_refused)
		what = "refused";
	else if (kho_ignored)
		what = "ignored";

	return sysfs_emit(buf, "%s\n", what);
}
KHO_ATTR(incoming, 0444);

static ssize_t kexec_count_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", kho_incoming.kexecs);
}
KHO_ATTR(kexec_count, 0444);

static ssize_t previous_release_show(struct kobject *kobj, struct kobj_attribute *attr,
				     char *buf)
{
	return sysfs_emit(buf, "%s\n", kho_incoming.release);
}
KHO_ATTR(previous_release, 0444);

static ssize_t checksum_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", kho_checksum_wanted());
}
KHO_ATTR(checksum, 0444);

static ssize_t scratch_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct kho_scratch *array;
	unsigned int cnt;
	int len = 0;

	/* As for /proc/iomem: root of a container may own the file. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;

	array = kho_scratch_regions(&cnt);
	for (unsigned int i = 0; i < cnt; i++) {
		unsigned long pfn = PHYS_PFN(array[i].addr), nr = PHYS_PFN(array[i].size);

		len += sysfs_emit_at(buf, len, "%#llx %llu %llu\n", (u64)array[i].addr,
				     (u64)array[i].size,
				     (u64)kho_scratch_count_free(pfn, pfn + nr) << PAGE_SHIFT);
	}

	return len;
}
KHO_ATTR(scratch, 0400);

static ssize_t scratch_bytes_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct kho_scratch *array;
	unsigned int cnt;

	array = kho_scratch_regions(&cnt);

	return sysfs_emit(buf, "%llu\n", kho_scratch_sum(array, cnt));
}
KHO_ATTR(scratch_bytes, 0444);

static ssize_t scratch_needed_show(struct kobject *kobj, struct kobj_attribute *attr,
				   char *buf)
{
	return sysfs_emit(buf, "%llu\n", kho_scratch_early);
}
KHO_ATTR(scratch_needed, 0444);

/*
 * Numbers of folios
 */

static ssize_t emit_folios(char *buf, const unsigned long *folios)
{
	int len = 0;

	for (unsigned int order = 0; order <= KHO_MAX_RUN_ORDER; order++) {
		if (folios[order])
			len += sysfs_emit_at(buf, len, "%u %lu\n", order, folios[order]);
	}

	return len;
}

static void count_preserved(struct kho_counts *counts)
{
	memset(counts, 0, sizeof(*counts));
	if (kho_is_enabled())
		kho_count_outgoing(&kho_out.map, counts);
}

static ssize_t preserved_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct kho_counts counts;

	count_preserved(&counts);

	return emit_folios(buf, counts.folios);
}
KHO_ATTR(preserved, 0444);

static ssize_t preserved_bytes_show(struct kobject *kobj, struct kobj_attribute *attr,
				    char *buf)
{
	struct kho_counts counts;

	count_preserved(&counts);

	return sysfs_emit(buf, "%llu\n", kho_count_bytes(counts.folios));
}
KHO_ATTR(preserved_bytes, 0444);

static ssize_t received_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct kho_restore_stats stats;

	kho_restore_get_stats(&stats);

	return emit_folios(buf, stats.folios);
}
KHO_ATTR(received, 0444);

static ssize_t received_bytes_show(struct kobject *kobj, struct kobj_attribute *attr,
				   char *buf)
{
	struct kho_restore_stats stats;

	kho_restore_get_stats(&stats);

	return sysfs_emit(buf, "%llu\n", kho_count_bytes(stats.folios));
}
KHO_ATTR(received_bytes, 0444);

static ssize_t waiting_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct kho_restore_stats stats;

	kho_restore_get_stats(&stats);

	return emit_folios(buf, stats.unclaimed);
}
KHO_ATTR(waiting, 0444);

static ssize_t waiting_bytes_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", (u64)kho_waiting_pages() << PAGE_SHIFT);
}
KHO_ATTR(waiting_bytes, 0444);

/* The names and sizes of the blobs of the outgoing root FDT. */
static ssize_t blobs_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int node, len = 0;

	if (!kho_is_enabled())
		return 0;

	guard(mutex)(&kho_out.lock);
	fdt_for_each_subnode(node, kho_out.fdt, 0) {
		u64 size;

		if (!kho_fdt_u64(kho_out.fdt, node, KHO_FDT_PROP_SIZE, &size))
			len += sysfs_emit_at(buf, len, "%s %llu\n",
					     fdt_get_name(kho_out.fdt, node, NULL), size);
	}

	return len;
}
KHO_ATTR(blobs, 0444);

static const struct attribute *const attrs[] = {
	&enabled_attr.attr,
	&off_reason_attr.attr,
	&format_attr.attr,
	&incoming_attr.attr,
	&kexec_count_attr.attr,
	&previous_release_attr.attr,
	&checksum_attr.attr,
	&scratch_attr.attr,
	&scratch_bytes_attr.attr,
	&scratch_needed_attr.attr,
	&preserved_attr.attr,
	&preserved_bytes_attr.attr,
	&received_attr.attr,
	&received_bytes_attr.attr,
	&waiting_attr.attr,
	&waiting_bytes_attr.attr,
	&blobs_attr.attr,
	NULL
};

/* After kernel_kobj, a core_initcall; before ahead.c, log.c and live update add files. */
static int __init kho_sysfs_init(void)
{
	struct kobject *kobj = kobject_create_and_add("kho", kernel_kobj);
	int err;

	if (!kobj)
		return -ENOMEM;
	err = sysfs_create_files(kobj, attrs);
	if (err) {
		pr_warn("cannot create /sys/kernel/kho (%d)\n", err);
		kobject_put(kobj);
		return err;
	}
	kho_kobj = kobj;

	return 0;
}
postcore_initcall(kho_sysfs_init);
