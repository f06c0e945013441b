# SPDX-License-Identifier: GPL-2.0-only
#
# luo-out.sh - the guest's part of host/tests/liveupdate-format-out.sh
#
# shellcheck shell=dash

# shellcheck source=host/format/luo-guest.sh
. /kho/luo-format.sh

stages=1
plan=18

# A file of 2 MiB and some more.
PAGES=540

stage_1() {
	check "a file can be kept" keep letter 1M
	start_agent keeper
	check "sessions can be created" all keeper "create s service
		create n nothing
		create g given-up"
	check "a memfd can be preserved" all keeper "memfd dense
		write dense 5 0 $PAGES
		preserve s 7 dense"
	check "it can be written to afterwards" ask keeper poke dense 6 3 2
	check "its position and seals can change" all keeper "seek dense 12345
		seal dense 2"
	check "one with holes can be preserved" all keeper "memfd sparse
		size sparse $((4000 * PAGE_SIZE + 17))
		write sparse 3 1 20 199
		preserve s 18446744073709551615 sparse"
	check "a page that comes into a hole is part of it" all keeper "write sparse 8 7 3
		poke sparse 8 3999 1"
	check "one with pages that nobody wrote to can be preserved" all keeper "memfd fresh
		size fresh $((64 * PAGE_SIZE))
		allocate fresh 0 64
		write fresh 4 0 16 4
		preserve s 1 fresh"
	check "one with pages after its end can be preserved" all keeper "memfd keep
		write keep 6 0 4
		allocate keep 8 100 keep
		preserve s 2 keep"
	check "one with a huge page can be preserved" all keeper "memfd huge
		size huge $((1024 * PAGE_SIZE))
		huge huge 9 1024
		preserve s 3 huge"
	check "an empty one, and an unnamed file of tmpfs, can be preserved" all keeper "memfd none
		preserve s 0 none
		open-file tmp /tmp unnamed
		write tmp 8 0 9
		preserve s 4 tmp"
	check "one that only has a size can be preserved" all keeper "memfd hole
		size hole $((300 * PAGE_SIZE))
		preserve s 5 hole"
	check "one with hugetlb pages can be preserved" all keeper "hugetlb pages 21
		hsize pages 5
		hfill pages 7 1 2
		preserve s 6 pages
		hfill pages 7 3 1"
	check "many files can be in a session" eval "ask keeper create m many &&
		ask keeper many-files m 130"
	check "there can be many sessions" ask keeper many-sessions each 60
	check "files of the test client can be preserved" test_files
	check "a session can be given up" all keeper "memfd lost
		write lost 1 0 10
		preserve g 1 lost
		close g"
	check "it is not there any more" refused EBADF ask keeper name g
	tell_state
	tell_all 1
	stop_with "$LUO_ON"
}

# The content of each is its name.
test_files() {
	ask keeper create t test && test_file a new && test_file b new && test_file c new_other &&
		all keeper "preserve t 1 a
			preserve t 2 b
			preserve t 3 c"
}

# test_file NAME KIND: the agent gets an open file of the test client.
test_file() {
	exec 3<>"$TESTS/$2" && printf %s "$1" >&3 &&
		ask keeper import "$1" "$(exec sh -c 'echo $PPID')" 3 && exec 3>&-
}

tell_state() {
	tell_luo number 1
	tell_luo session service 9
	tell_luo session nothing 0
	tell_memfd keeper dense service 7
	tell_memfd keeper sparse service 18446744073709551615
	tell_memfd keeper fresh service 1
	tell_memfd keeper keep service 2
	tell_memfd keeper huge service 3
	tell_memfd keeper none service 0
	tell_memfd keeper tmp service 4
	tell_memfd keeper hole service 5
	tell_memfd keeper pages service 6
	tell_luo session many 130
	tell_luo many-files many 130
	tell_luo many-sessions each 60
	tell_luo session test 3
	tell_luo test test 1 "$(printf a | checksum -)"
	tell_luo test test 2 "$(printf b | checksum -)"
	tell_luo test test 3 "$(printf c | checksum -)"
	tell_luo flb test-flb-v1 3
	tell_luo flb test-second-v1 2
}
