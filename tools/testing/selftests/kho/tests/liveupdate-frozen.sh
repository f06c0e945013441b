# SPDX-License-Identifier: GPL-2.0-only
#
# Other processes run until the moment of the kexec, also while a file is frozen. What they
# can still do to a frozen file is in the next kernel: they can seal it, move its position,
# and write to its pages. They cannot add a page. The test client has a file that takes some
# seconds to freeze, after the memfds.
#
# shellcheck shell=dash

about="what others do to a frozen file until the kexec"
kernels="main next"
words="liveupdate=on hugepagesz=2M hugepages=1"
cpus=2
stages=2
plan=13

readonly CLIENT_DIR=/sys/kernel/debug/test_liveupdate
readonly PAGES=100

stage_1() {
	start_agent keeper
	check "a session with files can be made" all keeper "create s frozen
		memfd a
		size a $((2 * PAGES * PAGE_SIZE))
		write a 3 0 $PAGES
		preserve s 1 a
		memfd q
		write q 1 0 2
		preserve s 2 q
		hugetlb h 21
		hsize h 1
		hfill h 5 0 1
		preserve s 4 h
		open-file x $CLIENT_DIR/new
		preserve s 3 x"
	start_agent other
	check "another process can have them" eval \
		"share keeper a other && share keeper q other && share keeper h other"
	check "it takes long to freeze a file" eval "echo freeze 5000 >$CLIENT_DIR/slow"

	load_next next $LUO_ON
	# No results may follow: the loaded command line has their number.
	use_frozen &
	leave
}

stage_2() {
	check "there is an incoming handover" came_in 1
	start_agent heir
	check "the session can be retrieved" all heir "retrieve s frozen
		take s 1 a
		take s 2 q
		take s 4 h"
	check "the frozen file was sealed" ask heir check q 9 0 1
	check "the seal is there" same seals "$(figure_of heir a seals)" 0x2
	check "so is that of hugetlb pages" same seals "$(figure_of heir h seals)" 0x4
	check "the file goes on where it was" same position "$(figure_of heir q pos)" 4321
	check "so do hugetlb pages" same position "$(figure_of heir h pos)" 1234
	check "these are right" ask heir hcheck h 5 0 1
	check "nobody could make a new page" all heir "check q 1 1 1
		zero a $PAGES $PAGES
		check a 3 0 $PAGES"
	check "the session can be finished" ask heir finish s
	finish
}

# Uses the frozen files. The pages of the file "q" show how far it comes before the kexec.
use_frozen() {
	until grep -q "^freeze 1" $CLIENT_DIR/counts; do :; done
	ask other "seal a 2 ; seal h 4 ; seek q 4321 ; seek h 1234 ; " \
		"write q 9 0 1 ; write a 9 $PAGES 1 ; write q 9 1 1"
}
