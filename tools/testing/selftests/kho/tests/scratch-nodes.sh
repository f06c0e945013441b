# SPDX-License-Identifier: GPL-2.0-only
#
# The first kernel does not know that there are two nodes, so a region of scratch is on
# both. The second kernel knows of both nodes, and the third one does not.
#
# The first kernel reserves memory for a crash kernel at the end of the second node.
# Otherwise that node would be all scratch, with nothing left for unmovable pages.
#
# shellcheck shell=dash

about="scratch on two nodes, from a kernel that knew of one"
kernels="main next"
words="nokaslr numa=off crashkernel=200M kho_scratch=32M,384M,4M"
machines=x86
mem=1G
cpus=2
numa=2
stages=3
plan=14

BORDER=$((512 << 20))

stage_1() {
	check "there is one node" same nodes "$(nodes)" 0
	check "a region of scratch is on both" on_both
	check "a file can be kept" keep letter 30M
	remember regions "$(regions out)"
	note_down
	remember first "$(($(mem_total) + (200 << 10)))"
	handover next "numa=on"
}

stage_2() {
	check "there are two nodes" same nodes "$(nodes)" 0-1
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "the incoming scratch is unchanged" same in "$(regions in)" "$(recall regions)"
	check "the file is intact" intact letter
	check "nine tenths of the memory can be used" usable 90
	note_down
	handover main "numa=off"
}

stage_3() {
	check "there is one node" same nodes "$(nodes)" 0
	check "there is an incoming handover" came_from "$(recall release)" 2
	# A kernel that knows of two nodes takes more memory for itself, so this compares
	# with the first kernel.
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall first)" 512
	check "the incoming scratch is unchanged" same in "$(regions in)" "$(recall regions)"
	check "the file is intact" intact letter
	check "nine tenths of the memory can be used" usable 90
	finish
}

nodes() {
	cat /sys/devices/system/node/online
}

on_both() {
	local start size

	regions out >/tmp/regions
	while read -r start size; do
		[ $((start)) -lt $BORDER ] && [ $((start + size)) -gt $BORDER ] && return
	done </tmp/regions
	cat /tmp/regions
	return 1
}
