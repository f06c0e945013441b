# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario phases with a kernel that initialises all struct pages at once, before the
# page allocator starts, and that has NUMA. Without ARCH= it is a kernel for arm64.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/phases.sh
. "$kho_tests/phases.sh"
about="the phases of boot without deferred struct page initialisation"
# The kernel "arm64-small" has no deferred initialisation.
case $family in
arm64*) kernels="nodefer" ;;
*) family=arm64-small kernels="main" ;;
esac

# Replaces the check of the scenario phases.
beside_deferred_init() {
	has_not_said 'deferred pages initialised'
}
