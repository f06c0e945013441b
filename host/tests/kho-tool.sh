# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tools/kho/kho on files of machines that host/format/tool_test.py makes up: 15 kexecs and
# more that are wrong, three that are right, maps, a handover in a file. And on a kernel
# of ours.

about="the command kho: check, status, map, dump, verify, log"
kernels=main

host_test() {
	python3 -B "$root/host/format/tool_test.py" "$build/kernel/main/arch/x86/boot/bzImage"
}
