# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario liveupdate-debug under KASAN, which reports each access to freed memory, with
# a kernel that has no NUMA and no deferred initialisation.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/liveupdate-debug.sh
. "$kho_tests/liveupdate-debug.sh"

about="four CPUs preserve, take, touch and close at once, and one agent is killed, under KASAN"
kernels="flat"
when=asked

# Replaces the check for leaks, which need kmemleak.
check_leaks() {
	check "KASAN has seen nothing wrong" has_not_said "KASAN: "
}
