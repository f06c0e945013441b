# SPDX-License-Identifier: GPL-2.0-only
#
# Everything at the same time, under lockdep: threads preserve and unpreserve, processes
# read debugfs and load kernels, and CPUs go offline and online. Afterwards, memory
# that holds preserved folios cannot go offline, and a handover works.
#
# shellcheck shell=dash

about="callers on four CPUs, debugfs, kexec loads and CPU hotplug at once"
kernels="debug"
# In ZONE_MOVABLE, only memory blocks with scratch or with reserved pages, such as those of
# the kernel where KASLR put it, cannot go offline. Some of the blocks have neither.
words="movablecore=1G"
expect="KHO: memory cannot go offline"
mem=1536M
cpus=4
limit=300
stages=2
plan=15

BUSY=/sys/kernel/debug/test_kho_busy
MOVABLE=/sys/kernel/debug/test_kho_movable
CPU=/sys/devices/system/cpu
MEMORY=/sys/devices/system/memory

stage_1() {
	check "the CPUs are there" same "CPUs" "$(nproc)" "$cpus"
	# The threads use the order of this file, too, because the map keeps all leaves
	# that it ever needed.
	check "a file can be kept" keep letter 8M 3
	check "threads can be started" warm_up
	remember preserved "$(preserved)"

	echo 4 >$BUSY
	{ read_all 30; echo "status $?"; } >/tmp/readers 2>&1 &
	check "a kernel can be loaded over and over, while CPUs go offline and online" loads 6
	wait $!
	check "debugfs can be read meanwhile" grep -qx "status 0" /tmp/readers
	echo 0 >$BUSY
	note "$(cat $BUSY)"
	check "each thread made progress" [ "$(busy_stat fewest)" -gt 0 ]
	check "no call went wrong" same wrong "$(busy_stat wrong)" 0
	check "no more is preserved than before" same preserved "$(preserved)" "$(recall preserved)"
	check "all CPUs are back" same "CPUs" "$(nproc)" "$cpus"
	check_plugged "memory that holds a preserved folio cannot go offline" stays_plugged
	check_plugged "the same holds for a movable folio" movable_stays
	note_down
	echo 4 >$BUSY
	handover debug "$words"
}

# The threads were still running at the kexec. No client restores what they had
# preserved.
stage_2() {
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "each restored folio is like a new one" folios_sound
	check "the file is intact" intact letter
	check "folios that nobody restores can be freed" echo_into "$KHO/in/release"
	finish
}

# Makes the map allocate all leaves that the threads will need.
warm_up() {
	echo 4 >$BUSY && sleep 2 && echo 0 >$BUSY
}

busy_stat() {
	sed -n "s/^$1 //p" $BUSY
}

preserved() {
	kho_stat out preserved_folios
}

# loads N: loads and unloads a kernel N times. A CPU is offline at each unload.
loads() {
	local i=0

	pack_initrd
	while [ $((i += 1)) -le "$1" ]; do
		kexec_load load /boot/debug /tmp/initrd quiet || return
		echo 0 >$CPU/cpu$((i % 3 + 1))/online || return
		kexec_load unload || return
		echo 1 >$CPU/cpu$((i % 3 + 1))/online || return
	done
}

read_all() {
	local i=0

	while [ $((i += 1)) -le "$1" ]; do
		cat "$KHO"/out/stats "$KHO"/out/fdt "$KHO"/out/scratch_* >/dev/null || return
		# Blobs come and go, so their files may be gone already.
		cat "$KHO"/out/sub_fdts/* >/dev/null 2>&1 || :
		[ "$(preserved)" -gt 0 ] || { cat "$KHO/out/stats"; return 1; }
	done
}

# check_plugged WHAT COMMAND: as check(), except on arm64. There, memory that was
# present at boot never goes offline, and hot-added memory is never handed over.
check_plugged() {
	if [ "$(uname -m)" = aarch64 ]; then
		ktap_test_skip "- $1"
	else
		check "$@"
	fi
}

stays_plugged() {
	cannot_go "$(client_stat letter at)" && intact letter
}

# The folio is a page of a file in memory, and nothing pins it. Were it not preserved, the
# kernel would move it.
movable_stays() {
	local at now

	echo 1 >$MOVABLE || return
	read -r _ at _ now <$MOVABLE
	cannot_go "$at" || return
	has_said "KHO: memory cannot go offline: a folio of order 0 at $at is preserved" || return
	read -r _ _ _ now <$MOVABLE
	same address "$now" "$at" || return
	echo 0 >$MOVABLE
}

# cannot_go ADDRESS: the memory block with that address stays online.
cannot_go() {
	local block

	block=$(($1 / 0x$(cat $MEMORY/block_size_bytes)))
	[ "$(cat "$MEMORY/memory$block/state")" = online ] || { echo "no block $block"; return 1; }
	! echo offline >"$MEMORY/memory$block/state" ||
		{ echo "block $block went offline"; return 1; }
	same state "$(cat "$MEMORY/memory$block/state")" online
}

echo_into() {
	echo 1 >"$1"
}
