# SPDX-License-Identifier: GPL-2.0-only
#
# The story of kasan on a CPU with memory tags (MTE), where pages that were handed
# over have the tags of another kernel: one that knows of no tags, and has addresses
# of 48 bits where the others have 52.
#
# KASAN is off: with the tags of qemu 7.2 it reports errors of the slab allocator
# before there is KHO, and with kho=off as well. Scenario tags is about KASAN's.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/kasan.sh
. "$kho_tests/kasan.sh"

about="files, runs of pages and vmalloc areas with memory tags and 52-bit addresses"
kernels="main mte"
machines=arm64
pages=4k
words="kasan=off"
qemu="-machine mte=on"

# The second kernel takes more memory than the first, and as much as the third.
arrived() {
	came_from "$(recall release)" "$1" || return
	[ "$1" -eq 1 ] || near MemTotal "$(mem_total)" "$(recall total)" 512
}

somebody_watches() {
	check "the CPU has memory tags" grep -qw mte /proc/cpuinfo
}
