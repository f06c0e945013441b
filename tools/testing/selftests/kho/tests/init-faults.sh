# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel that runs out of memory while it prepares the next handover: of the
# allocations that this needs, every sixth fails once. The incoming handover is there
# nevertheless, and the log says what will not be handed over.
#
# With host/vm/test.sh init-faults:kho_every=1 each of them fails, which takes ten minutes.
#
# shellcheck shell=dash

kho_every=${kho_every:-6}
about="allocations fail at boot, and the incoming handover is there"
kernels="debug"
# The client has to set kprobes before KHO's core_initcall. arm64 has no memory for
# kprobes until all core_initcalls have run.
machines=x86
words="reserve_mem=1M::data kho_every=$kho_every"
# The number of allocations depends on the kernel, and on what is near the region, since
# the region shares leaves of the map with that. At cold boot there are fewer.
allocations=40 at_least=24
faults=$(((allocations + kho_every - 1) / kho_every))
# In the last two stages the number is too high for any allocation to fail.
stages=$((2 * faults + 2))
plan=$((5 * faults + 4))
limit=$((60 + 15 * stages))
expect="KHO: cannot set up|KHO: no reserve_mem= region|KHO: reserve_mem=data"

# Odd stages keep a file and hand it over to even stages, where an allocation fails.
stage_1() {
	later_stage
}

later_stage() {
	local handover=$((kho_stage / 2))
	local nth=$((1 + (handover - 1) * kho_every))

	if [ $((kho_stage % 2)) -eq 1 ]; then
		nth=$((nth + kho_every))
		[ "$kho_stage" -lt $((2 * faults + 1)) ] || nth=1000
		[ "$(kept)" = letter ] || keep letter 3M
		note_down
		handover debug "$words test_kho_init_fault=$nth"
	fi

	check "handover $handover arrived" has_said "KHO: handover from $(recall release)"
	check "the file is intact" intact letter
	check "each restored folio is like a new one" folios_sound
	if [ "$handover" -gt "$faults" ]; then
		check "no allocation was left to fail" \
			has_said "test_kho: there are (2[4-9]|[345][0-9]) allocations"
		finish
	fi
	check "allocation $nth failed, or there are fewer" failed_if_there "$nth"
	check "the log says what is not handed over" said_if_there "$nth"
	handover debug "$words"
}

# Prints how many allocations there are, if none of them failed.
counted() {
	dmesg | sed -n 's/.*test_kho: there are \([0-9]*\) allocations$/\1/p' | grep . || echo 0
}

fewer_than() {
	local nr
	nr=$(counted)
	[ "$nr" -ge $at_least ] && [ "$nr" -lt "$1" ]
}

failed_if_there() {
	fewer_than "$1" || has_said "test_kho: allocation $1 failed"
}

said_if_there() {
	fewer_than "$1" || said_once
}

# Either KHO is off, or it does not hand over the region.
said_once() {
	if has_said "KHO: cannot set up the outgoing side .-12.: no memory can be" >/dev/null; then
		! kho_enabled && [ -e "$KHO/in/release" ]
	else
		kho_enabled && has_said "KHO: .*reserve_mem="
	fi
}
