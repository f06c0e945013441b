# SPDX-License-Identifier: GPL-2.0-only
#
# Malformed kho_scratch= values, each refused in words that name it. What is
# left is the default, so KHO works.
#
# shellcheck shell=dash disable=SC2034,SC2154

about="malformed values of kho_scratch="
kernels="main next"
bad_values="12Q 64M,128M 64M,,64M 64M,128M,64M,1M 64M,128M,64Mx -5% 0% % 0,0,0 banana"
for value in $bad_values; do
	words="${words-} kho_scratch=$value"
done
expect="KHO: .*kho_scratch"
stages=2
plan=14

stage_1() {
	local value

	for value in $bad_values; do
		check "'$value' is named" has_said "KHO: .*[=\"']${value}[\"',:;]*( |\$)"
	done
	check "KHO is on" kho_enabled
	check "a file can be kept" keep letter 10M
	note_down
	handover next
}

stage_2() {
	check "no memory got lost" arrived 1
	check "the file is intact" intact letter
	finish
}
