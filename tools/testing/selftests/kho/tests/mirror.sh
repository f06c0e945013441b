# SPDX-License-Identifier: GPL-2.0-only
#
# kernelcore=mirror on a machine that mirrors some of its memory, or so the kernel
# believes. ZONE_NORMAL and ZONE_MOVABLE span the same pages then. Struct pages of which
# initialisation is deferred get the higher zone, whatever is mirrored, and those of
# folios must get the same, also if they are restored before.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/limits.sh
. "$kho_tests/limits.sh"

about="kernelcore=mirror: preserved folios are in the zone that they would be in"
kernels="main next"
machines=x86
mem=6G
words="test_kho_count kernelcore=mirror test_kho_mirror=0,2G,4G,128M,4608M,512M,6G,512M"
limit=180
stages=3
plan=14

stage_1() {
	check "KHO is on" kho_enabled
	check "two zones span the same pages" zones_overlap
	remember release "$(uname -r)"
	handover next nokaslr "$words"
}

stage_2() {
	local phase

	check "there is an incoming handover" came_from "$(recall release)" 1
	remember release "$(uname -r)"
	remember managed "$(managed)"
	for phase in memblock early late manual; do
		check "movable folios for $phase can be preserved" add_movable "$phase"
	done
	# This keeps the initrd as large as before, so that as much memory is freed late.
	stages=$((kho_stage + 2))
	handover next nokaslr "$words"
}

stage_3() {
	check "there is an incoming handover" came_from "$(recall release)" 2
	check "two zones span the same pages" zones_overlap
	check "some memory was initialised late" has_said "deferred pages initialised"
	check "each struct page was initialised once" pages_once
	check "each zone has as many managed pages" \
		each_near managed "$(managed)" $((1024 / PAGE_KIB)) 0
	check "the other folios can be restored" folios restore
	check "the restored folios are like new ones" folios_fine
	finish
}

add_movable() {
	folios add "0 100 scattered movable phase=$1" && folios add "9 20 movable phase=$1" &&
		folios add "10 20 movable phase=$1 then=free"
}

# The last zone of the node begins before the zone before it ends.
zones_overlap() {
	awk '
		/^Node 0, zone/ { zone = $4 }
		$1 == "spanned" { spanned = $2 }
		$1 == "start_pfn:" { start[zone] = $2; end[zone] = $2 + spanned }
		END {
			for (zone in start)
				print zone, start[zone], end[zone]
			exit !(start["Movable"] && start["Movable"] < end["Normal"])
		}' /proc/zoneinfo
}
