# SPDX-License-Identifier: GPL-2.0-only
#
# Runs of single pages of many lengths, at many places relative to the blocks
# that they are handed over as. Two kernels take them back, one of them before
# deferred initialisation, after they have asked for what they must not get.
# In the end each page is freed on its own.
#
# shellcheck shell=dash

about="runs of single pages of any length and alignment"
kernels="main next"
mem=2G
limit=120
stages=3
plan=25
expect="KHO: nothing to restore"

readonly AREAS=/sys/kernel/debug/test_kho_areas

# Pages in the run, and pages between the start of a block of 1024 and its start.
LONG=$((70000 * 4096 / PAGE_SIZE))
readonly RUNS="1:0 1:1 2:1 3:0 7:5 64:1023 513:511 1024:0 1024:1 2049:1022 5000:777 $LONG:3"

stage_1() {
	runs_kept
	check "what cannot be preserved is not" errors_are "$PAGES_ERRORS"
	remember bytes $(($(areas_pages) * PAGE_SIZE))
	note_down
	handover next
}

stage_2() {
	check "no memory got lost" arrived 1
	check "all pages are as they were" areas_sound 12
	check "nothing else was given" nothing_granted
	check "the same is preserved once more" same_map
	handover main test_kho_early
}

stage_3() {
	check "they came back once more, early" areas_sound 12
	check "nothing else was given" nothing_granted
	check "no memory got lost" near MemTotal "$(mem_total)" "$(recall total)" 512

	local before
	before=$(mem_free)
	check "each page can be freed on its own" drop_areas
	check "their memory is free again" came_back "$before" "$(recall bytes)"
	check "nothing of it is preserved any more" map_is_small
	check "nine tenths of the memory can be used" usable 90
	check "and the kernel is still content" has_not_said 'BUG:|WARNING:|Bad page'
	finish
}

runs_kept() {
	local run

	for run in $RUNS; do
		check "a run of ${run%:*} pages at ${run#*:} can be kept" \
			create_area "pages ${run%:*} ${run#*:}"
	done
}

create_area() {
	echo "$*" >$AREAS/create
}

drop_areas() {
	echo 1 >$AREAS/drop && same areas "$(areas_stat areas)" 0
}

# areas_stat KEY: from the line with the sums
areas_stat() {
	tail -n 1 $AREAS/stats | tr ' ' '\n' | sed -n "s/^$1=//p"
}

areas_pages() {
	sed -n 's/.* pages=\([0-9]*\) .*/\1/p' $AREAS/stats | awk '{ n += $1 } END { print n + 0 }'
}

# areas_sound COUNT: so many came back, with content and struct pages in order.
areas_sound() {
	local pages
	pages=$(areas_pages)

	same "number of areas" "$(areas_stat areas)" "$1" &&
		same "wrong things" "$(areas_stat bad)" 0 || return
	[ "$pages" -gt 0 ] || { echo "there are no pages"; return 1; }
	[ "$(areas_stat checked)" -ge "$pages" ] || { echo "not all were looked at"; return 1; }
}

nothing_granted() {
	[ "$(areas_stat denied)" -gt 0 ] || { echo "nothing was asked for"; return 1; }
	same "what should not have been given" "$(areas_stat granted)" 0
}

# What the kernel before preserved is what this one does.
same_map() {
	same "pages preserved" "$(kho_stat out preserved_bytes)" \
		"$(kho_stat in preserved_bytes)"
}

map_is_small() {
	local bytes
	bytes=$(kho_stat out preserved_bytes)

	[ "$bytes" -lt $((244 * PAGE_SIZE)) ] && return
	echo "$bytes bytes are still preserved"
	return 1
}

readonly PAGES_ERRORS="pages-none -22
pages-all -22
pages-wrap -22
pages-beyond -22
pages-scratch -22
pages-into-scratch -22"

# errors_are LINES: these calls fail as they should, and nothing else changes.
errors_are() {
	local before bytes line

	# Once for what stays allocated in caches.
	cat $AREAS/errors >/tmp/errors
	bytes=$(kho_stat out preserved_bytes)
	before=$(mem_free)
	cat $AREAS/errors >/tmp/errors

	echo "$1" | while read -r line; do
		grep -qx -e "$line" /tmp/errors ||
			{ echo "no '$line' in"; cat /tmp/errors; exit 1; }
	done || return
	near MemFree "$(mem_free)" "$before" $((256 * PAGE_KIB)) &&
		same "bytes preserved" "$(kho_stat out preserved_bytes)" "$bytes"
}
