# SPDX-License-Identifier: GPL-2.0-only
#
# lib/memory.sh - figures about the machine's memory
#
# Owns the page size and what follows from it, how much memory the machine and
# its nodes have, how much of it is free, and how much can be allocated. Sizes
# are in KiB unless a name says otherwise.
#
# shellcheck shell=dash disable=SC2034

# The auxiliary vector's AT_PAGESZ: no text file in /proc has the page size.
page_size() {
	od -A n -t u8 /proc/self/auxv | awk '$1 == 6 { print $2 }'
}
PAGE_SIZE=$(page_size)
PAGE_KIB=$((PAGE_SIZE / 1024))

# The largest order of the page allocator, and the size of such a block in MiB,
# to which KHO rounds regions of scratch. A line of buddyinfo has "Node 0, zone
# NAME" and then a number for each order.
MAX_ORDER=$(awk 'NR == 1 { print NF - 5 }' /proc/buddyinfo)
BLOCK_MIB=$(((PAGE_SIZE << MAX_ORDER) >> 20))

# meminfo FIELD
meminfo() {
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

# The memory that is reserved for a crash kernel, as lines of /proc/iomem
crash_memory() {
	grep "Crash kernel" /proc/iomem
}

# MemTotal and the size of the device tree. The tree that firmware makes may be a
# MiB larger than those that kexec makes.
mem_total() {
	local fdt=/sys/firmware/fdt bytes=0

	[ ! -f $fdt ] || bytes=$(stat -c %s $fdt)
	echo $(($(meminfo MemTotal) + bytes / 1024))
}

# Compares MemTotal with its value in an earlier stage under the same kernel, because
# the two kernels are not equally large. Linux 7.3, the peer, has 992 KiB more after a
# handover from itself than after a cold start.
same_total() {
	local name tolerance=512
	name=total.$(uname -r)

	case $name in
	*-peer) tolerance=1024 ;;
	esac
	[ -f "$STATE/$name" ] || { remember "$name" "$(mem_total)"; return; }
	near MemTotal "$(mem_total)" "$(recall "$name")" $tolerance
}

# Free memory, once the kernel has settled: RCU frees with a delay.
mem_free() {
	local last now=0 try

	for try in 1 2 3 4 5; do
		last=$now
		now=$(node_free all)
		[ $((now - last)) -lt 64 ] && [ $((last - now)) -lt 64 ] && break
		sleep 0.1
	done
	: "$try"
	echo "$now"
}

# huge_mib MIB: files in shared memory have at least MIB in huge pages.
huge_mib() {
	local kib
	kib=$(meminfo ShmemHugePages)

	note "$((kib / 1024)) MiB are in huge pages"
	[ "$kib" -ge $(($1 * 1024)) ] || { echo "$kib KiB are in huge pages"; return 1; }
}

# node_meminfo NODE FIELD
node_meminfo() {
	sed -n "s/^Node $1 $2: *\([0-9]*\) kB/\1/p" \
		"/sys/devices/system/node/node$1/meminfo"
}

# node_free NODE|all: free memory, including the pages on the CPUs' own lists. A
# tenth of a node may be on those lists, and the kernel returns it to the zone's
# lists at any time.
node_free() {
	awk -v node="$1" -v kib=$PAGE_KIB '
		/^Node/ { here = (node == "all" || $2 == node ",") }
		here && ($1 == "count:" || $1 " " $2 == "pages free") { n += $NF }
		END { print n * kib }' /proc/zoneinfo
}

# The free memory that no allocation gets without reclaim: what is reserved for
# atomic allocations, and what zones have kept back since before begin_stage() told
# them not to. Of each there is one page block in a zone, which is much only where
# pages are larger than 4 KiB.
held_back() {
	[ "$PAGE_SIZE" != 4096 ] || { echo 0; return; }
	awk -v kib=$PAGE_KIB '
		BEGIN {
			for (size[7] = 1; i < 30; i++)
				size[i + 8] = 2 * size[i + 7]
		}
		$5 == "type" && $6 == "HighAtomic" {
			for (i = 7; i <= NF; i++)
				n += $i * size[i]
		}
		$1 == "boost" { n += $2 }
		END { print n * kib }' /proc/pagetypeinfo /proc/zoneinfo
}

# came_back BEFORE BYTES: BYTES have been freed since BEFORE KiB were free.
came_back() {
	local freed=$(($(mem_free) - $1)) kib=$(($2 / 1024))

	note "$freed of $kib KiB are free again"
	[ $freed -ge $((kib - kib / 50 - 1024)) ]
}

# usable PERCENT: a file in tmpfs can take PERCENT of the available memory.
usable() {
	local kib=$(($(meminfo MemAvailable) * $1 / 100)) status=0

	mkdir -p /tmp/fill
	mount -t tmpfs -o size=100% tmpfs /tmp/fill
	fallocate -l $((kib * 1024)) /tmp/fill/it || status=1
	umount /tmp/fill
	return $status
}
