// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unpacking the next kernel while this one runs.
 *
 * A bzImage unpacks itself: its decompressor chooses a place at random, unpacks an ELF file
 * there, puts its segments in order, applies its relocations, and jumps to its entry. All of
 * that takes time in which nothing else runs. This file does the same when the image is
 * loaded, so that its decompressor does not run.
 *
 * The decompressor also chooses between four and five levels of page tables and looks at the
 * command line. If it would do something that cannot be done here, the kernel is left as it
 * is.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/align.h>
#include <linux/cpufeature.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/kexec.h>
#include <linux/kexec_handover_image.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/pgtable.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include <asm/bootparam.h>
#include <asm/cmdline.h>
#include <asm/cpuid.h>
#include <asm/kexec_handover.h>
#include <asm/page_types.h>
#include <asm/setup.h>

/* The room for a kernel whose address is random, from __START_KERNEL_map on. */
#define IMAGE_ROOM	SZ_1G

/*
 * A kernel that was unpacked: an ELF file, and its relocations after it.
 * @buf: the buffer, of @room bytes, which is what the kernel asks for
 * @len: size of the unpacked data in bytes
 * @base: physical address that the kernel was linked for
 * @end: size in bytes of the loaded segments, from the start of @buf
 * @relocs: the relocations, @nr_relocs words of 32 bits, or none
 * @entry: offset of the entry
 */
struct unpacked {
	void *buf;
	size_t room;
	size_t len;
	u64 base;
	size_t end;
	const s32 *relocs;
	size_t nr_relocs;
	u64 entry;
};

/* Would the kernel run with another number of page table levels than this one? */
static bool other_levels(const struct setup_header *header, const char *cmdline)
{
	bool wanted = header->xloadflags & XLF_5LEVEL_ENABLED &&
		      cpuid_eax(0) >= 7 && cpuid_ecx(7) & BIT(X86_FEATURE_LA57 & 31) &&
		      cmdline_find_option_bool(cmdline, "no5lvl") <= 0;

	return wanted != pgtable_l5_enabled();
}

static bool has_option(const char *cmdline, const char *option)
{
	char value[2];

	return cmdline_find_option(cmdline, option, value, sizeof(value)) >= 0;
}

/* Returns why the kernel has to unpack itself, or NULL. */
static const char *objection(const struct kimage *image, const struct setup_header *header,
			     const char *cmdline)
{
	const char *late = kho_ahead_late_reason(image);

	if (late)
		return late;
	if (!header->relocatable_kernel || !header->payload_length || !header->init_size ||
	    header->kernel_alignment < PMD_SIZE || !is_power_of_2(header->kernel_alignment))
		return "its header does not allow it";
	if (other_levels(header, cmdline))
		return "it has another number of page table levels";
	/* The decompressor leaves out memory that these exclude. */
	if (has_option(cmdline, "mem") || has_option(cmdline, "memmap"))
		return "mem= or memmap= may exclude memory";
	if (has_option(cmdline, "mem_encrypt"))
		return "mem_encrypt= may encrypt memory";

	return NULL;
}

/* Puts the segments of the ELF file to their places in the buffer, as they will lie in memory. */
static int place_segments(struct unpacked *u, const struct elf64_hdr *ehdr,
			  const struct elf64_phdr *phdrs)
{
	for (int i = 0; i < ehdr->e_phnum; i++) {
		const struct elf64_phdr *p = &phdrs[i];
		u64 to = p->p_paddr - u->base;

		if (p->p_type != PT_LOAD)
			continue;
		if (p->p_paddr < u->base || p->p_filesz > u->len ||
		    p->p_offset > u->len - p->p_filesz || p->p_filesz > p->p_memsz ||
		    p->p_memsz > u->room || to > u->room - p->p_memsz)
			return -EBADMSG;
		/* Segments must not overwrite each other, nor one that is still to be moved. */
		if (to > p->p_offset || to < u->end)
			return -EOPNOTSUPP;

		memmove(u->buf + to, u->buf + p->p_offset, p->p_filesz);
		memset(u->buf + u->end, 0, to - u->end);
		u->end = to + p->p_filesz;
	}

	/* Nor may they overwrite the relocations. */
	if (u->relocs && u->buf + u->end > (void *)u->relocs)
		return -EOPNOTSUPP;
	u->entry = ehdr->e_entry - u->base;

	return u->end && ehdr->e_entry >= u->base && u->entry < u->end ? 0 : -EBADMSG;
}

