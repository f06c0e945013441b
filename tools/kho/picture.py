# SPDX-License-Identifier: GPL-2.0-only
"""A picture of physical memory, in characters and as SVG.

Owns how memory is divided into cells and what a cell shows. A cell is a power of two of
pages, so large that a node needs a few rows of cells, whatever the size of the machine.
"""

from xml.sax.saxutils import escape

from system import human, joined

PAGE = 4096
COLUMNS = 64
ROWS = 8

# The kinds of memory, the most important one first: letter, colour, name.
KINDS = [('K', '#7a4fb5', 'kernel'), ('W', '#d9822b', 'waiting for its owner'),
         ('P', '#c23030', 'preserved'), ('S', '#2b7bba', 'scratch'),
         ('.', '#d5dfe8', 'other memory, in use or free')]


def overlap(start, end, ranges):
    return sum(max(0, min(end, stop) - max(start, begin)) for begin, stop in ranges)


def spread(part, places):
    """Returns [(start, end, bytes)] of the parts that debugfs lists, in order."""
    return [(addr, addr + part, size) for addr, size in sorted(places.items())]


def amount(start, end, parts):
    return sum(size * (min(end, stop) - max(start, begin)) // (stop - begin)
               for begin, stop, size in parts if begin < end and start < stop)


class Memory:
    """What is where. Ranges are [start, end)."""

    def __init__(self, system):
        iomem = system.iomem()
        self.ram = joined((start, end) for start, end, name in iomem if name == 'System RAM')
        self.kernel = joined((start, end) for start, end, name in iomem
                             if name.startswith('Kernel '))
        self.scratch = [(addr, addr + size) for addr, size, _ in system.scratch() or []]
        self.waiting = spread(*system.places('in'))
        self.preserved = spread(*system.places('out'))
        whole = [(self.ram[0][0], self.ram[-1][1])] if self.ram else []
        self.nodes = system.nodes() or ({0: whole} if whole else {})

    def known(self):
        """Are the addresses known? Without root, /proc/iomem has zeroes in their place."""
        return bool(self.ram) and self.ram[-1][1] > 1

    def cell(self, start, end):
        """Returns the bytes of each kind, in the order of KINDS."""
        ram = overlap(start, end, self.ram)
        if not ram:
            return [0] * len(KINDS)
        found = [overlap(start, end, self.kernel), amount(start, end, self.waiting),
                 amount(start, end, self.preserved), overlap(start, end, self.scratch)]
        # The kernel may lie in scratch. Memory counts once.
        for i, size in enumerate(found):
            found[i] = min(size, max(0, ram - sum(found[:i])))
        return found + [ram - sum(found)]


def cell_size(span):
    size = PAGE
    while size * COLUMNS * ROWS < span:
        size *= 2
    return size


def letter(kinds):
    """Returns the letter of a cell, whose memory is @kinds.

    It is that of the largest kind that is not ordinary memory; in lower case if less than
    half of the cell is of such kinds.
    """
    total, special = sum(kinds), kinds[:-1]
    if not total:
        return ' '
    if not any(special):
        return KINDS[-1][0]
    most = max(range(len(special)), key=lambda i: special[i])
    symbol = KINDS[most][0]
    return symbol if 2 * sum(special) >= total else symbol.lower()


def rows(memory, ranges, within):
    """Returns (size of a cell, [(address, cells)]); cells are None in rows without RAM."""
    ranges = [(max(start, within[0]), min(end, within[1])) for start, end in ranges]
    ranges = [(start, end) for start, end in ranges if start < end]
    if not ranges:
        return 0, []
    size = cell_size(ranges[-1][1] - ranges[0][0])
    first, found = ranges[0][0] // (size * COLUMNS) * size * COLUMNS, []
    for at in range(first, ranges[-1][1], size * COLUMNS):
        cells = []
        for column in range(COLUMNS):
            start, end = at + column * size, at + (column + 1) * size
            mine = [(max(start, begin), min(end, stop)) for begin, stop in ranges
                    if begin < end and start < stop]
            kinds = [sum(kind) for kind in zip(*(memory.cell(*piece) for piece in mine))]
            cells.append(kinds or [0] * len(KINDS))
        found.append((at, cells if any(map(any, cells)) else None))
    return size, found


def text(memory, within=(0, 1 << 64)):
    """Returns the lines of the picture, none of them longer than 80 characters."""
    lines, totals = [], [0] * len(KINDS)
    for node, ranges in sorted(memory.nodes.items()):
        size, found = rows(memory, ranges, within)
        if not found:
            continue
        lines.append(f'node {node}: a letter is {human(size)}')
        for at, cells in found:
            if cells:
                lines.append(f'{at:>13x} {"".join(map(letter, cells))}'.rstrip())
                totals = [sum(pair) for pair in zip(totals, *[[sum(kind) for kind in zip(*cells)]])]
            elif lines[-1].strip() != '*':
                lines.append(f'{"*":>13}')
    for (symbol, _, name), total in zip(KINDS, totals):
        lines.append(f'  {symbol} {name}: {human(total)}')
    lines.append('  a small letter: less than half of it')
    return lines


def svg(memory, within=(0, 1 << 64), title='Physical memory'):
    """Returns the picture as SVG. A cell is divided by what is in it."""
    width, height, left, gap = 13, 20, 120, 26
    body, y = [], 40
    for node, ranges in sorted(memory.nodes.items()):
        size, found = rows(memory, ranges, within)
        if not found:
            continue
        body.append(f'<text x="10" y="{y + 14}" class="head">node {node}, '
                    f'a cell is {human(size)}</text>')
        y += gap
        for at, cells in found:
            if not cells:
                continue
            body.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{at:#x}</text>')
            for column, kinds in enumerate(cells):
                body += svg_cell(left + column * width, y, width - 1, height - 2,
                                 at + column * size, kinds)
            y += height
        y += 8
    for symbol, colour, name in KINDS:
        body.append(f'<rect x="{left}" y="{y}" width="12" height="12" fill="{colour}"/>'
                    f'<text x="{left + 20}" y="{y + 11}">{escape(name)}</text>')
        y += 20
    style = 'text { font: 12px sans-serif; fill: #222 } .head { font-weight: bold }'
    return '\n'.join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + COLUMNS * width + 20}" '
                      f'height="{y + 10}">', f'<style>{style}</style>',
                      '<rect width="100%" height="100%" fill="white"/>',
                      f'<text x="10" y="22" class="head">{escape(title)}</text>', *body, '</svg>', ''])


def svg_cell(x, y, width, height, at, kinds):
    total = sum(kinds)
    if not total:
        return []
    found, top = [], float(y)
    said = ', '.join(f'{name} {human(size)}' for (_, _, name), size in zip(KINDS, kinds) if size)
    for (_, colour, _), size in zip(KINDS, kinds):
        if size:
            tall = max(1.0, height * size / total)
            tall = min(tall, y + height - top)
            found.append(f'<rect x="{x}" y="{top:.1f}" width="{width}" height="{tall:.1f}" '
                         f'fill="{colour}"/>')
            top += tall
    return ['<g>', f'<title>{at:#x}: {said}</title>', *found, '</g>']
