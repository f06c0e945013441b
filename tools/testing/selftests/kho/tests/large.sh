# SPDX-License-Identifier: GPL-2.0-only
#
# A machine of 512 GiB. Its struct pages take 8 GiB, and nearly all memory is preserved, in
# folios of 1 GiB and then of 2 MiB. Scratch is as small as on other machines. Nothing
# writes to the preserved memory, and each kernel finds room for its struct pages where the
# one before had them, so the host needs 9 GiB.
#
# Time in the guest counts instructions. The log has the clock when user space of a kernel
# ends ("left") and when that of the next one begins ("arrived"), for kernels that got
# folios of 1 GiB, nothing, folios of 2 MiB, and for one with kho=off.
#
# shellcheck shell=dash disable=SC2154

about="480 of 512 GiB in folios of 1 GiB and of 2 MiB"
kernels="bench"
machines=x86
pages=4k
words="nokaslr"
mem=512G
host_gib=12
qemu="-object memory-backend-ram,id=all,size=512G,reserve=off -machine memory-backend=all"
qemu="$qemu -icount shift=0,sleep=off,align=off -seed 1"
limit=3600
when=asked
stages=5
plan=15

BENCH=/sys/kernel/debug/test_kho_bench
TELL="rdinit=/bin/stamp nokaslr"

stage_1() {
	check "KHO is on" kho_enabled
	check "scratch is as small as elsewhere" scratch_below 65 out
	check "480 GiB can be preserved in folios of 1 GiB" set_of 480 18
	handover bench "$TELL"
}

stage_2() {
	arrived_at 1
	check "480 GiB came in" came_gib 480
	check "all of it can be restored" restore_all
	remember total "$(mem_total)"
	handover bench "$TELL"
}

stage_3() {
	arrived_at 2
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 4096
	check "480 GiB can be preserved in folios of 2 MiB" set_of 245760 9
	handover bench "$TELL"
}

stage_4() {
	arrived_at 3
	check "480 GiB came in" came_gib 480
	check "all of it can be restored" restore_all
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 4096
	check "scratch is as it was" scratch_below 65 out
	# This keeps the kernels in the initrd, as before, because the time to verify the
	# initrd depends on its size.
	stages=$((kho_stage + 2))
	handover bench "$TELL kho=off"
}

stage_5() {
	note "arrived $kho_bench_arrived"
	check "KHO is off" kho_disabled
	finish
}

# Replaces leave() of lib/stages.sh, which does not log the clock.
leave() {
	marker "leave"
	stamp kexec
	bail_out "kexec did not happen"
}

# arrived_at COUNT: there is an incoming handover, and it is the COUNTth kexec.
arrived_at() {
	note "arrived $kho_bench_arrived"
	check "there is an incoming handover" came_in "$1"
	note "MemAvailable $(meminfo MemAvailable)"
}

set_of() {
	echo "$1 $2 dense" >$BENCH/set && note "$(cat $BENCH/results)" >/dev/kmsg
}

restore_all() {
	echo 1 >$BENCH/restore || return
	note "$(cat $BENCH/results)" >/dev/kmsg
	[ "$(kho_stat in unclaimed_bytes)" -lt $((64 << 20)) ]
}

came_gib() {
	test $(($(kho_stat in preserved_bytes) >> 30)) -ge "$1"
}
