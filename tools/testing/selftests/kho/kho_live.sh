#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# kho_live.sh - tests KHO in the running kernel, without a kexec
#
# Checks that the figures in sysfs agree with each other, on any machine with KHO on. Runs
# the checks of tests/live.sh where the kernel has the test client
# (CONFIG_TEST_KEXEC_HANDOVER) and debugfs. Leaves nothing behind.

kho_lib=$(cd "$(dirname "$0")" && pwd)
PATH=$kho_lib:$PATH
# shellcheck source=tools/testing/selftests/kho/lib.sh
. "$kho_lib/lib.sh"
# shellcheck source=tools/testing/selftests/kho/tests/live.sh
. "$kho_lib/tests/live.sh"

echo "KTAP version 1"
if [ ! -d "$KHO_SYS" ]; then
	ktap_skip_all "this kernel does not know KHO"
	exit "$KSFT_SKIP"
fi
if ! shows enabled 1 >/dev/null; then
	ktap_skip_all "KHO is off: $(cat "$KHO_SYS/off_reason")"
	exit "$KSFT_SKIP"
fi
if [ "$(id -u)" -ne 0 ]; then
	ktap_skip_all "only root can test KHO"
	exit "$KSFT_SKIP"
fi

# The sizes of all scratch regions add up, and so do those of preserved folios.
sysfs_adds_up() {
	shows scratch_bytes "$(awk '{ n += $2 } END { printf "%d", n }' "$KHO_SYS/scratch")" &&
		shows preserved_bytes "$(awk -v page="$PAGE_SIZE" \
			'{ n += $2 * page * 2 ^ $1 } END { printf "%d", n }' "$KHO_SYS/preserved")"
}

STATE=$(mktemp -d)
trap 'rm -rf "$STATE"' EXIT
ktap_set_plan $((plan + 1))
check "what sysfs shows adds up" sysfs_adds_up
if [ -d "$KHO/out" ] && [ -d "$CLIENT" ]; then
	live_checks
else
	for _ in $(seq "$plan"); do
		ktap_test_skip "there is no test client, or debugfs is not mounted"
	done
fi
ktap_finished
