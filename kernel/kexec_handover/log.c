// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of the previous kernel.
 *
 * The last lines of a kernel before a kexec never reach a disk, since devices are shut
 * down by then. These lines are needed to find out why a live update failed. This file
 * owns the blob that takes the log to the next kernel, kho_log=, and /sys/kernel/kho/log.
 *
 * The memory is preserved once, at boot. The text is not written line by line, so that a
 * line costs nothing when it is logged: most of it is written when an image is loaded,
 * and what was logged after that is added at the last moment. The next kernel takes the
 * folio back in an early_initcall, where most struct pages are not initialised yet, and
 * keeps it for as long as it runs. When that kernel does a kexec, it adds the records of
 * the folio to its own log, as far as there is room.
 *
 * Format: see include/linux/kho/abi/log.h.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/align.h>
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kho/abi/log.h>
#include <linux/kmsg_dump.h>
#include <linux/kobject.h>
#include <linux/libfdt.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>
#include <linux/xxhash.h>

#include "fdt.h"
#include "incoming.h"
#include "kexec_lock.h"
#include "log.h"
#include "sysfs.h"

static_assert(sizeof_field(struct kho_log_record, release) ==
	      sizeof_field(struct new_utsname, release));

/* The largest folio that can be allocated. */
#define LOG_MAX		(PAGE_SIZE << MAX_PAGE_ORDER)

/* Less than this of an old log is not worth a record. */
#define LOG_LEAST	256

/* Room for what is logged between loading an image and the kexec, if there is much room. */
#define ROOM_AT_KEXEC	SZ_16K

/* The value of kho_log= in bytes, 0 for none. Constant after early parameters. */
static unsigned long wanted __initdata = CONFIG_KEXEC_HANDOVER_LOG_SIZE * SZ_1K;

/*
 * The blob for the next kernel, or NULL, and its size in bytes. preserve_log() sets both
 * in a postcore_initcall. kho_log_prepare() writes the text, with the kexec lock held, and
 * kho_log_write() completes the blob, when only one CPU runs.
 */
static struct kho_log *outgoing __ro_after_init;
static size_t outgoing_size __ro_after_init;

/*
 * The text that kho_log_prepare() has written, with the kexec lock held, and that
 * kho_log_write() goes on with. @len is its size in bytes, 0 for none. It begins with the
 * first record that syslog(SYSLOG_ACTION_CLEAR) had left in the log then, @cleared, or
 * later; @next is the first record after it.
 */
static struct {
	size_t len;
	u64 cleared;
	u64 next;
} prepared;

/*
 * The blob of the previous kernel, or NULL. kho_log_defect() has found nothing wrong
 * with it. take_log() sets it in an early_initcall; constant from then on.
 */
static const struct kho_log *incoming __ro_after_init;

static int __init kho_log_param(char *arg)
{
	char *end = arg;
	unsigned long long size = arg ? memparse(arg, &end) : 0;

	if (!arg || end == arg || *end || size > LOG_MAX) {
		pr_warn("malformed kho_log=%s, want a size of at most %lu: it is %lu\n",
			arg ?: "", LOG_MAX, wanted);
		return 0;
	}
	wanted = size;

	return 0;
}
early_param("kho_log", kho_log_param);

/*
 * The format
 */

/* Returns the size of a record with a text of @len bytes. */
static size_t record_size(size_t len)
{
	return ALIGN(sizeof(struct kho_log_record) + len, KHO_LOG_ALIGN);
}

static const struct kho_log_record *record_at(const struct kho_log *log, size_t at)
{
	return (const struct kho_log_record *)(log->records + at);
}

/*
 * Returns the record after @record, or the first one for NULL; NULL after the last one.
 * kho_log_defect() has found nothing wrong with the log.
 */
static const struct kho_log_record *next_record(const struct kho_log *log,
						const struct kho_log_record *record)
{
	size_t at = 0;

	if (record)
		at = (const u8 *)record - log->records + record_size(record->len);

	return at < log->used ? record_at(log, at) : NULL;
}

