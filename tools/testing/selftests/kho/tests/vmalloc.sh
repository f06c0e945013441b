# SPDX-License-Identifier: GPL-2.0-only
#
# vmalloc areas, small and large, mapped with small and with huge pages, with
# lists of pages that fill their chunks exactly, and one more. Two kernels take
# them back, one of them before deferred initialisation.
#
# shellcheck shell=dash

about="vmalloc areas of any size, with small and huge mappings"
kernels="main next"
mem=2G
limit=120
stages=3
plan=28
expect="KHO: (nothing to restore|cannot restore a vmalloc area: 0 of)"

# A chunk is a page of addresses, the first one that of the next chunk. The last
# area is of 80 MB.
CHUNK=$((PAGE_SIZE / 8 - 1))
readonly SMALL_AREAS="1 $PAGE_SIZE $((2 * PAGE_SIZE - 1)) $((CHUNK * PAGE_SIZE)) \
	$(((CHUNK + 1) * PAGE_SIZE)) $((2 * CHUNK * PAGE_SIZE)) \
	$(((2 * CHUNK + 1) * PAGE_SIZE)) 81920000"
# In the kernel's page table, what a table of the lowest level covers.
HUGE=$((PAGE_SIZE * PAGE_SIZE / 8))
# With 64 KiB that is 512 MiB, of which there has to be one.
[ "$PAGE_SIZE" != 65536 ] || mem=5G
readonly HUGE_AREAS="100000 $HUGE 5000000 67108864"

stage_1() {
	local bytes

	for bytes in $SMALL_AREAS; do
		check "$bytes bytes can be kept" create_area "vmalloc $bytes"
	done
	for bytes in $HUGE_AREAS; do
		check "$bytes bytes with huge pages can be kept" create_area "vmalloc $bytes huge"
	done
	check "the large ones have huge pages" huge_areas
	check "what cannot be preserved is not" errors_are "$VMALLOC_ERRORS"
	remember bytes $(($(areas_pages) * PAGE_SIZE))
	note_down
	handover next
}

stage_2() {
	check "no memory got lost" arrived 1
	check "all areas are as they were" areas_sound 12
	check "the large ones have huge pages" huge_areas
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

# Each that has room for a huge page is in such blocks.
huge_areas() {
	local order=0 bytes large=0

	while [ $((PAGE_SIZE << order)) -lt $HUGE ]; do
		order=$((order + 1))
	done
	for bytes in $HUGE_AREAS; do
		[ "$bytes" -lt $HUGE ] || large=$((large + 1))
	done
	same "areas in blocks of order $order" \
		"$(grep -c "order=$order " "$AREAS/stats")" "$large"
}