/* Finds the relocations, which follow the section headers, the last part of the ELF file. */
static int find_relocs(struct unpacked *u, const struct elf64_hdr *ehdr)
{
	u64 end = ehdr->e_shoff + (u64)ehdr->e_shnum * sizeof(struct elf64_shdr);

	if (!ehdr->e_shoff || ehdr->e_shoff > u->len || end > u->len || end % sizeof(s32))
		return -EOPNOTSUPP;

	u->relocs = u->buf + end;
	u->nr_relocs = (u->len - end) / sizeof(s32);

	return (u->len - end) % sizeof(s32) ? -EOPNOTSUPP : 0;
}

static int read_elf(struct unpacked *u)
{
	struct elf64_hdr ehdr;
	struct elf64_phdr *phdrs;
	size_t size;
	int err;

	if (u->len < sizeof(ehdr))
		return -EBADMSG;
	memcpy(&ehdr, u->buf, sizeof(ehdr));
	size = ehdr.e_phnum * sizeof(*phdrs);
	if (memcmp(ehdr.e_ident, ELFMAG, SELFMAG) || ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_machine != EM_X86_64 || ehdr.e_phentsize != sizeof(*phdrs) ||
	    size > u->len || ehdr.e_phoff > u->len - size)
		return -EBADMSG;

	/* Segments may overwrite the headers. */
	phdrs = kmemdup(u->buf + ehdr.e_phoff, size, GFP_KERNEL);
	if (!phdrs)
		return -ENOMEM;
	err = find_relocs(u, &ehdr) ?: place_segments(u, &ehdr, phdrs);
	kfree(phdrs);

	return err;
}

/* Adds @delta to the word of @size bytes at the virtual address @addr. */
static int relocate_word(struct unpacked *u, s32 addr, int size, long delta)
{
	u64 offset = (u64)(s64)addr - __START_KERNEL_map - u->base;
	void *word = u->buf + offset;

	if (u->end < size || offset > u->end - size)
		return -EBADMSG;
	if (size == sizeof(u64))
		put_unaligned(get_unaligned((u64 *)word) + delta, (u64 *)word);
	else
		put_unaligned(get_unaligned((u32 *)word) + (u32)delta, (u32 *)word);

	return 0;
}

/*
 * Makes the kernel one for a virtual address that is @delta above the one that it was linked
 * for. There are two or three lists of addresses, with a 0 before each: of words of 64 bits,
 * of words of 32 bits that are relative to per-CPU data (which newer kernels have none of), and
 * of words of 32 bits.
 */
static int relocate(struct unpacked *u, long delta)
{
	static const struct {
		int size, sign;
	} lists[2][3] = {
		{ { sizeof(u64), 1 }, { sizeof(u32), 1 } },
		{ { sizeof(u64), 1 }, { sizeof(u32), -1 }, { sizeof(u32), 1 } },
	};
	int nr = 0, list = -1;

	for (size_t i = 0; i < u->nr_relocs; i++)
		nr += !u->relocs[i];
	if (nr < 2 || nr > 3 || u->relocs[0])
		return -EOPNOTSUPP;

	for (size_t i = 0; i < u->nr_relocs; i++) {
		int err;

		if (!u->relocs[i]) {
			list++;
			continue;
		}
		err = relocate_word(u, u->relocs[i], lists[nr - 2][list].size,
				    delta * lists[nr - 2][list].sign);
		if (err)
			return err;
	}

	return 0;
}

/* Chooses a virtual address at random, as the decompressor does. */
static int randomize(struct unpacked *u, const struct setup_header *header)
{
	u64 size = ALIGN(u->room, PMD_SIZE), align = header->kernel_alignment;

	if (u->base + size > IMAGE_ROOM)
		return -EOPNOTSUPP;

	return relocate(u, get_random_long() % ((IMAGE_ROOM - u->base - size) / align + 1) * align);
}