static u64 checksum(const struct kho_log *log)
{
	return xxh64(log->records, log->used, log->used);
}

/* Returns how many bytes of text another record has room for. */
static size_t room_left(const struct kho_log *log, size_t size)
{
	size_t used = sizeof(*log) + log->used + sizeof(struct kho_log_record);

	return used < size ? ALIGN_DOWN(size - used, KHO_LOG_ALIGN) : 0;
}

/* Adds a record whose text of @len bytes is in its place already. */
static void add_record(struct kho_log *log, u32 kexecs, const char *release, size_t len)
{
	struct kho_log_record *record = (void *)(log->records + log->used);
	size_t size = record_size(len);

	*record = (struct kho_log_record){ .len = len, .kexecs = kexecs };
	strscpy(record->release, release);
	memset(record->text + len, 0, size - sizeof(*record) - len);
	log->used += size;
}

/**
 * kho_log_begin - make a log without records
 * @log: the log
 *
 * Context: any.
 */
void kho_log_begin(struct kho_log *log)
{
	memset(log, 0, sizeof(*log));
	strscpy(log->compatible, KHO_LOG_COMPATIBLE);
}

/**
 * kho_log_add - add a record
 * @log: the log
 * @size: size of the log in bytes
 * @kexecs: number of kexecs between cold boot and the kernel that logged the text
 * @release: its release
 * @text: the text
 * @len: size of the text in bytes
 *
 * If there is less room, the first lines of the text are left out.
 *
 * Context: any.
 * Return: true if it was added; false if there is no room for a useful part of it, or if
 * @len is 0.
 */
bool kho_log_add(struct kho_log *log, size_t size, u32 kexecs, const char *release,
		 const u8 *text, size_t len)
{
	size_t room = room_left(log, size);
	const u8 *line;

	/* Without room for a text there may be none for a record. */
	if (!len)
		return false;
	if (len > room) {
		if (room < LOG_LEAST)
			return false;
		/* The byte before the part that fits may be the end of a line. */
		line = memchr(text + len - room - 1, '\n', room);
		if (!line)
			return false;
		len -= line + 1 - text;
		text = line + 1;
	}
	memcpy(log->records + log->used + sizeof(struct kho_log_record), text, len);
	add_record(log, kexecs, release, len);

	return true;
}

/**
 * kho_log_end - compute the checksum, when all records are there
 * @log: the log
 *
 * Context: any.
 */
void kho_log_end(struct kho_log *log)
{
	log->checksum = checksum(log);
}

static bool records_sound(const struct kho_log *log)
{
	const struct kho_log_record *record;
	size_t at = 0, left;

	for (; at < log->used; at += record_size(record->len)) {
		left = log->used - at;
		record = record_at(log, at);
		if (left < sizeof(*record) || !record->len ||
		    record->len > left - sizeof(*record) ||
		    !memchr(record->release, 0, sizeof(record->release)))
			return false;
	}

	return at == log->used;
}

/**
 * kho_log_defect - check an incoming log
 * @log: the log, in memory that no other code writes to
 * @size: size of this memory in bytes
 *
 * Context: any.
 * Return: NULL if the log is valid; otherwise its defect, a clause that follows "is".
 */
const char *kho_log_defect(const struct kho_log *log, size_t size)
{
	if (size < sizeof(*log))
		return "too small";
	if (strncmp(log->compatible, KHO_LOG_COMPATIBLE, sizeof(log->compatible)))
		return "of another version";
	if (log->used > size - sizeof(*log) || log->used % KHO_LOG_ALIGN)
		return "of an invalid size";
	if (log->checksum != checksum(log))
		return "damaged, its checksum differs";
	if (!records_sound(log))
		return "damaged, a record is invalid";

	return NULL;
}

/*
 * The old kernel
 */

