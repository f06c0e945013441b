# SPDX-License-Identifier: GPL-2.0-only
#
# What it costs to preserve and to retrieve a file of hugetlb pages, in instructions. They
# drive the clock of this guest, so the clock counts them.
#
# shellcheck shell=dash

about="the cost of a file of hugetlb pages"
kernels="main next"
mem=6G
pages=4k
words="liveupdate=on hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=1024"
qemu="-icount shift=0,sleep=off,align=off -seed 1"
stages=2
plan=6
limit=300
when=asked

stage_1() {
	start_agent keeper
	check "files can be made" all keeper "create s cost
		hugetlb a 21
		hallocate a 0 1024
		hugetlb g 30
		hallocate g 0 2"
	check "pages of 2 MiB can be preserved" costs 1024 10000 timed-preserve s 1 a
	check "so can pages of 1 GiB" costs 2 100000 timed-preserve s 2 g
	handover next "$words"
}

stage_2() {
	start_agent heir
	check "the session can be retrieved" ask heir retrieve s cost
	check "pages of 2 MiB are taken with 3,000 instructions" costs 1024 3000 timed-take s 1 a
	check "the call for those of 1 GiB is as short" costs 2 100000 timed-take s 2 g
	finish
}

# costs PAGES MOST COMMAND...: the command takes at most MOST instructions for each page.
costs() {
	local pages="$1" most="$2" time who=keeper
	shift 2

	[ "$kho_stage" -eq 1 ] || who=heir
	time=$(ask "$who" "$@") || { echo "$time"; return 1; }
	# The log shows the cost even when the check passes.
	echo "$1: $time instructions, $((time / pages)) for each of $pages pages" >/dev/kmsg
	[ $((time / pages)) -le "$most" ] || { echo "$((time / pages)) for each page"; return 1; }
}
