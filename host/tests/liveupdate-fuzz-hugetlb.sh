# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same as liveupdate-fuzz, for what the kernel reads of files and pools of hugetlb pages.

# shellcheck source=host/tests/liveupdate-fuzz.sh
. "$root/host/tests/liveupdate-fuzz.sh"

about="damaged files of hugetlb pages, checked by the kernel's code compiled for the host"

host_test() {
	fuzz_with hugetlb_fuzz
}
