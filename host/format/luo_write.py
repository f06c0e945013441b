#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""luo_write.py KIND RAM BZIMAGE OUT-BZIMAGE OUT-FACTS - write a handover with sessions
luo_write.py --untouched KIND RAM - check that folios that wait are unchanged
luo_write.py --bad - list the kinds whose blob or lists a kernel has to refuse

The arguments are those of write.py, which this program uses. KIND is one of KINDS: good
ones have everything that the format allows, broken ones have sessions or files that a
kernel cannot take, beside others that it can.
"""

import hashlib
import sys

import hugetlb1
import kho4
import luo5
import luo_client
import write
from kho4 import PAGE, U64
from luo5 import DIRTY, UP_TO_DATE, entry_of
from write import MIB, UNUSED

NUMBER = 7                              # live updates before this one
LAST_TOKEN = (1 << 64) - 1
FAR = 1 << 52
HUGE_ORDER = 9
HUGE = PAGE << HUGE_ORDER
LONG_NAME = 'n' * 63

# The errors that RETRIEVE_FD may return for an invalid memfd.
WRONG = 'EIO|EINVAL'


class Sessions:
    """The sessions of a story, and the facts about them."""

    def __init__(self, story):
        self.story, self.writer, self.rng = story, story.writer, story.rng
        self.entries, self.flbs, self.last = [], [], 0
        story.facts.update(sessions='', broken='', tests='', memfds='', failing='', flbs='',
                           number=NUMBER, again='', says='')

    def fact(self, name, *values):
        self.story.facts[name] += ' ' + ':'.join(map(str, values))

    def wait(self, *addrs):
        """Notes that no client takes the folios at @addrs, which are in the map."""
        for folio in self.writer.folios:
            if folio.addr in addrs:
                self.story.waiting.append(folio)
                self.story.facts['unclaimed'] += 1

    def session(self, name, files, again=True, **more):
        """Adds a session that a kernel takes. Returns the addresses of its blocks."""
        entry, blocks = luo5.write_session(self.writer, name, files, **more)
        self.entries.append(entry)
        shown = name[:63].decode() if isinstance(name, bytes) else name
        self.fact('sessions', shown)
        if again:
            self.fact('again', shown)
        return blocks

    def broken(self, name, files, **more):
        """Adds a session that a kernel cannot take. Returns (number, blocks)."""
        entry, blocks = luo5.write_session(self.writer, name, files, **more)
        self.entries.append(entry)
        if name not in self.story.facts['broken'].split():
            self.fact('broken', name)
        self.wait(*blocks, *(data for _, data, _ in files))
        return len(self.entries) - 1, blocks

    def change(self, number, at=None, count=None):
        """Changes the address or the count of files of a session."""
        name, was_at, was_count = luo5.SESSION.unpack(self.entries[number])
        self.entries[number] = luo5.SESSION.pack(name, was_at if at is None else at,
                                                 was_count if count is None else count)

    def test(self, session, token, compatible=luo_client.TEST_FILES[0]):
        """Adds a file of the test client that the guest has to find."""
        content = self.rng.randbytes(self.rng.randrange(257))
        self.last += 1
        self.fact('tests', session, token, self.last, hashlib.sha256(content).hexdigest())
        return compatible, luo_client.write_test_file(self.writer, self.last, content), token

    def unseen(self, token, compatible=luo_client.TEST_FILES[0]):
        """Adds a file of the test client that cannot be taken."""
        return compatible, luo_client.write_test_file(self.writer, 0, b'unseen'), token

    def folio(self, order=0):
        """Adds a folio with content."""
        folio = self.story.places.folio(order)
        self.writer.preserve(*folio)
        self.story.ram.write(folio.addr, self.rng.randbytes(kho4.size_of(folio)))
        return folio

    def memfd(self, session, token, size, *shape, pos=0, seals=0, junk=()):
        """Adds a memfd that the guest has to find.

        @shape: (order, index) or (order, index, flags) of each folio. @junk: entries that
        are put in between, and that the reader has to skip.
        """
        entries, pages = list(junk), {}
        # Large folios come first, or there would be no place for them.
        for order, index, *flags in sorted(shape, reverse=True):
            folio, flag = self.folio(order), flags[0] if flags else DIRTY | UP_TO_DATE
            entries.append(entry_of(folio, index, flag))
            if flag & UP_TO_DATE:
                for i in range(1 << order):
                    pages[index + i] = self.story.ram.read(folio.addr + i * PAGE, PAGE)
        self.rng.shuffle(entries)
        content = b''.join(pages.get(index, bytes(PAGE)) for index in range(-(-size // PAGE)))
        self.fact('memfds', session, token, size, pos, hex(seals),
                  hashlib.sha256(content[:size]).hexdigest())
        return luo5.MEMFD, luo5.write_memfd(self.writer, size, entries, pos, seals), token

    def failing(self, session, token, *errors, data=None, **more):
        """Adds a memfd that cannot be taken. @more: for write_memfd()."""
        self.fact('failing', session, token, '|'.join(errors) or WRONG)
        if data is None:
            data = luo5.write_memfd(self.writer, **more)
        return luo5.MEMFD, data, token

    def hugetlb(self, session, token, size, *indices, ranges=(), **more):
        """Adds a file of hugetlb pages that the guest has to find. @size: in pages."""
        entries, pages = [], {}
        for index in indices:
            folio = self.folio(HUGE_ORDER)
            entries.append((folio.addr // PAGE, index))
            pages[index] = self.story.ram.read(folio.addr, HUGE)
        content = b''.join(pages.get(index, bytes(HUGE)) for index in range(size))
        self.fact('memfds', session, token, size * HUGE, 0, hex(0),
                  hashlib.sha256(content).hexdigest())
        self.rng.shuffle(entries)
        data = hugetlb1.write_file(self.writer, HUGE, size * HUGE, entries, ranges, **more)
        return hugetlb1.HUGETLB, data, token

    def no_hugetlb(self, session, token, *errors, page_size=HUGE, size=4, entries=(), **more):
        """Adds a file of hugetlb pages that cannot be taken. @more: for write_file()."""
        self.fact('failing', session, token, '|'.join(errors) or WRONG)
        data = hugetlb1.write_file(self.writer, page_size, size * HUGE, entries, **more)
        return hugetlb1.HUGETLB, data, token

    def finish(self, counts=None, flbs_at=None):
        """Writes the lists. Returns the addresses of the blocks of the list of sessions."""
        blocks = luo5.write_blocks(self.writer, self.entries, counts)
        if flbs_at is None:
            flbs_at = luo5.write_flbs(self.writer, self.flbs) if self.flbs else 0
        luo5.write_state(self.writer, NUMBER, blocks[0] if blocks else 0, flbs_at)
        return blocks


def start(story):
    story.writer.preserve(story.writer.fdt_addr)
    story.writer.add_metadata(write.RELEASE, write.KEXECS)
    story.writer.extra['kho-6.12,checksum'] = bytes(8)
    story.files(('letter', 1, [1], 12))
    return Sessions(story)


def sessions(story):
    """Sessions and files with everything that the format allows."""
    it = start(story)
    it.session('plain', [it.test('plain', 1), it.test('plain', 0),
                         it.test('plain', LAST_TOKEN, luo_client.TEST_FILES[1])])
    it.session('nothing', [])
    it.session(b'n' * 64, [it.test(LONG_NAME, 3)])
    # Partly filled blocks, a full one, and empty ones in between and at the end.
    it.session('blocks', [it.test('blocks', token) for token in range(70)], again=False,
               counts=[1, 0, 63, 6, 0])
    # An empty block and nothing else.
    it.session('emptied', [], counts=[0])
    first, second = it.test('first', 5), it.unseen(5)
    it.session('first', [first, second])
    it.wait(second[1])
    it.fact('says', 'session_first:_two_files_have_the_token_0x5')
    # If a name is there twice, it is not known which of the two sessions is meant.
    it.broken('twice', [it.unseen(1)])
    it.broken('twice', [it.unseen(2)])
    it.fact('says', 'session_twice_was_handed_over_twice')
    unknown = story.writer.preserved_page(b'unknown')
    # Three of the files cannot finish, since they cannot be taken.
    it.flbs = [('other-flb-v9', unknown, 4),
               ('test-flb-v1', luo_client.write_test_flb(story.writer, 11), 75 + 3),
               ('test-second-v1', luo_client.write_test_flb(story.writer, 12), 74 + 3)]
    it.wait(unknown)
    it.fact('flbs', 'test-flb-v1', 11)
    it.fact('flbs', 'test-second-v1', 12)
    it.finish(counts=[2, 0, len(it.entries) - 2, 0])


def memfds(story):
    """Memfds with everything that the format allows."""
    it = start(story)
    both = 'memory'
    size = 2 * MIB
    beyond = it.folio()
    across = it.folio(2)
    files = [
        it.memfd(both, 1, 2 * size, (9, 0), *[(0, i) for i in range(512, 540)], (4, 544), (2, 560)),
        # No folio at all, but a size.
        it.memfd(both, 2, size),
        it.memfd(both, 3, size + 100, (0, 3), (0, 77), (1, 100), (0, 511), (0, 512), pos=size + 5),
        # Two entries without a folio, and one with a folio after the end of the file.
        it.memfd(both, 4, 6 * PAGE, (0, 0), (0, 3), junk=[
            luo5.Entry(0, DIRTY | UP_TO_DATE, 0), luo5.Entry(0, 0, 1 << 50),
            entry_of(beyond, 6)]),
        # Folios that are not up to date: their content is zero.
        it.memfd(both, 5, 64 * PAGE, (0, 0), (0, 1, DIRTY), (4, 16, DIRTY), (4, 32), (0, 63, 0)),
        it.memfd(both, 6, 3 * PAGE, (0, 0), (0, 2), seals=0xf, pos=1),
        it.memfd(both, 7, 0),
        # More entries than one page of the array has, in any order.
        it.memfd(both, 8, 1000 * PAGE, *[(0, i) for i in range(200, 800)]),
    ]
    # A folio of which the last pages are after the end.
    content = story.ram.read(across.addr, 2 * PAGE)
    it.fact('memfds', both, 9, 2 * PAGE, 0, '0x0', hashlib.sha256(content).hexdigest())
    files.append((luo5.MEMFD, luo5.write_memfd(story.writer, 2 * PAGE, [entry_of(across, 0)]), 9))
    it.session(both, files)
    it.session('sealed', [it.memfd('sealed', 1, PAGE, (0, 0), seals=0x11)])
    it.finish()


def spoilt(story):
    """Invalid memfds, in a session with others that are valid."""
    it = start(story)
    name = 'spoilt'
    twice = it.folio()
    lost = luo5.Entry(UNUSED // PAGE, DIRTY | UP_TO_DATE, 1)
    one = [entry_of(it.folio(), 0)]
    bad_area = (UNUSED + PAGE, 1, 1, 0)
    array = story.writer.preserved_page()
    chunk = story.writer.preserved_page(U64.pack(0) + U64.pack(array))
    files = [
        it.memfd(name, 1, 8 * PAGE, (0, 0), (2, 4)),
        # Two folios at one index; a small folio within a large one, in the array after the
        # large one and before it.
        it.failing(name, 2, size=8 * PAGE,
                   entries=[entry_of(twice, 1), entry_of(it.folio(), 0), entry_of(it.folio(), 1)]),
        it.failing(name, 3, size=8 * PAGE,
                   entries=[entry_of(it.folio(2), 0), entry_of(it.folio(), 3)]),
        it.failing(name, 4, size=8 * PAGE,
                   entries=[entry_of(it.folio(), 5), entry_of(it.folio(2), 4)]),
        # A folio whose index is not a multiple of its size.
        it.failing(name, 5, size=8 * PAGE,
                   entries=[luo5.Entry(it.folio(2).addr // PAGE, DIRTY | UP_TO_DATE, 2)]),
        # A folio that was not handed over.
        it.failing(name, 6, size=8 * PAGE, entries=[entry_of(it.folio(), 0), lost]),
        it.failing(name, 7, 'EOPNOTSUPP', size=PAGE, entries=[], seals=0x40),
        it.failing(name, 8, size=PAGE, entries=[], flags=1),
        # Arrays that are too short, far too short, not handed over, with an unknown flag,
        # and missing.
        it.failing(name, 9, size=MIB, entries=one, count=257),
        it.failing(name, 10, size=MIB, entries=[entry_of(it.folio(), 0)], count=1 << 63),
        it.failing(name, 11, size=MIB, entries=[], count=1, area=bad_area),
        it.failing(name, 12, size=MIB, entries=[], count=1, area=(chunk, 1, 0x11, 0)),
        it.failing(name, 13, size=MIB, entries=[], count=1, area=(0, 0, 0, 0)),
        it.failing(name, 14, data=UNUSED + 2 * PAGE),
        it.failing(name, 15, data=UNUSED + 8),
        it.failing(name, 16, data=FAR),
        it.failing(name, 17, size=1 << 63, entries=[entry_of(it.folio(), 0)]),
        # A folio that is too large for the page cache.
        it.failing(name, 18, size=16 * MIB, entries=[entry_of(it.folio(10), 0)]),
        it.memfd(name, 19, 2 * PAGE, (0, 1)),
        # The data of file 1, which that file has taken already.
        it.failing(name, 20, size=PAGE, entries=[]),
    ]
    files[-1] = (luo5.MEMFD, files[0][1], 20)
    it.session(name, files, again=False)
    it.session('fine', [it.memfd('fine', 1, 3 * PAGE, (0, 2))])
    it.finish()
    # How much of a file that is lost goes on waiting is up to the kernel.
    story.facts['unclaimed'] = ''


def hugetlb(story):
    """Files of hugetlb pages, some of which are invalid."""
    it = start(story)
    name = 'huge'
    # Large folios come first, or there would be no place for them.
    good = [it.hugetlb(name, 1, 3, 0, 2)]
    pfns = [it.folio(HUGE_ORDER).addr // PAGE for _ in range(6)]
    small = it.folio().addr // PAGE
    bad = [
        # One page at two indices, and two pages at one index.
        it.no_hugetlb(name, 3, entries=[(pfns[0], 0), (pfns[1], 1), (pfns[0], 2)]),
        it.no_hugetlb(name, 4, entries=[(pfns[2], 1), (pfns[3], 1)]),
        # Pages beyond the end, of another size, not handed over, and not in memory at all.
        it.no_hugetlb(name, 5, entries=[(pfns[4], 4)]),
        it.no_hugetlb(name, 6, entries=[(small, 0)]),
        it.no_hugetlb(name, 7, entries=[(UNUSED // PAGE, 0)]),
        it.no_hugetlb(name, 8, entries=[(FAR, 0)]),
        # Reserved ranges that have a page in them, are empty, or overlap.
        it.no_hugetlb(name, 9, entries=[(pfns[5], 1)], ranges=[(0, 2)]),
        it.no_hugetlb(name, 10, ranges=[(2, 2)]),
        it.no_hugetlb(name, 11, ranges=[(0, 3), (2, 4)]),
        # Other page sizes, more entries than there are, unknown seals and modes.
        it.no_hugetlb(name, 12, page_size=3 << 20, size=3),
        it.no_hugetlb(name, 13, 'EOPNOTSUPP', page_size=4 << 20),
        it.no_hugetlb(name, 14, count=1 << 60),
        it.no_hugetlb(name, 15, 'EOPNOTSUPP', seals=0x40),
        it.no_hugetlb(name, 16, mode=0o10000),
    ]
    it.session(name, good + bad)
    it.session('reserved', [it.hugetlb('reserved', 1, 5, ranges=[(3, 4)])], again=False)
    # Of the 4 reserved pages, 3 are those of files that are lost, and 1 that of "reserved".
    hugetlb1.write_pools(story.writer, [(HUGE, 0, 8, 0, 4), (HUGE, 1 << 60, 0, 0, 0)])
    it.finish()
    # How much of a file that is lost goes on waiting is up to the kernel.
    story.facts['unclaimed'] = ''


def broken(story):
    """Sessions whose lists of files are broken, beside others that are not."""
    it = start(story)
    writer, ram = story.writer, story.ram
    good = it.session('good', [it.test('good', 1)])

    def spoil(name, **more):
        return it.broken(name, [it.unseen(token) for token in range(3)], **more)

    _, blocks = spoil('cycle', counts=[1, 1, 1])
    ram.write(blocks[2], U64.pack(blocks[1]))
    _, blocks = spoil('itself')
    ram.write(blocks[0], U64.pack(blocks[0]))
    _, blocks = spoil('too-many')
    ram.write(blocks[0] + 8, U64.pack(64))
    _, blocks = spoil('far-too-many', counts=[2, 1])
    ram.write(blocks[1] + 8, U64.pack((1 << 64) - 1))
    for name, addr in [('lost', UNUSED), ('far', FAR), ('last', (1 << 64) - PAGE)]:
        number, _ = spoil(name)
        it.change(number, at=addr)
    number, blocks = spoil('unaligned')
    it.change(number, at=blocks[0] + 8)
    _, blocks = spoil('half', counts=[2, 1])
    ram.write(blocks[0], U64.pack(UNUSED + PAGE))
    number, _ = spoil('large')
    large = writer.preserved_page(ram.read(blocks[1], PAGE), order=1)
    it.wait(large)
    it.change(number, at=large)
    it.broken('unknown', [it.unseen(1), it.unseen(2, 'vfio-pci-v9')])
    it.broken('endless', [it.unseen(1), it.unseen(2, b'test-file-v1' * 4)])
    spoil('fewer', count=4)
    spoil('more', count=2)
    it.broken('none', [], count=1)
    spoil('most', count=(1 << 64) - 1)
    # "thief" names the list of "good", which comes first and gets it.
    it.broken('thief', [])
    it.change(len(it.entries) - 1, at=good[0], count=1)
    it.session('fine', [it.test('fine', 9), it.test('fine', 8)])
    it.finish()


BAD = {}


def refused(spoil):
    """Adds a kind with a broken blob or list. Its docstring matches the kernel's message."""
    def kind(story):
        it = start(story)
        # All folios of live update wait, except for those that spoil() returns.
        before = len(story.writer.folios)
        it.session('good', [it.unseen(1)])
        taken = spoil(it) or ()
        story.facts['sessions'] = story.facts['again'] = ''
        it.wait(*{folio.addr for folio in story.writer.folios[before:]} - set(taken))
    BAD[spoil.__name__] = kind
    kind.__doc__ = spoil.__doc__
    return kind


