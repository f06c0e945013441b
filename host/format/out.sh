# SPDX-License-Identifier: GPL-2.0-only
#
# out.sh - the guest's part of host/tests/format-out.sh
#
# shellcheck shell=dash

# shellcheck source=host/format/guest.sh
. /kho/format.sh
# shellcheck source=tools/testing/selftests/kho/tests/orders.sh
. "$kho_tests/orders.sh"

stages=1
plan=17

stage_1() {
	check "KHO is on" kho_enabled
	keep_all_orders
	check "a file of mixed orders can be kept" keep mixed 12345678
	check "a file of many small folios can be kept" keep small 3M 0
	check "a file can be dropped" drop_one
	check "an empty file can be kept" keep_empty
	check "vmalloc areas can be kept" keep_areas
	tell_all 1
	stop
}

drop_one() {
	keep gone 2M && forget gone
}

# The areas have one page, as many pages as one chunk names, one page more, and huge pages.
keep_areas() {
	local area

	for area in 1 $((511 * 4096)) $((512 * 4096)) "$((4 << 20)) huge"; do
		echo "vmalloc $area" >"$AREAS/create" || return
	done
}

keep_empty() {
	echo empty >"$CLIENT/create"
}
