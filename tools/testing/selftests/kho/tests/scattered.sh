# SPDX-License-Identifier: GPL-2.0-only
#
# As many ranges of preserved folios as possible: 100,000 single pages of 4 KiB, or fewer
# larger ones, no two of them neighbours. When they are restored and freed, the kernel
# has as much memory as after a handover of nothing. The first three kernels have the
# same files, so that their figures can be compared.
#
# shellcheck shell=dash

readonly SCATTERED=$((100000 * 4096 / PAGE_SIZE))
about="$SCATTERED scattered pages, which cost no memory"
kernels="main next"
mem=2G
limit=120
stages=4
plan=15

stage_1() {
	check "KHO is on" kho_enabled
	handover next
}

stage_2() {
	check "nothing was handed over" nothing_came
	remember total "$(mem_total)"
	remember free "$(mem_free)"
	remember managed "$(managed)"
	remember reserved "$(folio_stat reserved)"
	remember release "$(uname -r)"
	check "scattered pages can be preserved" folios add "0 $SCATTERED scattered"
	handover next
}

# Does what stage 3 does, so that the figures can be compared: restoring and dropping
# empties the CPUs' lists of free pages.
nothing_came() {
	folio_stat_is in 0 && folios restore && folios drop
}

stage_3() {
	check "there is an incoming handover" came_from "$(recall release)" 2
	check "all folios were restored" folio_stat_is restored_late $SCATTERED
	check "the restored folios are like new ones" folios_fine
	check "no folio is missing" folios restore
	check "all folios can be dropped" folios drop
	# MemTotal differs by a page from boot to boot, also with kho=off, depending on
	# the address that KASLR chose.
	check "MemTotal is that of a handover of nothing" \
		near MemTotal "$(mem_total)" "$(recall total)" $((2 * PAGE_KIB))
	check "the zones manage as many pages, too" \
		near pages "$(managed)" "$(recall managed)" 8
	check "MemFree is that of a handover of nothing, too" \
		near MemFree "$(mem_free)" "$(recall free)" $((256 * PAGE_KIB))
	# The nodes of the map were reserved during boot, and have been freed since.
	check "as many pages are reserved" \
		near pages "$(folio_stat reserved)" "$(recall reserved)" 2
	note "MemFree $(recall free) KiB after a handover of nothing, $(mem_free) KiB now" \
		"$(grep -E '^(Slab|PageTables|Percpu|Cached):' /proc/meminfo | xargs)"
	check "pages can be scattered again" folios add "0 1000 scattered phase=early"
	handover main
}

# How many pages the page allocator has, free or not.
managed() {
	awk '$1 == "managed" { n += $2 } END { print n }' /proc/zoneinfo
}

stage_4() {
	check "the folios were restored early" folio_stat_is restored_early 1000
	check "the restored folios are like new ones" folios_fine
	finish
}
