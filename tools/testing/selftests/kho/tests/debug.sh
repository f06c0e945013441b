# SPDX-License-Identifier: GPL-2.0-only
#
# The scenarios basic, orders and mixed, and the KUnit suites, in one handover
# between kernels that check locks, struct pages, lists, freed memory and leaks.
# These kernels report what they find in the log, and judge.awk reads the log.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/lib/orders.sh
. "$kho_tests/../lib/orders.sh"

about="all orders and mixed files under a kernel that checks everything"
kernels="debug"
words="kunit.enable=1 kunit.filter_glob=kho_*"
mem=2G
# On arm64, lockdep unwinds the stack each time interrupts are disabled or enabled.
limit=480
stages=2
# A KUnit test checks images for which there is no room.
expect="KHO: no room in scratch( and memory that holds nothing preserved)? for the next kernel"
plan=37

stage_1() {
	check "the KUnit suites pass" suites_pass
	keep_all_orders
	check "a large file can be kept" keep large 64M
	check "small files of single pages can be kept" keep_small
	check "every second small file can be dropped" forget_odd
	check "kmemleak finds no leak" no_leaks
	note_down
	handover debug
}

stage_2() {
	check "no memory is lost" arrived 1
	all_orders_intact
	check "the large file is intact" intact large
	check "the large file has folios of each order" has_each_order large
	check "the small files are intact" small_intact
	check "each restored folio is like a new one" folios_sound
	check "files of all orders can be dropped" forget_all_orders
	check "the large file can be dropped" forget large
	check "the small files are still intact" small_intact
	check "much of the memory can be used" usable 50
	check "kmemleak finds no leak" no_leaks
	finish
}
