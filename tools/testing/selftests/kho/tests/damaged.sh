# SPDX-License-Identifier: GPL-2.0-only
#
# In each round the map or the scratch array is overwritten right before the kexec:
# bits, words, addresses, whole pages. Either the next kernel finds something wrong,
# says so once and boots without the handover. Or nothing is visibly wrong: then each
# file is intact, or is missing, or its owner is told that a part of it is missing.
#
# host/vm/test.sh damaged:kho_seed=100:kho_rounds=20 runs it with other damage;
# host/vm/damage.sh runs it many times.
#
# shellcheck shell=dash

kho_seed=${kho_seed:-1}
kho_rounds=${kho_rounds:-10}
kho_damage=${kho_damage:-map}
about="damage to the map and to scratch, $kho_rounds times, seed $kho_seed"
kernels="main"
# With a checksum, the kernel would notice all damage.
words="kho_seed=$kho_seed kho_rounds=$kho_rounds kho_checksum=off"
limit=$((60 + 20 * kho_rounds))
expect="KHO: (handover refused|nothing to restore|no room|.* is more than|blob .* ignored)"
expect="$expect|test_kho: |no valid kexec-metadata"
stages=$((kho_rounds + 1))
plan=$((3 * kho_rounds))

stage_1() {
	next_round
}

later_stage() {
	note "seed $((kho_seed + kho_stage - 2)): $(outcome)"
	check "the kernel says once what is wrong, or accepts the handover" said_once
	check "each file is intact, or its damage is known" intact_or_known
	[ "$kho_stage" -le "$kho_rounds" ] || { memory_is_fine; finish; }
	next_round
}

memory_is_fine() {
	check "nine tenths of the memory can be used" usable 90
}

# Keeps small folios next to each other, and large ones, and damages the handover.
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
		same lines "$(dmesg | grep -c 'KHO: handover refused: .*; booting as from cold')" 1
	fi
}

# Checks those files of earlier rounds that the damage has not removed. When the map
# no longer names a folio, the file's owner cannot restore it, and so learns of the
# damage.
intact_or_known() {
	local name

	[ "$(kept)" != none ] || return 0
	for name in $(kept); do
		has_said "test_kho: file $name is damaged" >/dev/null ||
			intact "$name" || return
		forget "$name" || return
	done
}
