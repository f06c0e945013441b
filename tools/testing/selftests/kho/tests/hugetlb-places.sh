# SPDX-License-Identifier: GPL-2.0-only
#
# A pool with pages in movable memory, since no other memory was free when it was made. They
# cannot be handed over from there. Pages of a preserved file are moved, and pages that the
# file has only reserved are replaced, so that no page fault fails. Pages of hugetlb_cma=
# cannot be replaced, so a file that needs them is refused when it is to be preserved. If a
# preserved file gets such a page later, the page fault works and the kexec fails.
#
# shellcheck shell=dash

about="hugetlb pages in memory that cannot be handed over"
kernels="main next"
machines=x86
mem=4G
pages=4k
# With KASLR, the kernel could be in the way of the area of hugetlb_cma=.
words="liveupdate=on nokaslr movablecore=2G hugetlb_cma=1G"
stages=2
plan=27
limit=90
expect="hugetlb-luo: cannot hand over (the page of 1048576|reservations: of 1 free)"
expect="$expect|cannot (freeze|be frozen)"

readonly POOLS=/sys/kernel/mm/hugepages
readonly MIB=$((1048576 / PAGE_SIZE))

stage_1() {
	check "most memory that is not movable is taken" folios add "9 $(most_folios) phase=manual"
	check "a pool takes movable memory then" eval \
		"echo 80 >$POOLS/hugepages-2048kB/nr_hugepages && pool_is 80 80 0"
	check "the rest is left to the kernel" normal_left 40
	check "other memory is free again" folios forget
	start_agent keeper
	check "a file can be made, with reservations" all keeper "create s places
		hugetlb a 21
		hsize a 70
		hreserve a 0 70
		hfill a 1 0 4"
	check "its pages are movable" movable "$(ask keeper hwhere a 0)"
	check "it can be preserved" ask keeper preserve s 1 a
	check "its pages are not movable any more" not_movable "$(ask keeper hwhere a 0)"
	check "that has changed no count" pool_is 80 76 66
	check "another file can have all that is not reserved" all keeper "hugetlb x 21
		hsize x 10
		hfill x 9 0 10"
	check "each page that is reserved can be written to" ask keeper hfill a 1 4 66
	check "then the pool is empty" pool_is 80 0 0
	check "there is a page of hugetlb_cma=" eval \
		"echo 1 >$POOLS/hugepages-1048576kB/nr_hugepages &&
		same pages \"\$(cat $POOLS/hugepages-1048576kB/free_hugepages)\" 1"
	check "a file can have it reserved" all keeper "hugetlb g 30
		hsize g 1
		hreserve g 0 1"
	check "that file is refused" refused EBUSY ask keeper preserve s 2 g
	check "also when it has the page" eval \
		"ask keeper hfill g 1 0 1 && refused EBUSY ask keeper preserve s 2 g"
	check "the file is as it was" ask keeper hcheck g 1 0 1
	check "one that is empty can be preserved" all keeper "close g
		create t stray
		hugetlb m 30
		hsize m 1
		preserve t 1 m"
	check "a page that is reserved later can be written to, wherever it is" all keeper "
		hreserve m 0 1
		hfill m 2 0 1"
	check "a kernel can be loaded" load_kernel load next "liveupdate=on hugepages=80"
	check "the kexec fails" refused "kexec_load: kexec: error 16" kexec_load exec
	check "the log says for which file" has_said \
		"LUO: memfd-hugetlb-v1: cannot freeze the file with token 0x1 .-16."
	check "nothing is lost" all keeper "hcheck m 2 0 1
		hcheck a 1 0 70
		close t"
	note_down
	handover next "liveupdate=on hugepages=80"
}

stage_2() {
	check "there is an incoming handover" came_in 1
	start_agent heir
	check "the file is there" all heir "retrieve s places
		take s 1 a"
	check "each page is right" ask heir hcheck a 1 0 70
	check "the pool is as large as before" pool_is 80 10 0
	finish
}

# Prints how many pages are free, and neither in ZONE_MOVABLE nor in CMA.
normal_free() {
	awk '/^Node/ { here = $4 == "Normal" || $4 ~ /^DMA32/ }
		here && $1 == "nr_free_pages" { free += $2 }
		here && $1 == "nr_free_cma" { free -= $2 }
		END { print free }' /proc/zoneinfo
}

# Prints how many folios of 2 MiB leave 48 MiB of such pages.
most_folios() {
	echo $((($(normal_free) - 48 * MIB) / (2 * MIB)))
}

# normal_left MIB: at least this much of such memory is free.
normal_left() {
	local free

	free=$(normal_free)
	[ "$free" -ge $(($1 * MIB)) ] || { echo "$free pages"; return 1; }
}

# pool_is TOTAL FREE RESERVED: the pool has this many pages of 2 MiB.
pool_is() {
	same pool "$(cat $POOLS/hugepages-2048kB/nr_hugepages \
		$POOLS/hugepages-2048kB/free_hugepages \
		$POOLS/hugepages-2048kB/resv_hugepages | xargs)" "$1 $2 $3"
}

# Prints the PFN of the first page of ZONE_MOVABLE.
movable_start() {
	awk '/^Node/ { here = $4 == "Movable" } here && $1 == "start_pfn:" { print $2 }' \
		/proc/zoneinfo
}

movable() {
	[ $(($1 / PAGE_SIZE)) -ge "$(movable_start)" ] || { echo "$1"; return 1; }
}

not_movable() {
	[ $(($1 / PAGE_SIZE)) -lt "$(movable_start)" ] || { echo "$1"; return 1; }
}
