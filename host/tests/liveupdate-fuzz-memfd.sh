# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same as liveupdate-fuzz, for what the kernel reads of a memfd. Its pages are looked up,
# works populate it, and allocations fail, in any order.

# shellcheck source=host/tests/liveupdate-fuzz.sh
. "$root/host/tests/liveupdate-fuzz.sh"

about="damaged memfds, read by the kernel's code compiled for the host"

host_test() {
	fuzz_with memfd_fuzz
}
