# SPDX-License-Identifier: GPL-2.0-only
#
# Firmware tells of memory with so many holes that the memory map has more entries than
# the boot parameters of x86 have room for, which is 128. The entries that do not fit
# are those of the highest memory, where scratch and nearly all preserved memory is.
#
# shellcheck shell=dash

about="a memory map of more than 128 entries reaches the next kernel"
kernels="main next"
machines=x86
words="test_kho_holes=80"
stages=3
plan=13

stage_1() {
	check "the memory map has more entries than boot parameters" many_entries
	check "a file can be kept" keep letter 10M
	remember ram "$(ram)"
	note_down
	# The next kernel learns of the holes only from this kernel.
	handover next
}

later_stage() {
	check "there is an incoming handover" came_from "$(recall release)" $((kho_stage - 1))
	check "the memory map has as many entries as before" many_entries
	check "the same pages are RAM" same RAM "$(ram)" "$(recall ram)"
	check "the file is intact" intact letter
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 512
	[ "$kho_stage" -lt "$stages" ] || finish_all
	remember release "$(uname -r)"
	handover main
}

finish_all() {
	check "the file can be dropped" forget letter
	finish
}

# Prints the ranges between the holes. Parameters that kexec passes split only other ranges.
ram() {
	sed -n 's/^\(08[0-9a-f]*-08[0-9a-f]*\) : System RAM/\1/p' /proc/iomem
}

many_entries() {
	local ranges

	# Each hole is an entry, too.
	ranges=$(grep -c '^[0-9a-f-]* : System RAM' /proc/iomem)
	[ "$ranges" -gt 64 ] || { echo "only $ranges ranges of RAM"; return 1; }
}
