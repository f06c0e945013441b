# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario cpus4 on one CPU, where the processes may interrupt each other anywhere.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/cpus4.sh
. "$kho_tests/cpus4.sh"
about="four processes on one CPU keep, read and drop files"
cpus=1
