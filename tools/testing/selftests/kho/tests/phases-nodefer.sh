# SPDX-License-Identifier: GPL-2.0-only
#
# The story of phases where all struct pages are initialised at once, before the
# page allocator starts: nothing is deferred that threads could be beside.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/phases.sh
. "$kho_tests/phases.sh"
about="the phases of boot without deferred struct page initialisation"
kernels="nodefer"

beside_deferred_init() {
	has_not_said 'deferred pages initialised'
}
