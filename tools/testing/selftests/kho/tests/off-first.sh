# SPDX-License-Identifier: GPL-2.0-only
#
# The first kernel has KHO switched off: a plain kexec into one that has not.
#
# shellcheck shell=dash

about="kho=off in the first kernel: a plain kexec"
kernels="main next"
words="kho=off"
stages=2
plan=5

stage_1() {
	check "KHO is off" kho_disabled
	note_down
	handover next
}

stage_2() {
	check "KHO is on" kho_enabled
	check "nothing came in" no_handover
	check "a file can be kept" keep letter 1M
	check "and read" intact letter
	finish
}
