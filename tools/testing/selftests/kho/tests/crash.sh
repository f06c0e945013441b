# SPDX-License-Identifier: GPL-2.0-only
#
# A crash kernel together with KHO: it is loaded, and a panic starts it, as without
# KHO. In the crash kernel KHO stays off, because the memory that a handover names
# is part of what gets dumped.
#
# shellcheck shell=dash

about="a panic into a crash kernel, with KHO on"
kernels="main"
words="crashkernel=128M"
expect="Kernel panic - not syncing: Attempted to kill init|Call Trace"
mem=1G
stages=2
plan=6

stage_1() {
	check "KHO is on" kho_enabled
	check "memory for a crash kernel is reserved" crash_memory
	check "a file can be kept" keep letter 20M
	crash_into main
}

stage_2() {
	check "this is the crash kernel" test -e /proc/vmcore
	check "KHO is off" kho_disabled
	check "it has only the reserved memory" \
		test "$(meminfo MemTotal)" -lt 131072
	finish
}
