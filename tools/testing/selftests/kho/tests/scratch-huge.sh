# SPDX-License-Identifier: GPL-2.0-only
#
# More scratch than there is memory: KHO reports that once, and stays off.
#
# shellcheck shell=dash

about="kho_scratch= larger than the memory"
kernels="main next"
words="kho_scratch=8G,8G,8G"
expect="KHO: "
stages=2
plan=6

stage_1() {
	check "KHO is off" kho_disabled
	check "the log has one message about it" same complaints "$(complaints)" 1
	check "nine tenths of the memory can be used" usable 90
	handover next
}

stage_2() {
	check "a plain kexec works" no_handover
	check "KHO is on" kho_enabled
	check "a file can be kept" keep letter 1M
	finish
}

complaints() {
	dmesg -r | grep -c '^<[0-4]>.*KHO: '
}
