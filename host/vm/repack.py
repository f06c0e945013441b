#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/repack.py IMAGE FORMAT OUT - pack the kernel in a bzImage in another way
#
# IMAGE is packed with gzip. OUT is the same with a second copy of the kernel at its end,
# packed in FORMAT: xz, zstd or lz4; or gzip with one wrong byte, if FORMAT is "corrupt". The
# header names the second copy. The decompressor in the image does not look at the header, so
# OUT boots whether its own decompressor or the kernel that loads it unpacks the kernel.
#
# Owns how the test guests get kernels in all formats without builds of their own.

import lzma
import struct
import subprocess
import sys
import zlib

SETUP_SECTS = 0x1f1
PAYLOAD_OFFSET = 0x248
PAYLOAD_LENGTH = 0x24c


def xz(kernel):
    """Packs as scripts/xz_wrap.sh of the kernel does."""
    filters = [{'id': lzma.FILTER_X86}, {'id': lzma.FILTER_LZMA2, 'preset': 6}]
    return lzma.compress(kernel, lzma.FORMAT_XZ, lzma.CHECK_CRC32, filters=filters)


def command(*words):
    return lambda kernel: subprocess.run(words, input=kernel, stdout=subprocess.PIPE,
                                         check=True).stdout


def gzip(kernel):
    packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(kernel) + packer.flush()


def corrupt(kernel):
    packed = bytearray(gzip(kernel))
    packed[len(packed) // 2] ^= 0x10
    return bytes(packed)


FORMATS = {
    'xz': xz,
    'zstd': command('zstd', '-q', '-c', '-19'),
    'lz4': command('lz4', '-q', '-l', '-c'),
    'corrupt': corrupt,
}


def repack(image, form):
    setup = ((image[SETUP_SECTS] or 4) + 1) * 512
    offset, length = struct.unpack_from('<II', image, PAYLOAD_OFFSET)
    payload = image[setup + offset:setup + offset + length]
    kernel = zlib.decompress(payload, 16 + zlib.MAX_WBITS)
    packed = FORMATS[form](kernel)
    # All formats but gzip need the size after the data.
    if form != 'corrupt':
        packed += struct.pack('<I', len(kernel))

    out = bytearray(image)
    struct.pack_into('<II', out, PAYLOAD_OFFSET, len(image) - setup, len(packed))
    return bytes(out) + packed


def main():
    name, form, out = sys.argv[1:]
    with open(name, 'rb') as file:
        image = file.read()
    with open(out, 'wb') as file:
        file.write(repack(image, form))


if __name__ == '__main__':
    main()
