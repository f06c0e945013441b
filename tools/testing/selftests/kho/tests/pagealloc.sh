# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel that maps memory in pages of 4 KiB needs page tables of 2 MiB for each GiB. x86
# allocates them from the top of memory downwards, in memory that is mapped by then. The
# next kernel allocates them before it has read the map: from scratch, at the top. They take
# more memory than the region there would have room for by chance.
#
# shellcheck shell=dash

about="a handover with a direct map of small pages, and one node"
kernels="debug"
words="debug_pagealloc=on kho_scratch=120%"
mem=14G
host_gib=4
limit=200
stages=3
plan=6

stage_1() {
	check "a file can be kept" keep letter 10M
	note_down
	handover "$(last_kernel)" "$words"
}

stage_2() {
	check "there is an incoming handover" came_in 1
	check "the file is intact" intact letter
	note_down
	handover "$(last_kernel)" "$words"
}

stage_3() {
	check "there is an incoming handover" came_in 2
	check "the file is intact" intact letter
	check "the file can be dropped" forget letter
	finish
}
