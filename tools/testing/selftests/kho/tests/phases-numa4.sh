# SPDX-License-Identifier: GPL-2.0-only
#
# The story of phases on four nodes, the last of them without memory.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/phases.sh
. "$kho_tests/phases.sh"
about="the phases of boot on four nodes, one of them without memory"
[ "$mem" = 4G ] || mem=8G
numa=4
