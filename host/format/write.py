#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""write.py KIND RAM BZIMAGE OUT-BZIMAGE OUT-FACTS - write a handover
write.py --untouched KIND RAM - check that unclaimed folios are unchanged
write.py --bad - list the kinds that a kernel has to refuse

The first form writes RAM, the memory of a machine of 512 MiB, as a kernel with
kho-v4 could have left it, and a copy of BZIMAGE whose setup_data points to the
handover. It also writes OUT-FACTS, a shell script with what the guest has to find.

The second form prints a line of TAP, which says whether folios that no client restored
still have their content.

KIND is one of KINDS. Some of them are valid, and a kernel has to refuse the others.
"""

import hashlib
import random
import sys
import tempfile

import areas
import client
import kho4
from kho4 import PAGE, U64, Folio, Writer, overlap

MIB = 1 << 20
RAM_SIZE = 512 * MIB

# Firmware and boot loader use the memory below 16 MiB and the last few MiB, for the
# compressed kernel and the initrd. The kernel unpacks itself to 16 MiB or to where
# KASLR puts it in scratch.
SCRATCH = [(16 * MIB, 48 * MIB), (128 * MIB, 128 * MIB), (336 * MIB, 16 * MIB)]
OWN_PAGES = (64 * MIB, 66 * MIB)
FOLIOS = [(66 * MIB, 128 * MIB), (256 * MIB, 336 * MIB), (352 * MIB, 416 * MIB)]
UNUSED = 424 * MIB                      # unused memory, for a folio that a test adds
AREAS = [(432 * MIB, 448 * MIB)]        # for vmalloc areas and a region
SETUP_DATA = 352 * MIB - PAGE           # at the end of scratch, as after a kexec

RELEASE = 'written-by-hand'
KEXECS = 41


class Places:
    """Chooses addresses for folios at random, so that they do not overlap."""

    def __init__(self, rng, ranges):
        self.rng, self.ranges, self.taken = rng, ranges, []

    def folio(self, order):
        size = PAGE << order
        for _ in range(1000):
            start, end = self.rng.choice(self.ranges)
            addr = self.rng.randrange(-(-start // size), end // size) * size
            if not any(overlap(addr, size, *other) for other in self.taken):
                self.taken.append((addr, size))
                return Folio(addr, order)
        raise ValueError(f'there is no place for a folio of order {order}')


class Story:
    """A handover, and the facts about it that the guest has to find."""

    def __init__(self, path, image_size):
        with open(path, 'wb') as file:
            file.truncate(RAM_SIZE)
        self.rng = random.Random(2026)
        self.places = Places(self.rng, FOLIOS)
        self.places_of_areas = Places(self.rng, AREAS)
        self.ram = kho4.Ram(path)
        self.writer = Writer(self.ram, *OWN_PAGES, SCRATCH)
        self.image_size = image_size    # memory that the kernel needs to unpack itself
        self.facts = {'release': RELEASE, 'kexecs': KEXECS, 'files': '', 'blobs': '',
                      'areas': 0, 'region': '', 'unclaimed': 0, 'lapic': 'used'}
        self.set_scratch(*SCRATCH)
        self.waiting = []               # folios that no client restores
        self.setup_data_size = kho4.KHO_DATA.size
        self.after = lambda: None       # called after the handover is written

    def set_scratch(self, *regions):
        self.writer.scratch = regions
        self.facts['scratch'] = ' '.join(str(size // MIB) for _, size in regions)

    def files(self, *shapes):
        """@shapes: (name, order, orders of its folios, bytes missing from the last folio)."""
        files, free = [], {}
        # Large folios come first, or there would be no place for them.
        for order in sorted((order for shape in shapes for order in shape[2]), reverse=True):
            free.setdefault(order, []).append(self.places.folio(order))
        for name, order, orders, missing in shapes:
            folios = [free[each].pop() for each in orders]
            data = self.rng.randbytes(sum(map(kho4.size_of, folios)) - missing)
            files.append((name, order, folios, data))
            self.facts['files'] += f' {name}:{len(data)}:{hashlib.sha256(data).hexdigest()}'
        client.write_files(self.writer, files)

    def areas(self, *shapes):
        """@shapes: (blocks, order) of each vmalloc area, the large ones first."""
        made = [areas.Area(seed, [self.places_of_areas.folio(order) for _ in range(blocks)], [],
                           areas.ALLOC | (areas.HUGE if order else 0))
                for seed, (blocks, order) in enumerate(shapes, 1)]
        areas.write_areas(self.writer, made)
        self.facts['areas'] = len(made)

    def region(self):
        """Adds a region of 1 MiB, which the guest asks for with reserve_mem=1M:1M:data."""
        data = self.rng.randbytes(MIB)
        areas.write_region(self.writer, 'data', self.places_of_areas.folio(8), data)
        self.facts['region'] = hashlib.sha256(data).hexdigest()

    def unclaimed(self, *orders):
        """Adds folios that no client restores."""
        for order in orders:
            folio = self.places.folio(order)
            self.writer.preserve(*folio)
            self.waiting.append(folio)
            self.ram.write(folio.addr, self.rng.randbytes(kho4.size_of(folio)))
        self.facts['unclaimed'] += len(orders)

    def blob(self, name, data, offset=0):
        """Adds a blob that no client asks for, @offset bytes after the start of its folio."""
        addr = self.writer.preserved_page(bytes(offset) + data, order=1)
        self.waiting.append(Folio(addr, 1))
        self.writer.blobs.append((name, addr + offset, len(data)))
        self.facts['unclaimed'] += 1
        self.facts['blobs'] += f' {name}:{hashlib.sha256(data).hexdigest()}'


LAPIC_HZ = kho4.U64.pack(10**9)         # as qemu has it


def plain(story):
    """A typical handover."""
    story.writer.preserve(story.writer.fdt_addr)
    story.writer.add_metadata(RELEASE, KEXECS)
    story.writer.extra['kho-6.12,checksum'] = bytes(8)
    story.writer.extra['kho-6.12,lapic-timer-hz'] = LAPIC_HZ
    story.region()
    # The last two areas have as many pages as one chunk names, and one more.
    story.areas((2, 9), (1, 0), (areas.PER_CHUNK, 0), (areas.PER_CHUNK + 1, 0))
    story.files(*[(f'order-{order}', order, [order] * 3, 0) for order in range(11)],
                ('scattered', 0, [0] * 1500, 0),
                ('mixed', client.MIXED, [*range(11)], 1234))


def edges(story):
    """Everything that the format allows although our kernel does not write it."""
    # The root FDT is not in the map; no property is aligned to 8.
    story.writer.fdt_layout = {'nops': 1, 'off': 8}
    # The array lies in scratch, and one of the regions is empty: Linux 7.3 does both.
    # That region is just large enough for a kernel, but not with the array in it.
    addr, size = SCRATCH[1][0], story.image_size + -story.image_size % (4 * MIB)
    story.writer.array_addr = addr + size // 2
    story.set_scratch((addr + PAGE, 0), (addr, size), SCRATCH[0], SCRATCH[2])
    story.writer.fdt_total = 1501
    # No timer of a local APIC is that fast.
    story.writer.extra = {'comment': b'odd', 'kho-6.12,lapic-timer-hz': b'\xff' * 8}
    story.facts['lapic'] = 'ignored'
    story.blob('aaa', story.rng.randbytes(4097), offset=1)
    story.writer.add_metadata('x' * 64, KEXECS)
    story.facts['release'] = 'x' * 64
    story.unclaimed(12, 7, 0, 0, 0)
    story.files(('empty', 0, [], 0),
                ('short', 10, [10], (4 << 20) - 1),
                ('table', 0, [0] * client.FOLIOS_PER_TABLE, 4095),
                ('tables', 0, [0] * (client.FOLIOS_PER_TABLE + 1), 1),
                ('backwards', client.MIXED, [10, 5, 0, 1, 9], 0))
    story.blob('z', b'?' * 7, offset=4090)
    story.blob('second-page', story.rng.randbytes(100), offset=PAGE + 7)
    # An empty leaf for order 8, and an empty table for order 6.
    story.writer.node(0, 1 << 44 - kho4.LEAF_BITS)
    story.writer.node(2, 1 << 46 - kho4.level_shift(3))


BAD = {}


def small(story):
    """A small handover, with one file."""
    story.writer.preserve(story.writer.fdt_addr)
    story.writer.add_metadata(RELEASE, KEXECS)
    story.files(('letter', 1, [1], 12))


def sealed(story):
    """The small handover with areas, a region, and a checksum."""
    small(story)
    story.region()
    story.areas((1, 9), (areas.PER_CHUNK + 2, 0))
    story.writer.extra['kho-6.12,checksum'] = bytes(8)
    story.writer.extra['kho-6.12,lapic-timer-hz'] = LAPIC_HZ


def refused(spoil):
    """Adds a kind that a kernel refuses. Its docstring matches the kernel's message."""
    def kind(story):
        small(story)
        spoil(story)
    BAD[spoil.__name__] = kind
    kind.__doc__ = spoil.__doc__
    return kind


