// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of unpack.c: the formats in which kernels are packed, and damaged packed
 * data.
 *
 * The data is a short text, packed by the programs that the kernel's build uses, with the size
 * after it where the build adds one.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/kexec_handover_image.h>
#include <linux/string.h>

#define SIZE	500

static const u8 gzip[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x54,
	0xc8, 0x4e, 0x2d, 0xca, 0x4b, 0xcd, 0x51, 0xc8, 0xcc, 0x53, 0x28, 0x4e,
	0x2e, 0x4a, 0x2c, 0x49, 0xce, 0xd0, 0x51, 0x48, 0x1c, 0x15, 0x1c, 0xce,
	0x82, 0x00, 0x00, 0x56, 0x2f, 0x39, 0xf4, 0x01, 0x00, 0x00,
};

static const u8 gzip_named[] = {
	0x1f, 0x8b, 0x08, 0x08, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x76, 0x6d,
	0x6c, 0x69, 0x6e, 0x75, 0x78, 0x00, 0x4b, 0x54, 0xc8, 0x4e, 0x2d, 0xca,
	0x4b, 0xcd, 0x51, 0xc8, 0xcc, 0x53, 0x28, 0x4e, 0x2e, 0x4a, 0x2c, 0x49,
	0xce, 0xd0, 0x51, 0x48, 0x1c, 0x15, 0x1c, 0xce, 0x82, 0x00, 0x00, 0x56,
	0x2f, 0x39, 0xf4, 0x01, 0x00, 0x00,
};

static const u8 xz[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36,
	0x02, 0x00, 0x21, 0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3,
	0xe0, 0x01, 0xf3, 0x00, 0x1e, 0x5d, 0x00, 0x30, 0x88, 0x09, 0x66, 0x94,
	0x53, 0x74, 0xb6, 0x71, 0x55, 0x8b, 0x5c, 0x1b, 0x93, 0x40, 0x21, 0xe7,
	0xc9, 0xfc, 0x66, 0xf7, 0x49, 0xe6, 0x9f, 0x8b, 0xcb, 0x08, 0xd4, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x56, 0x2f, 0x39, 0x00, 0x01, 0x36, 0xf4,
	0x03, 0x00, 0x00, 0x00, 0x1e, 0x69, 0x77, 0xbe, 0x3e, 0x30, 0x0d, 0x8b,
	0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a, 0xf4, 0x01, 0x00, 0x00,
};

static const u8 zstd[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0xe5, 0x00, 0x00, 0xa8, 0x61, 0x20,
	0x6b, 0x65, 0x72, 0x6e, 0x65, 0x6c, 0x20, 0x69, 0x6e, 0x20, 0x73, 0x63,
	0x72, 0x61, 0x74, 0x63, 0x68, 0x2c, 0x20, 0x01, 0x00, 0xb9, 0x51, 0x9d,
	0x4c, 0xf4, 0x01, 0x00, 0x00,
};

static const u8 lz4[] = {
	0x02, 0x21, 0x4c, 0x18, 0x21, 0x00, 0x00, 0x00, 0xff, 0x06, 0x61, 0x20,
	0x6b, 0x65, 0x72, 0x6e, 0x65, 0x6c, 0x20, 0x69, 0x6e, 0x20, 0x73, 0x63,
	0x72, 0x61, 0x74, 0x63, 0x68, 0x2c, 0x20, 0x15, 0x00, 0xff, 0xc8, 0x50,
	0x73, 0x63, 0x72, 0x61, 0x74, 0xf4, 0x01, 0x00, 0x00,
};

struct packed {
	const char *name;
	const u8 *data;
	size_t len;
	bool known;
	bool checked;
};

#define GZIP_KNOWN	(IS_BUILTIN(CONFIG_ZLIB_INFLATE) && IS_BUILTIN(CONFIG_CRC32))