/* Runs after kho_start(), a core_initcall. */
static int __init preserve_log(void)
{
	struct kho_log *log;
	int err;

	if (!kho_is_enabled() || !wanted)
		return 0;

	outgoing_size = PAGE_SIZE << get_order(min(wanted, LOG_MAX));
	log = kho_alloc_preserve(outgoing_size);
	if (IS_ERR(log)) {
		err = PTR_ERR(log);
		goto fail;
	}
	kho_log_begin(log);
	kho_log_end(log);
	err = kho_add_subtree(KHO_LOG_NAME, log, outgoing_size);
	if (err) {
		kho_unpreserve_free(log);
		goto fail;
	}
	outgoing = log;

	return 0;
fail:
	pr_warn("the log will not be handed over (%d)\n", err);

	return err;
}
postcore_initcall(preserve_log);

/* Leaves a quarter of the room to older logs, if there are any. */
static size_t own_room(void)
{
	size_t room = room_left(outgoing, outgoing_size);
	size_t older = incoming ? incoming->used : 0;

	return ALIGN_DOWN(room - min(older, room / 4), KHO_LOG_ALIGN);
}

/*
 * Writes the last records that @iter will visit to @text, as far as they fit into @room
 * bytes. Returns the size of what it has written in bytes.
 */
static size_t format_lines(struct kmsg_dump_iter *iter, char *text, size_t room)
{
	size_t len = 0;

	/* No line is shorter than that: do not visit records that cannot fit. */
	iter->cur_seq = max(iter->cur_seq, iter->next_seq - min(iter->next_seq, room / 16));

	return kmsg_dump_get_buffer(iter, true, text, room, &len) ? len : 0;
}

static char *own_text(void)
{
	return (char *)outgoing->records + sizeof(struct kho_log_record);
}

/*
 * Adds what was logged since kho_log_prepare() to the text that it has written. Returns
 * the size of the whole text, or 0 if that is not the end of the log without a gap.
 */
static size_t complete_text(void)
{
	struct kmsg_dump_iter iter;
	size_t len;

	kmsg_dump_rewind(&iter);
	if (!prepared.len || iter.cur_seq != prepared.cleared)
		return 0;
	if (iter.next_seq == prepared.next)
		return prepared.len;

	iter.cur_seq = prepared.next;
	len = format_lines(&iter, own_text() + prepared.len, own_room() - prepared.len);
	/* kmsg_dump_get_buffer() has set next_seq to the first record that it wrote. */
	if (!len || iter.next_seq != prepared.next)
		return 0;

	return prepared.len + len;
}

static void add_own(void)
{
	struct kmsg_dump_iter iter;
	size_t len = complete_text();

	if (!len) {
		kmsg_dump_rewind(&iter);
		len = format_lines(&iter, own_text(), own_room());
	}
	if (len)
		add_record(outgoing, kho_incoming.kexecs, init_uts_ns.name.release, len);
}

static void add_older(void)
{
	const struct kho_log_record *record = NULL;

	while ((record = next_record(incoming, record))) {
		if (!kho_log_add(outgoing, outgoing_size, record->kexecs, record->release,
				 record->text, record->len))
			break;
	}
}

/**
 * kho_log_prepare - write what was logged until now
 *
 * To format a line takes some thousand instructions. kho_log_write() does that while
 * nothing runs, so it is left with the lines after this call, if there is room for them.
 *
 * Context: kexec_file_load(), with the kexec lock held.
 */
void kho_log_prepare(void)
{
	struct kmsg_dump_iter iter;
	size_t room;

	kho_assert_kexec_lock();
	if (!outgoing)
		return;

	kho_log_begin(outgoing);
	kho_log_end(outgoing);
	room = own_room();
	kmsg_dump_rewind(&iter);
	prepared.cleared = iter.cur_seq;
	prepared.next = iter.next_seq;
	prepared.len = format_lines(&iter, own_text(), room - min(room / 4, ROOM_AT_KEXEC));
}

