# SPDX-License-Identifier: GPL-2.0-only
#
# Handovers between kernels without debugfs and without our test clients: only the log
# tells about them.
#
# shellcheck shell=dash

about="a handover, seen in the log only"
kernels="main"
stages=3
plan=5

stage_1() {
	check "KHO is on" has_said "KHO: .* MiB of scratch"
	remember release "$(uname -r)"
	handover "$(last_kernel)"
}

later_stage() {
	check "there is an incoming handover" handover_said "$(recall release)" $((kho_stage - 1))
	check "nothing was left unclaimed" has_not_said "KHO: .* wait for somebody"
	[ "$kho_stage" -lt "$stages" ] || finish
	handover "$(last_kernel)"
}
