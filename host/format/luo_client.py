# SPDX-License-Identifier: GPL-2.0-only
"""All that live update hands over in our tests, with the files of the test client.

Owns what the kernel's test client lib/test_liveupdate.c hands over for its files and
FLBs, one page for each, and the list of everything that a handover has.
"""

import hashlib
import struct

import hugetlb1
import luo5
from kho4 import PAGE, Defect

TEST_FILES = ('test-file-v1', 'test-other-v1')
TEST_FLBS = ('test-flb-v1', 'test-second-v1')
FILE_PAGE = struct.Struct('<QQ256s')    # number, size, content
FLB_PAGE = struct.Struct('<Q')          # number


class Everything:
    """The live update that a kernel left. Raises Defect for what is invalid."""

    def __init__(self, reader):
        self.state = luo5.State(reader)
        self.memfds, self.tests, self.flbs = {}, {}, {}
        for session in self.state.sessions:
            for file in session.files:
                self._file((session.name, file.token), file)
        for flb in self.state.flbs:
            if flb.name not in TEST_FLBS or flb.name in self.flbs:
                raise Defect(f'FLB {flb.name} is unknown, or is there twice')
            self.flbs[flb.name] = flb.count
            self.state.page(flb.data)
        self._pools(reader)

    def _pools(self, reader):
        """Checks that the blob of hugetlb counts exactly the files' pages and reservations."""
        pools, files = hugetlb1.read_pools(reader), [
            file for file in self.memfds.values() if isinstance(file, hugetlb1.File)]
        for size in {file.page_size for file in files} | {pool.page_size for pool in pools}:
            counted = [sum(pool.pages for pool in pools if pool.page_size == size),
                       sum(pool.reserved for pool in pools if pool.page_size == size)]
            there = [sum(len(file.pages) for file in files if file.page_size == size),
                     sum(file.reserved() for file in files if file.page_size == size)]
            if counted != there:
                raise Defect(f'the blob counts {counted} pages of {size} bytes, not {there}')

    def _file(self, key, file):
        if file.compatible == luo5.MEMFD:
            self.memfds[key] = luo5.Memfd(self.state, file.data)
        elif file.compatible == hugetlb1.HUGETLB:
            self.memfds[key] = hugetlb1.File(self.state, file.data)
        elif file.compatible in TEST_FILES:
            _, size, content = FILE_PAGE.unpack_from(self.state.page(file.data))
            self.tests[key] = content[:size]
        else:
            raise Defect(f'{key} needs {file.compatible}')

    def describe(self):
        """Returns a line for each session and each file, as a guest prints them."""
        for session in self.state.sessions:
            yield f'session {session.name} {len(session.files)}'
        for (name, token), memfd in self.memfds.items():
            yield f'memfd {name} {token} {memfd.size} {memfd.pos} {memfd.seals:#x} {memfd.sha256()}'
        for (name, token), content in self.tests.items():
            yield f'test {name} {token} {hashlib.sha256(content).hexdigest()}'
        for name, count in self.flbs.items():
            yield f'flb {name} {count}'


def folios(reader):
    """Returns the folios of live update, without the blob, if a kernel left any."""
    if luo5.BLOB not in reader.blobs():
        return []
    own = Everything(reader).state.own
    return [folio for folio in own if folio.addr != reader.blobs()[luo5.BLOB].addr]


def write_test_file(writer, number, content):
    return writer.preserved_page(FILE_PAGE.pack(number, len(content), content))


def write_test_flb(writer, number):
    return writer.preserved_page(FLB_PAGE.pack(number).ljust(PAGE, b'\0'))
