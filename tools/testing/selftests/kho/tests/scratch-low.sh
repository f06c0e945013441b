# SPDX-License-Identifier: GPL-2.0-only
#
# A node that is partly low memory, as on arm64 with some sizes of memory. The region for
# low memory must not take all of the node's low part, or the node's own region would
# fit nowhere.
#
# shellcheck shell=dash

about="scratch of a node that is partly low memory"
# The node is from 0xb0000000 to 0x11fffffff.
case ${family-} in
arm64*) ;;
*) family=arm64-small ;;
esac
machines=arm64
pages=4k
kernels="main"
words="kho_scratch=1000M,32M,600M"
mem=7G
numa=4
cpus=4
limit=60
stages=2
plan=6

stage_1() {
	check "each node with memory has a region" as_asked out
	check "a file can be kept" keep letter 10M
	note_down
	handover main
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the kernel is in scratch" in_scratch "$(text_address)" "$(text_end)"
	check "the incoming scratch is unchanged" as_asked in
	check "the file is intact" intact letter
	finish
}

as_asked() {
	same MiB "$(sizes "$1")" "1000 32 600 600 600"
}
