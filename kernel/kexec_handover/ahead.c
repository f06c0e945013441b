// SPDX-License-Identifier: GPL-2.0-only
/*
 * The next kernel lies where it will be used from the time that it is loaded.
 *
 * kexec copies the segments of an image to their places when all other code has stopped,
 * because something else may use these places until then. With KHO the places are in
 * scratch, which the page allocator gives to movable pages only: this file takes them
 * from the page allocator when the image is loaded, and writes the segments there. Then
 * nothing is copied at the kexec, and purgatory has no copy to verify.
 *
 * This works for a whole image or not at all. An image that cannot be in place is loaded
 * and copied as without KHO, and the log says why. The running kernel lies in scratch as
 * well if it came by a handover; its memory cannot be taken.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#define pr_fmt(fmt) "KHO: " fmt

#include <linux/cc_platform.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kexec_handover_image.h>
#include <linux/kexec_handover_waiting.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/vmalloc.h>

#include "../kexec_internal.h"
#include "kexec_lock.h"
#include "pieces.h"
#include "ram.h"
#include "sysfs.h"

/*
 * False: kexec copies images, and kernels unpack themselves, as without KHO. Root can
 * change it at any time; it counts for the images that are loaded from then on.
 */
static bool load_ahead = true;
core_param(kho_load_ahead, load_ahead, bool, 0644);

/**
 * kho_ahead_late_reason - may an image be prepared ahead of the kexec?
 * @image: the image
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: NULL if it may; the reason if it may not.
 */
const char *kho_ahead_late_reason(const struct kimage *image)
{
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH)
		return "KHO is off";
	if (image->kho_late)
		return image->kho_late;
	/* Partner: param_set_bool(), when root writes to sysfs. No other data depends on it. */
	if (!READ_ONCE(load_ahead))
		return "kho_load_ahead is off";
	/* kexec changes the encryption of the pages that it copies. */
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return "memory is encrypted";

	return NULL;
}

/* Why an image cannot be in place: without and with another one that is. */
static const char *const no_room[] = {
	"scratch is too small for it beside this kernel",
	"scratch is too small for it beside this kernel and the loaded image",
};

/**
 * kho_ahead_locate_free - find a place in scratch for a segment that can lie there at once
 * @kbuf: the segment; @func stores the address that it has found
 * @func: tries one range of memory for @kbuf, returns 1 if it found room there
 *
 * When one segment has found no room, the image will be copied at the kexec. Then the other
 * segments need no such place, either.
 *
 * Context: kexec_file_load(), with the kexec lock held.
 * Return: true if there is such a place; false if the caller searches all of scratch.
 */
bool kho_ahead_locate_free(struct kexec_buf *kbuf, int (*func)(struct resource *, void *))
{
	struct kimage *image = kbuf->image;

	if (kho_ahead_late_reason(image))
		return false;
	if (kho_pieces_locate(kbuf, func))
		return true;
	image->kho_late = no_room[kexec_image && kexec_image->kho_in_place];

	return false;
}

/**
 * kho_ahead_load_late - prepare to load an image again, to be copied at the kexec
 * @image: the image
 * @nr: the number of segments that it had before the loader was called
 * @ldata: what the loader returned
 *
 * A loader may fail because it has put some segments beside this kernel, and then found no
 * room for the other segments. The image may still fit if it is copied over this kernel at
 * the kexec.
 *
 * Context: kexec_file_load(), with the kexec lock held, when the loader of the architecture
 * was called for the first time.
 * Return: true, with the image as it was before that call, if the caller calls the loader
 * once more; false if the caller goes on with @ldata.
 */
bool kho_ahead_load_late(struct kimage *image, unsigned long nr, const void *ldata)
{
	struct purgatory_info *pi = &image->purgatory_info;

	if (ldata != ERR_PTR(-EADDRNOTAVAIL) ||
	    (image->kho_late != no_room[0] && image->kho_late != no_room[1]))
		return false;

	image->kho_no_room = 0;
	image->kho_places = 0;
	image->nr_segments = nr;
	kho_ahead_cleanup(image);
	vfree(pi->purgatory_buf);
	pi->purgatory_buf = NULL;
	vfree(pi->sechdrs);
	pi->sechdrs = NULL;

	return true;
}

