# SPDX-License-Identifier: GPL-2.0-only
#
# An area that drivers allocate from: cma= on the command line, which Debian's arm64
# kernels have by default. The second kernel has room for the area in scratch only, since
# nearly all other memory is preserved. Scratch is memory for movable pages, too, so an area
# in scratch counts once. The third kernel has the area elsewhere, as without a handover.
#
# shellcheck shell=dash

about="an area for drivers (cma=) inside of scratch, then outside"
case ${family-} in
arm64*) ;;
*) family=arm64-small ;;
esac
machines=arm64
kernels="main"
words="kho_scratch=16M,128M,16M"
mem=1G
limit=120
stages=3
plan=17

stage_1() {
	check "a file can be kept" keep letter 30M
	check "nearly all memory can be preserved in single pages" \
		folios add "0 $(nearly_all) scattered"
	remember regions "$(regions out)"
	note_down
	handover main cma=64M
}

stage_2() {
	check "there is an incoming handover" came_in 1
	check "the incoming scratch is unchanged" same in "$(regions in)" "$(recall regions)"
	check "the area is in scratch" area_is inside
	check "it does not count twice" counted 0
	check "the folios can be restored" folios restore
	check "they are like new ones" folios_fine
	check "they can be dropped" folios drop
	check "the file is intact" intact letter
	handover main cma=64M
}

stage_3() {
	check "there is another incoming handover" came_in 2
	check "the area is outside of scratch" area_is outside
	check "it counts in addition to scratch" counted "$(in_blocks 64)"
	check "the file is intact" intact letter
	check "the file can be dropped" forget letter
	check "nine tenths of the memory can be used" usable 90
	check "the kernel has reported no error" has_not_said 'BUG:|WARNING:|Bad page'
	finish
}

# How many pages to preserve in nearly all free memory outside of scratch, if every second
# page is preserved.
nearly_all() {
	echo $((($(mem_free) - $(meminfo CmaFree)) * 19 / 20 / (2 * PAGE_KIB)))
}

# area_is inside|outside: the area is inside or outside of scratch.
area_is() {
	local at start size where=outside

	at=$(dmesg | sed -n 's/.*cma: Reserved [0-9]* MiB at \(0x[0-9a-f]*\).*/\1/p')
	[ "$at" ] || { echo "there is no area"; return 1; }
	regions out >/tmp/regions
	while read -r start size; do
		[ $((at)) -lt $((start)) ] || [ $((at)) -ge $((start + size)) ] || where=inside
	done </tmp/regions
	same "the area at $at" $where "$1"
}

# counted MIB: MIB of memory outside of scratch are for movable pages.
counted() {
	local kib=$((($(scratch_mib out) + $1) << 10))

	same CmaTotal "$(meminfo CmaTotal)" "$kib" &&
		same "the sum over all zones" "$(cma_of_zones)" "$kib"
}

cma_of_zones() {
	awk -v kib="$PAGE_KIB" '$1 == "cma" { n += $2 } END { print n * kib }' /proc/zoneinfo
}
