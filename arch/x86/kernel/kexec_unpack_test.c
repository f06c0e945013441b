// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of kexec_unpack.c: an unpacked kernel is checked before its segments are placed,
 * and its relocations before they are applied. kexec_unpack.c includes this file.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>

#define BASE		0x1000000
#define ROOM		SZ_64K
#define SEGMENT_AT	0x1000
#define SEGMENT_SIZE	0x800

/* A kernel with one segment; the tests change it before it is read. */
struct elf_file {
	struct elf64_hdr ehdr;
	struct elf64_phdr phdr;
	u8 gap[SEGMENT_AT - sizeof(struct elf64_hdr) - sizeof(struct elf64_phdr)];
	u8 segment[SEGMENT_SIZE];
	struct elf64_shdr shdr;
	s32 relocs[16];
};

static struct elf_file *make_kernel(struct kunit *test, struct unpacked *u)
{
	struct elf_file *file = kunit_kzalloc(test, ROOM, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, file);
	memcpy(file->ehdr.e_ident, ELFMAG, SELFMAG);
	file->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	file->ehdr.e_machine = EM_X86_64;
	file->ehdr.e_entry = BASE + 0x10;
	file->ehdr.e_phoff = offsetof(struct elf_file, phdr);
	file->ehdr.e_phentsize = sizeof(file->phdr);
	file->ehdr.e_phnum = 1;
	file->ehdr.e_shoff = offsetof(struct elf_file, shdr);
	file->ehdr.e_shnum = 1;
	file->phdr.p_type = PT_LOAD;
	file->phdr.p_paddr = BASE;
	file->phdr.p_offset = SEGMENT_AT;
	file->phdr.p_filesz = SEGMENT_SIZE;
	file->phdr.p_memsz = SEGMENT_SIZE;
	memset(file->segment, 0x55, SEGMENT_SIZE);

	*u = (struct unpacked){
		.buf = file,
		.room = ROOM,
		.len = offsetof(struct elf_file, relocs),
		.base = BASE,
	};

	return file;
}

static void test_places_the_segment(struct kunit *test)
{
	struct unpacked u;

	make_kernel(test, &u);
	KUNIT_ASSERT_EQ(test, 0, read_elf(&u));
	KUNIT_EXPECT_EQ(test, SEGMENT_SIZE, u.end);
	KUNIT_EXPECT_EQ(test, 0x10, u.entry);
	KUNIT_EXPECT_EQ(test, 0, u.nr_relocs);
	KUNIT_EXPECT_NULL(test, memchr_inv(u.buf, 0x55, SEGMENT_SIZE));
}

#define REFUSES(err, change) do {			\
	struct unpacked u;				\
	struct elf_file *file = make_kernel(test, &u);	\
							\
	(void)file;					\
	change;						\
	KUNIT_EXPECT_EQ(test, err, read_elf(&u));	\
} while (0)

static void test_refuses_headers(struct kunit *test)
{
	REFUSES(-EBADMSG, file->ehdr.e_ident[0] = 0);
	REFUSES(-EBADMSG, file->ehdr.e_ident[EI_CLASS] = ELFCLASS32);
	REFUSES(-EBADMSG, file->ehdr.e_machine = EM_AARCH64);
	REFUSES(-EBADMSG, file->ehdr.e_phentsize = 1);
	REFUSES(-EBADMSG, file->ehdr.e_phoff = -1ULL);
	REFUSES(-EBADMSG, file->ehdr.e_phnum = 0xffff);
	REFUSES(-EBADMSG, file->ehdr.e_phnum = 0);
	REFUSES(-EBADMSG, u.len = sizeof(struct elf64_hdr) - 1);
	REFUSES(-EBADMSG, file->ehdr.e_entry = BASE - 1);
	REFUSES(-EBADMSG, file->ehdr.e_entry = BASE + SEGMENT_SIZE);
	REFUSES(-EOPNOTSUPP, file->ehdr.e_shoff = 0);
	REFUSES(-EOPNOTSUPP, file->ehdr.e_shoff = -1ULL);
	REFUSES(-EOPNOTSUPP, file->ehdr.e_shnum = 0xffff);
	REFUSES(-EOPNOTSUPP, u.len += 1);
}

