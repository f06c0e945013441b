# SPDX-License-Identifier: GPL-2.0-only
#
# The scenarios pages and vmalloc, shorter, between kernels that check locks, struct
# pages, lists and leaks, and that record the owner of each page. These kernels
# report what they find in the log, and judge.awk reads the log. There are no wrong
# calls here, because KEXEC_HANDOVER_DEBUG warns of them: see scenario misuse.
#
# shellcheck shell=dash

about="runs of pages and vmalloc areas under a kernel that checks everything"
kernels="debug"
words="page_owner=on"
mem=2G
limit=300
stages=3
plan=19
expect="KHO: (nothing to restore|cannot restore a vmalloc area: (0 of|its))"

readonly SHORT_RUNS="1:0 2:1 7:5 513:511 3000:1022"
readonly SHORT_AREAS="1 2093056 2097152"

stage_1() {
	local run bytes

	for run in $SHORT_RUNS; do
		check "a run of ${run%:*} pages at ${run#*:} can be kept" \
			create_area "pages ${run%:*} ${run#*:}"
	done
	for bytes in $SHORT_AREAS; do
		check "$bytes bytes can be kept" create_area "vmalloc $bytes"
	done
	check "8 MiB with huge pages can be kept" create_area "vmalloc $((8 << 20)) huge"
	check "kmemleak finds no leak" no_leaks
	note_down
	handover debug page_owner=on
}

stage_2() {
	check "no memory is lost" arrived 1
	arrive
	check "each page has an owner" owned_one_by_one
	handover debug page_owner=on test_kho_early
}

stage_3() {
	arrive
	check "each page can be freed on its own" drop_areas
	check "much of the memory can be used" usable 50
	check "kmemleak finds no leak" no_leaks
	finish
}

arrive() {
	check "all areas are intact" areas_sound 9
	check "the client gets nothing that was not preserved" nothing_granted
}

# kho_restore_pages() is the owner of each single page of a run. A read of
# page_owner returns the record of one page, starting at the PFN that the file
# offset gives.
owned_one_by_one() {
	local pfn
	pfn=$(sed -n 's/^pages pages=3000 .* first=\(0x[0-9a-f]*\) .*/\1/p' "$AREAS/stats")

	[ -n "$pfn" ] || { echo "no run of 3000 pages"; return 1; }
	{
		dd bs=1 skip=$((pfn)) count=0
		dd bs=4096 count=3000
	} </sys/kernel/debug/page_owner >/tmp/owners 2>/dev/null
	same "pages of order 0" "$(grep -c 'via order 0,' /tmp/owners)" 3000 &&
		same "pages restored" "$(grep -c ' kho_restore_pages' /tmp/owners)" 3000
}
