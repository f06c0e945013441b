# SPDX-License-Identifier: GPL-2.0-only
#
# Nearly all memory is preserved, and the next kernel does everything at once that writes
# to free memory, or takes much of it, before it knows what was preserved. There is no
# checksum of the content: each folio has marks in each page.
#
# shellcheck shell=dash

about="whatever takes or tests memory in early boot leaves preserved memory alone"
kernels="main next"
mem=2G
pages=4k
words="kho_scratch=96M,384M,64M"
limit=120
stages=2
plan=12

stage_1() {
	check "KHO is on" kho_enabled
	check "nearly all memory can be preserved" nearly_all
	note "$(kho_stat out preserved_folios) folios are preserved"
	remember folios "$(kho_stat out preserved_order_9)"
	remember release "$(uname -r)"
	handover next memtest=2 memory_corruption_check=1 cma=16M crashkernel=64M \
		swiotlb=8192,force kho_checksum=off
}

stage_2() {
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "all folios arrived" \
		same folios "$(kho_stat in preserved_order_9)" "$(recall folios)"
	check "free memory was tested" has_said "early_memtest: # of tests: 2"
	check "there is an area of CMA" has_said "cma: Reserved 16 MiB"
	check "memory for a crash kernel is reserved" \
		test "$(cat /sys/kernel/kexec_crash_size)" -eq $((64 << 20))
	check "there are bounce buffers" \
		same slots "$(cat /sys/kernel/debug/swiotlb/io_tlb_nslabs)" 8192
	check "the folios can be restored" folios restore
	check "each of their pages is intact" folios_fine
	check "they can be dropped" folios drop
	check "most of the memory can be used" usable 80
	finish
}

# Preserves at least 1 GiB. The memory that is left is enough to load the next kernel.
nearly_all() {
	local count=$((($(meminfo MemFree) - $(meminfo CmaFree)) / 2048 - 50))

	folios add "9 $count phase=manual" || return
	[ "$(kho_stat out preserved_bytes)" -gt $((1 << 30)) ]
}
