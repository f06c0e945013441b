# SPDX-License-Identifier: GPL-2.0-only
"""memfd-hugetlb-v1 and hugetlb-v1, the formats of hugetlb, without the kernel.

Owns both directions: File reads what a kernel left of a file of hugetlb pages, read_pools()
how many of these pages it counted; write_file() and write_pools() write the same. They
were written from the description of the formats alone, as was luo5.py.
"""

import hashlib
import struct
from collections import namedtuple

import areas
from kho4 import PAGE, PAGE_SHIFT, Defect, Folio, size_of
from luo5 import SEALS, VMALLOC, text

HUGETLB = 'memfd-hugetlb-v1'
FILE_PAGE = struct.Struct('<QQQIIQ')    # page size, pos, size, seals, mode, nr_folios
COUNT = struct.Struct('<Q')             # nr_ranges
ENTRY = struct.Struct('<QQ')            # PFN, index
RANGE = struct.Struct('<QQ')            # from, to

BLOB = 'hugetlb'
COMPATIBLE = b'hugetlb-v1'
POOLS = struct.Struct('<16sQ')          # compatible, number of pools
POOL = struct.Struct('<QQQQQ')          # page size, node, pages, surplus, reserved

Pool = namedtuple('Pool', 'page_size nid pages surplus reserved')


class File:
    """A file of hugetlb pages that a kernel left at @at. Raises Defect for what is invalid."""

    def __init__(self, state, at):
        self.ram = state.ram
        page = state.page(at)
        self.page_size, self.pos, self.size, self.seals, self.mode, count = \
            FILE_PAGE.unpack_from(page)
        area = VMALLOC.unpack_from(page, FILE_PAGE.size)
        ranges_at = FILE_PAGE.size + VMALLOC.size
        nr_ranges, = COUNT.unpack_from(page, ranges_at)
        ranges = VMALLOC.unpack_from(page, ranges_at + COUNT.size)
        if any(page[ranges_at + COUNT.size + VMALLOC.size:]):
            raise Defect(f'the page of the file at {at:#x} has something at its end')
        self._check()
        self.entries = areas.read_array(state, count, ENTRY, *area)
        self.ranges = sorted(areas.read_array(state, nr_ranges, RANGE, *ranges))
        self.pages = {}                 # index: address
        for pfn, index in self.entries:
            self._place(state.folio(pfn << PAGE_SHIFT), index)
        self._check_ranges()

    def _check(self):
        size = self.page_size
        if size <= PAGE or size & (size - 1):
            raise Defect(f'a file of {self.size} bytes has pages of {size}')
        if self.seals & ~SEALS or self.mode & ~0o7777:
            raise Defect(f'seals {self.seals:#x}, mode {self.mode:#o}')

    def _place(self, folio, index):
        if size_of(folio) != self.page_size:
            raise Defect(f'{folio} is not a page of {self.page_size} bytes')
        if index in self.pages or index >= -(-self.size // self.page_size):
            raise Defect(f'{folio} is the second one at {index}, or beyond the end')
        self.pages[index] = folio.addr

    def _check_ranges(self):
        end = 0
        for start, stop in self.ranges:
            if not end <= start < stop or any(start <= index < stop for index in self.pages):
                raise Defect(f'{start} to {stop} is reserved twice, or has a page')
            end = stop

    def reserved(self):
        return sum(stop - start for start, stop in self.ranges)

    def beyond(self):
        return []

    def sha256(self):
        digest = hashlib.sha256()
        for start in range(0, self.size, self.page_size):
            at = self.pages.get(start // self.page_size)
            size = min(self.page_size, self.size - start)
            digest.update(self.ram.read(at, size) if at else bytes(size))
        return digest.hexdigest()


def read_pools(reader):
    """Returns a Pool for each size and node that a kernel counted pages of."""
    if BLOB not in reader.blobs():
        return []
    blob = reader.blob(BLOB)
    name, nr = POOLS.unpack_from(blob)
    end = POOLS.size + nr * POOL.size
    if text(name) != COMPATIBLE.decode() or end > len(blob):
        raise Defect(f'the blob is {name}, with {nr} pools in {len(blob)} bytes')
    pools = [Pool(*pool) for pool in POOL.iter_unpack(blob[POOLS.size:end])]
    folios = reader.map()[0]
    for size in {pool.page_size for pool in pools}:
        of_size = [pool for pool in pools if pool.page_size == size]
        there = sum(size_of(folio) == size for folio in folios)
        if sum(pool.pages for pool in of_size) > there:
            raise Defect(f'more pages of {size} bytes are counted than the {there} that there are')
        if any(pool.surplus > pool.pages for pool in of_size):
            raise Defect(f'more pages of {size} bytes are surplus than there are')
        if len({pool.nid for pool in of_size}) < len(of_size):
            raise Defect(f'a node has two pools of {size} bytes')
    return pools


# ------------------------------------------------------------------------------


def write_array(writer, entries, form):
    """Writes an array, and returns what describes it."""
    if not entries:
        return 0, 0, 0, 0
    data = b''.join(form.pack(*entry) for entry in entries)
    pages = [Folio(writer.preserved_page(data[at:at + PAGE]), 0)
             for at in range(0, len(data), PAGE)]
    return areas.write_chain(writer, pages), len(pages), areas.ALLOC, 0


def write_file(writer, page_size, size, entries, ranges=(), pos=0, seals=0, mode=0o777,
               count=None):
    """Writes a file, without its folios, and returns its address.

    @entries: (PFN, index) of each page. @ranges: (from, to) of each part that is reserved.
    @count: how many pages there are said to be.
    """
    return writer.preserved_page(
        FILE_PAGE.pack(page_size, pos, size, seals, mode,
                       len(entries) if count is None else count) +
        VMALLOC.pack(*write_array(writer, entries, ENTRY)) + COUNT.pack(len(ranges)) +
        VMALLOC.pack(*write_array(writer, ranges, RANGE)))


def write_pools(writer, pools):
    """Writes the blob that counts the pages of @pools."""
    writer.add_blob(BLOB, POOLS.pack(COMPATIBLE, len(pools)) +
                    b''.join(POOL.pack(*pool) for pool in pools))