static int unpack(struct unpacked *u, const struct kexec_buf *kbuf,
		  const struct setup_header *header)
{
	const void *payload = kbuf->buffer + header->payload_offset;
	size_t len = header->payload_length;
	int err;

	if (len < sizeof(u32) || header->payload_offset > kbuf->bufsz ||
	    len > kbuf->bufsz - header->payload_offset)
		return -EBADMSG;

	/* Each format has the size of the unpacked data at the end, or makes it so. */
	u->len = get_unaligned_le32(payload + len - sizeof(u32));
	if (u->len > u->room)
		return -EBADMSG;
	/* Rather than kill processes for it, let the kernel unpack itself. */
	u->buf = __vmalloc(u->room, GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	if (!u->buf)
		return -ENOMEM;
	err = kho_unpack(payload, len, u->buf, u->len);

	return err ?: read_elf(u);
}

/*
 * Unpacks the kernel and finds a place for it. A kernel without relocations, or with nokaslr,
 * has the virtual address that it was linked for. As without KHO, kexec finds a place for one
 * with nokaslr.
 */
static int prepare(struct unpacked *u, struct kexec_buf *kbuf, const struct setup_header *header,
		   const char *cmdline, unsigned long later, u8 *loadflags)
{
	struct kimage *image = kbuf->image;
	bool random = cmdline_find_option_bool(cmdline, "nokaslr") <= 0;
	int err = unpack(u, kbuf, header);

	if (!err && random && u->nr_relocs)
		err = randomize(u, header);
	if (err)
		return err;

	if (!random || !u->nr_relocs) {
		image->kho_places = 1;
		return 0;
	}

	image->kho_places = kho_pieces_random_place(kbuf, later);
	if (!image->kho_places)
		return -EADDRNOTAVAIL;
	*loadflags |= KASLR_FLAG;

	return 0;
}

/**
 * x86_kho_unpack - unpack the next kernel, if that can be done now
 * @kbuf: the segment of the kernel; the buffer is its part in protected mode. Changed to the
 *	unpacked kernel, and its place, if one was chosen at random.
 * @header: the header of the kernel
 * @cmdline: its command line, or NULL
 * @later: size in bytes of the largest segment that will be added after the kernel
 * @entry: changed to the offset of the entry of the unpacked kernel
 * @loadflags: changed to the flags that the decompressor would set
 *
 * A kernel that cannot be unpacked now stays as it is, and kho_ahead_report() says why.
 *
 * Context: kexec_file_load(), with the kexec lock held, after the signature was verified.
 * Return: 0; -ENOEXEC if the kernel is corrupt.
 */
int x86_kho_unpack(struct kexec_buf *kbuf, const struct setup_header *header,
		   const char *cmdline, unsigned long later, unsigned long *entry, u8 *loadflags)
{
	struct kimage *image = kbuf->image;
	struct unpacked u = { .room = kbuf->memsz, .base = header->pref_address };

	if (image->type == KEXEC_TYPE_CRASH)
		return 0;
	image->kho_packed = objection(image, header, cmdline);
	if (image->kho_packed)
		return 0;

	switch (prepare(&u, kbuf, header, cmdline, later, loadflags)) {
	case 0:
		image->kho_unpacked = u.buf;
		kbuf->buffer = u.buf;
		kbuf->bufsz = u.end;
		*entry = u.entry;
		return 0;
	case -EBADMSG:
		vfree(u.buf);
		pr_err("KHO: the kernel file is corrupt and cannot be unpacked: not loaded; replace the file\n");
		return -ENOEXEC;
	case -ENOMEM:
		image->kho_packed = "there is no memory to unpack it";
		break;
	case -EADDRNOTAVAIL:
		image->kho_packed = "scratch has no place for it beside this kernel";
		break;
	default:
		image->kho_packed = "its format is unknown";
	}
	vfree(u.buf);

	return 0;
}

#if IS_ENABLED(CONFIG_KEXEC_HANDOVER_KUNIT_TEST)
#include "kexec_unpack_test.c"
#endif
