# SPDX-License-Identifier: GPL-2.0-only
#
# Malformed values of parameters. The kernel refuses each with a message that names it,
# and uses the default, even when the command line had a good value before. KHO works.
#
# shellcheck shell=dash

about="malformed values of parameters"
kernels="main next"
bad_values="12Q 64M,128M 64M,,64M 64M,128M,64M,1M 64M,128M,64Mx -5% 0% % 0,0,0 banana"
words="kho=banana kho=on kho_checksum=off kho_checksum=maybe kho_scratch=64M,64M,64M"
for value in $bad_values; do
	words="$words kho_scratch=$value"
done
expect="KHO: malformed kho"
stages=2
plan=18

stage_1() {
	local value

	words="kho=banana kho=on kho_checksum=off kho_checksum=maybe kho_scratch=64M,64M,64M"
for value in $bad_values; do
		check "the log names '$value'" has_said "KHO: .*[=\"']${value}[\"',:;]*( |\$)"
	done
	check "the good size before does not count" differ "$(sizes out)" "64 64 64"
	check "the log names kho=banana" has_said "KHO: malformed kho=banana, .*: it is off"
	check "the log names kho_checksum=maybe" \
		has_said "KHO: malformed kho_checksum=maybe, .*: it is on"
	check "KHO is on" kho_enabled
	check "a file can be kept" keep letter 10M
	note_down
	handover next
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the incoming handover has a checksum" grep -q checksum "$KHO/in/fdt"
	check "the file is intact" intact letter
	finish
}

differ() {
	[ "$1" != "$2" ] || { echo "still $2"; return 1; }
}
