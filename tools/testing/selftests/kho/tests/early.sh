# SPDX-License-Identifier: GPL-2.0-only
#
# Folios that are restored in an early_initcall, when most struct pages are not
# initialised yet, are as good as others. Deferred initialisation, which comes later,
# does not touch these folios: the client checks them before and after it.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/lib/orders.sh
. "$kho_tests/../lib/orders.sh"

about="folios of all orders restored before deferred initialisation"
kernels="main next"
mem=2G
[ "$PAGE_SIZE" != 65536 ] || mem=5G
cpus=4
numa=2
limit=120
stages=3
plan=$((10 + 3 * $(count_orders)))

stage_1() {
	keep_all_orders
	check "a large file can be kept" keep large 256M
	note_down
	handover "$(last_kernel)" test_kho_early
}

# Hands over once more, from the kernel that restored the folios early.
stage_2() {
	arrives_early
	handover main test_kho_early
}

stage_3() {
	arrives_early
	check "files of all orders can be dropped" forget_all_orders
	check "the large file can be dropped" forget large
	check "nine tenths of the memory can be used" usable 90
	finish
}

arrives_early() {
	check "the folios were checked again later" compared_again
	all_orders_intact
	check "the large file is intact" intact large
	check "each restored folio is like a new one" folios_sound
}

compared_again() {
	dmesg | grep -q 'test_kho: restored early and checked again, 0 bad'
}
