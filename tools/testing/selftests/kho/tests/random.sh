# SPDX-License-Identifier: GPL-2.0-only
#
# Random handovers: in each round the client preserves folios of random orders, on random
# nodes, alone or scattered. The next kernel restores them in random phases of boot, and
# keeps, frees or splits them. The same seed makes the same choices each time.
#
# host/vm/test.sh random:kho_seed=2:kho_numa=4 runs it with another seed; host/vm/random.sh
# runs it many times.
#
# shellcheck shell=dash

kho_seed=${kho_seed:-1}
kho_rounds=${kho_rounds:-4}
about="random folios handed over $kho_rounds times, seed $kho_seed"
kho_kernels=${kho_kernels:-main,next}
kernels=$(echo "$kho_kernels" | tr , ' ')
words="kho_seed=$kho_seed kho_rounds=$kho_rounds kho_kernels=$kho_kernels test_kho_count"
mem=${kho_mem:-2G}
cpus=${kho_cpus:-4}
numa=${kho_numa:-2}
limit=$((60 + 30 * kho_rounds))
expect="KHO: nothing to restore"
stages=$((kho_rounds + 1))
plan=$((7 * kho_rounds + 1))

stage_1() {
	note "seed $kho_seed"
	note_down
	next_round
}

later_stage() {
	check "round $kho_stage: the restored folios are like new ones" folios_fine
	check "each struct page was initialised once" pages_once
	check "the unclaimed folios can be restored" folios restore
	check "all folios were restored" all_back
	check "all folios can be dropped" folios drop
	check "all memory can be used" fill
	check "no memory is lost" same_total
	[ "$kho_stage" -gt "$kho_rounds" ] || next_round
	check "the client reported nothing wrong" folios_fine_all
	finish
}

next_round() {
	local kernel="${kernels%% *}"

	folios random "$((kho_seed * 1000 + kho_stage)) 300" ||
		bail_out "nothing can be preserved"
	remember out "$(folio_stat out)"
	[ $((kho_stage % 2)) -eq 0 ] || kernel=$(last_kernel)
	handover "$kernel" "$words" "$(grow_word)"
}

# In every other round, the next kernel takes so much memory that zones have to grow
# early.
grow_word() {
	[ $((kho_stage % 2)) -eq 1 ] || echo test_kho_grow=400
}

all_back() {
	local phase sum=0

	for phase in memblock page_alloc early threads late manual; do
		sum=$((sum + $(folio_stat "restored_$phase")))
	done
	same "folios restored" "$sum" "$(recall out)"
}

same_total() {
	near MemTotal "$(mem_total)" "$(recall total)" 512
}

folios_fine_all() {
	has_not_said 'test_kho: .*wrong'
}
