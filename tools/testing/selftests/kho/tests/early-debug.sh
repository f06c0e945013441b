# SPDX-License-Identifier: GPL-2.0-only
#
# An owner restores and frees its blob in an early_initcall. debugfs, which shows
# blobs, comes later and must not look at that memory: with debug_pagealloc=on it is
# not mapped any more.
#
# shellcheck shell=dash

about="debugfs leaves alone what owners restored and freed before"
kernels=debug
mem=1G
limit=120
words="debug_pagealloc=on"
stages=2
plan=7

stage_1() {
	check "a file can be kept" keep letter 10M
	check "debugfs shows the blob that goes out" test -f $KHO/out/sub_fdts/test-kho
	remember release "$(uname -r)"
	handover debug "$words" test_kho_early
}

stage_2() {
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "the file is intact" intact letter
	check "each restored folio is like a new one" folios_sound
	check "debugfs does not show the blob that was freed" \
		test ! -e $KHO/in/sub_fdts/test-kho
	check "the file can be dropped" forget letter
	finish
}
