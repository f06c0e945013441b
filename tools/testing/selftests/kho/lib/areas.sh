# SPDX-License-Identifier: GPL-2.0-only
#
# lib/areas.sh - runs of pages and vmalloc areas of the areas client
#
# Owns how areas are created, checked and dropped, and which calls the client
# makes that have to fail.
#
# shellcheck shell=dash disable=SC2034

AREAS=/sys/kernel/debug/test_kho_areas

# create_area TYPE ARGUMENT...: "pages COUNT OFFSET" or "vmalloc BYTES [huge]"
create_area() {
	echo "$*" >$AREAS/create
}

drop_areas() {
	echo 1 >$AREAS/drop && same areas "$(areas_stat areas)" 0
}

# areas_stat KEY: the value of KEY in the last line, which has the sums
areas_stat() {
	tail -n 1 $AREAS/stats | tr ' ' '\n' | sed -n "s/^$1=//p"
}

# How many pages all areas have together.
areas_pages() {
	sed -n 's/.* pages=\([0-9]*\) .*/\1/p' $AREAS/stats | awk '{ n += $1 } END { print n + 0 }'
}

# areas_sound COUNT: COUNT areas were restored, with the right content and struct
# pages.
areas_sound() {
	local pages
	pages=$(areas_pages)

	same "number of areas" "$(areas_stat areas)" "$1" &&
		same "wrong things" "$(areas_stat bad)" 0 || return
	[ "$pages" -gt 0 ] || { echo "there are no pages"; return 1; }
	[ "$(areas_stat checked)" -ge "$pages" ] ||
		{ echo "some pages were not checked"; return 1; }
}

# The client asked for pages and areas that it must not get, and got none.
nothing_granted() {
	[ "$(areas_stat denied)" -gt 0 ] || { echo "the client asked for nothing"; return 1; }
	same "what should not have been given" "$(areas_stat granted)" 0
}

# Calls that the client makes and that have to fail, with their errors.
readonly PAGES_ERRORS="pages-none -22
pages-all -22
pages-wrap -22
pages-beyond -22
pages-scratch -22
pages-into-scratch -22"

readonly VMALLOC_ERRORS="vmalloc-null -22
vmalloc-kmalloc -22
vmalloc-inside -22
vmalloc-user -95
vmalloc-vmap -95
vmalloc-freed -22
vmalloc-scratch -22"

# errors_are LINES: these calls fail with these errors, and change nothing.
errors_are() {
	local before bytes line

	# The first read lets caches grow, so only the second one is measured.
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
