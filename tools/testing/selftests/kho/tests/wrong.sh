# SPDX-License-Identifier: GPL-2.0-only
#
# Restores that must fail: a folio twice, a table twice, a tail page, the last tail page,
# an address within a page, a page in use that was not preserved, scratch, a hole, and
# addresses past the end of memory; in each phase of boot and after it. The kernel warns
# of each once, and nothing else is affected.
#
# shellcheck shell=dash

about="restores of memory that was not handed over, in each phase of boot"
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

# Nine or ten wrong restores in each of four phases. The folios for "manual" stay
# unclaimed.
stage_2() {
	local unclaimed

	check "wrong restores were tried" tried 36
	check "none of them returned a folio or changed anything" folios_fine
	check "the kernel warned once of each" warned wrong_tried
	check "each struct page was initialised once" pages_once

	unclaimed=$(kho_stat in unclaimed_folios)
	check "more wrong restores can be tried" folios wrong
	check "the unclaimed folios stay unclaimed" \
		same unclaimed "$(kho_stat in unclaimed_folios)" "$unclaimed"
	check "the unclaimed folios can be restored" manual_back 20
	check "no memory is lost" arrived 1
	check "after all this nothing is wrong" after_all
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
