# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same as liveupdate-fuzz, for what the kernel reads of a memfd. Lookups of its pages, the
# works that populate it, and failing allocations come in any order.

# shellcheck source=host/tests/liveupdate-fuzz.sh
. "$root/host/tests/liveupdate-fuzz.sh"

about="damaged memfds, read by the kernel's code compiled for the host"

host_test() {
	fuzz_with memfd_fuzz
}
