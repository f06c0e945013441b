# SPDX-License-Identifier: GPL-2.0-only
#
# Many folios of all orders, and single pages with holes between them, as in memory
# that has been in use for a while. The first kernel drops every second small file
# before the kexec.
#
# shellcheck shell=dash

about="320 MiB in folios of mixed orders, with holes between them"
kernels="main next"
stages=2
mem=2G
plan=11

stage_1() {
	check "320 MiB can be kept" keep large 320M
	check "small files of single pages can be kept" keep_small
	check "every second small file can be dropped" forget_odd
	note_down
	handover "$(last_kernel)"
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the large file is intact" intact large
	check "the large file has folios of each order" has_each_order large
	check "the small files are intact" small_intact
	check "each restored folio is like a new one" folios_sound

	local before
	before=$(mem_free)
	check "the large file can be dropped" forget large
	check "its memory is free again" came_back "$before" "$(recall size.large)"
	check "the small files are still intact" small_intact
	finish
}
