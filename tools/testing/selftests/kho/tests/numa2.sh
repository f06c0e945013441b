# SPDX-License-Identifier: GPL-2.0-only
#
# A file from each node. The kernel and its early allocations may move from node to
# node, so the MemTotal of a node may differ by less than half of what is kept there.
# The number of pages of each node and the total memory may not differ.
#
# numa1 and numa4 run this scenario on other machines.
#
# shellcheck shell=dash

about="a file on each of two nodes"
kernels="main next"
numa=2
cpus=2
mem=2G
stages=2
plan=11

# CPU N is on node N. If that node has no memory, CPU N gets memory of the nearest
# node.
readonly KEPT=64M
readonly SLACK_KIB=30000

stage_1() {
	local cpu

	for cpu in $(seq 0 $((cpus - 1))); do
		taskset -p $((1 << cpu)) $$ >/dev/null
		check "a file can be kept from CPU $cpu" keep_near "$cpu"
	done
	remember nodes "$(nodes)"
	for cpu in $(seq 0 $((cpus - 1))); do
		remember "present.$cpu" "$(present "$cpu")"
		remember "total.$cpu" "$(node_meminfo "$cpu" MemTotal)"
	done
	note_down
	handover next
}

stage_2() {
	local cpu

	check "no memory is lost" arrived 1
	check "the same nodes are there" same nodes "$(nodes)" "$(recall nodes)"
	check "each restored folio is like a new one" folios_sound
	for cpu in $(seq 0 $((cpus - 1))); do
		check "the file of CPU $cpu is intact" intact "near-$cpu"
		check "node $cpu is as large as before" same_node "$cpu"
		check "the memory returns to node $cpu" forget_near "$cpu"
	done
	finish
}

nodes() {
	cat /sys/devices/system/node/online
}

# present NODE: how many pages the node has, free or not.
present() {
	awk -v node="$1" '/^Node/ { here = ($2 == node ",") }
		here && $1 == "present" { n += $2 }
		END { print n + 0 }' /proc/zoneinfo
}

same_node() {
	same "pages of node $1" "$(present "$1")" "$(recall "present.$1")" &&
		near "MemTotal of node $1" "$(node_meminfo "$1" MemTotal)" \
			"$(recall "total.$1")" $SLACK_KIB
}

keep_near() {
	local before kept
	before=$(node_free "$1")
	kept=$(kho_stat out preserved_bytes)

	keep "near-$1" $KEPT || return
	remember "kib.$1" $((($(kho_stat out preserved_bytes) - kept) / 1024))
	moved "taken from node $1" "$1" $((before - $(node_free "$1")))
}

forget_near() {
	local before
	before=$(node_free "$1")

	forget "near-$1" || return
	moved "given back to node $1" "$1" $(($(node_free "$1") - before))
}

# moved WHAT NODE KIB: KIB is about what the node's file takes, or nothing if the
# node has no memory.
moved() {
	local kib
	kib=$(recall "kib.$2")

	[ "$(node_meminfo "$2" MemTotal)" -gt 0 ] || kib=0
	near "$1, in KiB" "$3" "$kib" 8192
}