static void test_refuses_segments(struct kunit *test)
{
	REFUSES(-EBADMSG, file->phdr.p_paddr = BASE - 1);
	REFUSES(-EBADMSG, file->phdr.p_paddr = -1ULL);
	REFUSES(-EBADMSG, file->phdr.p_paddr = BASE + ROOM);
	REFUSES(-EBADMSG, file->phdr.p_offset = -1ULL);
	REFUSES(-EBADMSG, file->phdr.p_offset = u.len);
	REFUSES(-EBADMSG, file->phdr.p_filesz = -1ULL);
	REFUSES(-EBADMSG, file->phdr.p_memsz = SEGMENT_SIZE - 1);
	REFUSES(-EBADMSG, file->phdr.p_memsz = -1ULL);
	REFUSES(-EBADMSG, file->phdr.p_memsz = ROOM + 1);
	/* It would have to be moved up, perhaps over another one. */
	REFUSES(-EOPNOTSUPP, file->phdr.p_paddr = BASE + SEGMENT_AT + 1);
	REFUSES(-EBADMSG, file->phdr.p_type = PT_NOTE);
}

/* Sets the relocations of a kernel and applies them. Returns what relocate() returned. */
static int relocate_with(struct kunit *test, struct unpacked *u, const s32 *relocs, size_t nr)
{
	struct elf_file *file = make_kernel(test, u);

	memcpy(file->relocs, relocs, nr * sizeof(*relocs));
	u->len += nr * sizeof(*relocs);
	KUNIT_ASSERT_EQ(test, 0, read_elf(u));
	KUNIT_ASSERT_EQ(test, nr, u->nr_relocs);

	return relocate(u, SZ_2M);
}

#define AT(offset)	((s32)(__START_KERNEL_map + BASE + (offset)))

static void test_relocates(struct kunit *test)
{
	static const s32 two[] = { 0, AT(0), 0, AT(8), AT(12) };
	static const s32 three[] = { 0, AT(0), 0, AT(8), 0, AT(12) };
	const u64 word64 = 0x5555555555555555;
	const u32 word32 = 0x55555555;
	struct unpacked u;

	KUNIT_ASSERT_EQ(test, 0, relocate_with(test, &u, two, ARRAY_SIZE(two)));
	KUNIT_EXPECT_EQ(test, word64 + SZ_2M, *(u64 *)u.buf);
	KUNIT_EXPECT_EQ(test, word32 + SZ_2M, *(u32 *)(u.buf + 8));
	KUNIT_EXPECT_EQ(test, word32 + SZ_2M, *(u32 *)(u.buf + 12));
	KUNIT_EXPECT_EQ(test, word32, *(u32 *)(u.buf + 16));

	KUNIT_ASSERT_EQ(test, 0, relocate_with(test, &u, three, ARRAY_SIZE(three)));
	KUNIT_EXPECT_EQ(test, word64 + SZ_2M, *(u64 *)u.buf);
	KUNIT_EXPECT_EQ(test, word32 - SZ_2M, *(u32 *)(u.buf + 8));
	KUNIT_EXPECT_EQ(test, word32 + SZ_2M, *(u32 *)(u.buf + 12));
}

static void test_refuses_relocations(struct kunit *test)
{
	static const s32 one[] = { 0, AT(0) };
	static const s32 four[] = { 0, AT(0), 0, AT(0), 0, AT(0), 0, AT(0) };
	static const s32 no_zero[] = { AT(0), 0, AT(0), 0 };
	static const s32 below[] = { 0, AT(-1), 0, 0 };
	static const s32 above64[] = { 0, AT(SEGMENT_SIZE - 7), 0, 0 };
	static const s32 above32[] = { 0, 0, AT(SEGMENT_SIZE - 3) };
	struct unpacked u;

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, relocate_with(test, &u, one, ARRAY_SIZE(one)));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, relocate_with(test, &u, four, ARRAY_SIZE(four)));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, relocate_with(test, &u, no_zero, ARRAY_SIZE(no_zero)));
	KUNIT_EXPECT_EQ(test, -EBADMSG, relocate_with(test, &u, below, ARRAY_SIZE(below)));
	KUNIT_EXPECT_EQ(test, -EBADMSG, relocate_with(test, &u, above64, ARRAY_SIZE(above64)));
	KUNIT_EXPECT_EQ(test, -EBADMSG, relocate_with(test, &u, above32, ARRAY_SIZE(above32)));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(test_places_the_segment),
	KUNIT_CASE(test_refuses_headers),
	KUNIT_CASE(test_refuses_segments),
	KUNIT_CASE(test_relocates),
	KUNIT_CASE(test_refuses_relocations),
	{}
};

static struct kunit_suite suite = {
	.name = "kho_x86_unpack",
	.test_cases = cases,
};

kunit_test_suite(suite);
