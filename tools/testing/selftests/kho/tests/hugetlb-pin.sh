# SPDX-License-Identifier: GPL-2.0-only
#
# A pool with pages in hot-added memory, which the next kernel does not know at boot. A
# process that pins pages for long, as VFIO does, gets such pages when there are no others.
# Their file is refused while they are pinned. Afterwards they are moved. Another process
# may pin a page that was meant for the reservations of a preserved file: page faults in
# that file still work.
#
# shellcheck shell=dash

about="pins of hugetlb pages, and pages in hot-added memory"
kernels="main next"
machines=x86
# All other memory is in a zone before that of the hot-added memory, which comes last.
mem=768M
dimm=256M
pages=4k
words="liveupdate=on memhp_default_state=online_kernel"
stages=2
plan=22
limit=60
expect="hugetlb-luo: cannot hand over the page of 2048 KiB"

readonly POOL=/sys/kernel/mm/hugepages/hugepages-2048kB
readonly ADDED=$((1 << 32))

stage_1() {
	check "hot-added memory is there" more_than 800
	check "there is a pool of two pages" pool_is 2
	start_agent keeper
	start_agent other
	check "one can be pinned for long" all keeper "create s pin
		hugetlb p 21
		hsize p 1
		hpin p 0 1
		hfill p 1 0 1"
	check "it is in hot-added memory" added "$(ask keeper hwhere p 0)"
	check "its file is refused" refused EBUSY ask keeper preserve s 1 p
	check "the log says why" has_said \
		"cannot hand over the page of 2048 KiB at .*: it lies in scratch, CMA or added memory"
	check "the page is right" ask keeper hcheck p 1 0 1
	check "nobody needs it there any more" ask keeper hunpin
	check "the file is preserved now" ask keeper preserve s 1 p
	check "its page is not in hot-added memory any more" not_added "$(ask keeper hwhere p 0)"

	check "a file with reservations can be made" all keeper "hugetlb r 21
		hsize r 2
		hreserve r 0 1"
	check "it can be preserved" ask keeper preserve s 2 r
	check "the pool gets more pages" pool_is 4
	check "more of the file is reserved" ask keeper hreserve r 1 1
	check "somebody else pins a page without a reservation" all other "hugetlb q 21
		hsize q 1
		hpin q 0 1"
	check "that is the best one" not_added "$(ask other hwhere q 0)"
	check "each page that is reserved can be written to" ask keeper hfill r 2 0 2
	check "they are not in hot-added memory" eval \
		"not_added $(ask keeper hwhere r 0) && not_added $(ask keeper hwhere r 1)"
	handover next "$words hugepages=0"
}

stage_2() {
	check "there is an incoming handover" came_in 1
	start_agent heir
	check "the files are right" all heir "retrieve s pin
		take s 1 p
		take s 2 r
		hcheck p 1 0 1
		hcheck r 2 0 2"
	check "hugepages=0 is meant: all pages are surplus" surplus_are 3
	check "they go when the files do" eval "ask heir finish s && ask heir close p &&
		ask heir close r && surplus_are 0"
	finish
}

more_than() {
	[ "$(meminfo MemTotal)" -gt $(($1 * 1024)) ] || { meminfo MemTotal; return 1; }
}

pool_is() {
	echo "$1" >$POOL/nr_hugepages
	same pages "$(cat $POOL/nr_hugepages)" "$1"
}

surplus_are() {
	same pages "$(cat $POOL/nr_hugepages $POOL/surplus_hugepages | xargs)" "$1 $1"
}

added() {
	[ "$1" -ge $ADDED ] || { echo "$1"; return 1; }
}

not_added() {
	[ "$1" -lt $ADDED ] || { echo "$1"; return 1; }
}