@refused
def version(story):
    """root FDT at .*, 4096 bytes, is not of version kho-v4;"""
    story.writer.compatible = b'kho-v3\0'


@refused
def fdt_size(story):
    """root FDT at .*, 8192 bytes, is not one page in this kernel;"""
    story.writer.fdt_size = 2 * PAGE


@refused
def fdt_total(story):
    """root FDT at .*, 4096 bytes, is damaged;"""
    story.writer.fdt_total = PAGE + 8
    story.writer.page()


@refused
def fdt_null(story):
    """root FDT at 0x0+, 4096 bytes, is not aligned to a page;"""
    story.writer.told['fdt_addr'] = 0


@refused
def fdt_align(story):
    """root FDT at .*, 4096 bytes, is not aligned to a page;"""
    story.writer.told['fdt_addr'] = story.writer.fdt_addr + 8


@refused
def fdt_beyond(story):
    """root FDT at .*, 4096 bytes, is not in RAM;"""
    story.writer.told['fdt_addr'] = 1 << 40


@refused
def fdt_in_use(story):
    """root FDT at .*, 4096 bytes, is in use;"""
    story.writer.told['fdt_addr'] = SETUP_DATA


@refused
def fdt_in_scratch(story):
    """root FDT at .*, 4096 bytes, is in scratch;"""
    story.writer.fdt_addr = SETUP_DATA - PAGE


