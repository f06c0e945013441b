# SPDX-License-Identifier: GPL-2.0-only
#
# The story of phases without NUMA, and on x86 with plain SPARSEMEM, where struct pages
# of neighbours lie far apart when a section ends between them. KASAN looks on.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/phases.sh
. "$kho_tests/phases.sh"
about="the phases of boot without NUMA, and with plain SPARSEMEM where there is that"
kernels="flat"
# KASAN has an eighth of it, and scratch for the next kernel's KASAN as well: with
# less there may be no 1 GiB in one piece.
mem=10G
numa=none
limit=400
