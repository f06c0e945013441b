# SPDX-License-Identifier: GPL-2.0-only
#
# The root FDT changes all the time while somebody reads it. What he reads is as
# it was at one moment, also when he reads in parts.
#
# shellcheck shell=dash

about="what debugfs shows of what changes is never half of it"
kernels="main"
cpus=2
stages=1
plan=7

readonly TOGGLE=/sys/kernel/debug/test_kho_errors/toggle

stage_1() {
	local without with

	# What was behind the nodes settles with the first changes.
	check "a blob can come and go" toggle 4
	without=$(sum)
	check "it can come" toggle 1
	with=$(sum)
	check "which is seen" differ "$without" "$with"
	check "and has a file" [ -f "$KHO/out/sub_fdts/test-kho-toggle" ]
	check "what is read in two parts is of one moment" same "what was read" \
		"$(in_two_parts)" "$with"
	check "and gone from there" same "what is there" "$(sum)" "$without"
	check "two hundred readers see all of a change or nothing" readers_see "$without" "$with"
	finish
}

toggle() {
	echo "$1" >$TOGGLE
}

sum() {
	md5sum <"$KHO/out/fdt" | cut -d ' ' -f 1
}

differ() {
	[ "$1" != "$2" ] || { echo "it is the same"; return 1; }
}

in_two_parts() {
	{
		dd bs=100 count=1
		toggle 1
		cat
	} <"$KHO/out/fdt" 2>/dev/null | md5sum | cut -d ' ' -f 1
}

# readers_see SUM SUM: these and nothing else, each of them at least once.
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
