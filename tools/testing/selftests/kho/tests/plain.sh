# SPDX-License-Identifier: GPL-2.0-only
#
# A handover between kernels that have neither debugfs nor test clients of ours:
# all that is known of it is in the log.
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
	check "a handover came in" handover_said "$(recall release)" $((kho_stage - 1))
	check "all of it was claimed" has_not_said "KHO: .* wait for somebody"
	[ "$kho_stage" -lt "$stages" ] || finish
	handover "$(last_kernel)"
}
