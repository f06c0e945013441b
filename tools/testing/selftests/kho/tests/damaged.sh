# SPDX-License-Identifier: GPL-2.0-only
#
# In each round the map or the scratch array is written over right before the
# kexec: bits, words, addresses, whole pages. The next kernel finds something
# wrong, says so once and boots as from cold; or there is nothing wrong that one
# can see, and then files have what was in them, are not there, or their owner
# is told that a part of them is not.
#
# host/vm/test.sh damaged:kho_seed=100:kho_rounds=20 is another run of it;
# host/vm/damage.sh makes many.
#
# shellcheck shell=dash

kho_seed=${kho_seed:-1}
kho_rounds=${kho_rounds:-10}
kho_damage=${kho_damage:-map}
about="damage to the map and to scratch, $kho_rounds times, seed $kho_seed"
kernels="main"
# A checksum would notice all of it.
words="kho_seed=$kho_seed kho_rounds=$kho_rounds kho_checksum=off"
limit=$((60 + 20 * kho_rounds))
expect="KHO: (handover refused|nothing to restore|no room|.* is more than|blob .* ignored)"
expect="$expect|test_kho: |handover from a kernel"
stages=$((kho_rounds + 1))
plan=$((3 * kho_rounds))

stage_1() {
	next_round
}

later_stage() {
	note "seed $((kho_seed + kho_stage - 2)): $(outcome)"
	check "the kernel says once what is wrong, or takes over" said_once
	check "a file is as it was, or is known not to be" intact_or_known
	[ "$kho_stage" -le "$kho_rounds" ] || { memory_is_fine; finish; }
	next_round
}

memory_is_fine() {
	check "nine tenths of the memory can be used" usable 90
}

# Small folios near to each other and large ones.
next_round() {
	[ "$kho_stage" -eq 1 ] || memory_is_fine
	if ! keep "large-$kho_stage" 3M || ! keep "small-$kho_stage" 300K 0; then
		bail_out "nothing can be preserved"
	fi
	echo "$((kho_seed + kho_stage - 1)) $kho_damage" >/sys/kernel/debug/test_kho_damage ||
		bail_out "nothing can be damaged"
	handover main "$words"
}

outcome() {
	dmesg | sed -n 's/.*KHO: \(handover [rf].*\)/\1/p' | head -1
}

said_once() {
	if [ -d "$KHO/in" ]; then
		has_not_said 'KHO: handover refused'
	else
		same lines "$(dmesg | grep -c 'KHO: handover refused: .*, booting as from cold')" 1
	fi
}

# Those of the last rounds, if nobody wrote over what tells of them. A folio that
# the map does not name any more is refused to the owner of the file, who knows
# by that.
intact_or_known() {
	local name

	[ "$(kept)" != none ] || return 0
	for name in $(kept); do
		has_said "test_kho: $name came back damaged" >/dev/null ||
			intact "$name" || return
		forget "$name" || return
	done
}
