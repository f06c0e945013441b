# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario hugetlb with hugetlb_cma=: the area for gigantic pages takes half of
# the memory, and scratch does not grow because of it. The next kernel has such an area,
# too, and all preserved memory.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/hugetlb.sh
. "$kho_tests/hugetlb.sh"

about="hugetlb_cma= of 4 GiB at boot"
words="nokaslr hugetlb_cma=4G"
plan=12

stage_1() {
	check "there is an area for gigantic pages" area_of_gib 4
	check "a gigantic page can be allocated" more_gigantic
	check "KHO is on" kho_enabled
	check "scratch is not larger because of them" scratch_below 65 out
	check "a file can be kept" keep letter 100M
	note_down
	handover next "$words"
}

stage_2() {
	check "there is an incoming handover" came_from "$(recall release)" 1
	# Hash tables are larger, because more memory was free when the kernel sized them.
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 8192
	check "the file is intact" intact letter
	check "there is an area for gigantic pages" area_of_gib 4
	check "a gigantic page can be allocated" more_gigantic
	check "the file is still intact" intact letter
	check "scratch is still as small" scratch_below 65 out
	finish
}

# area_of_gib N: N GiB outside of scratch are for movable pages only.
area_of_gib() {
	local scratch=0 mib cma
	cma=$(meminfo CmaTotal)

	for mib in $(sizes out); do
		scratch=$((scratch + mib))
	done
	near CmaTotal "$cma" $((($1 << 20) + (scratch << 10))) 65536
}

more_gigantic() {
	echo 1 >/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
	same "pages of 1 GiB" "$(gigantic)" 1
}
