# SPDX-License-Identifier: GPL-2.0-only
#
# All memory of a node is preserved, so that it has no room for its own struct pages.
# Then its struct pages are on another node, which has nothing preserved, and the kernel
# starts as on any machine. Such a kernel can start the next one.
#
# The first kernel does not know of the nodes, which the command line of the second one
# makes. All that the first kernel has for itself is at the beginning and at the end of
# memory: on the first and on the last node. A kernel that knows the nodes has memory for
# itself on each of them, and there the next kernel finds room.
#
# shellcheck shell=dash

about="a node that is full has its struct pages on another one"
kernels="main"
machines=x86
words="nokaslr movablecore=256M"
mem=1G
stages=3
plan=13

stage_1() {
	check "there is one node" same nodes "$(nodes)" 0
	check "its struct pages are there" folio_stat_is remote_sections 0
	check "unmovable memory can be preserved" fill_unmovable
	handover main nokaslr numa=fake=256M
}

stage_2() {
	check "there are three nodes" same nodes "$(nodes)" 0-2
	check "there is an incoming handover" came_in 1
	check "some struct pages are not on their node" remote
	check "the folios can be restored" folios restore
	check "the restored folios are like new ones" folios_fine
	check "they can be dropped" folios drop
	check "memory of the full node can be preserved again" \
		folios add "9 $(($(node_free 1) * 9 / 10 / 2048)) phase=manual node=1"
	handover main nokaslr numa=fake=256M
}

stage_3() {
	check "there is an incoming handover" came_in 2
	check "the folios can be restored" folios restore
	check "the restored folios are like new ones" folios_fine
	finish
}

nodes() {
	cat /sys/devices/system/node/online
}

# Preserves single pages, because the borders of such nodes are not aligned to any larger
# folio. Leaves enough memory to load a kernel.
fill_unmovable() {
	folios add "0 $((($(unmovable_free) - (96 << 10)) / PAGE_KIB)) phase=manual"
}

# Free memory outside of ZONE_MOVABLE and of scratch, in KiB
unmovable_free() {
	awk -v kib=$PAGE_KIB '
		/^Node/ { here = $4 != "Movable" }
		here && ($1 == "count:" || $1 " " $2 == "pages free") { n += $NF }
		here && $1 == "nr_free_cma" { n -= $2 }
		END { print n * kib }' /proc/zoneinfo
}

# The struct pages of some sections are on another node than the memory of the section.
remote() {
	note "$(folio_stat remote_sections) sections"
	[ "$(folio_stat remote_sections)" -gt 0 ]
}
