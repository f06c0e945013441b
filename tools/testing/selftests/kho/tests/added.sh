# SPDX-License-Identifier: GPL-2.0-only
#
# Memory that is added when the kernel is up. The next kernel does not know of it
# before it is up itself, so nothing that lies there can be handed over, and the
# map does not either. With such memory for movable pages alone all else can.
#
# shellcheck shell=dash

about="memory that is added after boot cannot be handed over"
kernels="main next"
machines=x86
dimm=512M
words="memhp_default_state=online_kernel"
stages=3
plan=11

stage_1() {
	check "memory was added" more_than 800
	check "what lies there cannot be kept" refused
	check "KHO is on" kho_enabled
	handover next memhp_default_state=online_movable
}

stage_2() {
	check "there was a handover" handover_said "$(uname -r | sed 's/-kho-b/-kho-a/')" 1
	check "memory was added" more_than 800
	check "a file can be kept, elsewhere" keep letter 10M
	note_down
	handover main memhp_default_state=online_movable
}

stage_3() {
	check "there was a handover" came_from "$(recall release)" 2
	check "memory was added" more_than 800
	check "the file is intact" intact letter
	check "each folio is a proper one" folios_sound
	check "the file can be dropped" forget letter
	finish
}

# Memory of the kernel's own comes from the highest zone first.
refused() {
	if keep letter 10M >/tmp/why 2>&1; then
		echo "it was kept"
		return 1
	fi
	forget letter
	grep -qE "Invalid argument|errno=22" /tmp/why || { cat /tmp/why; return 1; }
}

# more_than MIB
more_than() {
	[ "$(meminfo MemTotal)" -gt $(($1 * 1024)) ] ||
		{ echo "only $(meminfo MemTotal) KiB"; return 1; }
}
