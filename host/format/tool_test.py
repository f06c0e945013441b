#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tool_test.py KERNEL - check what tools/kho/kho says. Prints TAP.

Runs the command on files of machines that are made up here: a small one, one of 1 TiB with
four nodes, one without KHO. KERNEL is a real bzImage with KHO; the other kernels are
headers, followed by as much as the command looks at.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
import xml.dom.minidom
import zlib

import log1
import write
from kho4 import Defect, xxh64

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tools/kho/kho')
MIB, GIB = 1 << 20, 1 << 30
# Strings of a kernel: the format, and the ELF note that it reads the map early.
FORMAT = b'\0kho-v4\0'
NOTE = struct.pack('<III4sI', 4, 4, 1, b'KHO', 1)


def put(root, name, content):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    mode = 'wb' if isinstance(content, bytes) else 'w'
    with open(path, mode, **({} if 'b' in mode else {'encoding': 'utf-8'})) as file:
        file.write(content)
    return path


def machine(root, **changes):
    """Makes the files of a machine on which all is well."""
    kho = {'enabled': '1', 'off_reason': '', 'format': 'kho-v4', 'incoming': 'accepted',
           'kexec_count': '3', 'previous_release': '6.12.117-before', 'checksum': '1',
           'load_ahead': '1', 'image': 'none', 'image_objection': '',
           'scratch': '0x1000000 16777216 16000000\n0x20000000 134217728 100000000',
           'scratch_bytes': str(144 * MIB), 'scratch_needed': str(8 * MIB),
           'preserved': '0 5\n9 1024', 'preserved_bytes': str(2048 * MIB + 20480),
           'received': '0 5\n9 512', 'received_bytes': str(1024 * MIB + 20480),
           'waiting': '', 'waiting_bytes': '0', 'blobs': 'kexec-metadata 73\nLUO 32',
           'liveupdate/outgoing_sessions': '0', 'liveupdate/outgoing_files': '0',
           'liveupdate/incoming_sessions': '0', 'liveupdate/incoming_files': '0'}
    for name, value in {**kho, **changes}.items():
        put(root, f'sys/kernel/kho/{name}', value + '\n')
    put(root, 'proc/sys/kernel/arch', 'x86_64\n')
    put(root, 'proc/cmdline', 'BOOT_IMAGE=/vmlinuz root=/dev/vda kho=on\n')
    put(root, 'proc/self/smaps', 'KernelPageSize:        4 kB\n')
    put(root, 'proc/iomem', '00001000-0009ffff : System RAM\n00100000-3fffffff : System RAM\n'
        '  21000000-21ffffff : Kernel code\n  22000000-22ffffff : Kernel data\n'
        'fee00000-fee00fff : Local APIC\n')
    put(root, 'sys/kernel/debug/kho/out/map', 'part 4194304\n0x8000000 4194304\n0x8400000 2048\n')
    put(root, 'sys/kernel/debug/kho/in/map', 'part 4194304\n0x10000000 4194304\n')
    return root


def large_machine(root):
    """1 TiB, four nodes, with a hole below 4 GiB."""
    machine(root)
    put(root, 'proc/iomem', '00100000-7fffffff : System RAM\n  01000000-02ffffff : Kernel code\n'
        f'100000000-{1024 * GIB - 1:x} : System RAM\n')
    block = 2 * GIB
    put(root, 'sys/devices/system/memory/block_size_bytes', f'{block:x}\n')
    for node in range(4):
        for i in range(node * 128, (node + 1) * 128):
            put(root, f'sys/devices/system/node/node{node}/memory{i}/x', '')
    part = 256 * MIB
    put(root, 'sys/kernel/debug/kho/out/map', f'part {part}\n' + ''.join(
        f'{at:#x} {part}\n' for at in range(256 * GIB, 700 * GIB, part)))
    return root