@refused
def map_cell(story):
    """root FDT at .*, 4096 bytes, names no preserved map;"""
    story.writer.map_bytes = bytes(4)


@refused
def in_scratch(story):
    """folio at 0x0*8000000, [0-9]* bytes, is in scratch;"""
    story.writer.preserve(SCRATCH[1][0], 3)


@refused
def twice(story):
    """folio at .*, [0-9]* bytes, overlaps a larger folio;"""
    story.writer.preserve(UNUSED, 2)
    story.writer.preserve(UNUSED + PAGE)


@refused
def beyond(story):
    """folio at .*, [0-9]* bytes, is not in RAM;"""
    story.writer.preserve(RAM_SIZE - PAGE)      # reserved by the firmware


@refused
def far_beyond(story):
    """node of the map at .*, 4096 bytes, covers no memory that exists;"""
    story.writer.preserve(RAM_SIZE << 10)


@refused
def own_node(story):
    """folio at .*, [0-9]* bytes, holds a node of the map;"""
    story.writer.preserve(story.writer.nodes[kho4.LEVELS - 1, 0])


@refused
def node_in_scratch(story):
    """node of the map at .*, 4096 bytes, is in scratch;"""
    story.writer.nodes[kho4.LEVELS - 1, 0] = SCRATCH[1][0] + PAGE


@refused
def cycle(story):
    """node of the map at .*, 4096 bytes, (is in the map twice|covers no memory that exists);"""
    root = story.writer.nodes[kho4.LEVELS - 1, 0]
    story.after = lambda: story.ram.write(root + 8, U64.pack(root))


@refused
def array_size(story):
    """scratch array at .*, 40 bytes, has an invalid size;"""
    story.writer.told['scratch_size'] = 40


@refused
def array_beyond(story):
    """scratch array at .*, 48 bytes, is not in RAM;"""
    story.writer.told['scratch_addr'] = 1 << 40


@refused
def array_in_fdt(story):
    """scratch array at .*, 48 bytes, is in use;"""
    story.writer.told['scratch_addr'] = story.writer.fdt_addr