static const struct packed formats[] = {
	{ "gzip", gzip, sizeof(gzip), GZIP_KNOWN, true },
	{ "gzip with a name", gzip_named, sizeof(gzip_named), GZIP_KNOWN, true },
	{ "xz", xz, sizeof(xz), IS_BUILTIN(CONFIG_XZ_DEC), true },
	{ "zstd", zstd, sizeof(zstd), IS_BUILTIN(CONFIG_ZSTD_DECOMPRESS), false },
	{ "lz4", lz4, sizeof(lz4), IS_BUILTIN(CONFIG_LZ4_DECOMPRESS), false },
};

KUNIT_ARRAY_PARAM_DESC(format, formats, name);

static const struct packed *this_format(struct kunit *test)
{
	const struct packed *packed = test->param_value;

	if (!packed->known)
		kunit_skip(test, "this kernel cannot unpack it");

	return packed;
}

static bool is_text(const char *out)
{
	static const char text[] = "a kernel in scratch, ";

	for (int i = 0; i < SIZE; i++) {
		if (out[i] != text[i % strlen(text)])
			return false;
	}

	return true;
}

static void test_unpacks(struct kunit *test)
{
	const struct packed *packed = this_format(test);
	char *out = kunit_kzalloc(test, SIZE + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, out);
	KUNIT_ASSERT_EQ(test, 0, kho_unpack(packed->data, packed->len, out, SIZE));
	KUNIT_EXPECT_TRUE(test, is_text(out));
	KUNIT_EXPECT_EQ(test, 0, out[SIZE]);
}

/* Nothing is written after the end of the buffer, which KASAN sees as well. */
static void test_has_another_size(struct kunit *test)
{
	const struct packed *packed = this_format(test);
	char *out = kunit_kzalloc(test, SIZE + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, out);
	KUNIT_EXPECT_EQ(test, -EBADMSG, kho_unpack(packed->data, packed->len, out, SIZE - 1));
	KUNIT_EXPECT_EQ(test, 0, out[SIZE - 1]);
	KUNIT_EXPECT_EQ(test, -EBADMSG, kho_unpack(packed->data, packed->len, out, SIZE + 1));
}

/* Each possible length, in a buffer that ends there */
static void test_is_cut_off(struct kunit *test)
{
	const struct packed *packed = this_format(test);
	char *out = kunit_kzalloc(test, SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, out);
	for (size_t len = 8; len < packed->len - sizeof(u32); len++) {
		u8 *in = kmemdup(packed->data, len, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, in);
		KUNIT_EXPECT_EQ_MSG(test, -EBADMSG, kho_unpack(in, len, out, SIZE),
				    "of %zu bytes", len);
		kfree(in);
	}
}

/*
 * Two of the formats have a checksum: a wrong byte that the checksum does not detect changes
 * nothing. The other formats may unpack to other data, but do not write outside of their buffers.
 */
static void test_has_a_wrong_byte(struct kunit *test)
{
	const struct packed *packed = this_format(test);
	u8 *in = kunit_kmalloc(test, packed->len, GFP_KERNEL);
	char *out = kunit_kzalloc(test, SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, in);
	KUNIT_ASSERT_NOT_NULL(test, out);
	for (size_t i = 20; i < packed->len - sizeof(u32); i++) {
		int err;

		memcpy(in, packed->data, packed->len);
		in[i] ^= 0x10;
		err = kho_unpack(in, packed->len, out, SIZE);
		if (packed->checked)
			KUNIT_EXPECT_TRUE_MSG(test, err || is_text(out), "byte %zu", i);
	}
}

static void test_is_unknown(struct kunit *test)
{
	static const char elf[] = "\177ELF is not packed at all";
	char out[16];

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, kho_unpack(elf, sizeof(elf), out, sizeof(out)));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, kho_unpack(gzip, 2, out, sizeof(out)));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, kho_unpack(gzip, 0, out, sizeof(out)));
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(test_unpacks, format_gen_params),
	KUNIT_CASE_PARAM(test_has_another_size, format_gen_params),
	KUNIT_CASE_PARAM(test_is_cut_off, format_gen_params),
	KUNIT_CASE_PARAM(test_has_a_wrong_byte, format_gen_params),
	KUNIT_CASE(test_is_unknown),
	{}
};

static struct kunit_suite suite = {
	.name = "kho_unpack",
	.test_cases = cases,
};

kunit_test_suite(suite);
