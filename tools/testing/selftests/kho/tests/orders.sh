# SPDX-License-Identifier: GPL-2.0-only
#
# Folios of each order on its own, three of each: tails, compound heads and
# the page table of orders are different code for 0, 1 and the rest.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/lib/orders.sh
. "$kho_tests/../lib/orders.sh"

about="folios of each order from 0 to 10, then all memory can be used"
kernels="main next"
stages=2
plan=$((6 + 2 * $(count_orders)))

stage_1() {
	keep_all_orders
	note_down
	handover "$(last_kernel)"
}

stage_2() {
	check "no memory got lost" arrived 1
	all_orders_intact
	check "each folio is a proper one" folios_sound
	check "all files can be dropped" forget_all_orders
	check "nothing is left" same files "$(kept)" none
	check "nine tenths of the memory can be used" usable 90
	check "and the kernel is still content" has_not_said 'BUG:|WARNING:|Bad page'
	finish
}
