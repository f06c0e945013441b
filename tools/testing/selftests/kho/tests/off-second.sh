# SPDX-License-Identifier: GPL-2.0-only
#
# The second kernel does not want what the first hands over: it boots as from
# cold, all memory is its own, and the third kernel starts anew.
#
# shellcheck shell=dash

about="kho=off in the second kernel: all memory is free, all data gone"
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
	check "nothing came in" no_handover
	finish
}
