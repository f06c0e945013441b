# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario hugetlb-memfd with vmemmap optimisation in the first two kernels, and without
# it in the third.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/hugetlb-memfd.sh
. "$kho_tests/hugetlb-memfd.sh"

about="files of hugetlb pages whose struct pages are mostly not there"
# Pages that wait have all struct pages until they are retrieved: 16 MiB for a gigantic one.
arrival="came_in 1"
words="$words hugetlb_free_vmemmap=on"
when=asked
