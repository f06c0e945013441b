#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""verify_test.py - check that verify.py notices damage. Prints TAP.

Takes a handover that write.py made, damages one thing at a time, and checks that
verify.py reports that the claim about it does not hold.
"""

import tempfile

import areas
import kho4
import verify
import write
from kho4 import PAGE, U64

BOOT_PARAMS = write.SCRATCH[1][0]
CLAIM = {test: claim for claim, test in verify.CLAIMS.items()}


class Case:
    """A handover, with the lines that a guest would have printed about it."""

    def __init__(self, path):
        self.story = write.write('sealed', path)
        self.ram = self.story.ram
        self.ram.write(BOOT_PARAMS + kho4.SETUP_DATA_IN_PARAMS, U64.pack(write.SETUP_DATA))
        self.ram.write(BOOT_PARAMS + 0x218, kho4.cell(0)[::-1] * 2)
        self.ram.write(BOOT_PARAMS + 0x218, write.SCRATCH[0][0].to_bytes(4, 'little'))
        self.entry = write.SCRATCH[2][0]
        self.writer = self.story.writer
        folios = self.writer.folios
        orders = [folio.order for folio in folios]
        name, size, digest = self.story.facts['files'].strip().split(':')
        self.said = [('release', write.RELEASE), ('kexecs', str(write.KEXECS)), ('nodes', '1'),
                     ('stat', f'preserved_folios {len(folios)}'),
                     ('stat', f'preserved_bytes {sum(map(kho4.size_of, folios))}'),
                     ('stat', f'map_nodes {len(self.writer.nodes)}'),
                     ('file', f'{name} {size} o1:1 {digest}')]
        self.said += [('stat', f'preserved_order_{order} {orders.count(order)}')
                      for order in set(orders)]
        reader = kho4.Reader(self.ram, BOOT_PARAMS)
        self.said += [('area', f'{area.pages()} {area.folios[0].order}')
                      for area in areas.read_areas(reader)]
        self.said += [('region', f'{region} {addr:#x} {size} {self.story.facts["region"]}')
                      for region, (addr, size) in areas.read_regions(reader).items()]
        self.said += [('scratch', f'{addr:#x} {size:#x}') for addr, size in write.SCRATCH]

    def failures(self):
        try:
            return set(verify.failures(verify.Handover(self.ram, BOOT_PARAMS, self.entry,
                                                       self.said)))
        except kho4.Defect:
            return set(verify.CLAIMS)

    # Addresses of parts of the handover.

    def kho_data(self, index):
        return write.SETUP_DATA + kho4.SETUP_DATA_HEADER.size + 8 * index

    def scratch(self, region, index):
        return self.ram.u64(self.kho_data(2)) + kho4.SCRATCH.size * region + 8 * index

    def in_fdt(self, data):
        return self.ram.map.find(data, self.writer.fdt_addr, self.writer.fdt_addr + PAGE)

    def blob(self, name):
        return next(addr for blob, addr, _ in self.writer.blobs if blob == name)

    def area(self, index):
        return areas.read_areas(kho4.Reader(self.ram, BOOT_PARAMS))[index]

    def add_key(self, addr, order=0):
        self.writer.set_key(kho4.key_of(kho4.Folio(addr, order)))

    def poke(self, addr, value):
        self.ram.write(addr, U64.pack(value))


# What is damaged, the test in verify.py that has to notice it, and how to damage it.
SPOILT = [
    ('setup_data is too short', verify.setup_data,
     lambda c: c.ram.write(write.SETUP_DATA + 12, b'\x1f')),
    ('setup_data is there twice', verify.setup_data,
     lambda c: (c.ram.write(write.SETUP_DATA + 64, c.ram.read(write.SETUP_DATA, 48)),
                c.poke(write.SETUP_DATA, write.SETUP_DATA + 64))),
    ('the list of setup_data has a cycle', verify.setup_data,
     lambda c: c.poke(write.SETUP_DATA, write.SETUP_DATA)),
    ('the FDT is half a page', verify.fdt_is_a_page,
     lambda c: c.poke(c.kho_data(1), PAGE // 2)),
    ('the version is wrong', verify.root_node,
     lambda c: c.ram.write(c.in_fdt(b'kho-v4'), b'kho-v5')),
    ('the property with the map has another name', verify.root_node,
     lambda c: c.ram.write(c.in_fdt(b'preserved-memory-map'), b'Preserved-memory-map')),
    ('a folio was added after the checksum', verify.checksum,
     lambda c: c.add_key(write.UNUSED)),
    ('a bit after the FDT is set', verify.checksum,
     lambda c: c.ram.write(c.writer.fdt_addr + PAGE - 1, b'\1')),
    ('the timer is too fast', verify.lapic_timer,
     lambda c: c.ram.write(c.in_fdt(write.LAPIC_HZ), U64.pack(10**10))),
    ('blobs have no size', verify.blob_nodes,
     lambda c: c.ram.write(c.in_fdt(b'blob-size'), b'blob-Size')),
    ('a blob is not preserved', verify.blobs_are_preserved,
     lambda c: c.poke(c.in_fdt(U64.pack(c.blob('test-kho'))), write.UNUSED)),
    ('a region of scratch has another size', verify.scratch_array,
     lambda c: c.poke(c.scratch(1, 1), 64 << 20)),
    ('a region of scratch is not aligned', verify.scratch_regions,
     lambda c: c.poke(c.scratch(1, 0), (128 << 20) + (2 << 20))),
    ('two regions of scratch overlap', verify.scratch_regions,
     lambda c: c.poke(c.scratch(0, 0), 96 << 20)),
    ('scratch has one region only', verify.scratch_regions,
     lambda c: c.poke(c.kho_data(3), 16)),
    ('the kernel is not in scratch', verify.loaded_in_scratch,
     lambda c: setattr(c, 'entry', write.UNUSED)),
    ('a node is in scratch', verify.map_nodes,
     lambda c: (c.ram.write(write.SCRATCH[1][0] + PAGE, c.ram.read(c.writer.nodes[5, 0], PAGE)),
                c.poke(c.in_fdt(U64.pack(c.writer.nodes[5, 0])), write.SCRATCH[1][0] + PAGE))),
    ('a node is preserved', verify.map_nodes,
     lambda c: c.add_key(c.writer.nodes[5, 0])),
    ('a node is not aligned', verify.map_nodes,
     lambda c: c.poke(c.in_fdt(U64.pack(c.writer.nodes[5, 0])), c.writer.nodes[5, 0] + 8)),
    ('a node is in the map twice', verify.map_nodes,
     lambda c: c.poke(c.writer.nodes[5, 0] + 8 * 3, c.writer.nodes[4, 2])),
    ('the root has an entry for invalid keys', verify.map_folios,
     lambda c: c.poke(c.writer.nodes[5, 0] + 8 * 4, c.writer.nodes[4, 2])),
    ('a folio is in scratch', verify.map_folios, lambda c: c.add_key(write.SCRATCH[1][0], 3)),
    ('a folio is not in RAM', verify.map_folios, lambda c: c.add_key(write.RAM_SIZE)),
    ('two folios overlap', verify.map_folios,
     lambda c: (c.add_key(write.UNUSED, 2), c.add_key(write.UNUSED + PAGE))),
    ('a bit is missing', verify.map_is_what_was_said,
     lambda c: c.poke(c.writer.nodes[0, 1 << 52 - 15] + 8 * 256, 0)),
    ('there is a folio too many', verify.nothing_else, lambda c: c.add_key(write.UNUSED)),
    ('the metadata have another version', verify.metadata,
     lambda c: c.ram.write(c.blob('kexec-metadata'), b'\2')),
    ('the metadata have another kexec count', verify.metadata,
     lambda c: c.ram.write(c.blob('kexec-metadata') + 69, b'\0')),
    ('the metadata name another kernel', verify.metadata,
     lambda c: c.ram.write(c.blob('kexec-metadata') + 4, b'W')),
    ('the metadata are padded', verify.metadata,
     lambda c: c.poke(c.in_fdt(U64.pack(73)), 76)),
    ('an area lacks a page', verify.vmalloc_areas,
     lambda c: c.poke(c.area(1).chunks[-1] + 16, 0)),
    ('a chunk has a gap', verify.vmalloc_areas,
     lambda c: c.poke(c.area(1).chunks[0] + 8 * 20, 0)),
    ('a chunk is in the chain twice', verify.vmalloc_areas,
     lambda c: c.poke(c.area(1).chunks[1], c.area(1).chunks[0])),
    ('an area has another page', verify.vmalloc_areas,
     lambda c: c.poke(c.area(1).chunks[0] + 8, write.UNUSED)),
    ('a word in an area is wrong', verify.vmalloc_areas,
     lambda c: c.poke(c.area(0).folios[0].addr + PAGE, 1)),
    ('an area has an invalid flag', verify.vmalloc_areas,
     lambda c: c.ram.write(c.blob(areas.BLOB) + 8 + 36, b'\x11')),
    ('a region has another address', verify.regions,
     lambda c: c.poke(c.ram.map.find(b'reserve-mem-v1', a := c.blob('memblock'), a + PAGE) + 28,
                      write.UNUSED)),
    ('a region has another property', verify.regions,
     lambda c: c.ram.write(c.ram.map.find(b'start', a := c.blob('memblock'), a + PAGE), b'S')),
    ('a region has another content', verify.regions,
     lambda c: c.poke(areas.read_regions(kho4.Reader(c.ram, BOOT_PARAMS))['data'][0], 0)),
    ('a byte of a file is wrong', verify.files,
     lambda c: c.ram.map.__setitem__(a := next(f.addr for f in c.writer.folios if f.order == 1),
                                    c.ram.map[a] ^ 1)),
]


def main():
    print(f'1..{1 + len(SPOILT)}')
    with tempfile.NamedTemporaryFile() as file:
        wrong = Case(file.name).failures()
        print(f'{"not " if wrong else ""}ok - a valid handover is valid')
        for claim in wrong:
            print(f'# {claim}')
        for what, test, spoil in SPOILT:
            case = Case(file.name)
            spoil(case)
            wrong = case.failures()
            print(f'{"" if CLAIM[test] in wrong else "not "}ok - {what}')
            if CLAIM[test] not in wrong:
                print(f'# noticed: {sorted(wrong)}')


if __name__ == '__main__':
    main()
