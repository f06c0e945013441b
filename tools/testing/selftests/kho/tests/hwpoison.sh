# SPDX-License-Identifier: GPL-2.0-only
#
# Hardware reports pages as bad: one in scratch, one that is free, one of a file of
# single pages and one in the middle of a large folio. No later kernel may use the first
# two, not even for its own image, and the owners of the others are told.
#
# shellcheck shell=dash

about="pages that hardware reported as bad are not used by the next kernels"
kernels="main next"
machines=x86
mem=1G
stages=3
plan=27
limit=120
expect="KHO: (memory at .* is bad|the (folio|run) .* page)|test_kho: cannot preserve .* again .-133"

stage_1() {
	local page

	check "a file of single pages can be kept" keep singles 1M 0
	check "a file of large folios can be kept" keep large 4M 9
	check "another file can be kept" keep letter 3M
	remember scratch "$(end_of_scratch)"
	remember free "$(free_page)"
	remember single "$(address_of singles)"
	remember middle $(($(address_of large) + 5 * PAGE_SIZE))
	remember regions "$(scratch_mib out)"

	for page in scratch free single middle; do
		check "a page can be bad: $page" make_bad "$(recall "$page")"
	done
	note_down
	handover next
}

later_stage() {
	check "there is an incoming handover" came_from "$(recall release)" $((kho_stage - 1))
	check "the kernel knows that these pages are bad" each_bad scratch free
	check "it counts bad pages" test "$(meminfo HardwareCorrupted)" -ge $((2 * PAGE_KIB))
	check "scratch has a block less" \
		same MiB "$(scratch_mib in)" $(($(recall regions) - BLOCK_MIB))
	check "no region of scratch has the bad page" not_in_scratch "$(recall scratch)"
	check "the other file is intact" intact letter
	if [ "$kho_stage" -eq 2 ]; then
		check "the kernel knows about preserved pages, too" each_bad single middle
		check "the owner of the single page was told" told singles
		check "the owner of the large folio was told" told large
		check "both files can be dropped" forget singles large
		check "their bad pages are still known" each_bad single middle
		remember release "$(uname -r)"
		handover main
	fi
	check "the kernel knows that dropped pages are bad" each_bad single middle
	check "nearly all memory can be used" usable 90
	check "the pages are still bad" each_bad scratch free single middle
	finish
}

# Prints the address of the last page of scratch, without the low-memory region.
end_of_scratch() {
	regions out | sed 1d | while read -r start size; do
		echo $((start + size - PAGE_SIZE))
	done | sort -n | tail -n 1
}

# Prints the address of a page that is free and not in scratch. Bit 10 of kpageflags says
# that a page is free.
free_page() {
	local pfn

	for pfn in $(seq $((0x20000)) $((0x28000))); do
		is_flag 10 $((pfn * PAGE_SIZE)) || continue
		not_in_scratch $((pfn * PAGE_SIZE)) >/dev/null || continue
		echo $((pfn * PAGE_SIZE))
		return
	done
}

# is_flag BIT ADDRESS: the page at ADDRESS has this bit in kpageflags.
is_flag() {
	local word

	word=$(dd if=/proc/kpageflags bs=8 count=1 skip=$(($2 / PAGE_SIZE)) 2>/dev/null |
		od -A n -t u8)
	[ $(((word >> $1) & 1)) -eq 1 ]
}

address_of() {
	client_stat "$1" at
}

make_bad() {
	printf '0x%x' "$1" >/sys/devices/system/memory/hard_offline_page 2>/dev/null
	is_flag 19 "$1"
}

each_bad() {
	local page

	for page; do
		is_flag 19 "$(recall "$page")" || { echo "$page is not bad"; return 1; }
	done
}

not_in_scratch() {
	local start size direction=out

	[ ! -d "$KHO/in" ] || direction=in
	regions "$direction" >/tmp/regions
	while read -r start size; do
		[ $(($1)) -lt $((start)) ] || [ $(($1)) -ge $((start + size)) ] ||
			{ echo "it is in $start, $size"; return 1; }
	done </tmp/regions
}

told() {
	local address

	address=$(address_of "$1")
	has_said "KHO: the folio at 0x0*${address#0x}, order .* contains a page that hardware"
}
