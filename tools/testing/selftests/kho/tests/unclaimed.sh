# SPDX-License-Identifier: GPL-2.0-only
#
# Folios that nobody asks for in the next kernel: the log has how many there are,
# they stay what they are, and root can have the memory back. What has an owner
# is none the worse for it.
#
# shellcheck shell=dash

about="folios that nobody asks for are said, kept, and freed by root"
kernels="main next"
mem=1G
stages=3
plan=19

RELEASE=/sys/kernel/debug/kho/in/release

stage_1() {
	check "KHO is on" kho_enabled
	remember total "$(mem_total)"
	check "pages can be preserved" folios add "0 1000 scattered phase=manual"
	check "so can folios" folios add "9 20 phase=manual"
	check "and a large one" folios add "12 1 phase=manual"
	check "a file can be kept" keep letter 10M
	remember release "$(uname -r)"
	handover next
}

stage_2() {
	local folios kib

	folios=$(kho_stat in unclaimed_folios)
	kib=$(($(kho_stat in unclaimed_bytes) / 1024))
	check "it is a handover" came_from "$(recall release)" 1
	# With them what the client needs to find them.
	check "as many wait as were preserved" near folios "$folios" 1021 8
	check "the log has how many, and how much that is" \
		has_said "KHO: $folios folios, $kib KiB, .* wait"
	check "their memory is not there" \
		near MemTotal "$(mem_total)" $(($(recall total) - kib)) $((128 * PAGE_KIB))
	check "nothing is freed if nobody is sure" not_released
	check "root can free them" eval "echo 1 >$RELEASE"
	check "the log has how many" has_said "KHO: $folios folios .* are free now"
	check "none is left" same unclaimed "$(kho_stat in unclaimed_folios)" 0
	check "their memory is there" near MemTotal "$(mem_total)" "$(recall total)" 512
	check "the file is intact" intact letter
	check "nine tenths of the memory can be used" usable 90
	handover main
}

stage_3() {
	check "nothing waits" has_not_said "KHO: .* wait"
	check "and there is nothing to free" released_none
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
