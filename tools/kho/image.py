# SPDX-License-Identifier: GPL-2.0-only
"""Will a kexec arrive? What the file of a kernel shows, and what that means on this machine.

Owns the findings of kho check. The kernel itself makes some of these checks when an image
is loaded, and refuses the image or prints a line in its log. Here they are made before
that, all at once, and each finding says what to do.
"""

import bz2
import lzma
import os
import re
import shutil
import struct
import subprocess
import zlib
from collections import namedtuple

from system import human

Finding = namedtuple('Finding', 'severity what todo')
ERROR, WARNING, NOTE = 'error', 'warning', 'note'

SETUP_KEXEC_KHO = 10
XLF_KERNEL_64 = 1
# The ELF note of a kernel that reads the map before it allocates struct pages.
MAP_EARLY = struct.pack('<III4sI', 4, 4, 1, b'KHO', 1)
STRUCT_PAGE = 64
PACKERS = [(b'\x1f\x8b', 'gzip'), (b'\xfd7zXZ\0', 'xz'), (b'\x5d\0\0', 'lzma'), (b'BZh', 'bzip2'),
           (b'\x28\xb5\x2f\xfd', 'zstd'), (b'\x02\x21\x4c\x18', 'lz4')]


class Invalid(Exception):
    """Raised for a file that no kernel would load."""


