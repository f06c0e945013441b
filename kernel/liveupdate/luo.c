// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update: start-up, the blob for the next kernel, and the step in reboot().
 *
 * This file owns liveupdate= on the command line and the blob LUO in both directions.
 * With liveupdate=on the blob is always handed over, also without a session.
 *
 * The outgoing side writes nothing into the blob or the lists while the system runs.
 * liveupdate_kexec_begin() stops all operations that change the state that is handed over.
 * liveupdate_kexec() freezes each file, and writes the blob and the lists, for which all
 * memory has been allocated before.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "LUO: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_image.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/kstrtox.h>
#include <linux/liveupdate.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/rwsem.h>
#include <linux/string.h>

#include <trace/events/liveupdate.h>

#include "internal.h"

/* liveupdate= on the command line */
static bool wanted __initdata;

/* liveupdate.force=: if true, objection() does not refuse a kexec that would lose files. */
static bool force;
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "liveupdate."
module_param(force, bool, 0644);
MODULE_PARM_DESC(force, "Allow a kexec even if files in sessions will be lost");

/* The blob for the next kernel. luo_start() makes it; liveupdate_kexec() fills it. */
static struct luo_ser *outgoing __ro_after_init;

/*
 * The last call of liveupdate_kexec() has succeeded. It is written with luo_reboot_sem held for
 * writing, and read by liveupdate_jump().
 */
static bool final;

static int __init parse_liveupdate(char *arg)
{
	/* An invalid value means off, as luo_objection() of the previous kernel assumes. */
	wanted = false;

	return kstrtobool(arg, &wanted);
}
early_param("liveupdate", parse_liveupdate);

/* Copies the incoming blob. Returns 0, -ENOENT if there is none, or -EINVAL if it is invalid. */
static int __init read_blob(struct luo_ser *ser, phys_addr_t *phys)
{
	size_t size;
	int err;

	err = kho_retrieve_subtree(LUO_BLOB_NAME, phys, &size);
	if (err)
		return err;
	if (size < sizeof(*ser) || !PAGE_ALIGNED(*phys) ||
	    !kho_restore_copy(*phys, sizeof(*ser), ser)) {
		pr_warn("the live update state at %pa, %zu bytes, is broken: no session is there to retrieve\n",
			phys, size);
		return -EINVAL;
	}
	if (strncmp(ser->compatible, LUO_COMPATIBLE, sizeof(ser->compatible))) {
		pr_warn("the previous kernel has %*pE and not %s: no session is there to retrieve\n",
			(int)strnlen(ser->compatible, sizeof(ser->compatible)), ser->compatible,
			LUO_COMPATIBLE);
		return -EINVAL;
	}

	return 0;
}

/*
 * Takes the incoming blob. Its lists are read later, when user space asks for them. An
 * invalid blob stays waiting, and root can release it in KHO's debugfs.
 */
static void __init read_incoming(struct luo_ser *ser)
{
	phys_addr_t phys;

	if (read_blob(ser, &phys)) {
		memset(ser, 0, sizeof(*ser));
		return;
	}
	kho_restore_free(phys_to_virt(phys));
}

static int __init make_outgoing(u64 number)
{
	int err;

	outgoing = kho_alloc_preserve(PAGE_SIZE);
	if (IS_ERR(outgoing))
		return PTR_ERR(outgoing);
	strscpy(outgoing->compatible, LUO_COMPATIBLE, sizeof(outgoing->compatible));
	outgoing->liveupdate_num = number;

	err = kho_add_subtree(LUO_BLOB_NAME, outgoing, sizeof(*outgoing));
	if (err)
		kho_unpreserve_free(outgoing);

	return err;
}

/* Logs that live update state of the previous kernel waits while live update is off. */
static void __init say_what_waits(void)
{
	phys_addr_t phys;
	size_t size;

	if (!kho_retrieve_subtree(LUO_BLOB_NAME, &phys, &size))
		pr_info("without liveupdate=on, sessions of the previous kernel are given up: write 1 to kho/in/release in debugfs to free their memory\n");
}

/*
 * Runs after kho_start(), a core_initcall, which makes the outgoing side of KHO and copies
 * incoming blobs for debugfs, and before file handlers register.
 */
static int __init luo_start(void)
{
	struct luo_ser incoming;
	int err;

	if (!wanted) {
		say_what_waits();
		return 0;
	}
	if (!kho_is_enabled()) {
		pr_warn("liveupdate=on has no effect without kho=on\n");
		return 0;
	}

	read_incoming(&incoming);
	err = make_outgoing(incoming.liveupdate_num + 1);
	if (err)
		goto fail;
	err = luo_flb_start(incoming.flbs_pa);
	if (err)
		goto free;
	luo_session_start(incoming.sessions_pa);
	luo_enable();

	return 0;

free:
	kho_remove_subtree(outgoing);
	kho_unpreserve_free(outgoing);
fail:
	pr_err("live update cannot be set up (%d), and is off\n", err);

	return err;
}
postcore_initcall(luo_start);

