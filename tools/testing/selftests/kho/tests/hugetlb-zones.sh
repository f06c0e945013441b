# SPDX-License-Identifier: GPL-2.0-only
#
# The next kernel would begin ZONE_MOVABLE within a page of 1 GiB of a preserved file. No
# folio may be in two zones: the zone begins after the page, and the file is there.
#
# shellcheck shell=dash

about="a page of 1 GiB where the next kernel would have the border of two zones"
kernels="main next"
machines=x86
mem=5G
pages=4k
words="liveupdate=on nokaslr hugepagesz=1G hugepages=1"
stages=2
plan=8
limit=90

readonly GIB=$((1 << 30))

stage_1() {
	start_agent keeper
	check "a file with a page of 1 GiB can be preserved" all keeper "create s zones
		hugetlb g 30
		hsize g 1
		hfill g 6 0 1
		preserve s 1 g"
	remember page "$(ask keeper hwhere g 0)"
	# All memory from 1 MiB up to the middle of the page, without the hole below 4 GiB.
	remember below $((($(recall page) + GIB / 2 - (1 << 20) - $(hole "$(recall page)")) >> 10))
	handover next "$words kernelcore=$(recall below)K"
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
	check "the page can be freed" eval "ask heir close g && ask heir finish s && no_gigantic"
	finish
}

# Addresses below this one at which there is no RAM, from 1 MiB on.
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

no_gigantic() {
	echo 0 >/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
	same "pages of 1 GiB" \
		"$(cat /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages)" 0
}
