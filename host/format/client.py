# SPDX-License-Identifier: GPL-2.0-only
"""The files of the kernel's test client, lib/test_kexec_handover/, without the kernel.

Owns what the client preserves besides the folios with the data: its blob, a page for
each file, and tables with the addresses of the folios. All integers are u64, except
the order.
"""

import hashlib
import struct

from kho4 import PAGE, Folio, size_of

BLOB = 'test-kho'
FILE_PAGE = struct.Struct('<QQQi32s')   # next, first table page, bytes, order, name
FOLIOS_PER_TABLE = PAGE // 8 - 2        # after next and nr
MIXED = -1


class File:
    def __init__(self, name, size, order, folios, own):
        self.name, self.size, self.order = name, size, order
        self.folios = folios            # the folios with the data
        self.own = own                  # the other pages that the client preserves for it

    def sha256(self, ram):
        digest, left = hashlib.sha256(), self.size
        for folio in self.folios:
            digest.update(ram.read(folio.addr, min(left, size_of(folio))))
            left -= min(left, size_of(folio))
        return digest.hexdigest()

    def orders(self):
        """Returns the orders of the folios in the form of the client's stats."""
        orders = [folio.order for folio in self.folios]
        return ','.join(f'o{order}:{orders.count(order)}' for order in sorted(set(orders)))


def read_files(reader):
    """Returns the files that a kernel left, newest first."""
    ram, files = reader.ram, []
    next_file, = struct.unpack('<Q', reader.blob(BLOB))
    while next_file:
        addr = next_file
        next_file, table, size, order, name = FILE_PAGE.unpack(ram.read(addr, FILE_PAGE.size))
        file = File(name.split(b'\0')[0].decode(), size, order, [], [Folio(addr, 0)])
        while table:
            file.own.append(Folio(table, 0))
            words = struct.unpack(f'<{PAGE // 8}Q', ram.read(table, PAGE))
            file.folios += [Folio(word & -PAGE, word % PAGE) for word in words[2:2 + words[1]]]
            table = words[0]
        files.append(file)
    return files


def write_files(writer, files):
    """Writes @files, a list of (name, order, folios, data), and preserves all of them."""
    next_file = 0
    for name, order, folios, data in reversed(files):
        next_table = 0
        for first in reversed(range(0, len(folios), FOLIOS_PER_TABLE)):
            some = folios[first:first + FOLIOS_PER_TABLE]
            words = [next_table, len(some)] + [folio.addr | folio.order for folio in some]
            next_table = writer.preserved_page(struct.pack(f'<{len(words)}Q', *words))
        at = 0
        for folio in folios:
            writer.preserve(*folio)
            writer.ram.write(folio.addr, data[at:at + size_of(folio)])
            at += size_of(folio)
        next_file = writer.preserved_page(
            FILE_PAGE.pack(next_file, next_table, len(data), order, name.encode()))
    writer.add_blob(BLOB, struct.pack('<Q', next_file))
