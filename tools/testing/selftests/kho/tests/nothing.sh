# SPDX-License-Identifier: GPL-2.0-only
#
# KHO is on and nobody preserves anything: an empty map has to do.
#
# shellcheck shell=dash

about="a handover of nothing"
kernels="main next"
stages=2
plan=5

stage_1() {
	check "KHO is on" kho_enabled
	note_down
	handover next
}

stage_2() {
	check "no memory got lost" arrived 1
	check "no file came in" same files "$(kept)" none
	check "a file can be kept now" keep letter 1M
	check "nine tenths of the memory can be used" usable 90
	finish
}
