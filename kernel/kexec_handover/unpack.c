// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unpacking a kernel before the kexec, from one buffer into another.
 *
 * This file owns the choice of the decompressor, and the checks of packed data. The
 * kernel has the same decompressors for initrds and modules; those in lib/decompress*.c are
 * gone after boot. A format that this kernel was configured without is unknown to it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */

#include <linux/align.h>
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/kexec_handover_image.h>
#include <linux/lz4.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>
#include <linux/xz.h>
#include <linux/zlib.h>
#include <linux/zstd.h>

#define GZIP_HEADER	10
#define GZIP_TRAILER	8
#define GZIP_NAME	0x08

/* Returns the size of the header in bytes; 0 if it is invalid, or has more than a name. */
static size_t gzip_header(const u8 *in, size_t len)
{
	size_t size = GZIP_HEADER;

	if (len < GZIP_HEADER + GZIP_TRAILER || in[2] != Z_DEFLATED || in[3] & ~GZIP_NAME)
		return 0;
	if (in[3] & GZIP_NAME)
		size += strnlen(&in[size], len - size) + 1;

	return size + GZIP_TRAILER <= len ? size : 0;
}

static int inflate_all(struct z_stream_s *stream, u8 *out, size_t out_len)
{
	int ret = Z_OK;

	/* In pieces, because a kernel is large, and other tasks have to run meanwhile. */
	while (ret == Z_OK) {
		stream->next_out = out + stream->total_out;
		stream->avail_out = min_t(size_t, out_len - stream->total_out, SZ_1M);
		ret = zlib_inflate(stream, Z_SYNC_FLUSH);
		cond_resched();
	}

	return ret == Z_STREAM_END && stream->total_out == out_len ? 0 : -EBADMSG;
}

static int gunzip(const u8 *in, size_t len, u8 *out, size_t out_len)
{
	size_t header = gzip_header(in, len);
	struct z_stream_s stream = {
		.next_in = in + header,
		.avail_in = len - header - GZIP_TRAILER,
	};
	int err = -EBADMSG;

	if (!header)
		return -EBADMSG;
	if (get_unaligned_le32(&in[len - 4]) != out_len)
		return -EBADMSG;

	stream.workspace = vmalloc(zlib_inflate_workspacesize());
	if (!stream.workspace)
		return -ENOMEM;
	if (zlib_inflateInit2(&stream, -MAX_WBITS) == Z_OK)
		err = inflate_all(&stream, out, out_len);
	vfree(stream.workspace);

	if (!err && ~crc32_le(~0, out, out_len) != get_unaligned_le32(&in[len - 8]))
		err = -EBADMSG;

	return err;
}

static int unxz(const u8 *in, size_t len, u8 *out, size_t out_len)
{
	struct xz_buf buf = {
		.in = in,
		.in_size = len,
		.out = out,
		.out_size = out_len,
	};
	struct xz_dec *dec = xz_dec_init(XZ_SINGLE, 0);
	enum xz_ret ret;

	if (!dec)
		return -ENOMEM;
	ret = xz_dec_run(dec, &buf);
	xz_dec_end(dec);

	/* Filters and checks that this kernel was configured without */
	if (ret == XZ_OPTIONS_ERROR || ret == XZ_UNSUPPORTED_CHECK)
		return -EOPNOTSUPP;

	return ret == XZ_STREAM_END && buf.out_pos == out_len ? 0 : -EBADMSG;
}

static int unzstd(const u8 *in, size_t len, u8 *out, size_t out_len)
{
	size_t frame = zstd_find_frame_compressed_size(in, len);
	size_t size = zstd_dctx_workspace_bound();
	zstd_dctx *dctx;
	void *workspace;
	size_t ret;

	if (zstd_is_error(frame))
		return -EBADMSG;

	workspace = vmalloc(size);
	if (!workspace)
		return -ENOMEM;
	dctx = zstd_init_dctx(workspace, size);
	ret = zstd_decompress_dctx(dctx, out, out_len, in, frame);
	vfree(workspace);

	return ret == out_len ? 0 : -EBADMSG;
}

/*
 * The old format of lz4: blocks after the magic number, each with its size before it. All but
 * the last one unpack to 8 MiB.
 */
static int unlz4(const u8 *in, size_t len, u8 *out, size_t out_len)
{
	size_t at = sizeof(u32), done = 0;

	while (done < out_len) {
		size_t room = min_t(size_t, out_len - done, SZ_8M);
		u32 size;

		if (len - at < sizeof(size))
			return -EBADMSG;
		size = get_unaligned_le32(&in[at]);
		at += sizeof(size);
		if (!size || size > len - at || size > INT_MAX)
			return -EBADMSG;
		if (LZ4_decompress_safe(&in[at], &out[done], size, room) != room)
			return -EBADMSG;
		at += size;
		done += room;
		cond_resched();
	}

	return 0;
}

#define GUNZIP	(IS_BUILTIN(CONFIG_ZLIB_INFLATE) && IS_BUILTIN(CONFIG_CRC32) ? gunzip : NULL)

static const struct {
	const char *magic;
	size_t len;
	int (*unpack)(const u8 *in, size_t len, u8 *out, size_t out_len);
} formats[] = {
	{ "\x1f\x8b", 2, GUNZIP },
	{ "\3757zXZ", 6, IS_BUILTIN(CONFIG_XZ_DEC) ? unxz : NULL },
	{ "\x28\xb5\x2f\xfd", 4, IS_BUILTIN(CONFIG_ZSTD_DECOMPRESS) ? unzstd : NULL },
	{ "\x02\x21\x4c\x18", 4, IS_BUILTIN(CONFIG_LZ4_DECOMPRESS) ? unlz4 : NULL },
};

/**
 * kho_unpack - unpack a buffer
 * @in: the packed data, in one of the formats that kernels are packed with; bytes after the
 *	end of the data are ignored, but for gzip
 * @len: its size in bytes
 * @out: where to unpack to
 * @out_len: the size of the unpacked data in bytes
 *
 * Context: process context, sleeps.
 * Return: 0; -EOPNOTSUPP if the format is unknown or this kernel cannot unpack it; -EBADMSG
 * if the data is corrupt or has another size; -ENOMEM.
 */
int kho_unpack(const void *in, size_t len, void *out, size_t out_len)
{
	for (int i = 0; i < ARRAY_SIZE(formats); i++) {
		if (formats[i].unpack && len > formats[i].len &&
		    !memcmp(in, formats[i].magic, formats[i].len))
			return formats[i].unpack(in, len, out, out_len);
	}

	return -EOPNOTSUPP;
}
