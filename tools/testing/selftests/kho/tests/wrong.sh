# SPDX-License-Identifier: GPL-2.0-only
#
# Restores that must fail: a folio twice, a table twice, a tail, the last tail,
# an address within a page, a page that was in use and not preserved, scratch, a
# hole, and what is behind all memory. In each phase of boot and after. Each is
# told off once, and nothing that is right comes to harm.
#
# shellcheck shell=dash

about="restores of what was not handed over, in each phase of boot"
kernels="main next"
words="test_kho_count"
mem=2G
cpus=2
numa=2
limit=120
expect="KHO: nothing to restore"
stages=2
plan=14

stage_1() {
	local phase

	for phase in memblock page_alloc early late manual; do
		check "folios for $phase can be kept" folios add "3 20 phase=$phase"
	done
	note_down
	handover "$(last_kernel)" "$words" test_kho_wrong
}

# Nine or ten in each of four phases; what waits is for "manual".
stage_2() {
	local unclaimed

	check "wrong restores were tried" tried 36
	check "none got a folio and nothing changed" folios_fine
	check "each gave one warning" warned wrong_tried
	check "each struct page was initialised once" pages_once

	unclaimed=$(kho_stat in unclaimed_folios)
	check "more are tried" folios wrong
	check "what waits still waits" same unclaimed "$(kho_stat in unclaimed_folios)" "$unclaimed"
	check "and comes back" manual_back 20
	check "no memory got lost" arrived 1
	check "it is all as it should be" after_all
	finish
}

tried() {
	[ "$(folio_stat wrong_tried)" -ge "$1" ] && return
	echo "only $(folio_stat wrong_tried) of $1"
	return 1
}

manual_back() {
	folios restore && folio_stat_is restored_manual "$1"
}

after_all() {
	folios wrong && folios drop && folios_fine && warned wrong_tried
}
