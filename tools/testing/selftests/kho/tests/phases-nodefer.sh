# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario phases with a kernel that initialises all struct pages at once, before the
# page allocator starts, and that has NUMA. It is no more than phases-flat has but for
# that, so it runs only when it is named.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/phases.sh
. "$kho_tests/phases.sh"
about="the phases of boot without deferred struct page initialisation"
kernels="nodefer"
when=asked

# Replaces the check of phases.
beside_deferred_init() {
	has_not_said 'deferred pages initialised'
}
