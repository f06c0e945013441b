# SPDX-License-Identifier: GPL-2.0-only
"""kho-v4, the handover format, for programs outside of the kernel.

Owns both directions of the format: Reader reads the handover that a kernel left in
physical memory, and Writer writes one. They were written from the description of the
format alone, and share no code with the kernel, so that a mistake in one of them is
noticed.

Physical memory is a file on the host, whose first byte has the address 0.
"""

import mmap
import struct
from collections import namedtuple

PAGE_SHIFT = 12
PAGE = 1 << PAGE_SHIFT
U64 = struct.Struct('<Q')

SETUP_KEXEC_KHO = 10                    # setup_data
INIT_SIZE_IN_PARAMS = 0x260             # hdr.init_size
INIT_SIZE = struct.Struct('<I')
SETUP_DATA_IN_PARAMS = 0x250            # hdr.setup_data, in boot_params and bzImage
SETUP_DATA_HEADER = struct.Struct('<QII')       # next, type, len
KHO_DATA = struct.Struct('<QQQQ')       # fdt_addr, fdt_size, scratch_addr, scratch_size
SCRATCH = struct.Struct('<QQ')          # addr, size
SCRATCH_ALIGN = 4 << 20                 # MAX_ORDER_NR_PAGES pages; page blocks are smaller
METADATA = struct.Struct('<I65sI')      # version, previous_release, kexec_count

LEAF_BITS = PAGE_SHIFT + 3              # bits of a key that index a leaf
TABLE_BITS = PAGE_SHIFT - 3             # bits of a key that index a table
KEY_BITS = 64 - PAGE_SHIFT + 1
LEVELS = 6

Folio = namedtuple('Folio', 'addr order')
Blob = namedtuple('Blob', 'addr size')


class Defect(Exception):
    """Raised for data that does not follow the format."""


def size_of(folio):
    return PAGE << folio.order


def key_of(folio):
    return 1 << (64 - PAGE_SHIFT - folio.order) | folio.addr >> (PAGE_SHIFT + folio.order)


def folio_of(key):
    top = key.bit_length() - 1
    order = 64 - PAGE_SHIFT - top
    return Folio((key ^ 1 << top) << (PAGE_SHIFT + order), order)


def level_shift(level):
    """Returns the lowest bit of a key that is part of an index of this level."""
    return 0 if level == 0 else LEAF_BITS + TABLE_BITS * (level - 1)


class Ram:
    """Physical memory in a file."""

    def __init__(self, path):
        with open(path, 'r+b') as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.size = len(self.map)

    def read(self, addr, size):
        if addr < 0 or addr + size > self.size:
            raise Defect(f'{size} bytes at {addr:#x} are not in RAM')
        return self.map[addr:addr + size]

    def write(self, addr, data):
        if addr < 0 or addr + len(data) > self.size:
            raise ValueError(f'{len(data)} bytes at {addr:#x} are not in RAM')
        self.map[addr:addr + len(data)] = data

    def u64(self, addr):
        return U64.unpack(self.read(addr, 8))[0]


def overlap(addr, size, other, other_size):
    return addr < other + other_size and other < addr + size


# ------------------------------------------------------------------------------
# Flattened device trees: version 17 of the format, integers big-endian

FDT_MAGIC = 0xd00dfeed
FDT_HEADER = struct.Struct('>10I')
BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9


def cell(*values):
    return struct.pack(f'>{len(values)}I', *values)


def padded(data):
    return data + bytes(-len(data) % 4)


def c_string(data, offset):
    end = data.find(b'\0', offset)
    if not 0 <= offset < len(data) or end < 0:
        raise Defect('FDT: a string has no end')
    return data[offset:end].decode('ascii')


