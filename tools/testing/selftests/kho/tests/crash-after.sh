# SPDX-License-Identifier: GPL-2.0-only
#
# After a handover, a kernel has all that its command line asks for, as at cold boot: 1 GiB
# for a crash kernel, in high and in low memory, gigantic pages on the same nodes, and an
# area of CMA.
# Scratch is much smaller than any of them. A panic starts the crash kernel, which has
# only its own memory.
#
# shellcheck shell=dash

about="crashkernel=, hugepages= and cma= after a handover, and a crash"
kernels="main"
machines=x86
words="crashkernel=1G,high hugepagesz=1G hugepages=2 cma=64M"
expect="Kernel panic - not syncing: Attempted to kill init|Call Trace"
mem=10G
numa=2
cpus=2
limit=120
stages=3
plan=13

GIGANTIC=/sys/kernel/mm/hugepages/hugepages-1048576kB

stage_1() {
	check "memory for a crash kernel is reserved" crash_memory
	check "there are gigantic pages" same "gigantic pages" "$(cat $GIGANTIC/nr_hugepages)" 2
	check "scratch is not larger because of them" scratch_below 65 out
	check "a file can be kept" keep letter 100M
	remember crash "$(crash_memory)"
	remember gigantic "$(gigantic)"
	note_down
	handover main "$words"
}

stage_2() {
	check "there is an incoming handover" came_in 1
	check "the file is intact" intact letter
	check "as much memory is for a crash kernel" \
		same sizes "$(crash_memory | sizes_of)" "$(recall crash | sizes_of)"
	check "there are as many gigantic pages on each node" \
		same "gigantic pages" "$(gigantic)" "$(recall gigantic)"
	check "there is an area of CMA" has_said "cma: Reserved 64 MiB at"
	check "none of them is in scratch" none_in_scratch
	crash_into main
}

stage_3() {
	check "this is the crash kernel" test -e /proc/vmcore
	check "KHO is off" kho_disabled
	check "it has only the reserved memory" test "$(meminfo MemTotal)" -lt $((1300 << 10))
	finish
}

# The sizes of ranges of /proc/iomem, one a line
sizes_of() {
	local range rest

	while read -r range rest; do
		echo $((0x${range#*-} - 0x${range%-*} + 1))
	done
}

# The number of gigantic pages of each node
gigantic() {
	cat /sys/devices/system/node/node*/hugepages/${GIGANTIC##*/}/nr_hugepages
}

# No memory for the crash kernel is in scratch: it would have to lie within one region, and
# the regions are too small.
none_in_scratch() {
	local start size range rest from to

	regions out >/tmp/regions
	crash_memory >/tmp/crash
	while read -r start size; do
		while read -r range rest; do
			from=$((0x${range%-*})) to=$((0x${range#*-}))
			[ $from -ge $((start + size)) ] || [ $to -lt $((start)) ] ||
				{ echo "$range is in scratch"; return 1; }
		done </tmp/crash
	done </tmp/regions
}
