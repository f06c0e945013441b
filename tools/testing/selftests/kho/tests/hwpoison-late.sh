# SPDX-License-Identifier: GPL-2.0-only
#
# Hardware reports the first bad pages when the next kernel is loaded already: one in
# scratch, one that is free, and pages of what is preserved. That kernel knows them all the
# same. It restores folios before the core_initcalls: the owners are told, and bad pages
# that their owners free that early are not used again.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/hwpoison.sh
. "$kho_tests/hwpoison.sh"

about="pages that went bad after the kernel was loaded, and bad pages restored early"
plan=28
expect="KHO: (memory at .* is bad|the (folio|run) .* page|nothing to restore at)"
expect="$expect|test_kho: (cannot preserve .* again .-133|.*wrong result of preserving)"

stage_1() {
	local page

	check "a file of single pages can be kept" keep singles 1M 0
	check "a file of large folios can be kept" keep large 4M 9
	check "another file can be kept" keep letter 3M
	check "a run of pages can be kept" create_area pages 8 1
	check "a page can be kept that its owner will free early" \
		folios add "0 1 phase=memblock then=free"
	remember freed $(($(folio_stat last)))
	check "so can a large folio" folios add "5 1 phase=early then=free"
	remember part $(($(folio_stat last) + 3 * PAGE_SIZE))
	check "no page is bad" same KiB "$(meminfo HardwareCorrupted)" 0
	remember free "$(free_page)"
	remember single "$(address_of singles)"
	remember middle $(($(address_of large) + 5 * PAGE_SIZE))
	remember run $((($(run_pfn) + 3) * PAGE_SIZE))
	remember regions "$(scratch_mib out)"
	note_down

	load_next next test_kho_early
	# The initramfs is packed, so stage 2 has to find this page itself.
	remember scratch "$(pages_of_scratch out 10 | tail -n 1)"
	for page in scratch free single middle run freed part; do
		make_bad "$(recall "$page")" || bail_out "$page cannot be made bad"
	done
	leave
}

later_stage() {
	check "there is an incoming handover" came_from "$(recall release)" $((kho_stage - 1))
	[ "$kho_stage" -gt 2 ] ||
		remember scratch "$(pages_of_scratch in 19)"
	check "the kernel knows that these pages are bad" each_bad scratch free single middle run
	check "it counts each bad page once" \
		same KiB "$(meminfo HardwareCorrupted)" $((7 * PAGE_KIB))
	check "the pages that were freed early are bad" each_bad freed part
	check "they are not free" not_free freed part
	check "the other file is intact" intact letter
	if [ "$kho_stage" -eq 2 ]; then
		check "the owner of the single page was told" told singles
		check "the owner of the large folio was told" told large
		check "the owner of the run was told" told_run
		check "the restored folios are like new ones" \
			has_said "test_kho: restored early and checked again, 0 bad"
		check "what has bad pages can be dropped" drop_bad
		remember release "$(uname -r)"
		handover main
	fi
	check "scratch has a block less" \
		same MiB "$(scratch_mib in)" $(($(recall regions) - BLOCK_MIB))
	check "no region of scratch has the bad page" not_in_scratch "$(recall scratch)"
	check "nearly all memory can be used" usable 90
	check "the pages are still bad" each_bad scratch free single middle run
	finish
}

# pages_of_scratch in|out BIT: prints the addresses of all pages of scratch that have this
# bit in kpageflags. No page of an image that is in place is free.
pages_of_scratch() {
	local start size

	regions "$1" | while read -r start size; do
		dd if=/proc/kpageflags bs=8 2>/dev/null \
			skip=$((start / PAGE_SIZE)) count=$((size / PAGE_SIZE)) |
			od -A n -v -w8 -t u8 |
			awk -v first=$((start / PAGE_SIZE)) -v size="$PAGE_SIZE" \
				-v bit=$((1 << $2)) '
				int($1 / bit) % 2 { printf "%.0f\n", (first + NR - 1) * size }'
	done
}

run_pfn() {
	sed -n 's/.* first=\([^ ]*\) .*/\1/p' "$AREAS/stats"
}

not_free() {
	local page

	for page; do
		! is_flag 10 "$(recall "$page")" || { echo "$page is free"; return 1; }
	done
}

told_run() {
	has_said "KHO: the run at .*, 8 pages, .* contains a page that hardware"
}

drop_bad() {
	forget singles large && drop_areas
}
