# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel keeps files and does a kexec. host/format/verify.py, which shares no code with
# the kernel, reads the handover in the machine's memory.

about="a handover, read on the host by a program that knows just the format"
kernels=main
words="reserve_mem=1M:1M:data test_kho_regions=data"

host_test() {
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"

	echo "1..$((2 + format_claims))"
	rm -f "$vms/$name.ram"
	make_stop &&
	boot_guest out "$build/kernel/main/arch/x86/boot/bzImage" "$vms/$name.stop" boot/stop
	guest_result
	verify
	tool_finds "blob memblock" "region data: 1048576 bytes"
	rm -f "$vms/$name.ram" "$vms/$name.stop"
}
