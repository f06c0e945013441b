# SPDX-License-Identifier: GPL-2.0-only
#
# An area for drivers at a fixed address. The next kernel reserves it before it knows
# what was preserved, and would refuse the handover if a folio lay there. So no folio
# there can be preserved, and everything else is handed over.
#
# shellcheck shell=dash

about="memory of an area for drivers at a fixed address (cma=) cannot be preserved"
kernels="main"
machines=x86
# KASLR could put the kernel there.
words="nokaslr cma=64M@0x10000000"
mem=1G
stages=2
plan=6

ERRORS=/sys/kernel/debug/test_kho_errors

stage_1() {
	check "there is an area" has_said "cma: Reserved 64 MiB at 0x0*10000000"
	check "a file can be kept" keep letter 30M
	check "pages of the area cannot be preserved" refused
	remember release "$(uname -r)"
	handover "$(last_kernel)" "$words"
}

stage_2() {
	check "the area is where it was" has_said "cma: Reserved 64 MiB at 0x0*10000000"
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "the file is intact" intact letter
	finish
}

refused() {
	cat $ERRORS/calls >/tmp/calls
	grep -qx "folio-cma -22" /tmp/calls && grep -qx "pages-cma -22" /tmp/calls && return
	grep cma /tmp/calls
	return 1
}
