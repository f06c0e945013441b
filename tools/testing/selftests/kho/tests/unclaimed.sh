# SPDX-License-Identifier: GPL-2.0-only
#
# Folios that nobody restores in the next kernel: the log has their number, they stay
# preserved, and root can free them. Folios that have an owner are not affected.
#
# shellcheck shell=dash

about="unclaimed folios are reported and kept, and root can free them"
kernels="main next"
mem=1G
stages=3
plan=19

RELEASE=/sys/kernel/debug/kho/in/release

stage_1() {
	check "KHO is on" kho_enabled
	remember total "$(mem_total)"
	check "single pages can be preserved" folios add "0 1000 scattered phase=manual"
	check "folios can be preserved" folios add "9 20 phase=manual"
	check "a large folio can be preserved" folios add "12 1 phase=manual"
	check "a file can be kept" keep letter 10M
	remember release "$(uname -r)"
	handover next
}

stage_2() {
	local folios kib free

	folios=$(kho_stat in unclaimed_folios)
	kib=$(($(kho_stat in unclaimed_bytes) / 1024))
	check "there is an incoming handover" came_from "$(recall release)" 1
	# These include what the client needs to find its folios.
	check "as many folios are unclaimed as were preserved" near folios "$folios" 1021 8
	check "the log has their number and their size" \
		has_said "KHO: $folios folios, $kib KiB, .* wait"
	# Pages that wait are in use, like any allocated page.
	check "MemTotal counts their memory" near MemTotal "$(mem_total)" "$(recall total)" 512
	check "other values than 1 free nothing" not_released
	free=$(mem_free)
	check "root can free them" eval "echo 1 >$RELEASE"
	check "the log has the number of freed folios" \
		has_said "KHO: $folios folios .* are free now"
	check "none is unclaimed any more" same unclaimed "$(kho_stat in unclaimed_folios)" 0
	check "their memory is free" came_back "$free" $((kib * 1024))
	check "the file is intact" intact letter
	check "nine tenths of the memory can be used" usable 90
	handover main
}

stage_3() {
	check "the log has no unclaimed folios" has_not_said "KHO: .* wait"
	check "there is nothing to free" released_none
	check "the file is intact" intact letter
	finish
}

not_released() {
	echo 0 >"$RELEASE" || return
	! echo perhaps 2>/dev/null >"$RELEASE" || return
	same unclaimed "$(kho_stat in unclaimed_folios)" "$folios"
}

released_none() {
	echo 1 >"$RELEASE" && has_said "KHO: 0 folios .* are free now"
}
