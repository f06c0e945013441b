# SPDX-License-Identifier: GPL-2.0-only
"""luo-v5 and memfd-v2, the formats of live update, without the kernel.

Owns both directions of the formats: State reads the sessions, files and FLBs that a
kernel left, Memfd reads what it left of a memfd, and the functions write_*() write all
of these. They were written from the description of the formats alone, and share no code
with the kernel, so that a mistake in one of them is noticed.

The reader accepts what a kernel may write. What a kernel only has to accept, such as
an empty block, it reports as a defect.
"""

import hashlib
import struct
from collections import namedtuple

import areas
from kho4 import PAGE, PAGE_SHIFT, Defect, Folio, size_of

BLOB = 'LUO'
COMPATIBLE = b'luo-v5'
STATE = struct.Struct('<8sQQQ')         # compatible, liveupdate_num, sessions, FLBs
BLOCK = struct.Struct('<QQ')            # next, count
SESSION = struct.Struct('<64sQQ')       # name, files, count
FILE = struct.Struct('<48sQQ')          # compatible, data, token
FLBS = struct.Struct('<QQ')             # pgcnt, count
FLB = struct.Struct('<48sQQ')           # name, data, count

MEMFD = 'memfd-v2'
MEMFD_PAGE = struct.Struct('<QQIIQ')    # pos, size, seals, flags, nr_folios
VMALLOC = struct.Struct('<QIHH')        # first chunk, pages, flags, order
ENTRY = struct.Struct('<QQ')            # PFN and flags, index
PFN_BITS = 52
DIRTY, UP_TO_DATE = 1, 2
SEALS = 0x3f

Session = namedtuple('Session', 'name files')
File = namedtuple('File', 'compatible data token')
Flb = namedtuple('Flb', 'name data count')
Entry = namedtuple('Entry', 'pfn flags index')


def per_block(entry):
    return (PAGE - BLOCK.size) // entry.size


def text(data):
    """Returns a name, which NULs fill up."""
    name, _, rest = data.partition(b'\0')
    if len(name) == len(data) or any(rest):
        raise Defect(f'the name {data} is not filled with NULs')
    return name.decode()


class State:
    """What a kernel left in the blob LUO. Raises Defect for what is invalid."""

    def __init__(self, reader):
        self.ram, self.reader = reader.ram, reader
        self.folios = {folio.addr: folio for folio in reader.map()[0]}
        self.own = set()                # folios that belong to live update
        self.lists = []                 # (what it is, entries of each block, form of an entry)
        blob = reader.blobs()[BLOB]
        if blob.size != STATE.size:
            raise Defect(f'the blob has {blob.size} bytes')
        page = self.page(blob.addr)
        name, self.number, self.sessions_at, self.flbs_at = STATE.unpack_from(page)
        if text(name) != COMPATIBLE.decode() or any(page[STATE.size:]):
            raise Defect(f'the blob is {name}, or is not filled with NULs')
        self.sessions = [self._session(entry) for entry in
                         self.blocks('sessions', self.sessions_at, SESSION)]
        self.flbs = self._flbs() if self.flbs_at else []

    def folio(self, addr):
        """Takes the preserved folio at @addr as one of live update."""
        folio = self.folios.get(addr)
        if folio is None:
            raise Defect(f'no folio is preserved at {addr:#x}')
        if folio in self.own:
            raise Defect(f'{folio} is named twice')
        self.own.add(folio)
        return folio

    def page(self, addr):
        if self.folio(addr).order:
            raise Defect(f'the folio at {addr:#x} is not a single page')
        return self.ram.read(addr, PAGE)

    def blocks(self, what, at, entry):
        """Returns the entries of the block list at @at."""
        found, counts = [], []
        self.lists.append((what, counts, entry))
        while at:
            page = self.page(at)
            following, count = BLOCK.unpack_from(page)
            end = BLOCK.size + count * entry.size
            if not 0 < count <= per_block(entry) or any(page[end:]):
                raise Defect(f'the block at {at:#x} has {count} entries, or something after them')
            found += entry.iter_unpack(page[BLOCK.size:end])
            counts.append(count)
            at = following
        return found

    def _session(self, entry):
        name, at, count = text(entry[0]), *entry[1:]
        files = [File(text(compatible), data, token)
                 for compatible, data, token in self.blocks(f'files of {name}', at, FILE)]
        if len(files) != count:
            raise Defect(f'session {name} has {len(files)} files and not {count}')
        if len({file.token for file in files}) != count:
            raise Defect(f'session {name} has a token twice')
        return Session(name, files)

    def _flbs(self):
        page = self.page(self.flbs_at)
        pages, count = FLBS.unpack_from(page)
        end = FLBS.size + count * FLB.size
        if pages != 1 or end > PAGE or any(page[end:]):
            raise Defect(f'{pages} pages have {count} FLBs, or something after them')
        return [Flb(text(name), data, files)
                for name, data, files in FLB.iter_unpack(page[FLBS.size:end])]


# ------------------------------------------------------------------------------


