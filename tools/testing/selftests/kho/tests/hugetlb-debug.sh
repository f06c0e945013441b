# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario hugetlb-memfd under kernels that check struct pages, locks and reference
# counts, and that know who allocated each page.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/hugetlb-memfd.sh
. "$kho_tests/hugetlb-memfd.sh"

about="files of hugetlb pages, with all checks of the kernel"
kernels="debug main"
# Struct pages of pages that wait are there until these are taken.
arrival="came_in 1"
words="$words page_owner=on hugetlb_free_vmemmap=on"
limit=600
when=asked
