# SPDX-License-Identifier: GPL-2.0-only
#
# A kexec stops the other CPUs wherever they are, and one of them may be writing to the
# root FDT. The next kernel gets the root FDT as it was before.
#
# shellcheck shell=dash

about="a CPU is stopped while it writes to the root FDT"
kernels="main next"
stages=2
plan=4

stage_1() {
	check "a file can be kept" keep letter 3M
	check "the root FDT can be half written" \
		eval "echo 4 now >/sys/kernel/debug/test_kho_damage"
	remember release "$(uname -r)"
	handover next
}

stage_2() {
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "the file is intact" intact letter
	finish
}
