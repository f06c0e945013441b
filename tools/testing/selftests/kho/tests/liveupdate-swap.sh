# SPDX-License-Identifier: GPL-2.0-only
#
# A file whose pages are swapped out: they are swapped in when it is preserved, and stay in
# memory from then on. In the next kernel they can be swapped out again.
#
# shellcheck shell=dash

about="a file that is swapped out"
kernels="main next"
words="liveupdate=on brd.rd_nr=1 brd.rd_size=65536"
stages=2
plan=17

readonly PAGES=$((33554432 / PAGE_SIZE))

stage_1() {
	start_agent keeper
	check "there is swap" add_swap
	check "a file can be filled" all keeper "memfd a
		size a $((2 * PAGES * PAGE_SIZE))
		write a 5 0 $PAGES"
	check "it can be swapped out" swap_out keeper
	check "it is in swap" test "$(swapped)" -gt 24576
	check "it can be preserved" all keeper "create s swap
		preserve s 1 a"
	check "it is in memory" test "$(swapped)" -lt 1024
	check "its content is right" ask keeper check a 5 0 $PAGES
	ask keeper advise a 0 $PAGES pageout
	check "it cannot be swapped out" test "$(swapped)" -lt 1024
	check "pages that come later stay in memory" later_pages
	handover next "$words"
}

stage_2() {
	check "there is an incoming handover" came_in 1
	start_agent heir
	check "there is swap" add_swap
	check "the file can be taken" all heir "retrieve s swap
		take s 1 a"
	check "the content is right" all heir "check a 5 0 $PAGES
		check a 6 $PAGES 100
		zero a $((PAGES + 100)) 100"
	check "the session can be finished" ask heir finish s
	check "the file can be swapped out again" swap_out heir
	check "it is in swap" test "$(swapped)" -gt 24576
	check "the content is right" all heir "check a 5 0 $PAGES
		check a 6 $PAGES 100"
	finish
}

add_swap() {
	mkswap /dev/ram0 >/dev/null && swapon /dev/ram0
}

# Prints how much swap is in use, in KiB.
swapped() {
	echo $(($(meminfo SwapTotal) - $(meminfo SwapFree)))
}

swap_out() {
	ask "$1" advise a 0 $PAGES pageout
}

later_pages() {
	all keeper "write a 6 $PAGES 100
		advise a $PAGES 100 pageout" || return
	[ "$(swapped)" -lt 1024 ]
}
