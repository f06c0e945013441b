# SPDX-License-Identifier: GPL-2.0-only
#
# KHO is off in the first kernel, and on in the second: the kexec is a plain one.
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
	check "there is no incoming handover" no_handover
	check "a file can be kept" keep letter 1M
	check "the file can be read" intact letter
	finish
}
