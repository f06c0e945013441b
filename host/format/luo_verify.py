#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""luo_verify.py RAM LOG - check what live update left in memory

The arguments are those of verify.py, which checks the handover as a whole. Prints a
line of TAP for each of CLAIMS. They compare sessions and files with the format, and
with what the guest printed about them: the lines "luo-format: WORDS" of the log.
"""

import hashlib
import re
import struct
import sys

import kho4
import luo_client
import luo5
from kho4 import PAGE, Defect


class LiveUpdate:
    """The live update to check: what is there, and what the guest printed."""

    def __init__(self, reader, said):
        self.reader = reader
        self.said = [line for word in said for line in expanded(word)]
        self.all = luo_client.Everything(reader)

    def differ(self, kind):
        """Yields what only one of the two, memory or guest, says of things of this kind."""
        there = sorted(line for line in self.all.describe() if line.startswith(kind + ' '))
        told = sorted(line for line in self.said if line.startswith(kind + ' '))
        yield from (f'the guest does not say: {line}' for line in there if line not in told)
        yield from (f'not there: {line}' for line in told if line not in there)


def one_page(session, token):
    """What a guest says of a file that scale.c made. Its seed is 1000 more than its token."""
    words = [(token + 1000) * 0x9e3779b97f4a7c15 & kho4.MASK ^ i * 0xd1342543de82ef95 & kho4.MASK
             for i in range(PAGE // 8)]
    digest = hashlib.sha256(struct.pack(f'<{len(words)}Q', *words)).hexdigest()
    return f'memfd {session} {token} {PAGE} 0 0x1 {digest}'


def expanded(line):
    """Yields the lines that the guest means, if @line stands for many."""
    kind, name, *count = line.split()
    if kind == 'many-files':
        yield from (one_page(name, token) for token in range(int(count[0])))
    elif kind == 'many-sessions':
        for token in range(int(count[0])):
            yield f'session {name}-{token} 1'
            yield one_page(f'{name}-{token}', token)
    else:
        yield line


def blob(h):
    numbers = [line for line in h.said if line.startswith('number ')]
    if numbers != [f'number {h.all.state.number}']:
        yield f'the number is {h.all.state.number}, the guest says {numbers}'


def sessions(h):
    yield from h.differ('session')
    names = [session.name for session in h.all.state.sessions]
    if len(set(names)) < len(names) or not names or '' in names:
        yield f'the sessions are {names}'


def blocks(h):
    for what, count, entry in h.all.state.lists:
        if len(count) != -(-sum(count) // luo5.per_block(entry)):
            yield f'the list of {what} has blocks of {count} entries'


def memfds(h):
    yield from h.differ('memfd')


def ends(h):
    for name, memfd in h.all.memfds.items():
        if memfd.beyond():
            yield f'{name} has {memfd.size} bytes, and folios at {memfd.beyond()[:3]}'


def tests(h):
    yield from h.differ('test')


def flbs(h):
    yield from h.differ('flb')


CLAIMS = {
    'the blob LUO counts live updates as the guest says': blob,
    'there are the sessions that the guest says, each once': sessions,
    'no list has more blocks than it needs': blocks,
    'memfds have size, position, seals and content as the guest says': memfds,
    'memfds have no folio after their end': ends,
    'files of the test client have the content that the guest says': tests,
    'FLBs have as many files as the guest says': flbs,
}


def failures(reader, said):
    """Returns {claim: problems}, for the claims that do not hold."""
    try:
        it = LiveUpdate(reader, said)
    except (Defect, KeyError, UnicodeDecodeError, struct.error) as error:
        return dict.fromkeys(CLAIMS, [f'{type(error).__name__}: {error}'])
    wrong = {claim: list(test(it)) for claim, test in CLAIMS.items()}
    return {claim: problems for claim, problems in wrong.items() if problems}


def main(ram_path, log_path):
    with open(log_path, encoding='utf-8', errors='replace') as file:
        log = file.read()
    said = [line.strip() for line in re.findall(r'luo-format: (.*)', log)]
    stop = re.findall(r'kho-stop: boot_params 0x(\w+) entry', log)
    wrong = dict.fromkeys(CLAIMS, ['the log does not show one kexec into stop-x86.S'])
    if len(stop) == 1:
        try:
            wrong = failures(kho4.Reader(kho4.Ram(ram_path), int(stop[0], 16)), said)
        except Defect as error:
            wrong = dict.fromkeys(CLAIMS, [str(error)])
    for claim in CLAIMS:
        print(f'{"not " if claim in wrong else ""}ok - {claim}')
        for problem in wrong.get(claim, [])[:3]:
            print(f'# {problem[:300]}')


if __name__ == '__main__':
    main(*sys.argv[1:])
