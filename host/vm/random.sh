#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/random.sh - many handovers of random folios on all kinds of machines
#
#   HANDOVERS=N   does at least N handovers; without it, 200
#   SEED=N        is the first seed, 1 without it; each machine gets the next one
#
# Owns the list of machines: NUMA layouts, sizes, kernels with and without deferred
# struct page initialisation and NUMA. The scenario "random" runs on them. Each line of
# the report names the seed and the machine; host/vm/test.sh with that name runs the
# same again.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly rounds=5
# NUMA layout, CPUs, memory and kernels, no two of them alike.
readonly machines=(
	"kho_numa=2:kho_cpus=4:kho_mem=2G:kho_kernels=main,next"
	"kho_numa=none:kho_cpus=1:kho_mem=1G:kho_kernels=main,next"
	"kho_numa=4:kho_cpus=4:kho_mem=3G:kho_kernels=main,next"
	"kho_numa=1:kho_cpus=2:kho_mem=5G:kho_kernels=main,next"
	"kho_numa=2:kho_cpus=2:kho_mem=2G:kho_kernels=nodefer,main"
	"kho_numa=none:kho_cpus=3:kho_mem=2G:kho_kernels=flat"
	"kho_numa=2:kho_cpus=3:kho_mem=6G:kho_kernels=main,next"
)

main() {
	local handovers=${HANDOVERS:-200} seed=${SEED:-1} n names=()

	for ((n = 0; n * rounds < handovers; n++)); do
		names+=("random:kho_seed=$((seed + n)):kho_rounds=$rounds:${machines[n % ${#machines[@]}]}")
	done
	"$root/host/vm/test.sh" "${names[@]}"
}

main