def unpack(data):
    """Returns (the unpacked data, None), or (None, why not)."""
    name = next((name for magic, name in PACKERS if data.startswith(magic)), None)
    try:
        if name == 'gzip':
            packer = zlib.decompressobj(31)
        elif name in ('xz', 'lzma'):
            packer = lzma.LZMADecompressor()
        elif name == 'bzip2':
            packer = bz2.BZ2Decompressor()
        else:
            packer = None
        if packer:
            done = packer.decompress(data)
            if not packer.eof:
                raise Invalid('it is cut off')
            return done, None
    except (lzma.LZMAError, OSError, EOFError, zlib.error) as error:
        raise Invalid(f'it is corrupt: {error}') from error
    if name is None:
        return None, 'it is packed in a way that is not known here'
    if not shutil.which(name):
        return None, f'the program {name} is not installed'
    # The build adds the size of the unpacked data, at which the programs stop with an error.
    done = subprocess.run([name, '-dc'], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    if len(done.stdout) != struct.unpack('<I', data[-4:])[0]:
        raise Invalid(f'it is corrupt: {name} cannot unpack all of it')
    return done.stdout, None


class Kernel:
    """The file of a kernel. Raises Invalid for one that cannot be loaded."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.data = file.read()
        self.setup_type_max = None      # x86: types of setup_data that it knows
        self.cmdline_max = None
        self.page_size = None           # arm64; 0 if it does not say
        if self.data[0x202:0x206] == b'HdrS':
            self._x86()
        elif self.data[0x38:0x3c] == b'ARM\x64':
            self._arm64()
        elif self.data[:2] == b'\x1f\x8b':
            raise Invalid('it is compressed as a whole, which kexec -s does not take')
        elif self.data[:4] == b'\x7fELF':
            raise Invalid('it is a vmlinux, not a bzImage or Image')
        else:
            raise Invalid('it is no kernel')
        self._look_inside()

    def _u(self, form, at):
        try:
            return struct.unpack_from('<' + form, self.data, at)[0]
        except struct.error as error:
            raise Invalid('it is too short') from error

    def _x86(self):
        self.machine = 'x86_64'
        self.version = self._u('H', 0x206)
        if self.version < 0x20c or not self._u('H', 0x236) & XLF_KERNEL_64:
            raise Invalid('it is no 64-bit kernel that kexec -s takes')
        start = ((self._u('B', 0x1f1) or 4) + 1) * 512
        self.bytes = self._u('I', 0x260)
        self.cmdline_max = self._u('I', 0x238)
        if self.version >= 0x20f:
            info = start + self._u('I', 0x268)
            if self.data[info:info + 4] == b'LToP':
                self.setup_type_max = self._u('I', info + 12) & 0x7fffffff
        else:
            self.setup_type_max = 0
        payload = start + self._u('I', 0x248)
        length = self._u('I', 0x24c)
        if payload + length > len(self.data):
            raise Invalid('it is cut off')
        self.vmlinux, self.packed = unpack(self.data[payload:payload + length])

    def _arm64(self):
        self.machine = 'aarch64'
        self.bytes = self._u('Q', 0x10)
        self.page_size = {1: 4096, 2: 16384, 3: 65536}.get(self._u('Q', 0x18) >> 1 & 3, 0)
        self.vmlinux, self.packed = self.data, None

    def _look_inside(self):
        self.formats, self.config, self.release = None, None, None
        if self.vmlinux is None:
            return
        self.formats = sorted({word.decode() for word in
                               re.findall(rb'kho-v\d+(?=\0)', self.vmlinux)})
        match = re.search(rb'Linux version (\S+) ', self.vmlinux)
        self.release = match[1].decode(errors='replace') if match else None
        start = self.vmlinux.find(b'IKCFG_ST')
        if start >= 0:
            try:
                text = zlib.decompressobj(31).decompress(self.vmlinux[start + 8:])
            except zlib.error:
                return
            self.config = dict(line.split('=', 1) for line in text.decode().splitlines()
                               if line.startswith('CONFIG_'))


def switch(cmdline, name):
    """Returns 'on', 'off' or None, as the kernel understands a command line."""
    found = None
    for word in cmdline.split():
        if word == '--':
            break
        key, _, value = word.partition('=')
        if key.replace('-', '_') == name:
            begin = value.lower()[:2]
            if (begin[:1] in ('y', 't', '1') and begin) or begin == 'on' or \
                    (name == 'kho' and value == 'strict'):
                found = 'on'
            elif (begin[:1] in ('n', 'f', '0') and begin) or begin == 'of':
                found = 'off'
            else:
                found = None            # malformed: the default of that kernel
    return found


class Check:
    """Collects what is to be said about one kexec."""

    def __init__(self, system):
        self.system = system
        self.findings = []

    def say(self, severity, what, todo):
        self.findings.append(Finding(severity, what, todo))

    def passed(self):
        return all(finding.severity != ERROR for finding in self.findings)

    def run(self, kernel_path, initrd_path=None, cmdline=''):
        self.here()
        try:
            kernel = Kernel(kernel_path)
        except (OSError, Invalid) as error:
            self.say(ERROR, f'the kernel {kernel_path} cannot be loaded: {error}',
                     'name another file')
            return
        initrd = self.initrd(initrd_path)
        self.knows_kho(kernel)
        self.fits(kernel)
        self.words(kernel, cmdline)
        self.room(kernel, initrd)
        self.struct_pages(kernel, initrd)
        self.sessions(kernel, cmdline)

    def here(self):
        if not self.system.there('/sys/kernel/kho'):
            self.say(ERROR, 'this kernel does not know KHO',
                     'boot one that has CONFIG_KEXEC_HANDOVER, once, from cold')
        elif self.system.kho('enabled') != '1':
            reason = self.system.kho('off_reason') or 'it does not say why'
            self.say(ERROR, f'KHO is off in this kernel: {reason}',
                     'boot this kernel with kho=on')
        if self.system.read('/sys/kernel/kexec_loaded', '0').strip() == '1':
            objection = self.system.kho('image_objection')
            if objection:
                self.say(WARNING, f'the kernel that is loaded now will not do: {objection}',
                         'load this one in its place, or unload it with kexec -u')

    def initrd(self, path):
        if not path:
            return 0
        try:
            size = os.stat(path).st_size
            with open(path, 'rb') as file:
                begin = file.read(6)
        except OSError as error:
            self.say(ERROR, f'the initrd cannot be read: {error}', 'name another file')
            return 0
        known = [magic for magic, _ in PACKERS] + [b'070701', b'070702', b'\x89LZO']
        if not any(begin.startswith(magic) for magic in known):
            self.say(ERROR, f'{path} is no initrd: it begins with {begin!r}',
                     'name the initrd of that kernel')
        return size

    def knows_kho(self, kernel):
        ours = self.system.kho('format', 'kho-v4')
        if kernel.setup_type_max is not None and kernel.setup_type_max < SETUP_KEXEC_KHO:
            self.say(ERROR, 'that kernel does not know KHO: its setup header ends before it',
                     'take one that has CONFIG_KEXEC_HANDOVER')
        elif kernel.config and kernel.config.get('CONFIG_KEXEC_HANDOVER') != 'y':
            self.say(ERROR, 'that kernel does not know KHO: its configuration leaves it out',
                     'take one that has CONFIG_KEXEC_HANDOVER')
        elif kernel.formats is None:
            self.say(WARNING, f'whether that kernel knows {ours} cannot be seen: {kernel.packed}',
                     'install it, or make sure in another way')
        elif not kernel.formats:
            self.say(ERROR, 'that kernel does not know KHO: there is no trace of it',
                     'take one that has CONFIG_KEXEC_HANDOVER')
        elif ours not in kernel.formats:
            self.say(ERROR, f'that kernel has the format {", ".join(kernel.formats)}, this one {ours}',
                     'take one of the same format')

    def fits(self, kernel):
        machine = self.system.read('/proc/sys/kernel/arch', os.uname().machine).strip()
        if machine != kernel.machine:
            self.say(ERROR, f'that kernel is for {kernel.machine}, this machine is {machine}',
                     'take one for this machine')
        pages = self.page_size()
        if kernel.page_size and kernel.page_size != pages:
            self.say(ERROR, f'that kernel has pages of {kernel.page_size} bytes, this one of {pages}',
                     'take one with the same page size')

    def page_size(self):
        match = re.search(r'^KernelPageSize: *(\d+) kB', self.system.read('/proc/self/smaps') or '',
                          re.M)
        return int(match[1]) << 10 if match else os.sysconf('SC_PAGE_SIZE')

    def outgoing_files(self):
        return int(self.system.kho('liveupdate/outgoing_files', '0') or 0)

    def words(self, kernel, cmdline):
        default = (kernel.config or {}).get('CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT') == 'y'
        state = switch(cmdline, 'kho')
        # With files in sessions kho=on must be there whatever the default of the next kernel
        # is, because the running kernel refuses a kexec without it.
        out = self.outgoing_files()
        if state == 'off':
            self.say(ERROR, 'the command line switches KHO off', 'replace kho=off by kho=on')
        elif state is None and (out or not default):
            self.say(ERROR, 'the command line does not switch KHO on', 'add kho=on')
        if kernel.cmdline_max and len(cmdline) > kernel.cmdline_max:
            self.say(ERROR, f'the command line has {len(cmdline)} characters, that kernel takes '
                     f'{kernel.cmdline_max}', 'leave some words out')
        for word in cmdline.split():
            if re.match(r'(mem|memmap|elfcorehdr)=', word):
                self.say(WARNING, f'{word} takes memory away from that kernel: what is preserved '
                         'there is refused, as a whole', f'leave {word.split("=")[0]}= out')

    def room(self, kernel, initrd):
        scratch = self.system.number('scratch_bytes')
        if not scratch:
            return
        needed = kernel.bytes + initrd + self.system.number('scratch_needed')
        if needed > scratch:
            self.say(ERROR, f'scratch has no room: image, initrd and start need {human(needed)} of '
                     f'{human(scratch)}', 'boot once from cold with a larger kho_scratch=')
            return
        regions = self.system.scratch()
        for what, size in (('the kernel', kernel.bytes), ('the initrd', initrd)):
            if regions and size > max(region[1] for region in regions):
                self.say(ERROR, f'no region of scratch has room for {what}, {human(size)} in one '
                         'piece', 'boot once from cold with a larger kho_scratch=')

    def struct_pages(self, kernel, initrd):
        """A kernel without the note allocates struct pages before it has read the map."""
        scratch = self.system.number('scratch_bytes')
        if not scratch or not kernel.formats or MAP_EARLY in kernel.vmlinux:
            return
        ram = sum(end - start for start, end, name in self.system.iomem()
                  if name == 'System RAM')
        needed = kernel.bytes + initrd + ram // self.page_size() * STRUCT_PAGE
        if needed > scratch:
            self.say(ERROR, f'that kernel has its struct pages in scratch: with image and initrd '
                     f'{human(needed)}, where {human(scratch)} are',
                     'boot once from cold with a larger kho_scratch=, or take a kernel that '
                     'reads the map earlier')

    def handlers(self, kernel, out):
        """Looks for the handlers of the files, whose names are strings in that kernel."""
        listed = self.system.read('/sys/kernel/debug/liveupdate/outgoing') or ''
        names = ['luo-v5', *sorted(set(re.findall(r' handler (\S+) state', listed)))]
        for name in names:
            if name.encode() + b'\0' not in kernel.vmlinux:
                self.say(ERROR, f'{out} files in sessions would be lost: that kernel has no trace of '
                         f'{name}', 'take one that has it')

    def sessions(self, kernel, cmdline):
        out = self.outgoing_files()
        left = int(self.system.kho('liveupdate/incoming_files', '0') or 0)
        if left:
            self.say(ERROR, f'{left} files of the previous kernel are not finished: they would be '
                     'lost', 'let their owners finish, or wait')
        if out and switch(cmdline, 'liveupdate') != 'on':
            self.say(ERROR, f'{out} files in sessions would be lost: no liveupdate=on on the '
                     'command line', 'add liveupdate=on')
        if out and kernel.config and kernel.config.get('CONFIG_LIVEUPDATE') != 'y':
            self.say(ERROR, f'{out} files in sessions would be lost: that kernel has no live update',
                     'take one that has CONFIG_LIVEUPDATE')
        if not out and switch(cmdline, 'liveupdate') != 'on' and \
                self.system.there('/sys/kernel/kho/liveupdate'):
            self.say(WARNING, 'no liveupdate=on on the command line: as soon as a file is in a '
                     'session this kexec is refused', 'add liveupdate=on')
        if out and kernel.vmlinux is not None:
            self.handlers(kernel, out)
        hidden = self.system.there('/sys/kernel/kho/liveupdate/incoming_files') and \
            self.system.kho('liveupdate/incoming_files') is None
        if hidden or self.system.kho('scratch') is None and self.system.there('/sys/kernel/kho'):
            self.say(WARNING, 'not all can be seen: whether files of the previous kernel are '
                     'unfinished, and the regions of scratch', 'check again as root')
        waiting = self.system.number('waiting_bytes')
        if waiting and not left:
            self.say(WARNING, f'{human(waiting)} of the previous kernel wait for an owner: they '
                     'are not handed on', 'start what has to take them, or let them go')
