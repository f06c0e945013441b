# SPDX-License-Identifier: GPL-2.0-only
"""kho-log-v1, the log that a kernel leaves for the next, without the kernel.

Owns the reader of the blob. It was written from the description of the format alone.
"""

import struct
from collections import namedtuple

from kho4 import Defect, xxh64

BLOB = 'kho-6.12,log'
HEADER = struct.Struct('<16sQQ')        # compatible, checksum, bytes of records
RECORD = struct.Struct('<QI65s3x')      # bytes of text, kexecs, release
ALIGN = 8

Record = namedtuple('Record', 'kexecs release text')


def read_log(data):
    """Returns the records of a blob, that of the last kernel first."""
    if len(data) < HEADER.size:
        raise Defect(f'a log of {len(data)} bytes')
    compatible, checksum, used = HEADER.unpack_from(data)
    if compatible.split(b'\0')[0] != b'kho-log-v1':
        raise Defect(f'a log of the version {compatible}')
    records = data[HEADER.size:HEADER.size + used]
    if len(records) != used or used % ALIGN:
        raise Defect(f'a log with {used} bytes of records in {len(data)} bytes')
    if xxh64(records, used) != checksum:
        raise Defect('the checksum of the log differs')
    found, at = [], 0
    while at < used:
        if used - at < RECORD.size:
            raise Defect('a record of the log is not complete')
        length, kexecs, release = RECORD.unpack_from(records, at)
        text = records[at + RECORD.size:at + RECORD.size + length]
        if len(text) != length:
            raise Defect('a record of the log is not complete')
        if not length or b'\0' not in release:
            raise Defect('a record of the log has no text, or a release without an end')
        release = release.split(b'\0')[0].decode(errors='replace')
        found.append(Record(kexecs, release, text))
        at += -(-(RECORD.size + length) // ALIGN) * ALIGN
    return found
