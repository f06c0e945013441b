# SPDX-License-Identifier: GPL-2.0-only
#
# Scratch is large enough for a kernel, and too small for a kernel with a large initrd.
# Loading the large initrd fails with a message that says how large the segment is, and
# changes nothing. A kernel with a small initrd can be loaded and started.
#
# shellcheck shell=dash

about="an initrd that scratch has no room for"
kernels="main next"
words="kho_scratch=16M,64M,16M"
expect="KHO: no room in scratch"
stages=2
plan=10

stage_1() {
	# This is 6 MiB more than the largest region has.
	local size=$((($(in_blocks 64) + 6) << 20))

	check "a file can be kept" keep letter 10M
	pattern write 1 $size >/tmp/large
	check "a large initrd cannot be loaded" cannot_load
	# From here on the kernel allocates nothing for the first time.
	remember free "$(mem_free)"
	check "it cannot be loaded a second time either" cannot_load
	check "the log says how large it is" has_said \
		"KHO: no room in scratch for a kexec segment of $size bytes; see kho_scratch="
	check "the log says so once for each attempt" \
		same messages "$(dmesg | grep -c 'KHO: no room')" 2
	check "nothing is loaded" same loaded "$(cat /sys/kernel/kexec_loaded)" 0
	check "nothing of it stays in memory" near MemFree "$(mem_free)" "$(recall free)" 8192
	check "the file is intact" intact letter
	rm /tmp/large
	note_down
	handover next
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the file is intact" intact letter
	finish
}

# Loading the large initrd fails with EADDRNOTAVAIL.
cannot_load() {
	local why

	! why=$(kexec_load load /boot/next /tmp/large quiet 2>&1) ||
		{ echo "it can be loaded"; return 1; }
	same why "$why" "kexec_load: kexec_file_load: error 99"
}
