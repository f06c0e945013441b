# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A machine starts with a handover in memory that a program wrote. The kernel
# takes it, and hands it on; what it leaves is read again.

about="a handover that no kernel wrote comes in, and goes out again"
kernels=main
words="reserve_mem=1M:1M:data test_kho_regions=data"
# What the test client for areas asks for first must be refused.
expect="KHO: (nothing to restore|cannot restore a vmalloc area: 0 of)"

host_test() {
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"
	in_and_out plain
}