@refused
def scratch_empty(story):
    """scratch array at .*, 48 bytes, has empty regions only;"""
    story.writer.scratch = [(start, 0) for start, _ in SCRATCH]


@refused
def scratch_beyond(story):
    """scratch region at .* is not in RAM;"""
    story.writer.scratch = [*SCRATCH[:2], (1 << 40, SCRATCH[2][1])]


@refused
def scratch_align(story):
    """scratch region at .* is not aligned to a block;"""
    addr, size = SCRATCH[2]
    story.writer.scratch = [*SCRATCH[:2], (addr, size - PAGE)]


@refused
def scratch_twice(story):
    """scratch region at .* overlaps another scratch region;"""
    story.writer.scratch = [*SCRATCH[:2], SCRATCH[1]]


@refused
def blob_beyond(story):
    """blob test-kho, 8 bytes at .*, is not in RAM"""
    story.writer.blobs = [(name, 1 << 40 if name == client.BLOB else addr, size)
                          for name, addr, size in story.writer.blobs]
    story.facts['accepted'] = 'all but a blob'


@refused
def blob_end(story):
    """blob test-kho, 1048576 bytes at .*, is not in RAM"""
    # It begins and ends in one section of the memory map, but not all of it is RAM.
    story.writer.blobs = [(name, RAM_SIZE - MIB, MIB) if name == client.BLOB else (name, addr, size)
                          for name, addr, size in story.writer.blobs]
    story.facts['accepted'] = 'all but a blob'


@refused
def blob_lost(story):
    """blob test-kho, 8 bytes at .*, was not preserved: ignored"""
    story.writer.blobs = [(name, UNUSED if name == client.BLOB else addr, size)
                          for name, addr, size in story.writer.blobs]
    story.facts['accepted'] = 'all but a blob'


@refused
def checksum(story):
    """root FDT at .*, 4096 bytes, and map differ from the checksum of the previous kernel;"""
    story.writer.extra['kho-6.12,checksum'] = bytes(8)
    story.writer.checksum_off = 1


@refused
def setup_data_size(story):
    """setup_data at .* has 40 bytes, not 48;"""
    story.setup_data_size -= 8


GOOD = {'plain': plain, 'small': small, 'sealed': sealed, 'edges': edges}
KINDS = {**GOOD, **BAD}


def patched(bzimage, setup_data):
    image = bytearray(bzimage)
    assert image[0x202:0x206] == b'HdrS'
    image[kho4.SETUP_DATA_IN_PARAMS:kho4.SETUP_DATA_IN_PARAMS + 8] = U64.pack(setup_data)
    return image


def write(kind, path, image_size=16 * MIB):
    story = Story(path, image_size)
    KINDS[kind](story)
    payload = story.writer.finish()[:story.setup_data_size]
    story.after()
    story.ram.write(SETUP_DATA, kho4.SETUP_DATA_HEADER.pack(
        0, kho4.SETUP_KEXEC_KHO, len(payload)) + payload)
    return story


def main(kind, ram, bzimage, out_bzimage, out_facts):
    with open(bzimage, 'rb') as source:
        image = source.read()
    story = write(kind, ram, *kho4.INIT_SIZE.unpack_from(image, kho4.INIT_SIZE_IN_PARAMS))
    with open(out_bzimage, 'wb') as copy:
        copy.write(patched(image, SETUP_DATA))
    if kind in BAD:
        story.facts['refused'] = KINDS[kind].__doc__
    with open(out_facts, 'w', encoding='ascii') as file:
        for name, value in story.facts.items():
            file.write(f"fact_{name}='{value}'\n")


def untouched(kind, path):
    with tempfile.NamedTemporaryFile() as file:
        was, now = write(kind, file.name), kho4.Ram(path)
        lost = [folio for folio in was.waiting
                if was.ram.read(folio.addr, kho4.size_of(folio)) !=
                now.read(folio.addr, kho4.size_of(folio))]
    print(f'{"not " if lost or not was.waiting else ""}ok - '
          'folios that no client restored are untouched')
    for folio in lost:
        print(f'# {folio}')


if __name__ == '__main__':
    if sys.argv[1:] == ['--bad']:
        print(*BAD)
    elif sys.argv[1:2] == ['--untouched']:
        untouched(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
