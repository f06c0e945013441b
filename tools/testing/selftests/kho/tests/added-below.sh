# SPDX-License-Identifier: GPL-2.0-only
#
# Memory that is hot-added below the top of RAM, where the command line left a
# hole. The next kernel does not know it at boot, so folios there are refused,
# also when the map has a leaf for them already; everything else is handed over.
#
# shellcheck shell=dash

about="hot-added memory below the top of RAM cannot be handed over"
kernels="main next"
machines=x86
mem=5G
hole=0x120000000
words="memmap=256M\$$hole"
limit=120
stages=2
plan=9

stage_1() {
	# One leaf of the map covers the folios of this order in 64 GiB.
	check "a file in memory of boot can be kept" keep letter 4M 9
	check "memory was hot-added below the top of RAM" add_memory
	check "nearly all memory can be preserved until hot-added memory is next" \
		all_but_added
	check "that is much of memory" test "$(kho_stat out preserved_bytes)" -gt $((2 << 30))
	remember kept "$(kho_stat out preserved_order_9)"
	note_down
	handover next "$words"
}

stage_2() {
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "all folios arrived" same folios "$(kho_stat in preserved_order_9)" "$(recall kept)"
	check "the file is intact" intact letter
	check "each restored folio is like a new one" folios_sound
	check "the folios can be released" eval "echo 1 >$KHO/in/release"
	finish
}

# Adds two memory blocks of 128 MiB.
add_memory() {
	local memory=/sys/devices/system/memory before block

	before=$(meminfo MemTotal)
	for block in $((hole)) $((hole + (128 << 20))); do
		printf '0x%x' "$block" >$memory/probe || return
		echo online_kernel >$memory/memory$((block >> 27))/state || return
	done
	near MemTotal "$(meminfo MemTotal)" $((before + 256 * 1024)) 1024
}

# The page allocator allocates hot-added memory last.
all_but_added() {
	local folios=$((($(meminfo MemFree) - $(meminfo CmaFree)) / 2048 - 40))

	if folios add "9 $folios phase=manual" 2>/tmp/why; then
		echo "$folios folios were preserved, some of them in hot-added memory"
		return 1
	fi
	grep -qE "Invalid argument|errno=22" /tmp/why || { cat /tmp/why; return 1; }
}
