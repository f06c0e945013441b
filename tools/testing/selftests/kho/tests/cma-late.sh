# SPDX-License-Identifier: GPL-2.0-only
#
# An area for drivers at a fixed address that only the next kernel has. That kernel
# reserves the area after it has read the map, but does not compare the two. It notices
# the conflict before it frees any memory, and refuses the handover.
#
# shellcheck shell=dash

about="cma= of the next kernel lies where folios are preserved"
kernels="main"
machines=x86
# KASLR could put the kernel there.
words="nokaslr"
expect="KHO: handover refused: folio"
mem=512M
stages=2
plan=6

stage_1() {
	check "KHO is on" kho_enabled
	check "most of memory can be kept" keep letter 320M
	handover "$(last_kernel)" "$words cma=64M@0x10000000"
}

stage_2() {
	check "the area is there" has_said "cma: Reserved 64 MiB at 0x0*10000000"
	check "the handover is refused" \
		has_said "KHO: handover refused: folio at 0x0*1[0-3][0-9a-f]*, .* is in use"
	check "there is no incoming handover" no_handover
	check "all memory is there" test "$(meminfo MemTotal)" -gt 400000
	finish
}
