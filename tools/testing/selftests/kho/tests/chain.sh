# SPDX-License-Identifier: GPL-2.0-only
#
# Handovers to another kernel and back. Each kernel gets three files, adds one
# and drops the oldest. In the end nothing of the first kernel is left except the
# scratch array, and what KHO needs for itself has not grown.
#
# host/vm/test.sh chain:kho_handovers=200 takes a quarter of an hour.
#
# shellcheck shell=dash

kho_handovers=${kho_handovers:-6}
about="$kho_handovers handovers between two kernels, with new and dropped files"
kernels="main next"
words="kho_handovers=$kho_handovers"
stages=$((kho_handovers + 1))
plan=$((1 + 8 * kho_handovers))
limit=$((50 + 20 * kho_handovers))

stage_1() {
	check "three files can be kept" keep_three
	remember release "$(uname -r)"
	remember total "$(mem_total)"
	handover next "$words"
}

# In stage N, after N-1 kexecs, the incoming files are N-1, N and N+1.
later_stage() {
	local n=$kho_stage
	local files="file-$((n - 1)) file-$n file-$((n + 1))"

	check "kexec $((n - 1)) was a handover" came_from "$(recall release)" $((n - 1))
	check "exactly three files are there" same files "$(sorted "$(kept)")" "$(sorted "$files")"
	# shellcheck disable=SC2086 # words
	check "the files are intact" intact $files
	check "each restored folio is like a new one" folios_sound
	check "no memory is lost" \
		near MemTotal "$(mem_total)" "$(recall total)" 512
	check "scratch is where it was before" same_scratch
	check "the oldest file can be replaced" replace "$n"
	check "what is preserved does not grow" same_size

	[ "$n" -lt "$stages" ] || finish
	remember release "$(uname -r)"
	handover "$(next_in_turn)" "$words"
}

keep_three() {
	keep file-1 3M && keep file-2 3M 0 && keep file-3 3M 9
}

replace() {
	forget "file-$(($1 - 1))" && keep "file-$(($1 + 2))" 3M
}

next_in_turn() {
	[ $((kho_stage % 2)) -eq 1 ] && echo next || echo main
}

# From the fifth stage on the files have the same number of folios. Only their
# addresses differ, so the map may need a few leaves more or less.
same_size() {
	local nodes folios
	nodes=$(kho_stat out map_nodes)
	folios=$(kho_stat out preserved_folios)

	note "$folios folios, $nodes nodes"
	same "folios unclaimed" "$(kho_stat in unclaimed_folios)" 0 || return
	[ "$kho_stage" -ge 5 ] || return 0
	[ -f "$STATE/folios" ] || { remember folios "$folios"; remember nodes "$nodes"; }
	same "folios preserved" "$folios" "$(recall folios)" || return
	[ "$nodes" -le $(($(recall nodes) + 12)) ] || { echo "$nodes nodes"; return 1; }
}

same_scratch() {
	[ -f "$STATE/scratch" ] || regions in >"$STATE/scratch"
	same "scratch" "$(regions in)" "$(recall scratch)" &&
		same "scratch to hand over" "$(regions out)" "$(recall scratch)"
}
