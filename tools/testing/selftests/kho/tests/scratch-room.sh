# SPDX-License-Identifier: GPL-2.0-only
#
# Scratch has room for each segment of a kernel, but not for the struct pages that this
# kernel needs before it knows what else it may use. Such a kernel would die in early
# boot, and with it everything that is preserved. So it cannot be loaded, with a message,
# and the system runs on.
#
# shellcheck shell=dash

about="a kernel whose struct pages scratch has no room for"
kernels="main"
words="kho_scratch=16M,64M,16M"
machines=x86
mem=6G
expect="KHO: no room in scratch"
stages=1
plan=5

stage_1() {
	check "a file can be kept" keep letter 10M
	check "a kernel cannot be loaded" cannot_load
	check "the log says why" has_said \
		"KHO: no room in scratch for the image and struct pages of the next kernel"
	check "nothing is loaded" same loaded "$(cat /sys/kernel/kexec_loaded)" 0
	check "the file is intact" intact letter
	finish
}

# Loading fails with ENOMEM.
cannot_load() {
	local why

	! why=$(kexec_load load "/boot/$(last_kernel)" - quiet 2>&1) ||
		{ echo "it can be loaded"; return 1; }
	same why "$why" "kexec_load: kexec_file_load: error 12"
}