/*
 * Returns an error, after a message, if this kexec would lose files in sessions: because
 * of the image, or because incoming sessions are not finished. Files of incoming sessions
 * are not handed over again.
 */
static int objection(const struct kimage *image)
{
	const char *name = NULL;
	unsigned long nr;
	int err;

	err = luo_session_read();
	if (err)
		return err;
	nr = luo_session_count_files(&luo_incoming, &name);
	if (nr) {
		pr_warn("kexec refused: %lu files in unfinished sessions of the previous kernel would be lost, the first in session %s: finish these sessions; liveupdate.force=1 overrides\n",
			nr, name);
		return -EBUSY;
	}

	nr = luo_session_count_files(&luo_outgoing, &name);
	if (nr && image && image->luo_objection) {
		pr_warn("kexec refused: %lu files in sessions would be lost with this kexec image: %s; liveupdate.force=1 overrides\n",
			nr, image->luo_objection);
		return -ENOEXEC;
	}

	return 0;
}

/* Pages that were preserved since kernel_kexec() checked this may have taken the room. */
static int check_room(const struct kimage *image)
{
	return kho_image_check_room(image) ?: kho_ahead_check_places(image);
}

/* The caller holds luo_reboot_sem for writing. */
static int make_final(const struct kimage *image)
{
	int err = force ? 0 : objection(image);

	if (!err)
		err = luo_session_freeze();
	if (err)
		return err;
	err = image ? check_room(image) : 0;
	if (err) {
		luo_session_unfreeze();
		return err;
	}
	outgoing->flbs_pa = luo_flb_write();
	luo_session_write(&outgoing->sessions_pa);

	return 0;
}

/**
 * liveupdate_kexec_begin - stop all operations that change the state that is handed over
 *
 * Waits for running operations to end, which can take minutes if a large file is preserved or
 * finished. The caller must not hold the kexec lock meanwhile, since a panic needs that to start
 * the crash kernel.
 *
 * Context: reboot(LINUX_REBOOT_CMD_KEXEC), may sleep.
 * Return: 0, also if live update is off; -EINTR if the caller was killed.
 */
int liveupdate_kexec_begin(void)
{
	return liveupdate_enabled() ? down_write_killable(&luo_reboot_sem) : 0;
}

/**
 * liveupdate_kexec_end - undo liveupdate_kexec_begin(), if there is no kexec
 *
 * Context: as liveupdate_kexec_begin().
 */
void liveupdate_kexec_end(void)
{
	if (liveupdate_enabled())
		up_write(&luo_reboot_sem);
}

/**
 * liveupdate_kexec - freeze all files and write the state that is handed over
 * @image: the image that is about to be started, or NULL if the caller does not know it
 *
 * Context: after liveupdate_kexec_begin(), before anything is shut down; may sleep. If @image
 * is not NULL, the caller holds the kexec lock.
 * Return: 0, also if live update is off; -EBUSY if files of the previous kernel are not
 * finished; -ENOMEM if the list of incoming sessions cannot be read, or if the next kernel
 * would have no room to start; -ENOEXEC if @image would lose files that are in sessions; -EIO
 * if a page of the image is bad; the error of a file that cannot be frozen. After an error all
 * files are as before.
 */
int liveupdate_kexec(const struct kimage *image)
{
	int err;

	if (!liveupdate_enabled())
		return 0;

	err = make_final(image);
	trace_luo_kexec(luo_outgoing.count, err);
	final = !err;

	return err;
}

/**
 * liveupdate_jump - hand over what processes have changed since liveupdate_kexec()
 *
 * Processes run on after liveupdate_kexec(), until all other CPUs are stopped. Does nothing
 * unless the last liveupdate_kexec() has succeeded.
 *
 * Context: kernel_kexec(), when only this CPU runs; never sleeps.
 */
void liveupdate_jump(void)
{
	if (final)
		luo_session_jump();
}

/**
 * liveupdate_reboot - liveupdate_kexec_begin(), and liveupdate_kexec() without an image
 *
 * Context: before anything is shut down; may sleep.
 * Return: as liveupdate_kexec(); -EINTR if the caller was killed. After success all operations
 * stay stopped until liveupdate_kexec_end().
 */
int liveupdate_reboot(void)
{
	int err = liveupdate_kexec_begin();

	if (err)
		return err;
	err = liveupdate_kexec(NULL);
	if (err)
		liveupdate_kexec_end();

	return err;
}
