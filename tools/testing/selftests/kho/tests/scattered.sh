# SPDX-License-Identifier: GPL-2.0-only
#
# As many preserved folios as there can be ranges: 100,000 single pages of 4 KiB, or
# fewer larger ones, no two of them neighbours. Once they are taken back and freed,
# the memory is what it was after a handover of nothing. The first three kernels have
# the same files, so that their figures can be compared.
#
# shellcheck shell=dash

readonly SCATTERED=$((100000 * 4096 / PAGE_SIZE))
about="$SCATTERED scattered pages, and no memory is lost to them"
kernels="main next"
mem=2G
limit=120
stages=4
plan=14

stage_1() {
	check "KHO is on" kho_enabled
	handover next
}

stage_2() {
	check "nothing was handed over" nothing_came
	remember total "$(mem_total)"
	remember free "$(mem_free)"
	remember managed "$(managed)"
	remember release "$(uname -r)"
	check "scattered pages can be preserved" folios add "0 $SCATTERED scattered"
	handover next
}

# As after the handover to come, free pages are taken from the CPUs' lists.
nothing_came() {
	folio_stat_is in 0 && folios restore && folios drop
}

stage_3() {
	check "that was a handover" came_from "$(recall release)" 2
	check "all came back" folio_stat_is restored_late $SCATTERED
	check "they are as new ones" folios_fine
	check "none is missing" folios restore
	check "all can be dropped" folios drop
	# A page more or less there is from boot to boot, also with kho=off: it
	# depends on where KASLR put the kernel.
	check "MemTotal is that of a handover of nothing" \
		near MemTotal "$(mem_total)" "$(recall total)" $((2 * PAGE_KIB))
	check "and so is what the zones manage" \
		near pages "$(managed)" "$(recall managed)" 8
	check "and so is MemFree" near MemFree "$(mem_free)" "$(recall free)" $((256 * PAGE_KIB))
	note "MemFree $(recall free) KiB after a handover of nothing, $(mem_free) KiB now" \
		"$(grep -E '^(Slab|PageTables|Percpu|Cached):' /proc/meminfo | xargs)"
	check "pages can be scattered again" folios add "0 1000 scattered phase=early"
	handover main
}

# Pages that the page allocator has, free or not.
managed() {
	awk '$1 == "managed" { n += $2 } END { print n }' /proc/zoneinfo
}

stage_4() {
	check "they came back early" folio_stat_is restored_early 1000
	check "as new ones" folios_fine
	finish
}