/**
 * kho_log_write - write the log for the next kernel
 *
 * Messages that are logged after this call are not in it.
 *
 * Context: kernel_kexec(), right before machine_kexec(). Only this CPU runs.
 */
void kho_log_write(void)
{
	if (!outgoing)
		return;

	kho_log_begin(outgoing);
	add_own();
	if (incoming)
		add_older();
	kho_log_end(outgoing);
}

/*
 * The new kernel
 */

/*
 * Is the root FDT or another blob at this address? KHO still uses that memory, so
 * take_log() must not restore it as the log.
 */
static bool __init is_of_another(phys_addr_t phys)
{
	int node;

	if (phys == kho_incoming.fdt_phys)
		return true;
	fdt_for_each_subnode(node, kho_incoming.fdt, 0) {
		const char *name = fdt_get_name(kho_incoming.fdt, node, NULL);
		u64 addr;

		if (name && strcmp(name, KHO_LOG_NAME) &&
		    !kho_fdt_u64(kho_incoming.fdt, node, KHO_FDT_PROP_DATA, &addr) &&
		    addr == phys)
			return true;
	}

	return false;
}

/* Most struct pages may not be initialised yet. */
static int __init take_log(void)
{
	struct folio *folio;
	const char *defect;
	phys_addr_t phys;
	size_t size;

	if (kho_retrieve_subtree(KHO_LOG_NAME, &phys, &size))
		return 0;
	if (is_of_another(phys)) {
		pr_warn("the log of the previous kernel, at %pa, has the address of the root FDT or of another blob: ignored\n",
			&phys);
		return 0;
	}
	folio = kho_restore_folio(phys);
	if (!folio)
		return 0;

	if (size > folio_size(folio) || folio_size(folio) > LOG_MAX)
		defect = "too large";
	else
		defect = kho_log_defect(folio_address(folio), size);
	if (defect) {
		pr_warn("the log of the previous kernel, at %pa, is %s: ignored\n", &phys,
			defect);
		folio_put(folio);
		return 0;
	}
	incoming = folio_address(folio);

	return 0;
}
early_initcall(take_log);

/**
 * struct log_reader - the part of a file that a reader wants
 * @to: where to store it
 * @left: bytes of it that are still missing
 * @skip: bytes of the file that come before it
 */
struct log_reader {
	char *to;
	size_t left;
	size_t skip;
};

/* Shows the next @len bytes of the file. */
static void show(struct log_reader *reader, const void *from, size_t len)
{
	size_t skip = min(reader->skip, len), copy = min(len - skip, reader->left);

	memcpy(reader->to, from + skip, copy);
	reader->to += copy;
	reader->left -= copy;
	reader->skip -= skip;
}

static void show_record(struct log_reader *reader, const struct kho_log_record *record)
{
	char head[128];

	show(reader, head, scnprintf(head, sizeof(head), "== kexec %u, %s, %llu bytes\n",
				     record->kexecs, record->release, record->len));
	show(reader, record->text, record->len);
}

static ssize_t log_read(struct file *file, struct kobject *kobj, struct bin_attribute *attr,
			char *buf, loff_t pos, size_t count)
{
	struct log_reader reader = { .to = buf, .left = count, .skip = pos };
	const struct kho_log_record *record = NULL;

	/* As for syslog(2): root of a container may own the file, and has no such right. */
	if (!file_ns_capable(file, &init_user_ns, CAP_SYSLOG))
		return -EPERM;

	while ((record = next_record(incoming, record)))
		show_record(&reader, record);

	return count - reader.left;
}
static BIN_ATTR(log, 0400, log_read, NULL, 0);

static int __init add_log_file(void)
{
	return incoming && kho_kobj ? sysfs_create_bin_file(kho_kobj, &bin_attr_log) : 0;
}
late_initcall(add_log_file);
