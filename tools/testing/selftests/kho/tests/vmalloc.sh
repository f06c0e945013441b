# SPDX-License-Identifier: GPL-2.0-only
#
# vmalloc areas, small and large, mapped with small and with huge pages, with
# lists of pages that fill their chunks exactly, and one more. Two kernels take
# them back, one of them before deferred initialisation.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/pages.sh
. "$kho_tests/pages.sh"

about="vmalloc areas of any size, with small and huge mappings"
kernels="main next"
mem=2G
limit=120
stages=3
plan=28
expect="KHO: (nothing to restore|cannot restore a vmalloc area: 0 of)"

# A chunk holds 511 addresses.
readonly SMALL_AREAS="1 4096 8191 $((511 * 4096)) $((512 * 4096)) $((1022 * 4096)) \
	$((1023 * 4096)) $((20000 * 4096))"
readonly HUGE_AREAS="100000 2097152 5000000 67108864"

readonly VMALLOC_ERRORS="vmalloc-null -22
vmalloc-kmalloc -22
vmalloc-inside -22
vmalloc-user -95
vmalloc-vmap -95
vmalloc-freed -22
vmalloc-scratch -22"

stage_1() {
	local bytes

	for bytes in $SMALL_AREAS; do
		check "$bytes bytes can be kept" create_area "vmalloc $bytes"
	done
	for bytes in $HUGE_AREAS; do
		check "$bytes bytes with huge pages can be kept" create_area "vmalloc $bytes huge"
	done
	check "the large ones have huge pages" huge_areas 3
	check "what cannot be preserved is not" errors_are "$VMALLOC_ERRORS"
	remember bytes $(($(areas_pages) * 4096))
	note_down
	handover next
}

stage_2() {
	check "no memory got lost" arrived 1
	check "all areas are as they were" areas_sound 12
	check "the large ones have huge pages" huge_areas 3
	check "nothing else was given" nothing_granted
	check "the same is preserved once more" same_map
	handover main test_kho_early
}

stage_3() {
	check "they came back once more, early" areas_sound 12
	check "nothing else was given" nothing_granted
	check "no memory got lost" near MemTotal "$(mem_total)" "$(recall total)" 512

	local before used
	before=$(mem_free)
	used=$(meminfo VmallocUsed)
	check "the areas can be freed" drop_areas
	check "their memory is free again" came_back "$before" "$(recall bytes)"
	check "vmalloc had counted it" near "what vmalloc freed" \
		$((used - $(meminfo VmallocUsed))) $(($(recall bytes) / 1024)) 512
	check "nothing of it is preserved any more" map_is_small
	check "nine tenths of the memory can be used" usable 90
	check "and the kernel is still content" has_not_said 'BUG:|WARNING:|Bad page'
	finish
}

# huge_areas COUNT: so many areas are in blocks of 2 MiB.
huge_areas() {
	same "areas in blocks of order 9" "$(grep -c 'order=9 ' "$AREAS/stats")" "$1"
}
