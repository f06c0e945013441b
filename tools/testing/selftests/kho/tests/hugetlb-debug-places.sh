# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario hugetlb-places with a first kernel that has the checks of hugetlb-debug.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/hugetlb-places.sh
. "$kho_tests/hugetlb-places.sh"

about="hugetlb pages are moved and replaced with all checks of the kernel"
kernels="debug next"
limit=300
when=asked
