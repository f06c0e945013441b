# SPDX-License-Identifier: GPL-2.0-only
#
# vmalloc areas, small and large, with small and huge mappings, some with page lists that
# fill their chunks exactly or with one page more. Two kernels restore them, one of them
# before deferred initialisation.
#
# shellcheck shell=dash

about="vmalloc areas of any size, with small and huge mappings"
kernels="main next"
mem=2G
limit=120
stages=3
plan=28
expect="KHO: (nothing to restore|cannot restore a vmalloc area: (0 of|its))"

# A chunk is a page of addresses, of which the first is that of the next chunk. The
# last area has 80 MB.
CHUNK=$((PAGE_SIZE / 8 - 1))
readonly SMALL_AREAS="1 $PAGE_SIZE $((2 * PAGE_SIZE - 1)) $((CHUNK * PAGE_SIZE)) \
	$(((CHUNK + 1) * PAGE_SIZE)) $((2 * CHUNK * PAGE_SIZE)) \
	$(((2 * CHUNK + 1) * PAGE_SIZE)) 81920000"
# A table of the lowest level in the kernel's page tables covers this many bytes.
HUGE=$((PAGE_SIZE * PAGE_SIZE / 8))
# With pages of 64 KiB that is 512 MiB, and memory has to have such a block.
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
	check "preserving what cannot be preserved fails" errors_are "$VMALLOC_ERRORS"
	remember bytes $(($(areas_pages) * PAGE_SIZE))
	note_down
	handover next
}

stage_2() {
	check "no memory is lost" arrived 1
	check "all areas are intact" areas_sound 12
	check "the large ones have huge pages" huge_areas
	check "the client gets nothing that was not preserved" nothing_granted
	check "this kernel preserves as much as the previous one" same_map
	handover main test_kho_early
}

stage_3() {
	check "all of them are restored again, early in boot" areas_sound 12
	check "the client gets nothing that was not preserved" nothing_granted
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 512

	local before used
	before=$(mem_free)
	used=$(meminfo VmallocUsed)
	check "the areas can be freed" drop_areas
	check "their memory is free again" came_back "$before" "$(recall bytes)"
	check "vmalloc had counted their memory" near "what vmalloc freed" \
		$((used - $(meminfo VmallocUsed))) $(($(recall bytes) / 1024)) 512
	check "none of this memory is preserved any more" map_is_small
	check "nine tenths of the memory can be used" usable 90
	check "the kernel has reported no error" has_not_said 'BUG:|WARNING:|Bad page'
	finish
}

# Each area that has room for a huge mapping consists of blocks of that size.
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
