# SPDX-License-Identifier: GPL-2.0-only
"""A handover decoded field by field, from memory in a file or of the running kernel.

Owns how memory is read, how a root FDT is found in it, and what is printed. kho4, luo5,
areas and log1 know the formats.
"""

import os
import struct

import areas
import hugetlb1
import kho4
import log1
import luo5
from kho4 import Defect, PAGE

ELF_PHDR = struct.Struct('<IIQQQQQQ')
PT_LOAD = 1


class Memory:
    """Physical memory in a file: as it is, from address 0 on, or an ELF core of a kernel."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY)
        head = os.pread(self.fd, 64, 0)
        if head[:4] == b'\x7fELF':
            at, size, count = (*struct.unpack_from('<Q', head, 32), *struct.unpack_from('<HH', head, 54))
            table = os.pread(self.fd, size * count, at)
            headers = [ELF_PHDR.unpack_from(table, i * size) for i in range(count)]
            # /proc/kcore gives the address -1 to mappings that are not the direct map.
            self.pieces = [(phys, length, offset) for kind, _, offset, _, phys, length, _, _ in headers
                           if kind == PT_LOAD and phys != (1 << 64) - 1 and length]
        else:
            self.pieces = [(0, os.fstat(self.fd).st_size, 0)]

    def read(self, addr, size):
        for start, length, offset in self.pieces:
            if start <= addr and addr + size <= start + length:
                try:
                    data = os.pread(self.fd, size, offset + addr - start)
                except OSError as error:
                    raise Defect(f'memory at {addr:#x} cannot be read: {error.strerror}') from error
                if len(data) == size:
                    return data
        raise Defect(f'{size} bytes at {addr:#x} are not in RAM')

    def u64(self, addr):
        return kho4.U64.unpack(self.read(addr, 8))[0]

    def pages_with(self, magic):
        """Yields the addresses of pages that begin with these bytes."""
        step = 1024 * PAGE
        for start, length, offset in self.pieces:
            for at in range(0, length, step):
                chunk = os.pread(self.fd, min(step, length - at), offset + at)
                if magic not in chunk:
                    continue
                for i in range(0, len(chunk), PAGE):
                    if chunk.startswith(magic, i):
                        yield start + at + i


class Handover(kho4.Reader):
    """A handover whose root FDT is known, by its address or by its content."""

    def __init__(self, ram, fdt_addr=0, fdt=None):
        self.ram, self.fdt_addr = ram, fdt_addr
        self.fdt = ram.read(fdt_addr, PAGE) if fdt is None else fdt

    def kho_data(self):
        raise Defect('the boot parameters are not known')

    def root(self):
        return kho4.parse_fdt(self.fdt)


def find(ram):
    """Returns the handovers whose root FDT is in memory, and preserved by their own map."""
    found = []
    for addr in ram.pages_with(kho4.cell(kho4.FDT_MAGIC)):
        try:
            handover = Handover(ram, addr)
            if handover.root()[0].get('compatible') == b'kho-v4\0' and \
                    kho4.Folio(addr, 0) in handover.map()[0]:
                found.append(handover)
        except (Defect, UnicodeDecodeError, struct.error):
            continue
    return found


# ----------------------------------------------------------------------- dump

def dump(handover):
    """Yields the lines of a description."""
    properties, _ = handover.root()
    yield f'root FDT{f" at {handover.fdt_addr:#x}" if handover.fdt_addr else ""}'
    for name, value in properties.items():
        if name == 'compatible':
            yield f'  {name} = {value.rstrip(bytes(1)).decode()}'
        else:
            yield f'  {name} = {kho4.raw_u64(properties, name):#x}'
    folios, nodes = handover.map()
    yield f'map: {len(nodes)} nodes, {len(folios)} folios, ' \
          f'{sum(map(kho4.size_of, folios))} bytes'
    for order in sorted({folio.order for folio in folios}):
        of_order = [folio for folio in folios if folio.order == order]
        yield f'  order {order}: {len(of_order)} folios from {min(of_order).addr:#x} ' \
              f'to {max(of_order).addr:#x}'
    for name, blob in sorted(handover.blobs().items()):
        yield f'blob {name}: {blob.size} bytes at {blob.addr:#x}'
        try:
            yield from (f'  {line}' for line in DECODERS.get(name, lambda handover: [])(handover))
        except (Defect, UnicodeDecodeError, struct.error) as error:
            yield f'  damaged: {error}'


def dump_metadata(handover):
    version, release, count = kho4.METADATA.unpack(handover.blob('kexec-metadata'))
    yield f'version = {version}'
    yield f'previous_release = {release.rstrip(bytes(1)).decode()}'
    yield f'kexec_count = {count}'


def dump_regions(handover):
    for name, (addr, size) in sorted(areas.read_regions(handover).items()):
        yield f'region {name}: {size} bytes at {addr:#x}'


def dump_log(handover):
    for record in log1.read_log(handover.blob(log1.BLOB)):
        yield f'kexec {record.kexecs}, {record.release}: {len(record.text)} bytes'


def dump_luo(handover):
    state = luo5.State(handover)
    yield f'liveupdate_num = {state.number}'
    for session in state.sessions:
        yield f'session {session.name}: {len(session.files)} files'
        for file in session.files:
            yield f'  token {file.token}: {file.compatible}, data {file.data:#x}'
            if file.compatible == luo5.MEMFD:
                memfd = luo5.Memfd(state, file.data)
                yield f'    size {memfd.size}, position {memfd.pos}, seals {memfd.seals:#x}, ' \
                      f'{len(memfd.entries)} folios, {len(memfd.pages)} pages'
            elif file.compatible == hugetlb1.HUGETLB:
                huge = hugetlb1.File(state, file.data)
                yield f'    size {huge.size}, position {huge.pos}, seals {huge.seals:#x}, ' \
                      f'mode {huge.mode:#o}, {len(huge.pages)} pages of {huge.page_size}, ' \
                      f'{huge.reserved()} reserved'
    for flb in state.flbs:
        yield f'FLB {flb.name}: data {flb.data:#x}, {flb.count} files'


def dump_pools(handover):
    for pool in hugetlb1.read_pools(handover):
        if pool.pages or pool.reserved:
            yield f'pages of {pool.page_size} on node {pool.nid}: {pool.pages}, ' \
                  f'{pool.surplus} surplus, {pool.reserved} reserved'


DECODERS = {'kexec-metadata': dump_metadata, areas.REGIONS_BLOB: dump_regions,
            hugetlb1.BLOB: dump_pools, log1.BLOB: dump_log, luo5.BLOB: dump_luo}


# --------------------------------------------------------------------- verify

def check_root(handover):
    properties, _ = handover.root()
    if properties.get('compatible') != b'kho-v4\0':
        raise Defect(f'compatible is {properties.get("compatible")}')
    return 'the root FDT is sound'


def check_checksum(handover):
    properties, _ = handover.root()
    if 'kho-6.12,checksum' not in properties or not handover.fdt_addr:
        return 'there is no checksum to compare'
    should = kho4.raw_u64(properties, 'kho-6.12,checksum')
    if kho4.checksum(handover.ram, handover.fdt_addr, handover.map()[1]) != should:
        raise Defect('the checksum differs')
    return 'the checksum matches'


def check_map(handover):
    folios, nodes = handover.map()
    ends = sorted((folio.addr, folio.addr + kho4.size_of(folio)) for folio in folios)
    for (_, end), (start, _) in zip(ends, ends[1:]):
        if start < end:
            raise Defect(f'two folios overlap at {start:#x}')
    preserved = {folio.addr for folio in folios}
    if preserved & set(nodes):
        raise Defect(f'a node of the map is preserved: {min(preserved & set(nodes)):#x}')
    return f'the map is sound: {len(folios)} folios, {len(nodes)} nodes'


def check_blobs(handover):
    starts = {folio.addr: kho4.size_of(folio) for folio in handover.map()[0]}
    for name, blob in handover.blobs().items():
        if starts.get(blob.addr, 0) < blob.size:
            raise Defect(f'blob {name} at {blob.addr:#x} is not preserved')
        for _ in DECODERS.get(name, lambda handover: [])(handover):
            pass
    return f'all {len(handover.blobs())} blobs are sound'


CHECKS = [check_root, check_checksum, check_map, check_blobs]


def verify(handover):
    """Yields (True, what holds) or (False, what does not)."""
    for check in CHECKS:
        try:
            yield True, check(handover)
        except (Defect, UnicodeDecodeError, struct.error, KeyError) as error:
            yield False, str(error)
