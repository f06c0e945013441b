# SPDX-License-Identifier: GPL-2.0-only
#
# Fresh reserve_mem= regions in a kernel with an incoming handover, when nearly all
# memory is either preserved or scratch: the regions must not be in either. The highest
# memory that memblock takes for free is scratch, and then folios of the files.
#
# shellcheck shell=dash

about="fresh reserve_mem= regions where there is little room"
kernels="main next"
words="kho_scratch=16M,160M,16M"
expect="KHO: no memory for reserve_mem=huge|page allocation failure: order:10|Call Trace"
stages=2
plan=10

stage_1() {
	check "nearly all memory can be kept" keep_all
	check "dropping a file makes room in the middle" forget "file$(($(recall files) / 2))"
	note_down
	handover "$(last_kernel)" "$words" reserve_mem=12M:4096:fresh \
		reserve_mem=$((30 * (PAGE_SIZE << 10))):4096:huge test_kho_regions=fresh,huge
}

stage_2() {
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "a region that is too large does not exist" has_said "test_kho: no region huge"
	check "the log says that there was no memory for it" \
		has_said "KHO: no memory for reserve_mem=huge"
	check "a region that fits exists" has_said "test_kho: region fresh is at"
	check "it is not in scratch" outside_scratch
	check "it can be written" fill_fresh
	check "all kept files are intact" all_intact
	check "each restored folio is like a new one" folios_sound
	finish
}

# Keeps files of 16 MiB, or of one folio if that is larger, until there are no large
# folios left.
keep_all() {
	local n=0

	while keep "file$n" 16M 10; do
		n=$((n + 1))
	done 2>/dev/null
	echo "file$n" >"$CLIENT/remove"
	remember files $n
	[ $n -ge 6 ] || { echo "only $n files"; return 1; }
}

all_intact() {
	local n

	for n in $(seq 0 $(($(recall files) - 1))); do
		[ "$n" = $(($(recall files) / 2)) ] || intact "file$n" || return
	done
}

address() {
	dmesg | sed -n "s/.*test_kho: region $1 is at //p"
}

outside_scratch() {
	local start len at
	at=$(address fresh)

	regions in | while read -r start len; do
		[ $((at + (12 << 20))) -le $((start)) ] || [ $((at)) -ge $((start + len)) ] || {
			echo "$at is in $start $len"
			exit 1
		}
	done
}

fill_fresh() {
	pattern write 0x123 $((12 << 20)) |
		dd of=/sys/kernel/debug/test_kho_regions/fresh bs=64K conv=notrunc 2>/dev/null
}
