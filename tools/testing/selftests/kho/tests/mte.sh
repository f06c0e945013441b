# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario kasan on a CPU with memory tags (MTE), where restored pages have the
# tags of another kernel. The first kernel knows nothing of tags, and has addresses of
# 48 bits where the other kernels have 52.
#
# KASAN is off: with qemu 7.2's tags it reports errors of the slab allocator before KHO
# does anything, and with kho=off as well. The scenario tags tests KASAN with tags.
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

# The second kernel takes more memory for itself than the first. The third takes as
# much as the second.
arrived() {
	came_from "$(recall release)" "$1" || return
	[ "$1" -eq 1 ] || near MemTotal "$(mem_total)" "$(recall total)" 512
}

somebody_watches() {
	check "the CPU has memory tags" grep -qw mte /proc/cpuinfo
}
