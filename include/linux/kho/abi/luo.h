/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The luo-v5 format: the state that live update hands over to the next kernel.
 *
 * This file owns names and layouts, which are those of Linux 7.3. All integers are in
 * the byte order of the machine, all addresses are physical. liveupdate_kexec() of the old
 * kernel writes them; the new kernel reads them.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _LINUX_KHO_ABI_LUO_H
#define _LINUX_KHO_ABI_LUO_H

#include <linux/build_bug.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <uapi/linux/liveupdate.h>

/* Length of the names of file handlers and FLBs, with the NUL that ends them. */
#define LIVEUPDATE_HNDL_COMPAT_LENGTH	48
#define LIVEUPDATE_FLB_COMPAT_LENGTH	48

/**
 * DOC: live update blob
 *
 * The blob ``LUO`` has the address of the list of sessions, and each session the
 * address of the list of its files. Both are block lists. File-lifecycle-bound data
 * (FLB) is in one page. Each page and the blob itself is a preserved folio of order 0.
 */
#define LUO_COMPATIBLE			"luo-v5"

/**
 * struct luo_ser - the blob with the name %LUO_BLOB_NAME
 * @compatible: %LUO_COMPATIBLE, filled with NULs
 * @liveupdate_num: number of live updates since cold boot, including the next one
 * @sessions_pa: address of the block list of struct luo_session_ser, 0 for none
 * @flbs_pa: address of the page with struct luo_flb_header_ser, 0 for none
 */
struct luo_ser {
	char compatible[8];
	u64 liveupdate_num;
	u64 sessions_pa;
	u64 flbs_pa;
} __packed;

static_assert(sizeof(LUO_COMPATIBLE) <= sizeof_field(struct luo_ser, compatible));
static_assert(offsetof(struct luo_ser, liveupdate_num) == 8);
static_assert(offsetof(struct luo_ser, sessions_pa) == 16);
static_assert(offsetof(struct luo_ser, flbs_pa) == 24);
static_assert(sizeof(struct luo_ser) == 32);

/**
 * struct luo_session_ser - an entry of the list of sessions
 * @name: name of the session, filled with NULs
 * @files_pa: address of the block list of struct luo_file_ser, 0 for none
 * @count: number of files, the sum of the counts of the blocks
 */
struct luo_session_ser {
	char name[LIVEUPDATE_SESSION_NAME_LENGTH];
	u64 files_pa;
	u64 count;
} __packed;

static_assert(offsetof(struct luo_session_ser, files_pa) == 64);
static_assert(sizeof(struct luo_session_ser) == 80);

/**
 * struct luo_file_ser - an entry of the list of files of a session
 * @compatible: name of the file handler, filled with NULs
 * @data: serialized_data, which the handler's preserve() or freeze() set
 * @token: the token that user space gave
 */
struct luo_file_ser {
	char compatible[LIVEUPDATE_HNDL_COMPAT_LENGTH];
	u64 data;
	u64 token;
} __packed;

static_assert(offsetof(struct luo_file_ser, data) == 48);
static_assert(sizeof(struct luo_file_ser) == 64);

/**
 * struct luo_flb_header_ser - the start of the page of FLBs
 * @pgcnt: number of pages, always 1
 * @count: number of struct luo_flb_ser that follow
 */
struct luo_flb_header_ser {
	u64 pgcnt;
	u64 count;
} __packed;

/**
 * struct luo_flb_ser - one FLB
 * @name: its compatible string, filled with NULs
 * @data: the data that its preserve() set
 * @count: number of files that depend on it; Linux 7.3 adds the number of its holders
 */
struct luo_flb_ser {
	char name[LIVEUPDATE_FLB_COMPAT_LENGTH];
	u64 data;
	u64 count;
} __packed;

static_assert(sizeof(struct luo_flb_header_ser) == 16);
static_assert(offsetof(struct luo_flb_ser, data) == 48);
static_assert(sizeof(struct luo_flb_ser) == 64);

#endif /* _LINUX_KHO_ABI_LUO_H */