def parse_fdt(data):
    """Returns (properties, nodes), nodes a list of (name, (properties, nodes))."""
    if len(data) < FDT_HEADER.size:
        raise Defect('FDT: too short')
    (magic, total, off_struct, off_strings, off_rsv, version, last_compatible,
     _, size_strings, size_struct) = FDT_HEADER.unpack_from(data)
    if magic != FDT_MAGIC:
        raise Defect(f'FDT: magic is {magic:#x}')
    if total > len(data) or version < 17 or last_compatible > 17:
        raise Defect(f'FDT: {total} bytes, version {version}, compatible with {last_compatible}')
    if off_struct + size_struct > total or off_strings + size_strings > total or \
            off_rsv + 16 > total or off_struct % 4 or off_rsv % 8:
        raise Defect('FDT: a block is not within the FDT')
    tokens = data[off_struct:off_struct + size_struct]
    strings = data[off_strings:off_strings + size_strings]

    at = 0
    stack = [({}, [])]
    while True:
        if at + 4 > len(tokens):
            raise Defect('FDT: there is no END token')
        token = struct.unpack_from('>I', tokens, at)[0]
        at += 4
        if token == BEGIN_NODE:
            name = c_string(tokens, at)
            at += len(padded(name.encode() + b'\0'))
            node = ({}, [])
            stack[-1][1].append((name, node))
            stack.append(node)
        elif token == PROP:
            if at + 8 > len(tokens):
                raise Defect('FDT: a property is cut off')
            size, name_at = struct.unpack_from('>II', tokens, at)
            at += 8
            if at + size > len(tokens):
                raise Defect('FDT: a property is cut off')
            name = c_string(strings, name_at)
            if name in stack[-1][0]:
                raise Defect(f'FDT: two properties {name}')
            stack[-1][0][name] = tokens[at:at + size]
            at += size + -size % 4
        elif token == END_NODE and len(stack) > 1:
            stack.pop()
        elif token == END and len(stack) == 1:
            break
        elif token != NOP:
            raise Defect(f'FDT: token {token:#x} at {at - 4:#x}')
    if len(stack[0][1]) != 1 or stack[0][1][0][0] != '':
        raise Defect('FDT: no root node, or several')
    return stack[0][1][0][1]


def property_at(data, name):
    """Returns the offset of the value, of eight bytes, of a property of the root."""
    off_struct, off_strings = struct.unpack_from('>II', data, 8)
    at = off_struct + 8                 # the root's name is empty
    while struct.unpack_from('>I', data, at)[0] in (PROP, NOP):
        if struct.unpack_from('>I', data, at)[0] == PROP:
            size, name_at = struct.unpack_from('>II', data, at + 4)
            if c_string(data, off_strings + name_at) == name and size == 8:
                return at + 12
            at += 8 + size + -size % 4
        at += 4
    raise Defect(f'no property {name} of eight bytes')


def make_fdt(root, total, nops=0, off=0):
    """Returns the bytes of an FDT with this root node.

    @nops NOP tokens come before each token but the first, since libfdt needs the root
    node at offset 0. The blocks begin @off bytes later than they could.
    """
    strings = bytearray(b'\0' * (off % 8))

    def name_at(name):
        at = strings.find(name.encode() + b'\0')
        if at < 0:
            at = len(strings)
            strings.extend(name.encode() + b'\0')
        return at

    def emit(name, node):
        properties, nodes = node
        out = cell(BEGIN_NODE) + padded(name.encode() + b'\0')
        for key, value in properties.items():
            out += cell(*[NOP] * nops, PROP, len(value), name_at(key)) + padded(value)
        for child in nodes:
            out += cell(*[NOP] * nops) + emit(*child)
        return out + cell(*[NOP] * nops, END_NODE)

    tokens = emit('', root) + cell(END)
    off_rsv = FDT_HEADER.size
    off_struct = off_rsv + 16 + off
    off_strings = off_struct + len(tokens)
    data = FDT_HEADER.pack(FDT_MAGIC, total, off_struct, off_strings, off_rsv, 17, 16, 0,
                           len(strings), len(tokens)) + bytes(16 + off) + tokens + strings
    if len(data) > total:
        raise ValueError(f'an FDT of {len(data)} bytes, with room for {total}')
    return data.ljust(total, b'\0')


# ------------------------------------------------------------------------------
# The checksum that our kernels add to the root FDT

PRIMES = (0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
          0x85ebca77c2b2ae63, 0x27d4eb2f165667c5)
MASK = (1 << 64) - 1


