# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel preserves sessions and files and does a kexec. host/format/luo_verify.py, which
# shares no code with the kernel, reads them in the machine's memory.

about="sessions and memfds, read on the host by a program that knows just the formats"
kernels=main
words="liveupdate=on hugepages=4"

host_test() {
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"

	echo "1..$(($(luo_results) + 1))"
	rm -f "$vms/$name.ram"
	make_stop &&
	boot_guest luo-out "$build/kernel/main/arch/x86/boot/bzImage" "$vms/$name.stop" boot/stop
	guest_result
	verify
	verify_luo
	tool_finds "session many: 130 files" memfd-v2 "FLB test-flb-v1" \
		memfd-hugetlb-v1 "3 pages of 2097152" "pages of 2097152 on node 0: 3, 0 surplus"
	rm -f "$vms/$name.ram" "$vms/$name.stop"
}
