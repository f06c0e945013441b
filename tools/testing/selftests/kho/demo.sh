# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh - the guest's part of host/vm/demo.sh: a scenario about a real file
#
# The file is /demo in the first kernel's root file system only: what the
# second kernel reads can have come by KHO alone. Lines "kho-demo: NAME VALUE"
# are for the host.
#
# shellcheck shell=dash disable=SC2034,SC2154

about="a file of the host, from one kernel into another"
kernels="main next"
stages=2
plan=5

stage_1() {
	check "the file is kept" keep_demo
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

	check "it was handed over to" came_from "$(recall release)" 1
	tell release "$(uname -r)"
	tell sum "$sum"
	tell bytes "$(client_stat demo bytes)"
	tell folios "$(client_stat demo folios)"
	tell orders "$(client_stat demo orders)"
	check "the content is right" same checksum "$sum" "$(recall sum)"
	check "each folio is a proper one" folios_sound
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
