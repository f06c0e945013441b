# SPDX-License-Identifier: GPL-2.0-only
#
# Two nodes that meet within a block, in which struct pages are set up. Nothing is
# preserved there, so that the threads of both nodes initialise their part of it as
# they would without a handover. Each struct page is initialised once.
#
# shellcheck shell=dash

about="nodes that meet within a block: each struct page is initialised once"
kernels="main next"
machines=x86
mem=8198M
numa=2
cpus=2
limit=120
stages=2
plan=7

stage_1() {
	check "a file can be kept" keep letter 10M
	check "folios can be preserved" folios add "0 1000 scattered phase=late"
	note_down
	handover next test_kho_count
}

stage_2() {
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "some memory was initialised late" has_said "deferred pages initialised"
	check "each struct page was initialised once" pages_once
	check "the file is intact" intact letter
	check "the folios are intact" folios_fine
	finish
}
