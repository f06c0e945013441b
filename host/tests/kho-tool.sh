# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs tools/kho/kho on files of machines that host/format/tool_test.py makes up: kexecs that
# would fail or lose something, kexecs that are fine, maps, and a handover in a file. It also
# looks at one of our kernels.

about="the command kho: check, status, map, dump, verify, log"
kernels=main

host_test() {
	python3 -B "$root/host/format/tool_test.py" "$build/kernel/main/arch/x86/boot/bzImage"
}
