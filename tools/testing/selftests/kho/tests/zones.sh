# SPDX-License-Identifier: GPL-2.0-only
#
# Each kernel has other zones, nodes and memory than the one before. All preserved memory is
# there, whatever zone and node it is in now. A folio above MAX_PAGE_ORDER that would lie
# in two zones is not restored, and its memory is not lost. A folio that would lie on two
# nodes, or in memory that the next kernel does not know, makes that kernel refuse the
# handover, in one line.
#
# shellcheck shell=dash

about="kernels that differ in kernelcore=, movablecore=, movable_node, mem=, memmap=, numa="
kernels="main debug"
machines=x86
mem=3G
cpus=2
numa=2
limit=300
stages=7
plan=51
expect="KHO: handover refused: folio at .* is (on two NUMA nodes|not in RAM); booting as from cold"
expect="$expect|KHO: cannot restore the folio at .* it is in two zones of this kernel"
expect="$expect|test_kho: wrong: cannot restore a preserved folio"

# Node 0 has the lowest 1536 MiB. Node 1 has memory up to 2 GiB, and 1 GiB from 4 GiB on.
GIANT=14
HALF=$((PAGE_SIZE << GIANT >> 1))
# Memory is at its lowest address in each kernel, apart from the kernel itself.
COUNT="test_kho_count nokaslr"
# The kernel "debug" is half as large again as "main".
words="$COUNT mem=1536M movable_node test_kho_hotplug=1G,512M kho_scratch=250%"

# Only node 0 has memory, and the upper 512 MiB of it are hot-pluggable.
stage_1() {
	check "KHO is on" kho_enabled
	check "the hot-pluggable memory is movable" movable_from 0 $((1 << 30))
	check "no region of scratch is there" outside_of $((1 << 30)) $((1536 << 20))
	check "a file can be kept" keep letter 10M
	check "folios in movable memory can be kept" folios add "9 20 movable phase=early"
	check "gigantic folios can be kept" folios add "$GIANT 8 phase=early then=free low"
	remember giant "$(folio_stat last)"
	check "another gigantic folio can be kept" folios add "$GIANT 1 phase=memblock low"
	note_down
	# kernelcore= is what is below the border: all memory from 1 MiB on, and a little.
	handover debug "$COUNT mem=1536M" \
		"kernelcore=$((($(recall giant) + HALF - (1 << 20)) >> 10))K"
}

# The border of two zones is in the last of the gigantic folios.
stage_2() {
	check "there is an incoming handover" came_in 1
	check "only node 0 has memory" same nodes "$(nodes_with memory)" 0
	check "ZONE_MOVABLE begins within a folio" movable_from 0 $(($(recall giant) + HALF))
	check "that folio is not restored" has_said \
		"KHO: cannot restore the folio at 0x0*$(printf %x "$(recall giant)") for"
	check "the others were restored" same folios \
		"$(folio_stat restored_memblock) $(folio_stat restored_early)" "1 27"
	check "nothing else is wrong" folio_stat_is bad 1
	check "each struct page was initialised once" pages_once
	check "the file is intact" intact letter
	check "the refused folio still waits" same folios "$(kho_stat in unclaimed_folios)" 1
	check "its memory can be released" release
	check "gigantic folios can be kept" folios add "$GIANT 2 phase=late low"
	handover main "$COUNT movablecore=2G"
}

# There is more memory than before. All of the new memory is in ZONE_MOVABLE.
stage_3() {
	check "there is an incoming handover" came_in 2
	check "both nodes have memory" same nodes "$(nodes_with memory)" 0-1
	check "the new memory is movable" movable_from 1 $((4 << 30))
	check "the folios were restored" folio_stat_is restored_late 2
	check "the folios are like new ones" folios_fine
	check "each struct page was initialised once" pages_once
	check "the file is intact" intact letter
	check "gigantic folios can be kept" folios add "$GIANT 1 phase=early low"
	handover main "$COUNT mem=4G numa=fake=3"
}

