#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/damage.sh - many handovers that are damaged on purpose
#
#   HANDOVERS=N   does at least N handovers; without it, 300
#   SEED=N        is the first seed, 1 without it; each handover gets the next one
#
# Half of them have no checksum. It runs the scenarios "damaged" and "damaged-sum".
# Each line of the report names the seed that the scenario began with; host/vm/test.sh
# with that name runs the same again.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly rounds=25

main() {
	local left=${HANDOVERS:-300} seed=${SEED:-1} scenario names=()

	while ((left > 0)); do
		for scenario in damaged damaged-sum; do
			names+=("$scenario:kho_seed=$seed:kho_rounds=$rounds")
		done
		seed=$((seed + rounds)) left=$((left - 2 * rounds))
	done
	"$root/host/vm/test.sh" "${names[@]}"
}

main
