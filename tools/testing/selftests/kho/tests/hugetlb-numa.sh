# SPDX-License-Identifier: GPL-2.0-only
#
# A machine with two nodes, and a pool on each. The pages of a file come back on their
# nodes, and each pool is as large as before. Afterwards one node has movable memory only.
# Pages of hugetlb there cannot be replaced, so a file with reservations is refused as long
# as such pages are free.
#
# shellcheck shell=dash

about="hugetlb pages of two nodes"
kernels="main next"
machines=x86
mem=2G
cpus=2
numa=2
pages=4k
words="liveupdate=on hugepages=0:10,1:6"
stages=3
plan=22
limit=120
when=asked
expect="hugetlb-luo: cannot hand over reservations: of 9 free pages"

stage_1() {
	check "each node has its pool" nodes_are 10 6 10 6
	start_agent keeper
	check "a file has pages of both" eval "
		ask keeper hugetlb a 21 && ask keeper hsize a 20 &&
		on_node 0 keeper && ask keeper hfill a 1 0 4 &&
		on_node 1 keeper && ask keeper hfill a 1 4 3"
	check "each node has fewer free pages" nodes_are 10 6 6 3
	check "some more are reserved" ask keeper hreserve a 10 5
	check "it can be preserved" all keeper "create s nodes
		preserve s 1 a"
	check "that changes nothing" nodes_are 10 6 6 3
	handover next "$words"
}

stage_2() {
	check "there is an incoming handover" came_in 1
	check "each node has its pool" nodes_are 10 6 6 3
	check "pages are reserved" same reserved \
		"$(sed -n 's/^HugePages_Rsvd: *//p' /proc/meminfo)" 5
	start_agent heir
	check "the file is there" all heir "retrieve s nodes
		take s 1 a
		hcheck a 1 0 7
		finish s"
	check "each node has its pool still" nodes_are 10 6 6 3
	on_node 1 heir
	check "reserved pages can be written to, also of the other node" ask heir hfill a 1 10 5
	check "all of node 1 are used before" nodes_are 10 6 4 0
	check "the file can be handed over once more" all heir "create t again
		preserve t 1 a"
	handover main "liveupdate=on hugepages=0:6,1:3 movable_node" \
		"test_kho_hotplug=$((1 << 30)),$((1 << 30))"
}

stage_3() {
	check "there is an incoming handover" came_in 2
	check "what node 1 has more is surplus" same surplus \
		"$(node_figure 0 surplus_hugepages) $(node_figure 1 surplus_hugepages)" "0 3"
	start_agent heir
	check "the file is there, and is closed" all heir "retrieve t again
		take t 1 a
		hcheck a 1 0 7
		finish t
		close a"
	check "each node has what it should" nodes_are 6 3 6 3
	check "a file can have reservations" all heir "create u refused
		hugetlb b 21
		hsize b 3
		hreserve b 0 3"
	check "it is refused for the movable pages" refused EBUSY ask heir preserve u 1 b
	check "it can be preserved without these" eval \
		"echo 0 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages &&
		ask heir preserve u 1 b"
	check "what is reserved can be written to" ask heir hfill b 1 0 3
	finish
}

# on_node NODE AGENT: from now on the agent runs on the CPU of this node.
on_node() {
	taskset -p $((1 << $1)) "$(agent_pid "$2")" >/dev/null
}

node_figure() {
	cat "/sys/devices/system/node/node$1/hugepages/hugepages-2048kB/$2"
}

# nodes_are PAGES0 PAGES1 FREE0 FREE1: nodes 0 and 1 have this many pages of hugetlb, and
# this many of them are free.
nodes_are() {
	same nodes "$(node_figure 0 nr_hugepages) $(node_figure 1 nr_hugepages) $(
		node_figure 0 free_hugepages) $(node_figure 1 free_hugepages)" "$1 $2 $3 $4"
}