def spoil_state(it, **more):
    """Writes the lists, and another blob than finish() would."""
    blocks = luo5.write_blocks(it.writer, it.entries)
    return luo5.write_state(it.writer, NUMBER, blocks[0], 0, **more)


def told(it, off=0, size=luo5.STATE.size):
    it.writer.blobs = [(name, addr + off, size) if name == luo5.BLOB else (name, addr, old)
                       for name, addr, old in it.writer.blobs]


@refused
def state_version(it):
    """LUO: the previous kernel has luo-v4 and not luo-v5: no session is there to retrieve"""
    spoil_state(it, compatible=b'luo-v4')


@refused
def state_junk(it):
    """LUO: the previous kernel has .* and not luo-v5: no session is there to retrieve"""
    spoil_state(it, compatible=b'luo-v555')


@refused
def state_small(it):
    """LUO: the live update state at .*, 31 bytes, is broken: no session is there to retrieve"""
    spoil_state(it)
    told(it, size=luo5.STATE.size - 1)


@refused
def state_align(it):
    """LUO: the live update state at .*, 32 bytes, is broken: no session is there to retrieve"""
    at = spoil_state(it)
    it.writer.ram.write(at + 64, it.writer.ram.read(at, luo5.STATE.size))
    told(it, off=64)


LIST = 'LUO: the list of sessions at .* cannot be read .*: no session is there to retrieve'


