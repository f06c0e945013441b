# SPDX-License-Identifier: GPL-2.0-only
#
# in.sh - the guest's part of host/tests/format-in.sh and format-edges.sh
#
# shellcheck shell=dash

# shellcheck source=host/format/guest.sh
. /kho/format.sh
# shellcheck source=/dev/null
. /kho/facts

stages=1
plan=12

stage_1() {
	check "a handover came in" came_from "$fact_release" "$fact_kexecs"
	check "scratch is what was written" same scratch "$(sizes in)" "$fact_scratch"
	check "so are the files" files_right
	check "and nothing else is there" same files "$(kept | wc -w)" "$(echo "$fact_files" | wc -w)"
	check "each folio is a proper one" folios_sound
	check "so are vmalloc areas" grep -q "^areas=$fact_areas .* bad=0 " "$AREAS/stats"
	check "and the region of reserve_mem=" region_right
	check "blobs are shown" blobs_right
	check "folios that no client restored are still there" \
		same unclaimed "$(kho_stat in unclaimed_folios)" "$fact_unclaimed"
	check "the frequency of the local APIC timer is used if it can be right" lapic_right
	check "nine tenths of the memory can be used" usable 90
	check "the kernel is content" has_not_said 'BUG:|WARNING:|Bad page'
	tell_all $((fact_kexecs + 1))
	tell_fdt in
	tell_fdt out
	stop
}

# fact_files has NAME:BYTES:SHA256 of each file.
files_right() {
	local file name

	for file in $fact_files; do
		name=${file%%:*}
		same "$name" "$name:$(client_stat "$name" bytes):$(checksum "$CLIENT/files/$name")" \
			"$file" || return
	done
}

region_right() {
	[ -z "$fact_region" ] || same data "$(checksum "$REGIONS/data")" "$fact_region"
}

# fact_blobs has NAME:SHA256 of each blob.
blobs_right() {
	local blob name

	for blob in $fact_blobs; do
		name=${blob%%:*}
		same "$name" "$name:$(checksum "$KHO/in/sub_fdts/$name")" "$blob" || return
	done
}

lapic_right() {
	if [ "${fact_lapic-}" = ignored ]; then
		has_said 'says that the local APIC timer has 18446744073709551615 Hz: ignored'
	else
		has_not_said 'local APIC timer has .* Hz: ignored'
	fi
}

# tell_fdt in|out: prints the root FDT on one line, for the host, which has dtc
tell_fdt() {
	echo "kho-fdt: $1 $(gzip -c "$KHO/$1/fdt" | base64 | tr -d '\n')"
}
