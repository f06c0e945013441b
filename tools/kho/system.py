# SPDX-License-Identifier: GPL-2.0-only
"""What the running kernel says of KHO, in /sys and /proc.

Owns where these files are, below a directory that need not be /, but can be a copy of
the files of another machine.
"""

import os
import re


class System:
    def __init__(self, root='/'):
        self.root = root

    def path(self, name):
        return os.path.join(self.root, name.lstrip('/'))

    def read(self, name, default=None):
        """Returns the content of a file, or @default if it cannot be read."""
        try:
            with open(self.path(name), encoding='utf-8', errors='replace') as file:
                return file.read()
        except OSError:
            return default

    def bytes(self, name):
        try:
            with open(self.path(name), 'rb') as file:
                return file.read()
        except OSError:
            return None

    def there(self, name):
        return os.path.exists(self.path(name))

    def kho(self, name, default=None):
        """Returns a value of /sys/kernel/kho/, or @default."""
        value = self.read(f'/sys/kernel/kho/{name}')
        return default if value is None else value.strip()

    def number(self, name, default=0):
        value = self.kho(name)
        return int(value) if value else default

    def orders(self, name):
        """Returns {order: number of folios}."""
        return {int(order): int(folios) for order, folios in
                (line.split() for line in self.kho(name, '').splitlines())}

    def scratch(self):
        """Returns [(address, size, free)], or None without the right to read it."""
        table = self.kho('scratch')
        if table is None:
            return None
        return [(int(addr, 16), int(size), int(free)) for addr, size, free in
                (line.split() for line in table.splitlines())]

    def places(self, side):
        """Returns (size of a part, {address: bytes}) of debugfs, or (0, {})."""
        lines = (self.read(f'/sys/kernel/debug/kho/{side}/map') or '').splitlines()
        if not lines:
            return 0, {}
        return int(lines[0].split()[1]), {int(addr, 16): int(size) for addr, size in
                                          (line.split() for line in lines[1:])}

    def iomem(self):
        """Returns [(start, end, name)] of /proc/iomem, for outer and for nested ranges."""
        found = []
        for line in (self.read('/proc/iomem') or '').splitlines():
            match = re.match(r' *([0-9a-f]+)-([0-9a-f]+) : (.*)', line)
            if match:
                found.append((int(match[1], 16), int(match[2], 16) + 1, match[3]))
        return found

    def nodes(self):
        """Returns {node: [(start, end)]}, from the memory blocks that each node has."""
        size = int(self.read('/sys/devices/system/memory/block_size_bytes', '0').strip() or '0', 16)
        base = self.path('/sys/devices/system/node')
        found = {}
        if not size or not os.path.isdir(base):
            return found
        for name in os.listdir(base):
            if re.fullmatch(r'node\d+', name):
                blocks = [int(entry[6:]) for entry in os.listdir(os.path.join(base, name))
                          if re.fullmatch(r'memory\d+', entry)]
                if blocks:
                    found[int(name[4:])] = joined((block * size, (block + 1) * size)
                                                  for block in blocks)
        return found

    def memory_free(self):
        match = re.search(r'^MemAvailable: *(\d+) kB', self.read('/proc/meminfo') or '', re.M)
        return int(match[1]) << 10 if match else None


def joined(ranges):
    """Joins ranges that touch each other."""
    found = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def human(size):
    """Returns a size as people read it: at most four digits and a unit."""
    for unit in ('B', 'KiB', 'MiB', 'GiB'):
        if size < 1024:
            break
        size /= 1024
    else:
        unit = 'TiB'
    return f'{size:.0f} {unit}' if size >= 100 or size == int(size) else f'{size:.1f} {unit}'
