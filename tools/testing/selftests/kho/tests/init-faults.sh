# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel that has not the memory to get ready for the next handover: of the
# allocations that takes, every fourth fails once. What came in is there all the
# same, and the log says what will not be handed over.
#
# host/vm/test.sh init-faults:kho_every=1 has all of them fail, in five minutes.
#
# shellcheck shell=dash

kho_every=${kho_every:-4}
about="allocations of the start fail, and what came in is there"
kernels="nodefer"
# The client sets kprobes, which arm64 has no memory for before the core_initcalls
# are over, and KHO's is one of these.
machines=x86
words="reserve_mem=1M::data kho_every=$kho_every"
# At cold boot there are less: the region is near to what else is preserved.
allocations=25
faults=$(((allocations + kho_every - 1) / kho_every))
# One more, in which there are no more.
stages=$((2 * faults + 2))
plan=$((5 * faults + 4))
limit=$((60 + 15 * stages))
expect="KHO: cannot set up|KHO: no reserve_mem= region|KHO: reserve_mem=data"

# Odd stages have a file, and hand it over to even ones, where something fails.
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
		handover nodefer "$words test_kho_init_fault=$nth"
	fi

	check "handover $handover came" has_said "KHO: handover from $(recall release)"
	check "the file is intact" intact letter
	check "each folio is a proper one" folios_sound
	if [ "$handover" -gt "$faults" ]; then
		check "there are no more allocations" \
			has_said "test_kho: there are 2[5-9] allocations"
		finish
	fi
	check "allocation $nth failed" has_said "test_kho: allocation $nth failed"
	check "it is said what is not handed over" said_once
	handover nodefer "$words"
}

# Either all of KHO is off, or just the region stays behind.
said_once() {
	if has_said "KHO: cannot set up .-12., KHO is off for the next kernel" >/dev/null; then
		! kho_enabled && [ -e "$KHO/in/release" ]
	else
		kho_enabled && has_said "KHO: .*reserve_mem="
	fi
}
