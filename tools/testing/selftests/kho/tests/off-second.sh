# SPDX-License-Identifier: GPL-2.0-only
#
# KHO is off in the second kernel, so it ignores the handover: it boots without it, all
# memory is its own, and the third kernel starts without a handover.
#
# shellcheck shell=dash

about="kho=off in the second kernel: all memory is free, all files are gone"
kernels="main next"
stages=3
plan=6

stage_1() {
	check "a file can be kept" keep letter 40M
	remember free "$(mem_free)"
	handover next kho=off
}

stage_2() {
	check "KHO is off" kho_disabled
	check "the memory of the file is free" came_back "$(recall free)" "$(bytes 32M)"
	check "nine tenths of the memory can be used" usable 90
	handover main
}

stage_3() {
	check "KHO is on" kho_enabled
	check "there is no incoming handover" no_handover
	finish
}
