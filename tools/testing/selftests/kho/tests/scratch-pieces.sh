# SPDX-License-Identifier: GPL-2.0-only
#
# By default scratch has room for what a kernel needs in large pieces, the struct
# pages of each node and the buffer for DMA below 4 GiB, wherever in scratch KASLR
# puts that kernel. On this machine, each region but one is for one such piece.
#
# shellcheck shell=dash

about="default scratch has room for large pieces, with KASLR"
kernels="main"
words=""
machines=x86
mem=8G
numa=2
cpus=2
limit=120
stages=5
plan=13

stage_1() {
	check "there is a buffer for DMA" [ "$(dma_slots)" -gt 0 ]
	remember slots "$(dma_slots)"
	note_down
	handover main
}

later_stage() {
	check "it is a handover" same "kexec count" "$(kexec_count)" $((kho_stage - 1))
	check "scratch is as it was" same regions "$(sizes in)" "$(sizes out)"
	check "the buffer for DMA is as large" same slots "$(dma_slots)" "$(recall slots)"
	note "the kernel is at $(text_address)"
	[ "$kho_stage" -eq "$stages" ] || handover main
	finish
}

dma_slots() {
	cat /sys/kernel/debug/swiotlb/io_tlb_nslabs
}
