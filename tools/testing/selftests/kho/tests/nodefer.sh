# SPDX-License-Identifier: GPL-2.0-only
#
# Without CONFIG_DEFERRED_STRUCT_PAGE_INIT the kernel initialises all struct pages
# early. Handovers from such a kernel to another one, to a kernel with that option, and
# back: each of them frees pages at another moment of boot, and must not free preserved
# ones.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/lib/orders.sh
. "$kho_tests/../lib/orders.sh"

about="handovers between kernels with and without deferred struct pages"
kernels="flat main"
when=asked
stages=4
plan=53

stage_1() {
	keep_all_orders
	note_down
	handover flat
}

stage_2() {
	arrives
	handover main
}

stage_3() {
	arrives
	handover flat
}

stage_4() {
	arrives
	check "all files can be dropped" forget_all_orders
	check "no file is left" same files "$(kept)" none
	check "nine tenths of the memory can be used" usable 90
	finish
}

# arrived() cannot be used: MemTotal of the two kernels differs a little.
arrives() {
	check "kexec $((kho_stage - 1)) was a handover" \
		came_from "$(recall release)" $((kho_stage - 1))
	all_orders_intact
	check "each restored folio is like a new one" folios_sound
	note_down
}
