# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel computes watermarks and other limits from the size of its memory while it
# boots. Pages that wait for their owner count as memory that is in use, so these
# limits must not depend on how much was handed over. The same kernel boots twice: the
# first time nothing is preserved, the second time nearly half of the memory, most of
# it still unclaimed. On x86, deferred initialisation initialises the memory above
# 4 GiB.
#
# shellcheck shell=dash

about="the limits of a kernel are the same when half of the memory is preserved"
kernels="main next"
mem=5G
pages=4k
limit=240
stages=3
plan=25
# The test kernels have no network, but other kernels may.
readonly TCP_MEM=net/ipv4/tcp_mem
[ ! -f /proc/sys/$TCP_MEM ] || plan=26

stage_1() {
	check "KHO is on" kho_enabled
	remember release "$(uname -r)"
	# Without KASLR the second and the third kernel are at the same address.
	handover next nokaslr
}

stage_2() {
	check "there is an incoming handover" came_from "$(recall release)" 1
	check "it has no file" same files "$(kept)" none
	check "it has no folios of the phases client" nothing_came
	check "some memory was initialised late" has_said "deferred pages initialised"

	remember release "$(uname -r)"
	remember total "$(mem_total)"
	remember managed "$(managed)"
	remember watermarks "$(watermarks)"
	remember_sysctl vm/min_free_kbytes
	remember_sysctl kernel/threads-max
	remember_sysctl fs/file-max
	[ ! -f "/proc/sys/$TCP_MEM" ] || remember_sysctl "$TCP_MEM"
	remember free "$(mem_free)"

	check "a file of large folios can be kept" keep large 256M 9
	check "a file of single pages can be kept" keep small 16M 0
	check "large folios can be preserved" folios add "9 800 phase=manual"
	check "scattered pages can be preserved" folios add "0 10000 scattered phase=manual"
	# handover() leaves the kernels in the initrd if they are needed after the next
	# stage. This initrd has to be as large as that of this kernel, because some
	# limits depend on what is reserved during boot.
	stages=$((kho_stage + 2))
	handover next nokaslr
}

stage_3() {
	check "there is an incoming handover" came_from "$(recall release)" 2
	check "most of the preserved memory is unclaimed" unclaimed_mib 1600
	check "some memory was initialised late" has_said "deferred pages initialised"
	check "MemTotal is the same" near MemTotal "$(mem_total)" "$(recall total)" 1024
	check "each zone has as many managed pages" \
		each_near managed "$(managed)" $((1024 / PAGE_KIB)) 0
	check "each zone has the same watermarks" each_near watermarks "$(watermarks)" 1 1
	check "min_free_kbytes is the same" same_sysctl vm/min_free_kbytes
	check "threads-max is the same" same_sysctl kernel/threads-max
	check "file-max is the same" same_sysctl fs/file-max
	[ ! -f "/proc/sys/$TCP_MEM" ] || check "tcp_mem is the same" same_sysctl "$TCP_MEM"
	check "the files are intact" intact large small

	check "the unclaimed folios can be restored" folios restore
	check "the restored folios are like new ones" folios_fine
	check "all folios can be dropped" folios drop
	check "the files can be dropped" forget large small
	check "MemTotal is still the same" near MemTotal "$(mem_total)" "$(recall total)" 1024
	check "all memory is free again" \
		near MemFree "$(mem_free)" "$(recall free)" $((1024 * PAGE_KIB))
	finish
}

# Does what stage 3 does, so that the two values of MemFree can be compared: restoring and
# dropping empties the CPUs' lists of free pages.
nothing_came() {
	folio_stat_is in 0 && folios restore && folios drop
}

# unclaimed_mib MIB: at least that much preserved memory waits for its owner.
unclaimed_mib() {
	local mib
	mib=$(($(kho_stat in unclaimed_bytes) >> 20))

	[ $mib -ge "$1" ] || { echo "only $mib MiB are unclaimed"; return 1; }
}

# managed: one line for each zone: "NODE-ZONE-managed PAGES"
managed() {
	awk '
		/^Node/ { zone = $2 $4; sub(",", "-", zone) }
		$1 == "managed" { print zone "-managed", $2 }' /proc/zoneinfo
}

# watermarks: lines "NODE-ZONE-min PAGES" and so on. What /proc/zoneinfo shows includes
# the boost, which changes while the system runs.
watermarks() {
	awk '
		/^Node/ { zone = $2 $4; sub(",", "-", zone); boost = 0 }
		$1 == "boost" { boost = $2 }
		($1 == "min" || $1 == "low" || $1 == "high") && NF == 2 {
			print zone "-" $1, $2 - boost
		}' /proc/zoneinfo
}

# sysctl_lines FILE: one line for each number in /proc/sys/FILE: "FILE-1 NUMBER"
sysctl_lines() {
	awk -v name="$1" '{ for (i = 1; i <= NF; i++) print name "-" ++n, $i }' "/proc/sys/$1"
}

remember_sysctl() {
	remember "$(echo "$1" | tr / .)" "$(sysctl_lines "$1")"
}

# same_sysctl FILE: the numbers in /proc/sys/FILE differ by 1 % at most from those that
# remember_sysctl() stored.
same_sysctl() {
	each_near "$(echo "$1" | tr / .)" "$(sysctl_lines "$1")" 1 1
}

# each_near NAME LINES MARGIN PERCENT: LINES and those stored as NAME have the same
# figures, and each of them differs by MARGIN and PERCENT at most.
each_near() {
	local figure was is status=0

	recall "$1" >/tmp/were
	echo "$2" >/tmp/are
	grep -q . /tmp/were || { echo "no figures of $1 were stored"; return 1; }
	same "figures of $1" "$(cut -d ' ' -f 1 /tmp/are)" "$(cut -d ' ' -f 1 /tmp/were)" || return
	while read -r figure was; do
		is=$(sed -n "s|^$figure ||p" /tmp/are)
		near "$figure" "$is" "$was" $(($3 + was * $4 / 100)) || status=1
	done </tmp/were
	return $status
}