/*
 * The properties of the loaded image that sysfs shows. All strings are constant, and @image
 * is compared only. kho_ahead_show() writes all fields with the kexec lock held.
 * kho_ahead_free() clears @image and @objection, after kexec_file_load() has released that
 * lock. The files in sysfs are read without it: a panic needs the lock to start the crash
 * kernel, and does not wait for it.
 */
static struct {
	const struct kimage *image;
	bool in_place;
	const char *late;
	const char *objection;
} shown;

/**
 * kho_ahead_show - let sysfs show an image
 * @image: the image, which will be installed
 *
 * Context: kexec_load() and kexec_file_load(), with the kexec lock held, when the image is
 * complete.
 */
void kho_ahead_show(const struct kimage *image)
{
	/* Partners: READ_ONCE() in image_show() and image_objection_show(), in any order. */
	WRITE_ONCE(shown.in_place, image->kho_in_place);
	WRITE_ONCE(shown.late, image->kho_late);
	WRITE_ONCE(shown.objection, image->kho_objection);
	WRITE_ONCE(shown.image, image);
}

/* ------------------------------------------------------- taking and filling places */

static bool take(const struct kexec_segment *segment)
{
	unsigned long start = PHYS_PFN(segment->mem), end = start + PHYS_PFN(segment->memsz);

	if (!segment->memsz)
		return true;
	if (page_zone(pfn_to_page(start)) != page_zone(pfn_to_page(end - 1)))
		return false;

	/* Pages that are in use for a moment, as for I/O, cannot be moved. Try again. */
	for (int tries = 0; tries < 5; tries++) {
		if (!alloc_contig_range(start, end, MIGRATE_CMA, GFP_KERNEL))
			return true;
		if (fatal_signal_pending(current))
			break;
	}

	return false;
}

static void give_back(const struct kimage *image, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		const struct kexec_segment *segment = &image->segment[i];

		if (segment->memsz)
			free_contig_range(PHYS_PFN(segment->mem), PHYS_PFN(segment->memsz));
	}
}

/**
 * kho_ahead_take_places - take the places of all segments from the page allocator
 * @image: the image, with all segments
 *
 * If one of them cannot be allocated, the image is loaded as without KHO and copied at the
 * kexec.
 *
 * Context: kexec_file_load(), with the kexec lock held. Sleeps.
 */
void kho_ahead_take_places(struct kimage *image)
{
	kho_assert_kexec_lock();
	image->kho_late = kho_ahead_late_reason(image);
	if (image->kho_late)
		return;

	for (unsigned long i = 0; i < image->nr_segments; i++) {
		if (!take(&image->segment[i])) {
			give_back(image, i);
			image->kho_late = "its place in scratch is in use";
			return;
		}
	}
	image->kho_in_place = true;
}

/**
 * kho_ahead_in_place - do the segments of an image lie where they will be used?
 * @image: the image
 *
 * Context: any, once the places of the segments are taken.
 * Return: true if kexec has nothing to copy.
 */
bool kho_ahead_in_place(const struct kimage *image)
{
	return image->kho_in_place;
}

/**
 * kho_ahead_load_segment - write a segment to its place
 * @image: the image, which is in place
 * @segment: the segment
 *
 * Context: kexec_file_load(), with the kexec lock held. Sleeps.
 * Return: 0; -EINTR if the process is being killed.
 */
int kho_ahead_load_segment(const struct kimage *image, const struct kexec_segment *segment)
{
	size_t copied = min(segment->bufsz, segment->memsz);
	char *to = phys_to_virt(segment->mem);

	for (size_t done = 0; done < segment->memsz; done += PAGE_SIZE) {
		size_t chunk = copied - min(copied, done);

		chunk = min(chunk, PAGE_SIZE);
		memcpy(to + done, segment->kbuf + done, chunk);
		memset(to + done + chunk, 0, PAGE_SIZE - chunk);
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}

	return 0;
}

/**
 * kho_ahead_check_places - check that no page is reported as bad where the image will be
 * @image: the image
 *
 * Context: kernel_kexec(), before anything is shut down, with the kexec lock held.
 * Return: 0, also if KHO is off, for a crash image, and for one of kexec_load(), with which
 * nothing is handed over; -EIO, after a message, if hardware has reported one of these pages
 * as bad since the image was loaded.
 */
