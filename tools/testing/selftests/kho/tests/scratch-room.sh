# SPDX-License-Identifier: GPL-2.0-only
#
# Nearly all memory is preserved, in single pages with one page between them, or in large
# folios, while scratch has no room for the struct pages of a kernel. The next kernel
# starts in the memory that is left: at least what its predecessor used for itself.
#
# shellcheck shell=dash

about="nearly all memory preserved, and little scratch"
kernels="main"
words="kho_scratch=16M,44M,4M"
mem=3G
limit=240
stages=3
plan=9

stage_1() {
	check "a file can be kept" keep letter 10M
	check "nearly all memory can be preserved in single pages" \
		folios add "0 $(($(mem_free) * 9 / 10 / (2 * PAGE_KIB))) scattered"
	handover main
}

stage_2() {
	check "there is an incoming handover" came_in 1
	check "the folios are there" folios restore
	check "they can be dropped" folios drop
	check "nearly all memory can be preserved in folios of 2 MiB" \
		folios add "9 $(($(mem_free) * 9 / 10 / 2048))"
	handover main
}

stage_3() {
	check "there is another incoming handover" came_in 2
	check "the folios are there" folios restore
	check "the file is intact" intact letter
	finish
}