def bz_image(size=24 * MIB, version=0x20f, types=10, inside=FORMAT + NOTE, config=None,
             flags=1, cut=0, packer=None, damage=False):
    """Returns a bzImage that has what the command looks at."""
    vmlinux = b'Linux version 6.12.1-made-up (x) ' + inside
    if config is not None:
        vmlinux += b'IKCFG_ST' + compress(config.encode()) + b'IKCFG_ED'
    payload = bytearray(packed_by(packer, vmlinux) if packer else compress(vmlinux))
    if damage:
        payload[len(payload) // 2] ^= 0xff
        payload[len(payload) // 2 + 1:-4] = b''
    data = bytearray(2048)
    data[0x1f1] = 1
    data[0x202:0x206] = b'HdrS'
    struct.pack_into('<H', data, 0x206, version)
    struct.pack_into('<H', data, 0x236, flags)
    struct.pack_into('<I', data, 0x238, 2047)
    struct.pack_into('<II', data, 0x248, 1024, len(payload))
    struct.pack_into('<I', data, 0x260, size)
    struct.pack_into('<I', data, 0x268, 512)
    data[1536:1552] = b'LToP' + struct.pack('<III', 16, 16, types)
    data = bytes(data) + payload
    return data[:len(data) - cut]


def packed_by(command, data):
    """Packs as the build of the kernel does, which adds the size."""
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True)
    return done.stdout + struct.pack('<I', len(data))


def compress(data):
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


def arm_image(pages):
    data = bytearray(4096)
    struct.pack_into('<QQ', data, 0x10, 24 * MIB, pages << 1)
    data[0x38:0x3c] = b'ARM\x64'
    return bytes(data) + b'\0kho-v4\0'


INITRD = compress(b'070701')
KHO = 'CONFIG_KEXEC_HANDOVER=y\nCONFIG_LIVEUPDATE=y\n'
LUO = b'\0kho-v4\0luo-v5\0'
FILES = {'liveupdate/outgoing_files': '2'}
SMALL_SCRATCH = {'scratch': f'0x1000000 {36 * MIB} {36 * MIB}', 'scratch_bytes': str(36 * MIB)}
LISTED = {'../debug/liveupdate/outgoing':
          'session:\tvm\n\ttoken 0x1 handler memfd-hugetlb-v1 state preserved'}
ZSTD, LZ4 = ['zstd', '-qc'], ['lz4', '-lzqc']

# For each kexec: what it is; files of /sys/kernel/kho/ that differ; kernel; initrd; command
# line; what the command has to print, or None if it must have no objection.
KEXECS = [
    ('a kernel with KHO', {}, bz_image(), INITRD, 'kho=on', None),
    ('one with its configuration, and sessions', FILES,
     bz_image(config=KHO, inside=LUO), INITRD, 'kho=strict liveupdate=on', None),
    ('one with the handler of the files', {**FILES, **LISTED},
     bz_image(inside=LUO + b'memfd-hugetlb-v1\0'), INITRD, 'kho=on liveupdate=on', None),
    ('one without it', {**FILES, **LISTED}, bz_image(inside=LUO), INITRD, 'kho=on liveupdate=on',
     'that kernel has no trace of memfd-hugetlb-v1'),
    ('one without live update', FILES, bz_image(), INITRD, 'kho=on liveupdate=on',
     'that kernel has no trace of luo-v5'),
    ('sessions, and KHO on by default in that kernel only', FILES,
     bz_image(config=KHO + 'CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT=y\n', inside=LUO), INITRD,
     'liveupdate=on', 'does not switch KHO on'),
    ('one that has KHO on by default', {},
     bz_image(config=KHO + 'CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT=y\n'), INITRD, 'quiet', None),
    ('one that zstd has packed', {}, bz_image(packer=ZSTD), INITRD, 'kho=on', None),
    ('one that lz4 has packed', {}, bz_image(packer=LZ4), INITRD, 'kho=on', None),
    ('one of zstd that is corrupt', {}, bz_image(packer=ZSTD, damage=True), INITRD, 'kho=on',
     'zstd cannot unpack all of it'),
    ('one of lz4 that is corrupt', {}, bz_image(packer=LZ4, damage=True), INITRD, 'kho=on',
     'lz4 cannot unpack all of it'),
    ('a file that is no kernel', {}, b'#!/bin/sh\n' * 100, INITRD, 'kho=on', 'it is no kernel'),
    ('a kernel that is cut off', {}, bz_image(cut=20), INITRD, 'kho=on', 'it is cut off'),
    ('a kernel without KHO, by its setup header', {}, bz_image(types=9), INITRD, 'kho=on',
     'setup header ends before it'),
    ('one by its configuration', {}, bz_image(config='CONFIG_KEXEC=y\n'), INITRD, 'kho=on',
     'its configuration leaves it out'),
    ('one that has no trace of it', {}, bz_image(inside=b'nothing'), INITRD, 'kho=on',
     'there is no trace'),
    ('another format', {}, bz_image(inside=b'\0kho-v9\0'), INITRD, 'kho=on',
     'has the format kho-v9'),
    ('no kho=on', {}, bz_image(), INITRD, 'quiet', 'does not switch KHO on'),
    ('kho=off', {}, bz_image(), INITRD, 'kho=on kho=off', 'switches KHO off'),
    ('one that has struct pages in scratch, which has room', {},
     bz_image(inside=FORMAT), INITRD, 'kho=on', None),
    ('one that has struct pages in scratch, which is small', SMALL_SCRATCH,
     bz_image(inside=FORMAT), INITRD, 'kho=on', 'has its struct pages in scratch'),
    ('one that has them elsewhere', SMALL_SCRATCH, bz_image(), INITRD, 'kho=on', None),
    ('an image that is too large', {}, bz_image(size=140 * MIB), INITRD, 'kho=on',
     'scratch has no room'),
    ('an initrd that is none', {}, bz_image(), b'text', 'kho=on', 'is no initrd'),
    ('sessions without liveupdate=on', FILES, bz_image(), INITRD,
     'kho=on', '2 files in sessions would be lost'),
    ('sessions that are not finished', {'liveupdate/incoming_files': '1'}, bz_image(), INITRD,
     'kho=on', '1 files of the previous kernel are not finished'),
    ('KHO off in this kernel', {'enabled': '0', 'off_reason': 'no reason'}, bz_image(), INITRD,
     'kho=on', 'KHO is off in this kernel: no reason'),
    ('a kernel for another machine', {}, arm_image(1), INITRD, 'kho=on', 'this machine is x86_64'),
    ('another page size', {}, arm_image(3), INITRD, 'kho=on', 'pages of 65536 bytes'),
]

results = []


def result(what, why):
    results.append(not why)
    print(f'{"not " if why else ""}ok {len(results)} - {what}')
    if why:
        print('# ' + str(why)[:2000].replace('\n', '\n# '))


def run(root, *words):
    done = subprocess.run([sys.executable, '-B', TOOL, '--root', root, *words],
                          capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def check_kexec(base, case):
    what, changes, kernel, initrd, cmdline, said = case
    with tempfile.TemporaryDirectory(dir=base) as root:
        machine(root, **changes)
        paths = [put(root, 'kernel', kernel), put(root, 'initrd', initrd)]
        status, out, err = run(root, 'check', *paths, cmdline)
    wrong = [line for line in out.splitlines() if line.startswith('error: ')]
    if said is None:
        why = (status or wrong or err) and f'{status} {out} {err}'
    else:
        why = (status != 1 or not any(said in line for line in wrong)) and f'{status} {out} {err}'
    result(f'{what}: {"right" if said is None else "wrong"}', why)


def check_status(root):
    status, out, err = run(root, 'status')
    result('status: all that is known is there', status or err or [
        word for word in ('KHO        on', 'kho-v4', '6.12.117-before, kexec 3', '144 MiB',
                          '2 GiB (5 of order 0, 1024 of order 9)', 'blob LUO, 32 bytes')
        if word not in out and word.replace('2 GiB', '2.0 GiB') not in out] and out)
    state = json.loads(run(root, 'status', '--json')[1])
    result('status --json: the same', not (state['enabled'] and state['kexec_count'] == 3 and
           state['preserved']['orders'] == {'0': 5, '9': 1024} and
           state['scratch']['regions'][1]['address'] == 0x20000000) and state)
    status, out, _ = run('/nonexistent', 'status')
    result('status: a kernel without KHO', (status != 1 or 'does not know it' not in out) and out)


def check_map(root, what, words):
    status, out, err = run(root, 'map')
    lines = out.splitlines()
    print('\n'.join(f'# {line}' for line in lines))
    result(f'map: {what} fits 80 columns and 60 lines', status or err or
           (max(map(len, lines)) > 80 or len(lines) > 60) and out)
    result(f'map: {what} is right', [word for word in words if word not in out])
    svg = os.path.join(root, 'map.svg')
    run(root, 'map', '--svg', svg)
    with open(svg, encoding='utf-8') as file:
        document = xml.dom.minidom.parse(file)
    colours = {rect.getAttribute('fill') for rect in document.getElementsByTagName('rect')}
    result(f'map --svg: {what}', len(colours) < 5 and colours)


def check_log(root):
    text = '== kexec 2, 6.12, 5 bytes\n<6>[ 1.0] last\n'
    put(root, 'sys/kernel/kho/log', text)
    result('log: what the kernel shows', run(root, 'log')[1] != text)
    record = log1.RECORD.pack(5, 2, b'6.12\0junk') + b'text\n'
    record += bytes(-len(record) % log1.ALIGN)
    for what, data, right in (('a sound one', record, True),
                              ('one without text', log1.RECORD.pack(0, 2, b'6.12'), False),
                              ('a release without an end', record.replace(
                                  record[12:77], b'6' * 65), False)):
        blob = log1.HEADER.pack(b'kho-log-v1', xxh64(data, len(data)), len(data)) + data
        try:
            read = log1.read_log(blob)
        except Defect:
            read = None
        result(f'log: {what} is {"read" if right else "refused, as the kernel does"}',
               read != ([log1.Record(2, '6.12', b'text\n')] if right else None) and read)
    result('watch: a line', 'waiting 0 B, 100% taken back' not in
           run(root, 'watch', '--count', '1')[1] and run(root, 'watch', '--count', '1'))


def check_installed(base, root):
    there = os.path.join(base, 'installed')
    subprocess.run(['make', '-s', '-C', os.path.dirname(TOOL), 'install', f'DESTDIR={there}'],
                   check=True)
    done = subprocess.run([os.path.join(there, 'usr/sbin/kho'), '--root', root, 'status'],
                          capture_output=True, text=True, check=False)
    result('it works where it is installed', done.stdout != run(root, 'status')[1] and
           done.stdout + done.stderr)


def check_decode(base):
    path = os.path.join(base, 'ram')
    story = write.write('sealed', path)
    status, out, err = run('/', 'dump', path)
    result('dump: the handover is found and decoded', status or [
        word for word in (f'root FDT at {story.writer.fdt_addr:#x}', 'compatible = kho-v4',
                          f'previous_release = {write.RELEASE}', 'region ',
                          f'kexec_count = {write.KEXECS}', f'{len(story.writer.folios)} folios')
        if word not in out] and out + err)
    status, out, err = run('/', 'verify', path)
    result('verify: it is sound', (status or 'WRONG' in out or 'checksum matches' not in out) and
           out + err)
    fdt = f'{story.writer.fdt_addr:x}'
    node = list(story.writer.nodes.values())[-1]
    for what, at, value in (('a bit of the map', node + 64, b'\x10'),
                            ('the root FDT', story.writer.fdt_addr + 4, b'\xff\xff')):
        before = story.ram.read(at, len(value))
        story.ram.write(at, value)
        status, out, _ = run('/', 'verify', '--fdt', fdt, path)
        result(f'verify: {what} is damaged', (status != 1 or 'WRONG' not in out) and (status, out))
        story.ram.write(at, before)
    result('dump: a file without a handover', run('/', 'dump', TOOL)[0] != 2)


def main(kernel):
    print(f'1..{len(KEXECS) + 22}')
    with tempfile.TemporaryDirectory() as base:
        for case in KEXECS:
            check_kexec(base, case)
        root = machine(os.path.join(base, 'small'))
        large = large_machine(os.path.join(base, 'large'))
        status, out, err = run(large, 'check', kernel, '', 'kho=on')
        result('check: a real kernel, which has its struct pages outside of scratch',
               (status or err) and out + err)
        status, out, err = run(root, 'load', kernel, '', 'quiet')
        result('load: what is wrong is not loaded', status != 1 and out + err)
        check_status(root)
        check_map(root, 'a small machine', ['node 0', 'P', 'W', 'K', 'S'])
        check_map(large, 'a machine of 1 TiB',
                  ['node 0', 'node 3: a letter is 512 MiB', 'P' * 64, 'preserved: 444 GiB'])
        check_log(root)
        check_installed(base, root)
        check_decode(base)
    sys.exit(not all(results))


if __name__ == '__main__':
    main(*sys.argv[1:])
