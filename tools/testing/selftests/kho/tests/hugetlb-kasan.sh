# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario hugetlb-take under KASAN, with a kernel that has no NUMA, in which the pools
# have no node to choose from.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/hugetlb-take.sh
. "$kho_tests/hugetlb-take.sh"

about="files of hugetlb pages, limits of cgroups, bad pages, under KASAN"
kernels="flat"
when=asked
mem=2G
limit=180