int kho_ahead_check_places(const struct kimage *image)
{
	kho_assert_kexec_lock();
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH || !image->file_mode)
		return 0;
	for (unsigned long i = 0; i < image->nr_segments; i++) {
		const struct kexec_segment *segment = &image->segment[i];
		unsigned long pfn = PHYS_PFN(segment->mem);

		if (kho_ram_has_bad(pfn, pfn + PHYS_PFN(segment->memsz))) {
			pr_err("a page of the kexec image is bad, at %#lx or above: load it again\n",
			       segment->mem);
			return -EIO;
		}
	}

	return 0;
}

/**
 * kho_ahead_report - log how an image was loaded
 * @image: the image, which is complete
 *
 * Context: kexec_file_load(), with the kexec lock held.
 */
void kho_ahead_report(const struct kimage *image)
{
	if (!kho_is_enabled() || image->type == KEXEC_TYPE_CRASH || !image->file_mode)
		return;

	if (image->kho_in_place)
		pr_info("the kexec image is in place, %llu KiB of scratch\n",
			kho_image_bytes(image) >> 10);
	else
		pr_info("the kexec image will be copied at the kexec: %s\n", image->kho_late);
	if (image->kho_places)
		pr_info("its kernel is unpacked, at one of %lu places\n", image->kho_places);
	else if (image->kho_packed)
		pr_info("its kernel will unpack itself: %s\n", image->kho_packed);
}

/**
 * kho_ahead_cleanup - free the memory that is needed only while an image is loaded
 * @image: the image
 *
 * Context: after an image was loaded, or when it could not be.
 */
void kho_ahead_cleanup(struct kimage *image)
{
	vfree(image->kho_unpacked);
	image->kho_unpacked = NULL;
	kvfree(image->kho_pieces);
	image->kho_pieces = NULL;
}

/**
 * kho_ahead_free - give the places of the segments back to the page allocator
 * @image: the image, which will not be used any more
 *
 * Context: kimage_free(). kexec_file_load() calls it after it has released the kexec lock.
 */
void kho_ahead_free(struct kimage *image)
{
	if (image->kho_in_place)
		give_back(image, image->nr_segments);
	image->kho_in_place = false;

	if (shown.image == image) {
		/* Partners: as in kho_ahead_show(). */
		WRITE_ONCE(shown.image, NULL);
		WRITE_ONCE(shown.objection, NULL);
	}
}

/* ------------------------------------------------------- in /sys/kernel/kho/ */

static ssize_t load_ahead_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	/* Partner: param_set_bool(), as in kho_ahead_late_reason(). */
	return sysfs_emit(buf, "%d\n", READ_ONCE(load_ahead));
}

static ssize_t image_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	/* Partners: WRITE_ONCE() in kho_ahead_show() and kho_ahead_free(); no order needed. */
	const char *late = READ_ONCE(shown.late);

	if (!READ_ONCE(shown.image))
		return sysfs_emit(buf, "none\n");
	if (READ_ONCE(shown.in_place))
		return sysfs_emit(buf, "in place\n");

	return late ? sysfs_emit(buf, "copied: %s\n", late) : sysfs_emit(buf, "copied\n");
}

static ssize_t image_objection_show(struct kobject *kobj, struct kobj_attribute *attr,
				    char *buf)
{
	/* Partners: WRITE_ONCE() in kho_ahead_show() and kho_ahead_free(). */
	return sysfs_emit(buf, "%s\n", READ_ONCE(shown.objection) ?: "");
}

static struct kobj_attribute load_ahead_attr = __ATTR_RO(load_ahead);
static struct kobj_attribute image_attr = __ATTR_RO(image);
static struct kobj_attribute image_objection_attr = __ATTR_RO(image_objection);

static const struct attribute *const ahead_attrs[] = {
	&load_ahead_attr.attr,
	&image_attr.attr,
	&image_objection_attr.attr,
	NULL
};

static int __init add_ahead_attrs(void)
{
	return kho_kobj ? sysfs_create_files(kho_kobj, ahead_attrs) : 0;
}
late_initcall(add_ahead_attrs);
