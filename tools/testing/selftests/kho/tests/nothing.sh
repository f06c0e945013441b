# SPDX-License-Identifier: GPL-2.0-only
#
# KHO is on and nobody preserves anything: handing over an empty map has to work.
#
# shellcheck shell=dash

about="a handover of nothing"
kernels="main next"
words="nokaslr"
mem=6G
stages=2
plan=6

stage_1() {
	check "KHO is on" kho_enabled
	note_down
	remember large "$(meminfo DirectMap1G)"
	handover next "$words"
}

stage_2() {
	check "no memory is lost" arrived 1
	check "no file is there" same files "$(kept)" none
	check "a file can be kept now" keep letter 1M
	check "nine tenths of the memory can be used" usable 90
	check "the direct map has as many large pages" direct_map_large
	finish
}

# The kernel may split one page of 1 GiB for page attributes, depending on its
# address. If it split pages at the borders of scratch, there would be several. Only
# x86 has this figure.
direct_map_large() {
	local large least

	[ "$(recall large)" ] || return 0
	large=$(meminfo DirectMap1G)
	least=$(($(recall large) - 1048576))
	[ "$large" -ge $least ] && return
	echo "DirectMap1G is $large KiB, was $(recall large), may be $least"
	return 1
}
