/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log that one kernel leaves for the next.
 *
 * This file owns the format of the blob with the name KHO_LOG_NAME. It is not part of
 * kho-v4: kernels that do not know it leave it alone. All integers are in the byte order
 * of the machine. The old kernel writes the blob right before the kexec; the new kernel
 * reads it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KHO_ABI_LOG_H
#define _LINUX_KHO_ABI_LOG_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * DOC: handover of the log
 *
 * The blob ``kho-6.12,log`` is one preserved folio. It begins with a &struct kho_log.
 * Records follow one another, each with the log of one kernel: first that of the kernel
 * that wrote the blob, then those of the kernels before it, the latest of them first.
 * Each record is a &struct kho_log_record, its text, and zeroes up to the next multiple of
 * %KHO_LOG_ALIGN bytes. A text can be cut at its begin, where a line ends.
 *
 * The text is what a console shows with printk.time=1, with the level of each line in
 * angle brackets. It has no NUL at the end. Each line ends with a newline.
 *
 * A reader ignores the whole blob if ``compatible`` differs, if the checksum does not
 * match, or if the records do not end where ``used`` says. A format with other fields has
 * another ``compatible``.
 */
#define KHO_LOG_NAME		"kho-6.12,log"
#define KHO_LOG_COMPATIBLE	"kho-log-v1"
#define KHO_LOG_ALIGN		8

/**
 * struct kho_log - the begin of the blob with the name %KHO_LOG_NAME
 * @compatible: %KHO_LOG_COMPATIBLE, filled with NULs
 * @checksum: XXH64 of the @used bytes of @records, with @used as the seed
 * @used: size of all records in bytes, a multiple of %KHO_LOG_ALIGN, perhaps 0
 * @records: the records
 */
struct kho_log {
	char compatible[16];
	u64 checksum;
	u64 used;
	u8 records[];
};

static_assert(offsetof(struct kho_log, checksum) == 16);
static_assert(offsetof(struct kho_log, used) == 24);
static_assert(sizeof(struct kho_log) == 32);

/**
 * struct kho_log_record - the log of one kernel
 * @len: size of @text in bytes
 * @kexecs: number of kexecs between cold boot and this kernel
 * @release: its release, with a NUL at the end
 * @unused: 0
 * @text: the text
 */
struct kho_log_record {
	u64 len;
	u32 kexecs;
	char release[65];
	u8 unused[3];
	u8 text[];
};

static_assert(offsetof(struct kho_log_record, kexecs) == 8);
static_assert(offsetof(struct kho_log_record, release) == 12);
static_assert(offsetof(struct kho_log_record, unused) == 77);
static_assert(sizeof(struct kho_log_record) == 80);
static_assert(sizeof(struct kho_log_record) % KHO_LOG_ALIGN == 0);

#endif /* _LINUX_KHO_ABI_LOG_H */
