# SPDX-License-Identifier: GPL-2.0-only
#
# The story of numa2 with four nodes, the last of them without memory: a
# region of scratch for it would be one too many.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/numa2.sh
. "$kho_tests/numa2.sh"
about="a file from each of four nodes, one of them without memory"
numa=4
cpus=4
plan=19
