#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""luo_verify_test.py - check that luo_verify.py notices damage. Prints TAP.

Takes sessions and files that are as a kernel would leave them, damages one thing at a
time, and checks that luo_verify.py reports that the claim about it does not hold. Damage
that breaks the format itself makes all claims fail.
"""

import tempfile

import areas
import hugetlb1
import kho4
import luo5
import luo_client
import luo_verify
import luo_write
import write
from kho4 import PAGE, U64

BOOT_PARAMS = write.SCRATCH[1][0]
CLAIM = {test: claim for claim, test in luo_verify.CLAIMS.items()}
ALL = set(luo_verify.CLAIMS)
UNUSED = write.UNUSED


def clean(story):
    """What a kernel could have left."""
    it = luo_write.start(story)
    it.blocks = {
        'many': it.session('many', [it.test('many', token) for token in range(70)]),
        'nothing': it.session('nothing', []),
        'memory': it.session('memory', [
            it.memfd('memory', 1, 600 * PAGE + 5, (9, 0), (0, 599), (0, 600), (2, 512), (0, 520, 1),
                     pos=9, seals=0x3f),
            it.memfd('memory', 2, 3 * PAGE),
            it.hugetlb('memory', 3, 9, 0, 7, ranges=[(1, 2), (4, 6)])])}
    hugetlb1.write_pools(story.writer, [(luo_write.HUGE, 0, 2, 1, 3)])
    for token in range(60):
        it.session(f'each-{token}', [])
    it.flbs = [('test-flb-v1', luo_client.write_test_flb(story.writer, 3), 70)]
    it.list = it.finish()
    story.it = it


class Case:
    """Sessions in memory, with the lines that a guest would have printed about them."""

    def __init__(self, path):
        write.KINDS['clean'] = clean
        self.story = write.write('clean', path)
        self.it, self.ram, self.writer = self.story.it, self.story.ram, self.story.writer
        self.ram.write(BOOT_PARAMS + kho4.SETUP_DATA_IN_PARAMS, U64.pack(write.SETUP_DATA))
        facts = {name: [fact.split(':') for fact in self.story.facts[name].split()]
                 for name in ('sessions', 'tests', 'memfds')}
        count = {name: 0 for name, in facts['sessions']}
        for name, *_ in facts['tests'] + facts['memfds']:
            count[name] += 1
        self.said = [f'number {luo_write.NUMBER}', 'flb test-flb-v1 70']
        self.said += [f'session {name} {files}' for name, files in count.items()]
        self.said += [f'test {name} {token} {sha}' for name, token, _, sha in facts['tests']]
        self.said += ['memfd ' + ' '.join(fact) for fact in facts['memfds']]

    def failures(self):
        return set(luo_verify.failures(kho4.Reader(self.ram, BOOT_PARAMS), self.said))

    # Addresses of parts of the handover.

    def state(self):
        return next(addr for name, addr, _ in self.writer.blobs if name == luo5.BLOB)

    def block(self, name, number=0):
        return self.it.blocks[name][number]

    def file(self, name, number):
        return self.block(name) + luo5.BLOCK.size + number * luo5.FILE.size

    def session(self, number):
        return self.it.list[0] + luo5.BLOCK.size + number * luo5.SESSION.size

    def memfd(self, number=0):
        return self.ram.u64(self.file('memory', number) + 48)

    def pools(self):
        return next(addr for name, addr, _ in self.writer.blobs if name == hugetlb1.BLOB)

    def huge_entry(self):
        array = self.ram.u64(self.ram.u64(self.memfd(2) + hugetlb1.FILE_PAGE.size) + 8)
        return next(at for at in (array, array + 16) if self.ram.u64(at + 8) == 7)

    def huge_range(self):
        at = hugetlb1.FILE_PAGE.size + luo5.VMALLOC.size + hugetlb1.COUNT.size
        return self.ram.u64(self.ram.u64(self.memfd(2) + at) + 8)

    def chunk(self):
        return self.ram.u64(self.memfd() + luo5.MEMFD_PAGE.size)

    def entry(self, index, word=0):
        array = self.ram.u64(self.chunk() + 8)
        for at in range(array, array + PAGE, luo5.ENTRY.size):
            if self.ram.u64(at + 8) == index:
                return at + 8 * word
        raise ValueError(f'no folio at page {index}')

    def flbs(self):
        return self.ram.u64(self.state() + 24)

    def poke(self, addr, value):
        self.ram.write(addr, U64.pack(value))

    def put(self, addr, data):
        self.ram.write(addr, data)

    def add(self, addr, value):
        self.poke(addr, self.ram.u64(addr) + value)

    def forget(self, addr):
        """Takes a folio of a page out of the map."""
        key = kho4.key_of(kho4.Folio(addr, 0))
        byte = self.writer.node(0, key >> kho4.LEAF_BITS) + key % (1 << kho4.LEAF_BITS) // 8
        self.put(byte, bytes([self.ram.read(byte, 1)[0] & ~(1 << key % 8)]))


# What is damaged, the test in luo_verify.py that has to notice it (None for all of them),
# and how to damage it.
SPOILT = [
    ('the blob has another version', None, lambda c: c.put(c.state() + 5, b'4')),
    ('the version is not filled with NULs', None, lambda c: c.put(c.state() + 7, b'5')),
    ('something is after the blob', None, lambda c: c.put(c.state() + 32, b'5')),
    ('the blob is not preserved', None, lambda c: c.forget(c.state())),
    ('the blob has another number', luo_verify.blob, lambda c: c.add(c.state() + 8, 1)),
    ('a session has another name', luo_verify.sessions, lambda c: c.put(c.session(0), b'M')),
    ('a name is not filled with NULs', None, lambda c: c.put(c.session(0) + 63, b'M')),
    ('there is a session less', luo_verify.sessions, lambda c: (
        c.add(c.it.list[1] + 8, -1), c.put(c.it.list[1] + 16 + 11 * 80, bytes(80)))),
    ('two sessions have one name', luo_verify.sessions,
     lambda c: (c.put(c.session(5), b'each-1\0'), c.said.remove('session each-2 0'),
                c.said.append('session each-1 0'))),
    ('a session has another count', None, lambda c: c.add(c.session(0) + 72, 1)),
    ('a list has a cycle', None, lambda c: c.poke(c.block('many', 1), c.block('many'))),
    ('a list has an empty block', None, lambda c: c.poke(
        c.block('many', 1), c.writer.page()) or c.writer.set_key(
            kho4.key_of(kho4.Folio(c.writer.next_page - PAGE, 0)))),
    ('a list has a block too many', luo_verify.blocks, lambda c: (
        c.add(c.block('many') + 8, -56), c.poke(c.session(0) + 72, 14),
        c.put(c.block('many') + 16 + 7 * 64, bytes(56 * 64)))),
    ('a block is too full', None, lambda c: c.poke(c.block('many') + 8, 64)),
    ('something is after the entries', None, lambda c: c.put(c.block('memory') + PAGE - 1, b'x')),
    ('a block is not preserved', None, lambda c: c.forget(c.block('many', 1))),
    ('a block belongs to two sessions', None,
     lambda c: c.poke(c.session(1) + 64, c.block('many'))),
    ('a handler is unknown', None, lambda c: c.put(c.file('many', 3), b'T')),
    ('a token is there twice', None, lambda c: c.poke(c.file('many', 3) + 56, 4)),
    ('a file has another token', luo_verify.tests, lambda c: c.poke(c.file('many', 3) + 56, 99)),
    ('a file has another content', luo_verify.tests,
     lambda c: c.put(c.ram.u64(c.file('many', 3) + 48) + 16, b'?????')),
    ('two files have one page', None,
     lambda c: c.poke(c.file('many', 3) + 48, c.ram.u64(c.file('many', 4) + 48))),
    ('a memfd is not preserved', None, lambda c: c.forget(c.memfd(1))),
    ('a memfd has another position', luo_verify.memfds, lambda c: c.add(c.memfd(), 1)),
    ('a memfd has another size', luo_verify.memfds, lambda c: c.add(c.memfd() + 8, 1)),
    ('a memfd ends before its last folio', luo_verify.ends,
     lambda c: c.poke(c.memfd() + 8, 599 * PAGE)),
    ('a memfd has other seals', luo_verify.memfds, lambda c: c.put(c.memfd() + 16, b'\x1f')),
    ('a memfd has unknown seals', None, lambda c: c.put(c.memfd() + 16, b'\x7f')),
    ('a memfd has a flag', None, lambda c: c.put(c.memfd() + 20, b'\1')),
    ('a memfd has an array and no folio', None, lambda c: c.poke(c.memfd() + 24, 0)),
    ('a memfd has more folios than its array', None, lambda c: c.poke(c.memfd() + 24, 257)),
    ('a memfd has no folio, but an array', None,
     lambda c: c.put(c.memfd(1) + 32, luo5.VMALLOC.pack(UNUSED, 1, areas.ALLOC, 0))),
    ('an array has other flags', None, lambda c: c.put(c.memfd() + 44, b'\3')),
    ('an array has another order', None, lambda c: c.put(c.memfd() + 46, b'\1')),
    ('a chunk is not preserved', None, lambda c: c.forget(c.chunk())),
    ('a page of the array is not preserved', None, lambda c: c.forget(c.ram.u64(c.chunk() + 8))),
    ('a folio is at another page', luo_verify.memfds, lambda c: c.poke(c.entry(599, 1), 598)),
    ('a folio is where another is', None, lambda c: c.poke(c.entry(599, 1), 600)),
    ('a folio is within another', None, lambda c: c.poke(c.entry(599, 1), 511)),
    ('a large folio is not aligned', None, lambda c: c.poke(c.entry(512, 1), 514)),
    ('a folio is missing', luo_verify.memfds, lambda c: c.poke(c.entry(599), 0)),
    ('a folio is not preserved', None, lambda c: c.poke(c.entry(599), UNUSED // PAGE | 3 << 52)),
    ('a folio belongs to two files', None,
     lambda c: c.poke(c.entry(599), c.ram.u64(c.entry(600)))),
    ('a folio is not dirty', None, lambda c: c.put(c.entry(599) + 6, b'\x20')),
    ('a folio is not up to date', luo_verify.memfds, lambda c: c.put(c.entry(599) + 6, b'\x10')),
    ('a folio is up to date that nobody wrote', luo_verify.memfds,
     lambda c: c.put(c.entry(520) + 6, b'\x30')),
    ('a folio has an unknown flag', None, lambda c: c.put(c.entry(599) + 7, b'\1')),
    ('a folio has another content', luo_verify.memfds,
     lambda c: c.put((c.ram.u64(c.entry(599)) & (1 << 52) - 1) * PAGE, b'????')),
    ('a hugetlb file has another size', luo_verify.memfds,
     lambda c: c.poke(c.memfd(2) + 16, 10 * luo_write.HUGE)),
    ('a hugetlb file has pages of another size', None, lambda c: c.poke(c.memfd(2), 4 << 20)),
    ('a hugetlb file has no mode', None, lambda c: c.put(c.memfd(2) + 28, b'\0\0\1')),
    ('a hugetlb file has something at its end', None, lambda c: c.put(c.memfd(2) + 80, b'1')),
    ('a hugetlb page is at another place', luo_verify.memfds,
     lambda c: c.poke(c.huge_entry() + 8, 8)),
    ('a hugetlb page is beyond the end', None, lambda c: c.poke(c.huge_entry() + 8, 9)),
    ('a hugetlb page is where there is one', None, lambda c: c.poke(c.huge_entry() + 8, 0)),
    ('a hugetlb page is reserved', None, lambda c: c.poke(c.huge_entry() + 8, 5)),
    ('a hugetlb page is not preserved', None, lambda c: c.add(c.huge_entry(), 512)),
    ('two reservations overlap', None, lambda c: c.poke(c.huge_range() + 8, 5)),
    ('a reservation has no pages', None, lambda c: c.poke(c.huge_range() + 8, 1)),
    ('pools have another version', None, lambda c: c.put(c.pools() + 9, b'2')),
    ('pools count a page less', None, lambda c: c.add(c.pools() + 24 + 16, -1)),
    ('pools count a page more', None, lambda c: c.add(c.pools() + 24 + 16, 1)),
    ('pools count more surplus pages than pages', None, lambda c: c.add(c.pools() + 24 + 24, 2)),
    ('pools count other reservations', None, lambda c: c.add(c.pools() + 24 + 32, 1)),
    ('there are more pools than fit', None, lambda c: c.poke(c.pools() + 16, 99)),
    ('the page of FLBs is not preserved', None, lambda c: c.forget(c.flbs())),
    ('FLBs have two pages', None, lambda c: c.poke(c.flbs(), 2)),
    ('an FLB is missing', luo_verify.flbs,
     lambda c: (c.poke(c.flbs() + 8, 0), c.put(c.flbs() + 16, bytes(64)))),
    ('an FLB is unknown', None, lambda c: c.put(c.flbs() + 16, b'T')),
    ('an FLB has another count', luo_verify.flbs, lambda c: c.add(c.flbs() + 16 + 56, 1)),
    ('something is after the FLBs', None, lambda c: c.add(c.flbs() + 80, 1)),
    ('the page of an FLB is not preserved', None,
     lambda c: c.forget(c.ram.u64(c.flbs() + 16 + 48))),
]


def main():
    print(f'1..{1 + len(SPOILT)}')
    with tempfile.NamedTemporaryFile() as file:
        wrong = Case(file.name).failures()
        print(f'{"not " if wrong else ""}ok - valid sessions and files are valid')
        for claim in wrong:
            print(f'# {claim}')
        for what, test, spoil in SPOILT:
            case = Case(file.name)
            spoil(case)
            wrong = case.failures()
            noticed = CLAIM[test] in wrong and wrong < ALL if test else wrong == ALL
            print(f'{"" if noticed else "not "}ok - {what}')
            if not noticed:
                print(f'# noticed: {sorted(wrong)}')


if __name__ == '__main__':
    main()
