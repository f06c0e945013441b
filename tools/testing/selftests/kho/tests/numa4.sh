# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario numa2 with four nodes, the last of which has no memory. KHO must not make
# a scratch region for that node.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/numa2.sh
. "$kho_tests/numa2.sh"
about="a file from each of four nodes, one of them without memory"
numa=4
cpus=4
plan=19
