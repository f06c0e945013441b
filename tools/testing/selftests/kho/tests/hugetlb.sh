# SPDX-License-Identifier: GPL-2.0-only
#
# Gigantic pages that hugepages= takes at boot, more than half of the memory. Scratch
# does not grow because of them, and is too small for any of them. The next kernel has
# as many, and all preserved memory. No folio that is larger than such a page can be
# preserved, so no kernel has to restore one.
#
# shellcheck shell=dash

about="hugepages= of 1 GiB at boot"
kernels="main next"
mem=8G
pages=4k
words="hugepagesz=1G hugepages=5"
stages=2
plan=11

stage_1() {
	check "there are gigantic pages" same "pages of 1 GiB" "$(gigantic)" 5
	check "KHO is on" kho_enabled
	check "scratch is not larger because of them" scratch_below 65 out
	check "a file can be kept" keep letter 100M
	note_down
	handover next "$words"
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the file is intact" intact letter
	check "there are as many gigantic pages" same "pages of 1 GiB" "$(gigantic)" 5
	check "they can be freed" no_gigantic
	check "no larger folio can be preserved" larger_refused
	check "the file is still intact" intact letter
	check "scratch is still as small" scratch_below 65 out
	finish
}

gigantic() {
	cat /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
}

no_gigantic() {
	echo 0 >/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages
	same "pages of 1 GiB" "$(gigantic)" 0
}

# There is memory for a folio of 2 GiB, so that it is refused for its order only.
larger_refused() {
	! folios add "19 1 phase=manual" 2>/tmp/why || { echo "it was preserved"; return 1; }
	grep -qE "Invalid argument|errno=22" /tmp/why || { cat /tmp/why; return 1; }
}
