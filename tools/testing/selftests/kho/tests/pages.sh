# SPDX-License-Identifier: GPL-2.0-only
#
# Runs of single pages of many lengths, at many offsets into the blocks in which KHO
# hands them over. Two kernels restore them, one of them before deferred initialisation.
# Before it restores them, the client asks for pages that it must not get. In the end
# each page is freed on its own.
#
# shellcheck shell=dash

about="runs of single pages of any length and alignment"
kernels="main next"
mem=2G
limit=120
stages=3
plan=25
expect="KHO: nothing to restore"

# LENGTH:OFFSET: the number of pages, and the offset of the first one from the start
# of a block of 1024 pages.
LONG=$((70000 * 4096 / PAGE_SIZE))
readonly RUNS="1:0 1:1 2:1 3:0 7:5 64:1023 513:511 1024:0 1024:1 2049:1022 5000:777 $LONG:3"

stage_1() {
	runs_kept
	check "preserving what cannot be preserved fails" errors_are "$PAGES_ERRORS"
	remember bytes $(($(areas_pages) * PAGE_SIZE))
	note_down
	handover next
}

stage_2() {
	check "no memory is lost" arrived 1
	check "all pages are intact" areas_sound 12
	check "the client gets nothing that was not preserved" nothing_granted
	check "this kernel preserves as much as the previous one" same_map
	handover main test_kho_early
}

stage_3() {
	check "all of them are restored again, early in boot" areas_sound 12
	check "the client gets nothing that was not preserved" nothing_granted
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 512

	local before
	before=$(mem_free)
	check "each page can be freed on its own" drop_areas
	check "their memory is free again" came_back "$before" "$(recall bytes)"
	check "none of this memory is preserved any more" map_is_small
	check "nine tenths of the memory can be used" usable 90
	check "the kernel has reported no error" has_not_said 'BUG:|WARNING:|Bad page'
	finish
}

runs_kept() {
	local run

	for run in $RUNS; do
		check "a run of ${run%:*} pages at ${run#*:} can be kept" \
			create_area "pages ${run%:*} ${run#*:}"
	done
}
