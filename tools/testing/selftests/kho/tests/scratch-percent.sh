# SPDX-License-Identifier: GPL-2.0-only
#
# kho_scratch= relative to the memory that the kernel takes for itself at boot.
#
# shellcheck shell=dash

about="kho_scratch=150%"
kernels="main next"
words="kho_scratch=150%"
stages=2
plan=5

stage_1() {
	check "KHO is on" kho_enabled
	check "the log has no message about it" has_not_said 'KHO:.*(150%|kho_scratch)'
	check "a file can be kept" keep letter 30M
	note_down
	handover next
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the file is intact" intact letter
	finish
}
