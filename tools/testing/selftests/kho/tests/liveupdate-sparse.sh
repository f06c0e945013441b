# SPDX-License-Identifier: GPL-2.0-only
#
# Files with holes. Holes stay holes, cost nothing and read as zero, and so do pages that
# are allocated and were never written to.
#
# shellcheck shell=dash

about="holes stay holes, also in a file of 4 TiB"
kernels="main next"
words="liveupdate=on"
stages=2
plan=26

# The file has COUNT pages of data, STEP apart, from its first page to nearly its last one.
readonly COUNT=1000 STEP=1073741
readonly SIZE=$((PAGE_SIZE << 30))

stage_1() {
	local free

	start_agent keeper
	check "a session can be created" ask keeper create s sparse
	check "a large file can be made" all keeper "memfd a
		size a $SIZE
		write a 3 0 $COUNT $STEP"
	remember data "$(ask keeper data a)"
	free=$(mem_free)
	check "it can be preserved" ask keeper preserve s 1 a
	check "it has as many pages as before" same blocks "$(figure_of keeper a blocks)" $COUNT
	check "they are where they were" says "$(recall data)" ask keeper data a
	# This takes leaves of the map for some of the pages, and the array of folios.
	check "that needs little memory" near MemFree "$(mem_free)" "$free" $((512 * PAGE_KIB))
	check "a page that comes into a hole is data" all keeper "write a 4 123456789 1
		poke a 4 7 5"
	remember data "$(ask keeper data a)"

	check "a file of nothing can be preserved" all keeper "memfd n
		size n $((PAGE_SIZE << 18))
		preserve s 2 n"
	check "a file with pages that nobody wrote to can be preserved" all keeper "memfd u
		size u $((64 * PAGE_SIZE))
		allocate u 0 64
		write u 5 0 16 4
		preserve s 3 u"
	remember unwritten "$(ask keeper data u)"
	check "a file with pages beyond its end can be preserved" all keeper "memfd k
		write k 6 0 4
		allocate k 8 1000 keep
		preserve s 4 k"
	check "a file that ends within a page can be preserved" all keeper "memfd o
		write o 7 0 4
		size o $((3 * PAGE_SIZE + 100))
		preserve s 5 o"
	remember odd "$(checksum_of keeper o)"
	note_down
	handover next $LUO_ON
}

stage_2() {
	local free

	check "no memory is lost" arrived 1
	start_agent heir
	free=$(mem_free)
	check "the session can be retrieved" ask heir retrieve s sparse
	check "the large file can be taken" ask heir take s 1 a
	check "it has its size" same size "$(figure_of heir a size)" $SIZE
	check "its pages are where they were" says "$(recall data)" ask heir data a
	check "their content is right" all heir "check a 3 0 $COUNT $STEP
		check a 4 123456789 1
		peek a 4 7 5"
	check "around them all is zero" all heir "zero a 1 6
		zero a 12 100
		zero a 5 900 $STEP"
	check "that needs little memory" near MemFree "$(mem_free)" "$free" $((1024 * PAGE_KIB))
	check "a hole can be written to" all heir "write a 8 99 10
		check a 8 99 10
		zero a 109 10"
	check "the file of nothing has its size and no page" nothing_there
	check "the pages that were not written to are zero" unwritten
	check "the pages beyond the end are gone" beyond
	check "the file that ends within a page is right" odd
	check "the session can be finished" ask heir finish s
	check "nothing waits any more" nothing_waits
	finish
}

nothing_there() {
	all heir "take s 2 n
		zero n 0 100
		zero n 1000 100 2000" || return
	same size "$(figure_of heir n size)" $((PAGE_SIZE << 18)) &&
		same data "$(ask heir data n)" "pages=0 runs=0 sum=0"
}

unwritten() {
	ask heir take s 3 u && same data "$(ask heir data u)" "$(recall unwritten)" || return
	all heir "check u 5 0 16 4
		zero u 1 16 4
		zero u 2 16 4
		zero u 3 16 4
		write u 5 1 16 4
		check u 5 1 16 4"
}

beyond() {
	ask heir take s 4 k && same size "$(figure_of heir k size)" $((4 * PAGE_SIZE)) &&
		same blocks "$(figure_of heir k blocks)" 4 || return
	ask heir check k 6 0 4
}

odd() {
	ask heir take s 5 o && same size "$(figure_of heir o size)" $((3 * PAGE_SIZE + 100)) &&
		same checksum "$(checksum_of heir o)" "$(recall odd)"
}
