# SPDX-License-Identifier: GPL-2.0-only
#
# The next kernel would begin ZONE_MOVABLE within a page of 1 GiB of a preserved file. No
# folio may be in two zones, so the zone begins after the page, and the file is there. The
# pool of pages of 2 MiB is too small for the reservations of all files: its pages are not
# given away while a file waits that needs them.
#
# shellcheck shell=dash

about="a page of 1 GiB where the next kernel would have the border of two zones"
kernels="main next"
machines=x86
mem=5G
pages=4k
words="liveupdate=on nokaslr hugepages=6 hugepagesz=1G hugepages=1"
stages=2
plan=20
limit=90

readonly GIB=$((1 << 30))
readonly LARGE=/sys/kernel/mm/hugepages/hugepages-1048576kB
readonly SMALL=/sys/kernel/mm/hugepages/hugepages-2048kB

stage_1() {
	local file

	start_agent keeper
	check "a file with a page of 1 GiB can be preserved" all keeper "create s zones
		hugetlb g 30
		hsize g 1
		hfill g 6 0 1
		preserve s 1 g"
	for file in a b c; do
		check "file $file with two reservations can be preserved" all keeper "
			create s$file reserved-$file
			hugetlb $file 21
			hsize $file 2
			hreserve $file 0 2
			preserve s$file 1 $file"
	done
	remember page "$(ask keeper hwhere g 0)"
	# All memory from 1 MiB up to the middle of the page, without the hole below 4 GiB.
	remember below $((($(recall page) + GIB / 2 - (1 << 20) - $(hole "$(recall page)")) >> 10))
	handover next "liveupdate=on nokaslr hugepages=3 hugepagesz=1G hugepages=0" \
		"kernelcore=$(recall below)K"
}

stage_2() {
	check "there is an incoming handover" came_in 1
	check "the log says what became of the border" \
		has_said "hugetlb-luo: ZONE_MOVABLE begins [0-9]* MiB later"
	check "the zone begins after the page" same "first page of ZONE_MOVABLE" \
		"$(awk '/^Node/ { movable = $4 == "Movable" }
			movable && $1 == "start_pfn:" { print $2 }' /proc/zoneinfo)" \
		$((($(recall page) + GIB) / PAGE_SIZE))
	start_agent heir
	check "the file is there" all heir "retrieve s zones
		take s 1 g"
	check "its page is right" ask heir hcheck g 6 0 1
	check "it is the same one" same address "$(ask heir hwhere g 0)" "$(recall page)"
	check "the pool holds the pages that it has for reservations" small_are 3 3 3
	check "one file gets its own" all heir "retrieve sa reserved-a
		take sa 1 a"
	check "there are too few for another one" eval \
		"ask heir retrieve sb reserved-b && refused ENOMEM ask heir take sb 1 b"
	check "what it has tried to get is still held" small_are 3 3 3
	check "so it is when nobody wants that file" eval "ask heir finish sb && small_are 3 3 3"
	check "the last file gets what is held, when the pool is larger" eval \
		"echo 4 >$SMALL/nr_hugepages && ask heir retrieve sc reserved-c && ask heir take sc 1 c"
	check "then each page is reserved" small_are 4 4 4
	check "the reserved pages can be written to" all heir "hfill a 1 0 2
		hfill c 2 0 2"
	check "it is surplus, since hugepages=0 is meant" gigantic_are 1
	check "the page is freed with the file" eval \
		"ask heir finish s && ask heir close g && gigantic_are 0"
	finish
}

# hole ADDRESS: prints how many bytes between 1 MiB and this address are not RAM.
hole() {
	local range rest end=$((1 << 20)) sum=0 start

	while read -r range rest; do
		case $rest in
		*"System RAM") ;;
		*) continue ;;
		esac
		start=$((0x${range%-*}))
		[ $start -lt "$1" ] || break
		[ $start -le $end ] || sum=$((sum + start - end))
		end=$((0x${range#*-} + 1))
	done </proc/iomem
	[ $end -ge "$1" ] || sum=$((sum + $1 - end))
	echo $sum
}

# small_are TOTAL FREE RESERVED: the pool has this many pages of 2 MiB.
small_are() {
	same pool "$(cat $SMALL/nr_hugepages $SMALL/free_hugepages $SMALL/resv_hugepages |
		xargs)" "$1 $2 $3"
}

# gigantic_are N: there are N pages of 1 GiB, and all of them are surplus.
gigantic_are() {
	same pages "$(cat $LARGE/nr_hugepages $LARGE/surplus_hugepages | xargs)" "$1 $1"
}
