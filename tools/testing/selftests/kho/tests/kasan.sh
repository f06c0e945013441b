# SPDX-License-Identifier: GPL-2.0-only
#
# The scenarios basic, pages and vmalloc, shorter, between kernels with KASAN: KHO
# accesses no memory that it must not access, and KASAN watches a restored area like
# one that vmalloc() returned.
#
# shellcheck shell=dash

about="files, runs of pages and vmalloc areas under KASAN"
kernels="flat"
when=asked
words=""
mem=2G
limit=300
stages=3
plan=24
expect="KHO: (nothing to restore|cannot restore .*: (0 of|its))|KASAN: .* in poke_write|Call Trace"
# KASAN's report describes the page of that write.
expect="$expect|page: refcount:1 mapcount:0 mapping:0+ index:0x0 pfn:"

readonly SHORT_RUNS="1:0 2:1 7:5 513:511 3000:1022"
# The second area does not use all of its last page.
readonly SHORT_AREAS="1 5000 2093056 2097152"

stage_1() {
	local run bytes

	check "a file can be kept" keep letter 10M
	for run in $SHORT_RUNS; do
		check "a run of ${run%:*} pages at ${run#*:} can be kept" \
			create_area "pages ${run%:*} ${run#*:}"
	done
	for bytes in $SHORT_AREAS; do
		check "$bytes bytes can be kept" create_area "vmalloc $bytes"
	done
	check "8 MiB with huge pages can be kept" create_area "vmalloc $((8 << 20)) huge"
	check "preserving what cannot be preserved fails" all_refused
	note_down
	handover "$(last_kernel)" "$words"
}

stage_2() {
	arrive 1
	note_down
	handover "$(last_kernel)" "$words" test_kho_early
}

stage_3() {
	arrive 2
	somebody_watches
	check "each page can be freed on its own" drop_areas
	check "the file can be dropped" forget letter
	check "much of the memory can be used" usable 50
	finish
}

arrive() {
	check "no memory is lost" arrived "$1"
	check "all areas are intact" areas_sound 10
	check "the client gets nothing that was not preserved" nothing_granted
	check "the file is intact" intact letter
}

somebody_watches() {
	check "a write after the end of an area is reported" caught_behind
}

# errors_are() cannot be used here: KASAN keeps freed memory for a while, so that
# MemFree tells nothing.
all_refused() {
	cat "$AREAS/errors" >/tmp/errors
	printf '%s\n' "$PAGES_ERRORS" "$VMALLOC_ERRORS" | while read -r line; do
		grep -qx -e "$line" /tmp/errors || { echo "no '$line'"; exit 1; }
	done
}

caught_behind() {
	has_not_said 'KASAN' || return
	echo 1 >"$AREAS/poke"
	has_said 'BUG: KASAN: (vmalloc-out-of-bounds|invalid-access) in poke' &&
		same reports "$(dmesg | grep -c 'BUG: KASAN')" 1
}