def list_kind(name, spoil):
    def kind(it):
        spoil(it.writer.ram, it.finish(counts=[1, 0]))
        # The blob itself is valid, and the kernel takes it.
        return [addr for blob, addr, _ in it.writer.blobs if blob == luo5.BLOB]
    kind.__name__, kind.__doc__ = name, LIST
    refused(kind)


list_kind('list_cycle', lambda ram, blocks: ram.write(blocks[1], U64.pack(blocks[0])))
list_kind('list_count', lambda ram, blocks: ram.write(blocks[0] + 8, U64.pack(52)))
list_kind('list_lost', lambda ram, blocks: ram.write(blocks[1], U64.pack(UNUSED)))


GOOD = {'sessions': sessions, 'memfds': memfds, 'spoilt': spoilt, 'hugetlb': hugetlb,
        'broken': broken}


def flbs_kind(name, page):
    """Adds a kind whose page of FLBs is ignored, while sessions are taken."""
    def kind(story):
        it = start(story)
        it.session('good', [it.test('good', 1)])
        at = page(it.writer)
        it.wait(at)
        it.finish(flbs_at=at)
        it.fact('says', 'the_page_of_FLBs_at_.*_is_broken:_ignored')
    GOOD[name] = kind


ONE_FLB = [('test-flb-v1', UNUSED, 1)]
flbs_kind('flbs_pages', lambda writer: luo5.write_flbs(writer, ONE_FLB, pages=2))
flbs_kind('flbs_count', lambda writer: luo5.write_flbs(writer, ONE_FLB, count=64))
flbs_kind('flbs_name', lambda writer: luo5.write_flbs(writer, [(b'f' * 48, UNUSED, 1)]))
flbs_kind('flbs_lost', lambda writer: UNUSED)


if __name__ == '__main__':
    write.KINDS.update(GOOD)
    write.KINDS.update(BAD)
    write.BAD.clear()
    write.BAD.update(BAD)
    if sys.argv[1:] == ['--bad']:
        print(*BAD)
    elif sys.argv[1:2] == ['--untouched']:
        write.untouched(*sys.argv[2:])
    else:
        write.main(*sys.argv[1:])
