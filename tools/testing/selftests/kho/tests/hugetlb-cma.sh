# SPDX-License-Identifier: GPL-2.0-only
#
# The story of hugetlb with hugetlb_cma=: an area for gigantic pages, half of the
# memory, is no reason for more scratch. The next kernel has no room for it there,
# and is none the worse for it.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/hugetlb.sh
. "$kho_tests/hugetlb.sh"

about="hugetlb_cma= of 4 GiB at boot"
words="nokaslr hugetlb_cma=4G"
plan=11

stage_1() {
	check "there is an area for gigantic pages" area_of_gib 4
	check "a gigantic page can be had" more_gigantic
	check "KHO is on" kho_enabled
	check "scratch is not for them" scratch_below 512 out
	check "a file can be kept" keep letter 100M
	note_down
	handover next "$words"
}

stage_2() {
	check "it is a handover" came_from "$(recall release)" 1
	# Hash tables are larger, as more memory was free when they were sized.
	check "no memory got lost" near MemTotal "$(mem_total)" "$(recall total)" 8192
	check "the file is intact" intact letter
	check "there is no such area" area_of_gib 0
	check "the file is still intact" intact letter
	check "scratch is as small" scratch_below 512 out
	finish
}

# area_of_gib N: what there is for movable pages only, scratch aside
area_of_gib() {
	local scratch=0 mib cma
	cma=$(meminfo CmaTotal)

	for mib in $(sizes out); do
		scratch=$((scratch + mib))
	done
	near CmaTotal "$cma" $((($1 << 20) + (scratch << 10))) 65536
}
