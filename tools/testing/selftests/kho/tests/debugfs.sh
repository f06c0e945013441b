# SPDX-License-Identifier: GPL-2.0-only
#
# The root FDT changes while a process reads it from debugfs. A reader sees the root
# FDT of one moment, even when it reads the file in parts.
#
# shellcheck shell=dash

about="debugfs never shows a root FDT that is half changed"
kernels="main"
cpus=2
stages=1
plan=7

readonly TOGGLE=/sys/kernel/debug/test_kho_errors/toggle

stage_1() {
	local without with

	# The bytes after the last node change with the first blob, and never again.
	check "a blob can be added and removed" toggle 4
	without=$(sum)
	check "a blob can be added" toggle 1
	with=$(sum)
	check "the root FDT has changed" differ "$without" "$with"
	check "the blob has a file" [ -f "$KHO/out/sub_fdts/test-kho-toggle" ]
	check "two reads of one open file are of the same moment" same "what was read" \
		"$(in_two_parts)" "$with"
	check "the root FDT no longer has the blob" same "the root FDT" "$(sum)" "$without"
	check "two hundred readers see a whole change or none of it" readers_see "$without" "$with"
	finish
}

toggle() {
	echo "$1" >$TOGGLE
}

sum() {
	md5sum <"$KHO/out/fdt" | cut -d ' ' -f 1
}

differ() {
	[ "$1" != "$2" ] || { echo "they are the same"; return 1; }
}

in_two_parts() {
	{
		dd bs=100 count=1
		toggle 1
		cat
	} <"$KHO/out/fdt" 2>/dev/null | md5sum | cut -d ' ' -f 1
}

# readers_see SUM SUM: readers see these two sums only, each of them at least once.
readers_see() {
	local pid=''

	rm -f /tmp/seen
	for _ in $(seq 200); do
		if [ -z "$pid" ] || ! kill -0 "$pid" 2>/dev/null; then
			toggle 20000 &
			pid=$!
		fi
		sum
	done >/tmp/seen
	wait

	! grep -vx -e "$1" -e "$2" /tmp/seen || return
	same "different ones" "$(sort -u /tmp/seen | wc -l)" 2
}
