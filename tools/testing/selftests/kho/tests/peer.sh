# SPDX-License-Identifier: GPL-2.0-only
#
# Handovers to a kernel that has a KHO of its own, and back, and from each of the two to
# itself: what one kernel preserves, the other one restores. Each handover has files and,
# from a client that calls each function of the API, a folio, a run of pages and a
# vmalloc area. A reserve_mem= region stays in place.
#
# host/peer/peer.sh decides which kernel the peer is.
#
# shellcheck shell=dash

about="handovers to another kernel's KHO and back"
when=asked
machines=x86
kernels="main peer"
turns=main,peer,peer,main,main,peer
# The peer allocates its struct pages from scratch.
words="test_kho_api.run=1 reserve_mem=4M:4096:data kho_scratch=64M,128M,64M"
mem=1G
stages=6
plan=56
limit=180

stage_1() {
	first_stage
}

first_stage() {
	check "a file can be kept" keep "$(file_of 1)" 30M
	check "the client of all functions finds nothing wrong" api_is "kept=3 taken=0 wrong=0"
	same_total
	set_out
}

# Exactly the files of the two previous stages are there.
later_stage() {
	local n=$kho_stage files
	files=$(file_of $((n - 1)))
	[ "$n" -eq 2 ] || files="$(file_of $((n - 2))) $files"

	check "it was kexec $((n - 1)), from the previous kernel" \
		metadata_says "$(recall release)" $((n - 1))
	check "exactly the files of the two previous stages are there" \
		same files "$(sorted "$(kept)")" "$(sorted "$files")"
	# shellcheck disable=SC2086 # words
	check "the files are intact" intact $files
	check "each restored folio is like a new one" folios_sound
	check "folio, pages and area are restored and preserved again" \
		api_is "kept=3 taken=3 wrong=0"
	check "scratch is where it was before" same scratch "$(regions out)" "$(recall scratch)"
	check "the region is where it was before" same region "$(region)" "$(recall region)"
	check "MemTotal is as in the same kernel before" same_total
	check "nine tenths of the memory can be used" usable 90
	[ "$n" -eq 2 ] || check "the oldest file can be dropped" forget "$(file_of $((n - 2)))"
	check "one more can be kept" keep "$(file_of "$n")" 30M
	[ "$n" -lt "$stages" ] || finish
	set_out
}

file_of() {
	echo "file-$1"
}

# With no5lvl both kernels have four levels of page tables, so that this kernel can unpack
# the peer ahead of the kexec.
set_out() {
	remember release "$(uname -r)"
	remember scratch "$(regions out)"
	remember region "$(region)"
	handover "$(echo "$turns" | cut -d , -f $((kho_stage + 1)))" "$words" no5lvl
}

api_is() {
	same "the client of all functions" "$(cat /sys/kernel/debug/test_kho_api)" "$1"
}

# The region's address and size, as KHO hands them over.
region() {
	od -A n -t x1 $KHO/out/sub_fdts/memblock | tr -d ' \n'
}
