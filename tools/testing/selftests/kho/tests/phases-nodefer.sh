# SPDX-License-Identifier: GPL-2.0-only
#
# The story of phases where all struct pages are initialised at once, before the
# page allocator starts: nothing is deferred that threads could be beside.
#
# shellcheck shell=dash disable=SC2034,SC2154

# shellcheck source=/dev/null
. "$kho_tests/phases.sh"
about="the phases of boot without deferred struct page initialisation"
kernels="nodefer"

beside_deferred_init() {
	has_not_said 'deferred pages initialised'
}
