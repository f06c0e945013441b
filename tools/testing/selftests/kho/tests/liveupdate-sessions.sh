# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario liveupdate-scale with 100,000 sessions. It runs only when it is named.
#
# shellcheck shell=dash

luo_sessions=${luo_sessions:-100000}
luo_files=${luo_files:-10000}
# shellcheck source=tools/testing/selftests/kho/tests/liveupdate-scale.sh
. "$kho_tests/liveupdate-scale.sh"

mem=5G
when=asked
limit=1800
