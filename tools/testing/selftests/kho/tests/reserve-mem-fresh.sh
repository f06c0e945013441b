# SPDX-License-Identifier: GPL-2.0-only
#
# Fresh reserve_mem= regions in a kernel that was handed over to, when nearly all
# memory is either preserved or scratch: they get neither. The highest memory
# that looks free to memblock is scratch, and then folios of the files.
#
# shellcheck shell=dash

about="fresh reserve_mem= regions where there is hardly any room"
kernels="main next"
words="kho_scratch=16M,160M,16M"
expect="KHO: no memory for reserve_mem=huge|page allocation failure: order:10|Call Trace"
stages=2
plan=10

stage_1() {
	check "nearly all memory can be kept" keep_all
	check "room can be made in the middle" forget "file$(($(recall files) / 2))"
	note_down
	handover "$(last_kernel)" "$words" reserve_mem=12M:4096:fresh \
		reserve_mem=$((30 * (PAGE_SIZE << 10))):4096:huge test_kho_regions=fresh,huge
}

stage_2() {
	check "it is a handover" came_from "$(recall release)" 1
	check "a region that is too large is not there" has_said "test_kho: no region huge"
	check "that was said" has_said "KHO: no memory for reserve_mem=huge"
	check "one that is not too large is there" has_said "test_kho: region fresh is at"
	check "not in scratch" outside_scratch
	check "it can be written" fill_fresh
	check "and everything that was kept is intact" all_intact
	check "each folio is a proper one" folios_sound
	finish
}

# Files of 16 MiB or of one folio in large folios, until there are none left.
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
