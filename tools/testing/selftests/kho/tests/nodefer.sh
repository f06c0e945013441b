# SPDX-License-Identifier: GPL-2.0-only
#
# Without CONFIG_DEFERRED_STRUCT_PAGE_INIT all struct pages are set up early.
# From one such kernel to another, to one with it, and back: each way has its
# own moment at which a page must not be freed.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/lib/orders.sh
. "$kho_tests/../lib/orders.sh"

about="with and without deferred struct pages, each way"
kernels="nodefer main"
stages=4
plan=53

stage_1() {
	keep_all_orders
	note_down
	handover nodefer
}

stage_2() {
	arrives
	handover main
}

stage_3() {
	arrives
	handover nodefer
}

stage_4() {
	arrives
	check "all files can be dropped" forget_all_orders
	check "nothing is left" same files "$(kept)" none
	check "nine tenths of the memory can be used" usable 90
	finish
}

# MemTotal of the two kernels is not quite the same.
arrives() {
	check "kexec $((kho_stage - 1)) was a handover" \
		came_from "$(recall release)" $((kho_stage - 1))
	all_orders_intact
	check "each folio is a proper one" folios_sound
	note_down
}
