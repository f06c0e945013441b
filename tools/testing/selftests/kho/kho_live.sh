#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kho_live.sh - tests KHO in the running kernel, without a kexec
#
# Runs the checks of tests/live.sh on any machine with KHO on and with the test
# client (CONFIG_TEST_KEXEC_HANDOVER). Leaves nothing behind.

kho_lib=$(cd "$(dirname "$0")" && pwd)
PATH=$kho_lib:$PATH
# shellcheck source=tools/testing/selftests/kho/lib.sh
. "$kho_lib/lib.sh"
# shellcheck source=tools/testing/selftests/kho/tests/live.sh
. "$kho_lib/tests/live.sh"

echo "KTAP version 1"
if [ ! -d "$KHO/out" ] || [ ! -d "$CLIENT" ]; then
	ktap_skip_all "KHO is off, or there is no test client"
	exit "$KSFT_SKIP"
fi

STATE=$(mktemp -d)
trap 'rm -rf "$STATE"' EXIT
ktap_set_plan "$plan"
live_checks
ktap_finished
