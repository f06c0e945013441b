# SPDX-License-Identifier: GPL-2.0-only
#
# By default scratch has room for what a kernel needs in large pieces: the struct pages of
# each node and the DMA buffer below 4 GiB. It has this room wherever in scratch KASLR puts
# the kernel. On this machine, each region but one is for one such piece.
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
	check "there is a DMA buffer" [ "$(dma_slots)" -gt 0 ]
	remember slots "$(dma_slots)"
	note_down
	handover main
}

later_stage() {
	check "there is an incoming handover" same "kexec count" "$(kexec_count)" $((kho_stage - 1))
	check "scratch is unchanged" same regions "$(sizes in)" "$(sizes out)"
	check "the DMA buffer is as large as before" same slots "$(dma_slots)" "$(recall slots)"
	note "the kernel is at $(text_address)"
	[ "$kho_stage" -eq "$stages" ] || handover main
	finish
}

dma_slots() {
	cat /sys/kernel/debug/swiotlb/io_tlb_nslabs
}
