# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario phases without NUMA, and under KASAN. On x86 the kernel has plain
# SPARSEMEM, where the struct pages of neighbouring pages are far apart when a section
# ends between the two.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/phases.sh
. "$kho_tests/phases.sh"
about="the phases of boot without NUMA, and with plain SPARSEMEM where there is that"
kernels="flat"
# KASAN takes an eighth of the memory, and scratch has room for the next kernel's
# KASAN. With less memory there may be no 1 GiB in one piece.
mem=10G
numa=none
limit=400
