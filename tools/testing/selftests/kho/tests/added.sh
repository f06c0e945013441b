# SPDX-License-Identifier: GPL-2.0-only
#
# Memory that is hot-added while the kernel runs. The next kernel does not know of
# it before it has booted, so neither preserved folios nor the map may be in such
# memory. When the hot-added memory takes movable pages only, everything else can be
# handed over.
#
# shellcheck shell=dash

about="hot-added memory cannot be handed over"
kernels="main next"
machines=x86
dimm=512M
words="memhp_default_state=online_kernel"
stages=3
plan=11

stage_1() {
	check "memory was hot-added" more_than 800
	check "a file in hot-added memory cannot be kept" refused
	check "KHO is on" kho_enabled
	handover next memhp_default_state=online_movable
}

stage_2() {
	check "there is an incoming handover" handover_said "$(uname -r | sed 's/-kho-b/-kho-a/')" 1
	check "memory was hot-added" more_than 800
	check "a file in other memory can be kept" keep letter 10M
	note_down
	handover main memhp_default_state=online_movable
}

stage_3() {
	check "there is an incoming handover" came_from "$(recall release)" 2
	check "memory was hot-added" more_than 800
	check "the file is intact" intact letter
	check "each restored folio is like a new one" folios_sound
	check "the file can be dropped" forget letter
	finish
}

# The kernel takes memory for itself from the highest zone first, which is the
# hot-added one.
refused() {
	if keep letter 10M >/tmp/why 2>&1; then
		echo "the file was kept"
		return 1
	fi
	forget letter
	grep -qE "Invalid argument|errno=22" /tmp/why || { cat /tmp/why; return 1; }
}

# more_than MIB: MemTotal is larger than MIB.
more_than() {
	[ "$(meminfo MemTotal)" -gt $(($1 * 1024)) ] ||
		{ echo "only $(meminfo MemTotal) KiB"; return 1; }
}