# The memory that stage 3 had in addition is gone again, and the nodes are others.
stage_4() {
	check "there is an incoming handover" came_in 3
	check "there are three nodes" same nodes "$(nodes_with memory)" 0-2
	check "the folio was restored" folio_stat_is restored_early 1
	check "the folios are like new ones" folios_fine
	check "each struct page was initialised once" pages_once
	check "the file is intact" intact letter
	check "gigantic folios can be kept" folios add "$GIANT 4 phase=early node=0"
	remember giant "$(folio_stat last)"
	remember scratch "$(regions out)"
	# Nodes get 32 MiB more than numa=fake= says, because of the hole below 1 MiB.
	handover main "$COUNT mem=4G numa=fake=$(($(recall giant) >> 20))M"
}

# The first two nodes meet within a folio.
stage_5() {
	check "there is no incoming handover" no_handover
	check "it was refused for the folio" refused_for "is on two NUMA nodes"
	check "scratch is as it was" same scratch "$(regions out)" "$(recall scratch)"
	check "a file can be kept" keep letter 10M
	check "a gigantic folio can be kept" folios add "$GIANT 1 phase=early low"
	remember giant "$(folio_stat last)"
	handover main "$COUNT memmap=4M\$$(($(recall giant) + HALF))"
}

# In this kernel, some memory of the folio is not RAM.
stage_6() {
	check "there is no incoming handover" no_handover
	check "it was refused for the folio" refused_for "is not in RAM"
	check "a file can be kept" keep letter 10M
	check "a gigantic folio can be kept" folios add "$GIANT 1 phase=early low"
	remember giant "$(folio_stat last)"
	check "it can be forgotten" folios forget
	# CPU 1 gets memory above 4 GiB, which is far from the folio that was forgotten.
	taskset -p 2 $$ >/dev/null
	check "movable folios can be kept" folios add "9 20 movable phase=early"
	taskset -p 3 $$ >/dev/null
	handover main "$COUNT memmap=4M\$$(($(recall giant) + HALF))" \
		movable_node test_kho_hotplug=4G,1G
}

# Some memory that was not preserved is not RAM here, and some memory is hot-pluggable.
stage_7() {
	check "there is an incoming handover" came_in 1
	check "some memory is missing" not_ram $(($(recall giant) + HALF))
	check "the hot-pluggable memory is movable" movable_from 1 $((4 << 30))
	check "the folios were restored" folio_stat_is restored_early 20
	check "the folios are like new ones" folios_fine
	check "each struct page was initialised once" pages_once
	check "the file is intact" intact letter
	finish
}

# movable_from NODE ADDRESS: ZONE_MOVABLE of the node begins at this address.
movable_from() {
	same "first page of ZONE_MOVABLE" "$(awk -v node="$1," '
		/^Node/ { here = $2 == node && $4 == "Movable" }
		here && $1 == "start_pfn:" { print $2 }' /proc/zoneinfo)" $(($2 / PAGE_SIZE))
}

# outside_of START END: no region of scratch has memory in that range.
outside_of() {
	local start size

	regions out >/tmp/regions
	while read -r start size; do
		[ $((start)) -ge "$2" ] || [ $((start + size)) -le "$1" ] ||
			{ echo "$start has $size bytes"; return 1; }
	done </tmp/regions
}

nodes_with() {
	cat "/sys/devices/system/node/has_$1"
}

release() {
	echo 1 >$KHO/in/release && same folios "$(kho_stat in unclaimed_folios)" 0
}

# One line says that the handover was refused, and names the folio that the previous stage
# noted.
refused_for() {
	same lines "$(dmesg | grep -c "KHO: handover refused")" 1 &&
		has_said "KHO: handover refused: folio at 0x0*$(printf %x "$(recall giant)"), .* $1"
}

not_ram() {
	local range rest

	while read -r range rest; do
		case $rest in
		*"System RAM") ;;
		*) continue ;;
		esac
		[ "$1" -lt $((0x${range%-*})) ] || [ "$1" -gt $((0x${range#*-})) ] ||
			{ echo "$range is RAM"; return 1; }
	done </proc/iomem
}
