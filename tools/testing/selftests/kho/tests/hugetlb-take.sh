# SPDX-License-Identifier: GPL-2.0-only
#
# What may go wrong when files of hugetlb pages are retrieved: the limits of a hugetlb
# cgroup are reached, a page has become bad while it waited, a file is never asked for, or
# the size of a file is not a multiple of its page size.
#
# shellcheck shell=dash

about="files of hugetlb pages, limits of cgroups, bad pages"
kernels="main next"
machines=x86
mem=1G
pages=4k
words="liveupdate=on hugepages=40"
stages=2
plan=29
limit=90
expect="hugetlb-luo: (the page of 2048 KiB at .* is poisoned|cannot hand over the page of 2048 KiB)"

readonly GROUPS_DIR=/tmp/cgroup
readonly GROUP=$GROUPS_DIR/taker
readonly HUGE=$((2 << 20))

stage_1() {
	start_agent keeper
	check "files can be preserved" all keeper "create s take
		hugetlb a 21
		hsize a 8
		hreserve a 0 8
		hfill a 1 0 6
		hugetlb b 21
		hsize b 4
		hfill b 2 0 4
		hugetlb o 21
		allocate o 0 513
		hfill o 4 0 1
		preserve s 1 a
		preserve s 2 b
		preserve s 3 o
		create t forgotten
		hugetlb r 21
		hsize r 6
		hreserve r 0 6
		hfill r 3 0 1
		preserve t 1 r"
	remember odd "$(ask keeper stat o)"
	remember bad "$(ask keeper hwhere b 2)"
	check "the pool counts them" pool_is 40 27 7
	handover "$(last_kernel)" "$words"
}

stage_2() {
	check "there is an incoming handover" came_in 1
	check "the pool is as before" pool_is 40 27 7
	check "a page can become bad while it waits" make_bad $(($(recall bad) + 5 * PAGE_SIZE))

	check "there is a hugetlb cgroup with a limit of 4 pages" make_group
	start_agent heir
	check "the session can be retrieved" ask heir retrieve s take
	start_agent taker
	check "an agent is in the group" eval "agent_pid taker >$GROUP/cgroup.procs"
	check "it has the session" share heir s taker
	check "a file of 6 pages and 2 reserved ones is too much" \
		refused ENOMEM ask taker take s 1 a
	check "nothing is charged then" charged_are 0 0
	check "the pool is as before" pool_is 40 27 7
	echo $((6 * HUGE)) >$GROUP/hugetlb.2MB.max
	check "reservations count as well" refused ENOMEM ask taker take s 1 a
	check "nothing is charged then, either" charged_are 0 0
	echo $((8 * HUGE)) >$GROUP/hugetlb.2MB.rsvd.max
	check "the file is there when the limits are raised" ask taker take s 1 a
	check "the group is charged for what there is" charged_are 6 8
	check "each page is right" ask taker hcheck a 1 0 6
	check "no page more can be had than the limit says" refused_page
	check "the pool is as before" pool_is 40 27 7

	check "a file of a page and 4 KiB has both pages" eval \
		"ask heir take s 3 o && says '$(recall odd)' ask heir stat o"
	check "its first page is right" ask heir hcheck o 4 0 1

	check "the file with a bad page is there" ask heir take s 2 b
	check "its pages are right, but for what is bad" ask heir hcheck b 2 0 4
	check "the bad part cannot be read" refused EIO \
		ask heir check b 2 $((2 * HUGE / PAGE_SIZE + 5)) 1
	check "the session can be finished" ask heir finish s
	check "the file cannot be preserved again" eval \
		"ask heir create u again && refused EHWPOISON ask heir preserve u 1 b"
	check "what was reserved for the forgotten session is still held" resv_is 7
	check "it is given back with the session" eval "ask heir retrieve t forgotten &&
		ask heir finish t && resv_is 2"
	check "a page that came in bad is never used again" loses_one
	finish
}

# When the file is closed, three of its four pages become free.
loses_one() {
	local free
	free=$(free_pages)

	ask heir close b && same "free pages" "$(free_pages)" $((free + 3))
}

free_pages() {
	sed -n 's/^HugePages_Free: *//p' /proc/meminfo
}

make_bad() {
	printf '0x%x' "$1" >/sys/devices/system/memory/hard_offline_page 2>/dev/null
	[ "$(meminfo HardwareCorrupted)" -gt 0 ]
}

make_group() {
	mkdir -p $GROUPS_DIR && mount -t cgroup2 none $GROUPS_DIR || return
	echo +hugetlb >$GROUPS_DIR/cgroup.subtree_control && mkdir $GROUP || return
	echo $((4 * HUGE)) >$GROUP/hugetlb.2MB.max &&
		echo $((4 * HUGE)) >$GROUP/hugetlb.2MB.rsvd.max
}

# charged_are USED RESERVED: this many pages count for the limits of the group on pages in
# use and on reservations.
charged_are() {
	same used "$(cat $GROUP/hugetlb.2MB.current)" $(($1 * HUGE)) &&
		same reserved "$(cat $GROUP/hugetlb.2MB.rsvd.current)" $(($2 * HUGE))
}

# The group cannot reserve a page for another file.
refused_page() {
	ask taker hugetlb x 21 && ask taker hsize x 1 && refused ENOMEM ask taker hreserve x 0 1
}

# pool_is TOTAL FREE RESERVED: the pool has this many pages.
pool_is() {
	same pool "$(sed -n 's/^HugePages_\(Total\|Free\|Rsvd\): *//p' /proc/meminfo | xargs)" \
		"$1 $2 $3"
}

resv_is() {
	same reserved "$(sed -n 's/^HugePages_Rsvd: *//p' /proc/meminfo)" "$1"
}