class Memfd:
    """A memfd that a kernel left at the address @at. Raises Defect for what is invalid."""

    def __init__(self, state, at):
        self.ram = state.ram
        page = state.page(at)
        self.pos, self.size, self.seals, flags, count = MEMFD_PAGE.unpack_from(page)
        area = VMALLOC.unpack_from(page, MEMFD_PAGE.size)
        if flags or self.seals & ~SEALS or any(page[MEMFD_PAGE.size + VMALLOC.size:]):
            raise Defect(f'flags {flags:#x}, seals {self.seals:#x}, or something after them')
        self.entries = self._entries(state, count, *area)
        self.pages = {}                 # index: address, 0 for a page that is not up to date
        for entry in self.entries:
            self._place(state.folio(entry.pfn << PAGE_SHIFT), entry)

    @staticmethod
    def _entries(state, count, first, pages, flags, order):
        # What follows the entries in their last page is not checked: it does not count.
        words = areas.read_array(state, count, ENTRY, first, pages, flags, order)
        entries = [Entry(word & (1 << PFN_BITS) - 1, word >> PFN_BITS, index)
                   for word, index in words]
        return [entry for entry in entries if entry.pfn]

    def _place(self, folio, entry):
        pages = range(entry.index, entry.index + (1 << folio.order))
        if entry.flags & ~(DIRTY | UP_TO_DATE) or not entry.flags & DIRTY:
            raise Defect(f'{folio} has the flags {entry.flags:#x}')
        if entry.index % len(pages) or any(page in self.pages for page in pages):
            raise Defect(f'{folio} at page {entry.index} is not aligned, or overlaps another')
        for i, page in enumerate(pages):
            self.pages[page] = folio.addr + i * PAGE if entry.flags & UP_TO_DATE else 0

    def page(self, index):
        at = self.pages.get(index)
        return self.ram.read(at, PAGE) if at else bytes(PAGE)

    def beyond(self):
        """Returns the entries that begin after the end of the file."""
        return [entry for entry in self.entries if entry.index * PAGE >= self.size]

    def sha256(self):
        digest = hashlib.sha256()
        for at in range(0, self.size, PAGE):
            digest.update(self.page(at // PAGE)[:self.size - at])
        return digest.hexdigest()


# ------------------------------------------------------------------------------


def name_of(name, size):
    """Returns a name as the format has it. Bytes are taken as they are."""
    data = name if isinstance(name, bytes) else name.encode() + b'\0'
    return data.ljust(size, b'\0')


def write_blocks(writer, entries, counts=None):
    """Writes a block list, and returns the addresses of its blocks.

    @entries are all of one size. @counts says how many of them are in each block; all
    blocks but the last one are full if it is None.
    """
    if counts is None:
        most = per_block(struct.Struct(f'{len(entries[0])}s')) if entries else 1
        counts = [len(entries[at:at + most]) for at in range(0, len(entries), most)]
    if sum(counts) != len(entries):
        raise ValueError(f'blocks of {counts} entries do not hold {len(entries)}')
    blocks = [writer.preserved_page() for _ in counts]
    left = list(entries)
    for i, count in enumerate(counts):
        following = blocks[i + 1] if i + 1 < len(blocks) else 0
        writer.ram.write(blocks[i], BLOCK.pack(following, count) + b''.join(left[:count]))
        del left[:count]
    return blocks


def write_session(writer, name, files, counts=None, count=None):
    """Writes the files of a session.

    @files: (compatible, data, token) of each. @count: how many there are said to be.
    Returns (the entry for the list of sessions, the addresses of the blocks).
    """
    entries = [FILE.pack(name_of(compatible, 48), data, token)
               for compatible, data, token in files]
    blocks = write_blocks(writer, entries, counts)
    entry = SESSION.pack(name_of(name, 64)[:64], blocks[0] if blocks else 0,
                         len(files) if count is None else count)
    return entry, blocks


def write_flbs(writer, flbs, pages=1, count=None):
    """Writes the page of @flbs, (name, data, count of files) of each. Returns its address."""
    entries = [FLB.pack(name_of(name, 48), data, files) for name, data, files in flbs]
    header = FLBS.pack(pages, len(flbs) if count is None else count)
    return writer.preserved_page(header + b''.join(entries))


def write_state(writer, number, sessions_at, flbs_at, compatible=COMPATIBLE):
    """Writes the blob LUO, which is a folio of its own. Returns its address."""
    writer.add_blob(BLOB, STATE.pack(compatible, number, sessions_at, flbs_at))
    return writer.blobs[-1][1]


def write_memfd(writer, size, entries, pos=0, seals=0, flags=0, count=None, area=None):
    """Writes a memfd, without its folios, and returns its address.

    @entries: Entry of each folio, in the order of the array. @count: how many there are
    said to be. @area: what describes the array, in place of the one that is written.
    """
    if area is None:
        area = (0, 0, 0, 0)
        if entries:
            data = b''.join(ENTRY.pack(entry.flags << PFN_BITS | entry.pfn, entry.index)
                            for entry in entries)
            pages = [Folio(writer.preserved_page(data[at:at + PAGE]), 0)
                     for at in range(0, len(data), PAGE)]
            area = (areas.write_chain(writer, pages), len(pages), areas.ALLOC, 0)
    return writer.preserved_page(
        MEMFD_PAGE.pack(pos, size, seals, flags, len(entries) if count is None else count) +
        VMALLOC.pack(*area))


def entry_of(folio, index, flags=DIRTY | UP_TO_DATE):
    if index % (size_of(folio) // PAGE):
        raise ValueError(f'{folio} cannot be at page {index}')
    return Entry(folio.addr >> PAGE_SHIFT, flags, index)
