# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A machine starts with a handover in memory that host/format/write.py wrote. The kernel
# accepts it, and hands everything over once more; host/format/verify.py reads that.

about="a handover that a program of the host wrote comes in, and goes out again"
kernels=main
words="reserve_mem=1M:1M:data test_kho_regions=data"
# The test client for areas first asks for what it must not get.
expect="KHO: (nothing to restore|cannot restore a vmalloc area: (0 of|its))"

host_test() {
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"
	in_and_out plain
}
