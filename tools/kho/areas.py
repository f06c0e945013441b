# SPDX-License-Identifier: GPL-2.0-only
"""vmalloc areas and reserve_mem= regions, read and written without the kernel.

Owns the chains of chunks that name the pages of a vmalloc area, the blob that
names regions, and the blob of the kernel's test client for areas,
lib/test_kexec_handover/areas.c, which has a descriptor for each area.
"""

import struct

import kho4
from kho4 import PAGE, U64, Defect, Folio, make_fdt, parse_fdt, raw_u64, size_of

BLOB = 'test-kho-areas'
BLOB_SIZE = 4088
# Kind, guarded, seed, number of pages, address of a run; then struct kho_vmalloc: first
# chunk, number of pages, flags, order.
AREA = struct.Struct('<HHIQQQIHH')
VMALLOC = 2
ALLOC, HUGE = 1, 2                      # flags
PER_CHUNK = PAGE // 8 - 1               # after the address of the next chunk

REGIONS_BLOB = 'memblock'


class Area:
    def __init__(self, seed, folios, chunks, flags):
        self.seed, self.folios, self.chunks, self.flags = seed, folios, chunks, flags

    def pages(self):
        return sum(1 << folio.order for folio in self.folios)

    def content(self, i):
        """Returns what the client wrote into page @i."""
        word = ((self.seed << 32) + i + 1) * 0x9e3779b97f4a7c15 & kho4.MASK
        return U64.pack(word) * (PAGE // 8)


def read_chain(reader, first, pages, order):
    """Returns (folios, chunks) of an area."""
    folios, chunks, at = [], [], first
    while at:
        if at in chunks or at % PAGE:
            raise Defect(f'the chunk at {at:#x} is in the chain twice, or is not aligned')
        chunks.append(at)
        at, *addrs = struct.unpack(f'<{PAGE // 8}Q', reader.ram.read(at, PAGE))
        named = addrs[:addrs.index(0)] if 0 in addrs else addrs
        if any(addrs[len(named):]) or (at and len(named) < PER_CHUNK):
            raise Defect(f'chunk {chunks[-1]:#x} has a gap')
        if not named:
            raise Defect(f'chunk {chunks[-1]:#x} is empty')
        folios += [Folio(addr, order) for addr in named]
    if len(folios) << order != pages:
        raise Defect(f'{len(folios)} blocks of order {order} do not have {pages} pages')
    return folios, chunks


def read_areas(reader):
    """Returns the vmalloc areas that a kernel left."""
    if BLOB not in reader.blobs():
        return []
    blob = reader.blob(BLOB)
    count, = U64.unpack_from(blob)
    found = []
    for i in range(count):
        kind, _, seed, pages, _, first, total, flags, order = AREA.unpack_from(
            blob, 8 + i * AREA.size)
        if kind != VMALLOC:
            continue
        if total != pages or flags not in (ALLOC, ALLOC | HUGE) or (order and not flags & HUGE):
            raise Defect(f'an area has {total} pages instead of {pages}, flags {flags}, '
                         f'order {order}')
        found.append(Area(seed, *read_chain(reader, first, total, order), flags))
    return found


def write_chain(writer, folios):
    """Writes and preserves the chunks that name @folios. Returns the address of the first."""
    following = 0
    for first in reversed(range(0, len(folios), PER_CHUNK)):
        addrs = [folio.addr for folio in folios[first:first + PER_CHUNK]]
        following = writer.preserved_page(struct.pack(f'<{1 + len(addrs)}Q', following, *addrs))
    return following


def write_areas(writer, areas):
    """Writes the chunks of @areas, a list of Area, and preserves chunks and folios."""
    blob = U64.pack(len(areas))
    for area in areas:
        for i, folio in enumerate(area.folios):
            writer.preserve(*folio)
            pages = range(i << folio.order, (i + 1) << folio.order)
            writer.ram.write(folio.addr, b''.join(area.content(page) for page in pages))
        first = write_chain(writer, area.folios)
        blob += AREA.pack(VMALLOC, 0, area.seed, area.pages(), 0, first, area.pages(),
                          area.flags, area.folios[0].order)
    writer.add_blob(BLOB, blob.ljust(BLOB_SIZE, b'\0'))


def read_regions(reader):
    """Returns {name: (address, size)} of reserve_mem= regions."""
    if REGIONS_BLOB not in reader.blobs():
        return {}
    properties, nodes = parse_fdt(reader.blob(REGIONS_BLOB))
    if properties != {'compatible': b'memblock-v1\0'}:
        raise Defect(f'the root of the blob of regions has {properties}')
    for name, (properties, children) in nodes:
        if children or set(properties) != {'compatible', 'start', 'size'} or \
                properties['compatible'] != b'reserve-mem-v1\0':
            raise Defect(f'region {name} has {properties}, {len(children)} nodes')
    return {name: (raw_u64(node[0], 'start'), raw_u64(node[0], 'size')) for name, node in nodes}


def write_region(writer, name, folio, data):
    """Writes one region, which is one folio."""
    writer.preserve(*folio)
    writer.ram.write(folio.addr, data)
    node = {'compatible': b'reserve-mem-v1\0', 'start': U64.pack(folio.addr),
            'size': U64.pack(size_of(folio))}
    root = {'compatible': b'memblock-v1\0'}
    writer.add_blob(REGIONS_BLOB, make_fdt((root, [(name, (node, []))]), PAGE))


def read_array(state, count, form, first, pages, flags, order):
    """Returns the entries of an array of live update, each of the given form."""
    if not count:
        if first or pages or flags or order:
            raise Defect('there is an array although it has no entries')
        return []
    if flags != ALLOC or order or pages * PAGE < count * form.size:
        raise Defect(f'an array of {pages} pages, flags {flags}, for {count} entries')
    folios, chunks = read_chain(state.reader, first, pages, order)
    data = b''.join(state.page(folio.addr) for folio in folios)
    for chunk in chunks:
        state.page(chunk)
    return list(form.iter_unpack(data[:count * form.size]))
