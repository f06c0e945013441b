# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario phases with a kernel that is built the other way: it has no NUMA, and it
# initialises all struct pages at once, before the page allocator starts. So there is no
# deferred initialisation during which threads could restore folios.
# On x86 it has plain SPARSEMEM, where the struct pages of neighbouring pages are far apart
# when a section ends between the two. KASAN watches.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/phases.sh
. "$kho_tests/phases.sh"
about="the phases of boot without NUMA or deferred init, with plain SPARSEMEM where it is"
kernels="flat"
when=asked
# KASAN takes an eighth of the memory, and scratch has room for the next kernel's
# KASAN. With less memory there may be no 1 GiB in one piece.
mem=10G
numa=none
limit=400

# Replaces the check of the scenario phases.
beside_deferred_init() {
	has_not_said 'deferred pages initialised'
}
