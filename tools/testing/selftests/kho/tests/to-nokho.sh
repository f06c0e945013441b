# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel without KHO does not know SETUP_KEXEC_KHO. It has to boot nevertheless, and so
# does a kernel with KHO after it. It runs when it is named, since no other test needs the
# second kernel.
#
# shellcheck shell=dash

about="into a kernel without KHO, and back"
kernels="main nokho"
when=asked
stages=3
plan=7

stage_1() {
	check "a file can be kept" keep letter 40M
	remember free "$(mem_free)"
	handover nokho
}

stage_2() {
	check "this kernel has no KHO" same "the debugfs directory" "$(echo "$KHO"*)" "$KHO*"
	check "the memory of the file is free" came_back "$(recall free)" "$(bytes 32M)"
	check "nine tenths of the memory can be used" usable 90
	handover main
}

stage_3() {
	check "KHO is on" kho_enabled
	check "there is no incoming handover" no_handover
	check "a file can be kept" keep letter 1M
	finish
}
