# SPDX-License-Identifier: GPL-2.0-only
#
# Three folios of each order. Tail pages, compound heads and the page allocator's order
# of a block are handled by different code for order 0, for order 1 and for the others.
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
	check "no memory is lost" arrived 1
	all_orders_intact
	check "each restored folio is like a new one" folios_sound
	check "all files can be dropped" forget_all_orders
	check "no file is left" same files "$(kept)" none
	check "nine tenths of the memory can be used" usable 90
	check "the kernel has reported no error" has_not_said 'BUG:|WARNING:|Bad page'
	finish
}
