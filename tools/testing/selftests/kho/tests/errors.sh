# SPDX-License-Identifier: GPL-2.0-only
#
# Calls that must fail, each with its documented error: with KHO on, with KHO off, and
# with errors in the incoming handover. None of them leaves anything behind. Besides,
# the smallest client that uses each function of the API runs.
#
# shellcheck shell=dash

about="each documented error of each call; each function once"
kernels="main next"
words="test_kho_errors test_kho_api.run=1"
mem=1G
limit=120
stages=3
plan=20
expect="KHO: (blob test-kho-nowhere|nothing .*, 1 pages|cannot restore a vmalloc area: 4 of 5)"

readonly ERRORS=/sys/kernel/debug/test_kho_errors

# An area of small pages needs leaves of order 0 only. With pages of 64 KiB one
# such leaf covers all memory and is there already, so nothing can fail.
case $PAGE_SIZE in
65536) VMALLOC_MEMORY=0 ;;
*) VMALLOC_MEMORY=-12 ;;
esac

# The kernel may be built without MEMORY_FAILURE.
BAD_PAGES=''
! grep -q HardwareCorrupted /proc/meminfo || BAD_PAGES="
folio-bad -133
pages-bad -133"

readonly ON_ERRORS="enabled 1$BAD_PAGES
folio-scratch -22
overlap-first 1
overlap-last 1
overlap-into 1
overlap-below 0
overlap-none 0
alloc-none -22
alloc-large -7
alloc-huge -7
folio-memory -12
pages-memory -12
vmalloc-memory $VMALLOC_MEMORY
alloc-memory -12
subtree-first 0
subtree-again -17
subtree-no-name -22
subtree-empty-name -22
subtree-path -22
subtree-no-size -22
subtree-no-blob -22
subtree-vmalloc -22
subtree-still -17
subtree-full -28
subtree-changed 0
subtree-left 0"

readonly NOTHING_IN="boot 0
retrieve-unknown -2
retrieve-nowhere -2
retrieve-no-size -2
retrieve-metadata -2"

readonly OFF_ERRORS="enabled 0
folio-off -95
pages-off -95
vmalloc-off -95
subtree-off -95
alloc-off -95"

stage_1() {
	check "each call returns what it should" calls_are "$ON_ERRORS"
	check "these calls leave nothing behind" nothing_left
	check "there is nothing to retrieve" calls_are "$NOTHING_IN"
	check "each function was used" api_says "kept=3 taken=0 wrong=0"
	# The order must not be one for which a failing call expects no leaf in the map.
	check "a file can be kept" keep letter 3M 0
	note_down
	handover next "$words"
}

stage_2() {
	check "no memory is lost" arrived 1
	check "good blobs can be retrieved, others cannot" calls_are "boot 1
retrieve-unknown -2
retrieve-nowhere -22
retrieve-no-size -22
retrieve-metadata 0
holed-denied 1"
	check "the log names the bad blob" \
		has_said "KHO: blob test-kho-nowhere, 8 bytes at 0xf[0-9a-f]*, is not in RAM"
	check "the log names the incomplete area" \
		has_said "KHO: cannot restore a vmalloc area: 4 of 5 pages"
	check "each other call returns what it should" calls_are "$ON_ERRORS"
	check "these calls leave nothing behind" nothing_left
	check "the small client restores all that it preserved" api_says "kept=3 taken=3 wrong=0"
	check "nothing is unclaimed, nor is the rest of the area" \
		same unclaimed "$(kho_stat in unclaimed_folios)" 0
	check "the file is intact" intact letter
	handover main kho=off
}

stage_3() {
	check "KHO is off" kho_disabled
	check "each call fails because of that" calls_are "$OFF_ERRORS"
	check "there is nothing to retrieve" calls_are "$NOTHING_IN"
	check "the small client continues without KHO" api_says "kept=0 taken=0 wrong=0"
	check "there is no warning" has_not_said 'WARNING:|BUG:|KHO: (nothing|cannot)'
	check "nine tenths of the memory can be used" usable 90
	finish
}

# calls_are LINES: each line is among the calls with their return values.
calls_are() {
	cat $ERRORS/calls >/tmp/calls
	echo "$1" | while read -r line; do
		grep -qx -e "$line" /tmp/calls ||
			{ echo "no '$line' in"; cat /tmp/calls; exit 1; }
	done
}

nothing_left() {
	local free bytes

	bytes=$(kho_stat out preserved_bytes)
	free=$(mem_free)
	for _ in $(seq 10); do
		cat $ERRORS/calls >/dev/null
	done
	near MemFree "$(mem_free)" "$free" $((256 * PAGE_KIB)) &&
		same "bytes preserved" "$(kho_stat out preserved_bytes)" "$bytes"
}

api_says() {
	same "the small client" "$(cat /sys/kernel/debug/test_kho_api)" "$1"
}
