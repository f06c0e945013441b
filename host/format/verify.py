#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""verify.py RAM LOG - check the handover of kho-v4 that a kernel left in memory

RAM is the machine's memory after a kexec into stop-x86.S, LOG its serial console.
Prints a line of TAP for each of CLAIMS. They compare the whole handover with the
format, and with what the guest printed about it: the lines "kho-format: NAME VALUE" of
the log.
"""

import hashlib
import re
import struct
import sys
from collections import Counter

import areas
import client
import hugetlb1
import kho4
import log1
import luo5
import luo_client
from kho4 import PAGE, Blob, Defect, Folio, overlap, size_of


class Handover:
    """The handover to check: the memory, its reader, and what the guest printed."""

    def __init__(self, ram, boot_params, entry, said):
        self.ram, self.said = ram, said
        self.boot_params, self.entry = boot_params, entry
        self.reader = kho4.Reader(ram, boot_params)

    def told(self, name):
        return [value for key, value in self.said if key == name]

    def told_one(self, name):
        values = self.told(name)
        if len(values) != 1:
            raise Defect(f'the guest said {name} {len(values)} times')
        return values[0]

    def in_ram(self, addr, size):
        return size > 0 and 0 <= addr and addr + size <= self.ram.size

    def in_scratch(self, addr, size):
        return any(overlap(addr, size, *region) for region in self.reader.scratch() if region[1])

    def within_scratch(self, addr, size):
        return any(start <= addr and addr + size <= start + length
                   for start, length in self.reader.scratch())

    def preserved(self, addr, size):
        """Is each byte in a preserved folio?"""
        folios = self.reader.map()[0]
        pages = range(addr & -PAGE, addr + size, PAGE)
        return all(any(overlap(page, PAGE, folio.addr, size_of(folio)) for folio in folios)
                   for page in pages)


def setup_data(h):
    if len(h.reader.kho_data()) != 4:
        yield 'the payload does not consist of four numbers'


def fdt_is_a_page(h):
    addr, size, _, _ = h.reader.kho_data()
    if size != PAGE or addr % PAGE:
        yield f'the FDT has {size} bytes at {addr:#x}'
    if h.in_scratch(addr, size):
        yield 'the FDT is in scratch'
    if not h.preserved(addr, size):
        yield 'the FDT is not preserved'


def root_node(h):
    properties, _ = h.reader.root()
    if properties.get('compatible') != b'kho-v4\0':
        yield f'compatible is {properties.get("compatible")}'
    if set(properties) != {'compatible', 'preserved-memory-map', 'kho-6.12,checksum',
                           'kho-6.12,lapic-timer-hz'}:
        yield f'properties are {sorted(properties)}'
    h.reader.map_root()


def checksum(h):
    there = kho4.raw_u64(h.reader.root()[0], 'kho-6.12,checksum')
    should = kho4.checksum(h.ram, h.reader.kho_data()[0], h.reader.map()[1])
    if there != should:
        yield f'the checksum is {there:#x}, should be {should:#x}'


def lapic_timer(h):
    there = kho4.raw_u64(h.reader.root()[0], 'kho-6.12,lapic-timer-hz')
    # The timers of qemu have this frequency. The guest has measured it on a busy machine.
    if not 0.8e9 < there < 1.2e9:
        yield f'the local APIC timer has {there} Hz'


def blob_nodes(h):
    for name, (properties, nodes) in h.reader.root()[1]:
        if nodes or set(properties) != {'preserved-data', 'blob-size'}:
            yield f'{name} has {sorted(properties)} and {len(nodes)} nodes'
    names = [name for name, _ in h.reader.root()[1]]
    if len(set(names)) != len(names):
        yield f'names are {names}'
    h.reader.blobs()


def blobs_are_preserved(h):
    for name, blob in h.reader.blobs().items():
        if not h.in_ram(*blob) or not h.preserved(*blob):
            yield f'{name}, {blob.size} bytes at {blob.addr:#x}, is not preserved'


def scratch_array(h):
    _, _, addr, size = h.reader.kho_data()
    if h.in_scratch(addr, size):
        yield 'the array is in scratch'
    told = [Blob(*(int(word, 16) for word in line.split())) for line in h.told('scratch')]
    if [tuple(region) for region in told] != h.reader.scratch():
        yield f'the array has {h.reader.scratch()}, the guest says {told}'


def scratch_regions(h):
    regions = h.reader.scratch()
    nodes = int(h.told_one('nodes'))
    # Linux 6.12 with our KHO makes no empty region, but the previous kernel may have.
    empty = sum(not size for _, size in regions)
    # A node that needs no scratch has no region.
    if not 2 <= len(regions) - empty <= 2 + nodes:
        yield f'{len(regions)} regions, {empty} of them empty, {nodes} nodes'
    regions = [region for region in regions if region[1]]
    if sum(regions[0]) > 1 << 32:
        yield 'the first region is not below 4 GiB'
    for i, (addr, size) in enumerate(regions):
        if (addr | size) % kho4.SCRATCH_ALIGN or not h.in_ram(addr, size):
            yield f'{size:#x} bytes at {addr:#x}: not aligned, or not RAM'
        if any(overlap(addr, size, *other) for other in regions[:i]):
            yield f'{size:#x} bytes at {addr:#x} overlap another'


def loaded_in_scratch(h):
    for what, addr, size in [('entry', h.entry, 16), ('boot_params', h.boot_params, PAGE)] + \
            [(f'setup_data of type {kind}', addr, 16 + len(data))
             for addr, kind, data in h.reader.setup_data]:
        if not h.within_scratch(addr, size):
            yield f'{what}, at {addr:#x}, is not in scratch'
    initrd, size = struct.unpack('<II', h.ram.read(h.boot_params + 0x218, 8))
    if not h.within_scratch(initrd, size):
        yield f'initrd, {size} bytes at {initrd:#x}, is not in scratch'


def map_nodes(h):
    for node in h.reader.map()[1]:
        if not h.in_ram(node, PAGE) or h.in_scratch(node, PAGE):
            yield f'node {node:#x} is in scratch or not in RAM'
        if h.preserved(node, PAGE):
            yield f'node {node:#x} is a preserved page'


def map_folios(h):
    end, last = 0, None
    for folio in sorted(h.reader.map()[0]):
        if not h.in_ram(folio.addr, size_of(folio)):
            yield f'{folio} is not in RAM'
        if h.in_scratch(folio.addr, size_of(folio)):
            yield f'{folio} is in scratch'
        if folio.addr < end:
            yield f'{folio} overlaps {last}'
        end, last = max(end, folio.addr + size_of(folio)), folio


def map_is_what_was_said(h):
    folios, nodes = h.reader.map()
    count = Counter(folio.order for folio in folios)
    should = {f'preserved_order_{order}': nr for order, nr in count.items()}
    should.update(preserved_folios=len(folios), preserved_bytes=sum(map(size_of, folios)),
                  map_nodes=len(nodes))
    told = {name: int(value) for name, value in (line.split() for line in h.told('stat'))}
    if {name: told.get(name) for name in should} != should:
        yield f'the map has {should}, the guest says {told}'
    if any(name not in should for name in told if name.startswith('preserved_order_')):
        yield f'the guest says that there are more orders: {told}'


def metadata(h):
    blob = h.reader.blob('kexec-metadata')
    if len(blob) != kho4.METADATA.size:
        raise Defect(f'the metadata has {len(blob)} bytes')
    version, release, count = kho4.METADATA.unpack(blob)
    if version != 1 or not release.endswith(b'\0'):
        yield f'version {version}, release {release}'
    if release.rstrip(b'\0').decode() != h.told_one('release'):
        yield f'release is {release}'
    if count != int(h.told_one('kexecs')):
        yield f'kexec count is {count}, should be {h.told_one("kexecs")}'


def files(h):
    there = {file.name: f'{file.size} {file.orders()} {file.sha256(h.ram)}'
             for file in client.read_files(h.reader)}
    told = dict(line.split(' ', 1) for line in h.told('file'))
    for name in there.keys() | told.keys():
        if there.get(name) != told.get(name):
            yield f'{name} is {there.get(name)}, the guest says {told.get(name)}'
    if not told:
        yield 'the guest says that there are no files'


def vmalloc_areas(h):
    there = areas.read_areas(h.reader)
    told = h.told('area')
    if sorted(f'{area.pages()} {area.folios[0].order}' for area in there) != sorted(told):
        yield f'there are {len(there)} areas, the guest says {told}'
    folios = h.reader.map()[0]
    for area in there:
        lost = [folio for folio in area.folios + [Folio(chunk, 0) for chunk in area.chunks]
                if folio not in folios]
        if lost:
            yield f'{lost[:5]} are not preserved'
        for i, folio in enumerate(area.folios):
            should = b''.join(area.content(page) for page in
                              range(i << folio.order, (i + 1) << folio.order))
            if h.ram.read(folio.addr, size_of(folio)) != should:
                yield f'the content of {folio} is wrong'


def regions(h):
    there = {name: f'{name} {addr:#x} {size} {hashlib.sha256(h.ram.read(addr, size)).hexdigest()}'
             for name, (addr, size) in areas.read_regions(h.reader).items()}
    if sorted(there.values()) != sorted(h.told('region')):
        yield f'there are the regions {there}, the guest says {h.told("region")}'
    for name, region in areas.read_regions(h.reader).items():
        if region[0] % PAGE or region[1] % PAGE or not h.preserved(*region):
            yield f'region {name} is not preserved'


# 'test-kho-folios' is the blob of a test client that these scenarios do not use.
KNOWN_BLOBS = {'kexec-metadata', client.BLOB, areas.BLOB, areas.REGIONS_BLOB, hugetlb1.BLOB,
               log1.BLOB, luo5.BLOB, 'test-kho-folios'}


def order_of(size):
    return max(0, (size - 1).bit_length() - kho4.PAGE_SHIFT)


def log(h):
    blobs = h.reader.blobs()
    if [str(log1.BLOB in blobs)] != (h.told('log') or ['False']):
        yield f'the blobs are {sorted(blobs)}'
    if log1.BLOB not in blobs:
        return
    newest = log1.read_log(h.reader.blob(log1.BLOB))[0]
    if newest.release != h.told_one('release') or newest.kexecs != int(h.told_one('kexecs')) - 1:
        yield f'the log is of {newest.release}, kexec {newest.kexecs}'
    if not newest.text.endswith(b'kexec_core: Starting new kernel\n'):
        yield f'the last line is {newest.text.splitlines()[-1:]}'


def nothing_else(h):
    blobs = h.reader.blobs()
    if not {'kexec-metadata', client.BLOB} <= set(blobs) <= KNOWN_BLOBS:
        raise Defect(f'unknown blobs among {sorted(blobs)}')
    own = [Folio(blob.addr, order_of(blob.size) if name == log1.BLOB else 0)
           for name, blob in blobs.items()] + [Folio(h.reader.kho_data()[0], 0)]
    for file in client.read_files(h.reader):
        own += file.folios + file.own
    for area in areas.read_areas(h.reader):
        own += area.folios + [Folio(chunk, 0) for chunk in area.chunks]
    own += luo_client.folios(h.reader)
    there = h.reader.map()[0]
    # A region is a run of pages, preserved as the fewest possible folios.
    for addr, size in areas.read_regions(h.reader).values():
        own += [folio for folio in there if addr <= folio.addr < addr + size]
    if sorted(own) != sorted(there):
        yield f'folios without an owner: {sorted(set(there) - set(own))[:5]}'
        yield f'folios missing from the map: {sorted(set(own) - set(there))[:5]}'


CLAIMS = {
    'one setup_data entry has the addresses of the handover': setup_data,
    'the root FDT is one preserved page': fdt_is_a_page,
    'the root node of the FDT has the right properties': root_node,
    'the checksum is right': checksum,
    'the frequency of the local APIC timer is that of the machine': lapic_timer,
    'the nodes of blobs in the FDT have the right properties': blob_nodes,
    'all blobs are preserved': blobs_are_preserved,
    'the scratch array is what the guest says': scratch_array,
    'scratch regions are aligned, do not overlap, and have the right number': scratch_regions,
    'the next kernel and its data were loaded into scratch': loaded_in_scratch,
    'nodes of the map are neither in scratch nor preserved pages': map_nodes,
    'folios in the map are RAM, do not overlap, and are not in scratch': map_folios,
    'the map has the folios that the guest says': map_is_what_was_said,
    'kexec-metadata has the release and the kexec count': metadata,
    'files have the content that the guest says': files,
    'vmalloc areas have valid chains of chunks and the right content': vmalloc_areas,
    'the blob of reserve_mem= regions has the regions that the guest says': regions,
    'the log is there up to its last line': log,
    'the map has no other folios': nothing_else,
}


def failures(handover):
    """Returns {claim: problems}, for the claims that do not hold."""
    wrong = {}
    for claim, test in CLAIMS.items():
        try:
            problems = list(test(handover))
        except (Defect, KeyError, UnicodeDecodeError, struct.error) as error:
            problems = [f'{type(error).__name__}: {error}']
        if problems:
            wrong[claim] = problems
    return wrong


def main(ram_path, log_path):
    with open(log_path, encoding='utf-8', errors='replace') as file:
        log = file.read()
    said = re.findall(r'kho-format: (\S+) (.*)', log)
    stop = re.findall(r'kho-stop: boot_params 0x(\w+) entry 0x(\w+)', log)
    wrong = dict.fromkeys(CLAIMS, ['the log does not show one kexec into stop-x86.S'])
    if len(stop) == 1:
        ram = kho4.Ram(ram_path)
        try:
            wrong = failures(Handover(ram, int(stop[0][0], 16), int(stop[0][1], 16), said))
        except Defect as error:
            wrong = dict.fromkeys(CLAIMS, [str(error)])
    for claim in CLAIMS:
        print(f'{"not " if claim in wrong else ""}ok - {claim}')
        for problem in wrong.get(claim, [])[:3]:
            print(f'# {problem[:300]}')


if __name__ == '__main__':
    main(*sys.argv[1:])
