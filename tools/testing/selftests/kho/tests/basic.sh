# SPDX-License-Identifier: GPL-2.0-only
#
# The simplest scenario: keep a file, change the kernel, check the file, drop it.
#
# shellcheck shell=dash

about="one file, from one kernel into another"
kernels="main next"
stages=2
plan=13

stage_1() {
	check "KHO is on" kho_enabled
	check "there is no incoming handover at cold boot" no_handover
	check "a file can be kept" keep letter 10M
	check "the file can be read" intact letter
	remember sum "$(checksum)"
	note_down
	handover "$(last_kernel)"
}

stage_2() {
	check "this is another kernel" differs "$(recall release)"
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "the same files are there" same files "$(kept)" letter
	check "the content is right" intact letter
	check "SHA-256 is the same" same checksum "$(checksum)" "$(recall sum)"
	check "each restored folio is like a new one" folios_sound
	check "no memory is lost" arrived 1

	local before
	before=$(mem_free)
	check "the file can be dropped" forget letter
	check "its memory is free again" came_back "$before" "$(bytes 10M)"
	finish
}

checksum() {
	sha256sum "$CLIENT/files/letter" | cut -d ' ' -f 1
}

differs() {
	[ "$(uname -r)" != "$1" ] || { echo "it is still $1"; return 1; }
}
