# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario numa2 where the firmware names one node.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/numa2.sh
. "$kho_tests/numa2.sh"
about="a file on the only node that the firmware names"
numa=1
cpus=1
plan=7
