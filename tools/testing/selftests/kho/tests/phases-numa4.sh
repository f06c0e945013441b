# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario phases on four nodes, the last of which has no memory.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/phases.sh
. "$kho_tests/phases.sh"
about="the phases of boot on four nodes, one of them without memory"
[ "$mem" = 4G ] || mem=8G
numa=4
