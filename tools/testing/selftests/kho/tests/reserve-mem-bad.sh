# SPDX-License-Identifier: GPL-2.0-only
#
# The blob that hands over reserve_mem= regions is damaged: the whole blob, one region,
# the address of one region, the name of one region. The kernel makes a fresh region
# instead of an invalid one, and revives the others. The rest of the handover is not
# affected.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/reserve-mem.sh
. "$kho_tests/reserve-mem.sh"

about="reserve_mem= regions in a damaged blob"
words="reserve_mem=8M:2M:data $oops reserve_mem=$PAGE_SIZE::page $more,page"
expect="KHO: (blob memblock|reserve_mem region)"
stages=7
plan=48

stage_1() {
	check "the regions can be written" eval "fill_region data && fill_region more"
	check "a file can be kept" keep letter 10M
	remember total "$(mem_total)"
	check "the blob can be damaged" change_blob d00dfeed d00dfeee
	on_to next "$words"
}

stage_2() {
	check "one line says that the blob is damaged" \
		said_once "blob memblock at 0x[0-9a-f]* is damaged"
	check "nothing is revived" has_not_said "KHO: .* bytes at .* revived"
	fresh_ones data more
	# The kernel cannot find the old regions. They stay preserved: 13 MiB and the blob.
	check "the memory of the old regions waits" near "KiB that wait" \
		$(($(kho_stat in unclaimed_bytes) / 1024)) $((13 * 1024)) $((128 * PAGE_KIB))
	remember total "$(mem_total)"
	check "a region can be damaged" change_blob "$(hex_text mem-v1)" "$(hex_text mem-v9)"
	on_to main "$words"
}

stage_3() {
	one_lost data "oops page more"
	region_revived more
	fresh_ones data
	check "a region can get the address of another one" \
		change_blob "$(hex_u64 "$(address more)")" "$(hex_u64 "$(address data)")"
	on_to next "$words"
}

stage_4() {
	one_lost more "data oops page"
	region_revived data
	fresh_ones more
	check "a region can get an address without memory" \
		change_blob "$(hex_u64 "$(address data)")" "$(hex_u64 0xfffffffffffff000)"
	on_to main "$words"
}

stage_5() {
	one_lost data "oops page more"
	region_revived more
	fresh_ones data
	check "a region can get the address of the root FDT" \
		change_blob "$(hex_u64 "$(address page)")" "$(hex_u64 "$(fdt_address)")"
	on_to next "$words"
}

stage_6() {
	one_lost page "data oops more"
	region_revived data
	check "two regions can get the same name" \
		change_blob "$(hex_text more)" "$(hex_text data)"
	on_to main "$words"
}

stage_7() {
	check "the log names the second region of that name" \
		said_once "reserve_mem region data is .* twice"
	check "the other regions are revived" revived "data oops page"
	region_revived data
	fresh_ones more
	check "nine tenths of the memory can be used" usable 90
	finish
}

said_once() {
	same lines "$(dmesg | grep -cE "KHO: $1")" 1
}

# fresh_ones NAME...: these regions exist and can be written, and the kept file is intact.
fresh_ones() {
	local name

	for name; do
		check "a fresh $name can be written" fill_region "$name"
	done
	check "the file is intact" intact letter
}

# one_lost NAME REVIVED: region NAME is invalid, and the regions REVIVED are revived.
one_lost() {
	check "the log names the invalid region" said_once "reserve_mem region $1 is not what"
	check "the other regions are revived" revived "$2"
}

revived() {
	same revived "$(dmesg | sed -n 's/.*KHO: reserve_mem=\(.*\): .* revived/\1/p' | xargs)" "$1"
}

fdt_address() {
	dmesg | sed -n 's/.*test_kho: root FDT is at //p'
}

# hex_text and hex_u64 print text or a number as hexadecimal bytes in memory order.
hex_text() {
	printf %s "$1" | od -A n -t x1 | tr -d ' \n'
}

hex_u64() {
	printf %016x "$1" | fold -w 2 | sed '1!G;h;$!d' | tr -d '\n'
}

# change_blob FROM TO: replaces the first occurrence of the bytes FROM in the blob.
change_blob() {
	local at
	at=$(od -A n -v -t x1 <"$REGIONS/blob" | tr -d ' \n' |
		awk -v what="$1" '{ print index($0, what) }')

	[ "${at:-0}" -gt 0 ] || { echo "no $1 in the blob"; return 1; }
	# shellcheck disable=SC2059
	printf "$(echo "$2" | sed 's/../\\x&/g')" |
		dd of="$REGIONS/blob" bs=1 seek=$((at / 2)) conv=notrunc 2>/dev/null
}
