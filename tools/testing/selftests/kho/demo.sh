# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh - the guest's part of host/vm/demo.sh: a scenario with a file of the host
#
# The file is /demo in the first kernel's root file system only, so the second
# kernel can have it only through KHO. The host reads the lines
# "kho-demo: stage N NAME VALUE".
#
# shellcheck shell=dash disable=SC2034,SC2154

about="a file of the host, from one kernel into another"
kernels="main next"
stages=2
plan=5

stage_1() {
	check "the file can be kept" keep_demo
	tell release "$(uname -r)"
	remember sum "$(checksum)"
	tell sum "$(recall sum)"
	rm /demo
	note_down
	handover next
}

stage_2() {
	local sum
	sum=$(checksum)

	check "there is an incoming handover" came_from "$(recall release)" 1
	tell release "$(uname -r)"
	tell sum "$sum"
	tell bytes "$(client_stat demo bytes)"
	tell folios "$(client_stat demo folios)"
	tell orders "$(client_stat demo orders)"
	check "the content is right" same checksum "$sum" "$(recall sum)"
	check "each restored folio is like a new one" folios_sound
	check "the first kernel's copy is not here" test ! -e /demo
	finish
}

keep_demo() {
	echo demo >"$CLIENT/create" && cat /demo >"$CLIENT/files/demo"
}

checksum() {
	sha256sum "$CLIENT/files/demo" | cut -d ' ' -f 1
}

tell() {
	echo "kho-demo: stage $kho_stage $*"
}
