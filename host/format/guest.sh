# SPDX-License-Identifier: GPL-2.0-only
#
# guest.sh - the guest's part of tests about the format, which their scenarios source
#
# verify.py reads the lines "kho-format: NAME VALUE" that it prints.
#
# shellcheck shell=dash

AREAS=/sys/kernel/debug/test_kho_areas
REGIONS=/sys/kernel/debug/test_kho_regions

tell() {
	echo "kho-format: $*"
}

# tell_all KEXECS: prints what is handed over, as this kernel sees it. KEXECS is the
# kexec count.
tell_all() {
	local name

	tell release "$(uname -r)"
	tell kexecs "$1"
	tell log "$(grep -q '^kho-6.12,log ' /sys/kernel/kho/blobs && echo True)"
	tell nodes "$(echo /sys/devices/system/node/node[0-9]* | wc -w)"
	regions out | while read -r name; do tell scratch "$name"; done
	while read -r name; do tell stat "$name"; done <"$KHO/out/stats"
	for name in $(kept); do
		tell file "$name $(client_stat "$name" bytes) $(client_stat "$name" orders)" \
			"$(checksum "$CLIENT/files/$name")"
	done
	sed -n 's/^vmalloc pages=\([0-9]*\) order=\([0-9]*\) .*/\1 \2/p' "$AREAS/stats" |
		while read -r name; do tell area "$name"; done
	[ ! -e "$REGIONS/data" ] || tell region "data $(region_at)" \
		"$(wc -c <"$REGIONS/data") $(checksum "$REGIONS/data")"
}

# Prints the address of the region, without leading zeroes.
region_at() {
	dmesg | sed -n 's/.*test_kho: region data is at 0x0*/0x/p'
}

checksum() {
	sha256sum "$1" | cut -d ' ' -f 1
}

# Ends the scenario with a kexec into the program "stop", which leaves memory as it is.
stop() {
	stop_with ""
}

# stop_with WORDS: the same, with these words on its command line
stop_with() {
	rm -f /tmp/initrd
	load_kernel load stop "$1" || bail_out "cannot load stop"
	ktap_print_totals
	marker "end of $kho_test"
	kexec_load exec
	bail_out "kexec did not happen"
}
