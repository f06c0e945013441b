# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario hugetlb-take with a second kernel that checks struct pages, locks and
# reference counts, and that knows who allocated each page. There are no pages of 1 GiB,
# since Linux 6.12 stops with such checks when it makes any at boot.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/hugetlb-take.sh
. "$kho_tests/hugetlb-take.sh"

about="files of hugetlb pages are taken with all checks of the kernel"
kernels="main debug"
words="$words page_owner=on hugetlb_free_vmemmap=on"
limit=300
when=asked
