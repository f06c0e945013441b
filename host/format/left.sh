# SPDX-License-Identifier: GPL-2.0-only
#
# left.sh - the guest's part of host/tests/arm64-stale.sh: it hands over to a program that
# knows nothing of KHO
#
# shellcheck shell=dash

# shellcheck source=host/format/guest.sh
. /kho/format.sh

stages=1
plan=2

stage_1() {
	check "KHO is on" kho_enabled
	check "a file can be kept" keep letter 10M
	stop
}
