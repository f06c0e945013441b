# SPDX-License-Identifier: GPL-2.0-only
#
# A run of pages in whose middle one node ends and another begins, within one block of
# the page allocator: 750 MiB are no multiple of 4 MiB. A kernel allocates from the end of
# node 0 while it boots. So the second kernel, which makes the run, has that memory
# reserved for a crash kernel and gives it back, as movable memory. With larger pages, a
# block of the page allocator is as large as a page block, and no run can be allocated in
# a block that two nodes share.
#
# shellcheck shell=dash

about="a run of pages that crosses from one node into the next"
kernels="main next"
numa=2
cpus=2
mem=1500M
pages=4k
limit=120
stages=4
plan=17
# The last 30 MiB of node 0. The first kernel cannot reserve them, because it has data of
# this node there.
case ${family-} in
arm64*) words="movablecore=256M crashkernel=30M@0x6d000000" ;;
*) words="movablecore=256M crashkernel=30M@0x2d000000" ;;
esac
expect="KHO: nothing to restore"

readonly MOVABLE=$words

stage_1() {
	handover next "$MOVABLE"
}

stage_2() {
	local before
	before=$(kho_stat out preserved_order_9)
	remember order_10 "$(order_10)"

	check "memory for a crash kernel can be given back" echo_into 0 /sys/kernel/kexec_crash_size
	check "a run into the next node can be kept" create_area "pages 1024 border"
	check "none of its blocks is on both nodes" same "blocks of order 9" \
		"$(kho_stat out preserved_order_9)" $((${before:-0} + 2))
	check "it has no block of a larger order" same "blocks of order 10" \
		"$(order_10)" "$(recall order_10)"
	note_down
	remember node0 "$(node_meminfo 0 MemTotal)"
	handover main "$MOVABLE"
}

stage_3() {
	arrives 2
	remember release "$(uname -r)"
	handover next "$MOVABLE" test_kho_early
}

stage_4() {
	arrives 3
	check "each page can be freed on its own" drop_areas
	check "nine tenths of the memory can be used" usable 90
	check "the kernel has reported no error" has_not_said 'BUG:|WARNING:|Bad page'
	finish
}

order_10() {
	local nr
	nr=$(kho_stat out preserved_order_10)
	echo "${nr:-0}"
}

arrives() {
	check "the incoming handover is from the previous kernel" came_from "$(recall release)" "$1"
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 512
	check "all pages are intact" areas_sound 1
	check "the client gets nothing that was not preserved" nothing_granted
	check "node 0 is as large as before" near "MemTotal of node 0" \
		"$(node_meminfo 0 MemTotal)" "$(recall node0)" 1024
}

echo_into() {
	echo "$1" >"$2"
}