def rol(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def xxh64(data, seed):
    """XXH64, written from the description of the algorithm."""
    p1, p2, p3, p4, p5 = PRIMES

    def mix(lane, word):
        return rol((lane + word * p2) & MASK, 31) * p1 & MASK

    at = 0
    if len(data) >= 32:
        lanes = [(seed + p1 + p2) & MASK, (seed + p2) & MASK, seed, (seed - p1) & MASK]
        for at in range(0, len(data) - 31, 32):
            lanes = [mix(*pair) for pair in zip(lanes, struct.unpack_from('<4Q', data, at))]
        at += 32
        value = sum(rol(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            value = ((value ^ mix(0, lane)) * p1 + p4) & MASK
    else:
        value = (seed + p5) & MASK
    value = (value + len(data)) & MASK
    while at + 8 <= len(data):
        value = (rol(value ^ mix(0, U64.unpack_from(data, at)[0]), 27) * p1 + p4) & MASK
        at += 8
    if at + 4 <= len(data):
        word, = struct.unpack_from('<I', data, at)
        value = (rol(value ^ word * p1 & MASK, 23) * p2 + p3) & MASK
        at += 4
    for byte in data[at:]:
        value = rol(value ^ byte * p5 & MASK, 11) * p1 & MASK
    for shift, factor in ((33, p2), (29, p3), (32, 1)):
        value = (value ^ value >> shift) * factor & MASK
    return value


def checksum(ram, fdt_addr, nodes):
    """Returns the checksum of the root FDT, which has the property, and of these nodes."""
    fdt = ram.read(fdt_addr, PAGE)
    value = property_at(fdt, 'kho-6.12,checksum')
    parts = [xxh64(fdt[:value], 0), xxh64(fdt[value + 8:], value + 8)]
    return sum(parts + [xxh64(ram.read(node, PAGE), node) for node in nodes]) & MASK


# ------------------------------------------------------------------------------


class Reader:
    """A handover in memory. Raises Defect for what is invalid."""

    def __init__(self, ram, boot_params):
        self.ram = ram
        self.setup_data = self._setup_data(boot_params)

    def _setup_data(self, boot_params):
        """Returns [(address, type, payload)], in order."""
        found = []
        at = self.ram.u64(boot_params + SETUP_DATA_IN_PARAMS)
        while at:
            if at in [address for address, _, _ in found]:
                raise Defect('the list of setup_data has a cycle')
            next_at, kind, size = SETUP_DATA_HEADER.unpack(
                self.ram.read(at, SETUP_DATA_HEADER.size))
            found.append((at, kind, self.ram.read(at + SETUP_DATA_HEADER.size, size)))
            at = next_at
        return found

    def kho_data(self):
        mine = [data for _, kind, data in self.setup_data if kind == SETUP_KEXEC_KHO]
        if len(mine) != 1 or len(mine[0]) != KHO_DATA.size:
            raise Defect(f'setup_data of type 10: {[len(data) for data in mine]} bytes')
        return KHO_DATA.unpack(mine[0])

    def scratch(self):
        _, _, addr, size = self.kho_data()
        if not size or size % SCRATCH.size:
            raise Defect(f'a scratch array of {size} bytes')
        return list(SCRATCH.iter_unpack(self.ram.read(addr, size)))

    def root(self):
        """Returns the root FDT as (properties, nodes)."""
        addr, size, _, _ = self.kho_data()
        return parse_fdt(self.ram.read(addr, size))

    def map_root(self):
        return raw_u64(self.root()[0], 'preserved-memory-map')

    def blobs(self):
        return {name: Blob(raw_u64(node[0], 'preserved-data'), raw_u64(node[0], 'blob-size'))
                for name, node in self.root()[1]}

    def blob(self, name):
        return self.ram.read(*self.blobs()[name])

    def map(self):
        """Returns (folios, addresses of nodes), both in the order of keys."""
        folios, nodes = [], []

        def walk(node, level, first_key):
            if node % PAGE or node in nodes:
                raise Defect(f'the node of level {level} at {node:#x} is not aligned, or is '
                             'in the map twice')
            nodes.append(node)
            page = self.ram.read(node, PAGE)
            if level:
                for index, (child,) in enumerate(U64.iter_unpack(page)):
                    key = first_key | index << level_shift(level)
                    if child and key >> KEY_BITS:
                        raise Defect(f'a table has an entry for invalid keys, from {key:#x} on')
                    if child:
                        walk(child, level - 1, key)
                return
            bits = int.from_bytes(page, 'little')
            while bits:
                low = bits & -bits
                bits ^= low
                key = first_key | low.bit_length() - 1
                if not key:
                    raise Defect('the map contains key 0, which is invalid')
                folios.append(folio_of(key))

        walk(self.map_root(), LEVELS - 1, 0)
        return folios, nodes


def raw_u64(properties, name):
    value = properties.get(name, b'')
    if len(value) != 8:
        raise Defect(f'{name} has {len(value)} bytes')
    return U64.unpack(value)[0]


# ------------------------------------------------------------------------------


class Writer:
    """Builds a handover in memory.

    The writer takes pages for its own use from [start, end), which must contain zeroes.
    The caller can change attributes before finish(), to write an invalid handover.
    """

    def __init__(self, ram, start, end, scratch):
        self.ram = ram
        self.next_page, self.end = start, end
        self.scratch = scratch
        self.folios = []
        self.fdt_addr = self.page()
        self.array_addr = self.page()
        self.fdt_size = PAGE
        self.fdt_total = PAGE
        self.fdt_layout = {}
        self.compatible = b'kho-v4\0'
        self.blobs = []                 # (name, address, size)
        self.extra = {}                 # more properties of the root; a checksum is computed
        self.checksum_off = 0           # added to the checksum to make it wrong
        self.map_bytes = None           # used instead of the map's address
        self.told = {}                  # invalid values for fields of the setup_data
        self.nodes = {(LEVELS - 1, 0): self.page()}

    def page(self, order=0):
        """Returns memory for the writer itself."""
        size = PAGE << order
        addr = (self.next_page + size - 1) & -size
        if addr + size > self.end:
            raise ValueError('out of pages')
        self.next_page = addr + size
        return addr

    def preserve(self, addr, order=0):
        self.folios.append(Folio(addr, order))
        return addr

    def preserved_page(self, data=b'', order=0):
        addr = self.preserve(self.page(order), order)
        self.ram.write(addr, data)
        return addr

    def add_blob(self, name, data):
        order = max(0, (len(data) - 1).bit_length() - PAGE_SHIFT)
        self.blobs.append((name, self.preserved_page(data, order), len(data)))

    def add_metadata(self, release, count):
        self.add_blob('kexec-metadata', METADATA.pack(1, release.encode(), count))

    def node(self, level, index):
        """Returns the address of a node. @index is the part of its keys that is above its level."""
        where = self.nodes.get((level, index))
        if where is None:
            where = self.nodes[level, index] = self.page()
            parent = self.node(level + 1, index >> TABLE_BITS)
            self.ram.write(parent + 8 * (index % (1 << TABLE_BITS)), U64.pack(where))
        return where

    def set_key(self, key):
        leaf = self.node(0, key >> LEAF_BITS)
        bit = key % (1 << LEAF_BITS)
        byte = leaf + bit // 8
        self.ram.write(byte, bytes([self.ram.read(byte, 1)[0] | 1 << bit % 8]))

    def finish(self):
        """Writes all of it, and returns the payload of the setup_data."""
        for folio in self.folios:
            self.set_key(key_of(folio))
        address = self.map_bytes or U64.pack(self.nodes[LEVELS - 1, 0])
        root = {'compatible': self.compatible, **self.extra, 'preserved-memory-map': address}
        nodes = [(name, ({'preserved-data': U64.pack(addr), 'blob-size': U64.pack(size)}, []))
                 for name, addr, size in self.blobs]
        self.ram.write(self.fdt_addr, make_fdt((root, nodes), self.fdt_total,
                                               **self.fdt_layout))
        if 'kho-6.12,checksum' in self.extra:
            fdt = self.ram.read(self.fdt_addr, PAGE)
            at = self.fdt_addr + property_at(fdt, 'kho-6.12,checksum')
            value = checksum(self.ram, self.fdt_addr, self.nodes.values())
            self.ram.write(at, U64.pack(value + self.checksum_off & MASK))
        array = b''.join(SCRATCH.pack(*region) for region in self.scratch)
        self.ram.write(self.array_addr, array)
        fields = {'fdt_addr': self.fdt_addr, 'fdt_size': self.fdt_size,
                  'scratch_addr': self.array_addr, 'scratch_size': len(array), **self.told}
        return KHO_DATA.pack(*fields.values())
