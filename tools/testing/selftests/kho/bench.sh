# SPDX-License-Identifier: GPL-2.0-only
#
# bench.sh - the guest's part of host/bench/bench.sh: one handover, and its figures
#
# The host reads the lines "kho-bench: STAGE NAME VALUE". The command line says
# what to preserve: kho_bench=COUNT,ORDER,dense|scattered, or several of these
# separated by colons; "none"; parallel,ROUNDS; luo,WHAT, for which ../liveupdate/bench.c
# says what WHAT is; or vm,MIB for a virtual machine with this much memory, see
# ../liveupdate/vm.c. With ",huge" at the end of the last two, files have huge pages.
# kho_bench_next names the next kernel, or is "none" for no kexec. kho_bench_ballast=MIB
# makes the next initrd larger by MIB, with a file that cannot be compressed.
#
# shellcheck shell=dash disable=SC2034,SC2154

about="what a handover costs"
kernels="bench"
stages=2
plan=1

readonly BENCH=/sys/kernel/debug/test_kho_bench
vm_cpus=1
readonly SHMEM_HUGE=/sys/kernel/mm/transparent_hugepage/shmem_enabled

stage_1() {
	tell mem-available "$(meminfo MemAvailable)"
	tell mem-total "$(meminfo MemTotal)"
	[ ! -f $KHO/out/scratch_len ] || tell scratch "$(scratch_mib out)"
	# Cycles are counted with this clock on arm64. x86 has no such line, and counts
	# instructions.
	tell clock-mhz \
		"$(dmesg | sed -n 's/.*arch_timer: .* running at \([0-9.]*\)MHz.*/\1/p')"
	tell nodes-before "$(kho_stat out map_nodes 2>/dev/null)"

	case $kho_bench in
	none) ;;
	luo,*) luo_bench preserve ;;
	vm,*) vm_begins ;;
	parallel,*) echo "${kho_bench#*,}" >$BENCH/parallel || tell failed parallel ;;
	*) echo "$kho_bench" | tr , ' ' >$BENCH/set || tell failed set ;;
	esac
	tell nodes "$(kho_stat out map_nodes 2>/dev/null)"
	results
	[ "$kho_bench_next" != none ] || poweroff -f
	[ -z "$kho_bench_ballast" ] ||
		dd if=/dev/urandom of=/ballast bs=1M count="$kho_bench_ballast" 2>/dev/null ||
		tell failed ballast
	handover "$kho_bench_next" "rdinit=/bin/$(first_program)" "kho_bench=$kho_bench"
}

# The first program of the next kernel
first_program() {
	case $kho_bench in
	vm,*) echo vm ;;
	*) echo stamp ;;
	esac
}

# Wraps the program kexec_load, to tell how long it takes as well. The clock is exact to
# 10 ms, or 10 million instructions.
kexec_load() {
	local since

	since=$(centiseconds)
	command kexec_load "$@" || return
	tell load "$((($(centiseconds) - since) * 10000000))" >/dev/kmsg
}

# Prints the uptime without zeros at the front, which would make it an octal number.
centiseconds() {
	sed 's/ .*//; s/\.//; s/^0*\(.\)/\1/' /proc/uptime
}

stage_2() {
	[ -z "$kho_bench_arrived" ] || tell arrived "$kho_bench_arrived"
	case $kho_bench in
	none) ;;
	luo,*) luo_bench retrieve ;;
	vm,*) vm_went_on ;;
	*) echo 1 >$BENCH/restore || tell failed restore ;;
	esac
	results
	tell mem-available "$(meminfo MemAvailable)"
	poweroff -f
}

tell() {
	echo "kho-bench: $kho_stage $*"
}

results() {
	local line

	[ ! -f $BENCH/results ] || while read -r line; do
		tell "$line"
	done <$BENCH/results
}

# luo_bench preserve|retrieve: the output of luo-bench goes to a file first, because
# luo-bench leaves a process behind, and the shell should not wait for that.
luo_bench() {
	local line

	case $kho_bench in
	*,huge) echo always >$SHMEM_HUGE || tell failed huge ;;
	esac
	luo-bench "$1" "${kho_bench#luo,}" >/tmp/luo-bench ||
		echo "failed luo-bench" >>/tmp/luo-bench
	while read -r line; do
		tell "$line"
	done </tmp/luo-bench
	tell huge-kib "$(meminfo ShmemHugePages)"
}

# All pages of the guest's memory are there. Few of them are work pages, so that the guest
# soon comes to its beats.
vm_begins() {
	local mib=${kho_bench#vm,} huge=

	case $mib in
	*,huge) echo always >$SHMEM_HUGE; huge=huge ;;
	esac
	mib=${mib%,huge}
	start_vm cpus=1 "mib=$mib" fill "step=$((mib / 16))" beat=500 $huge
	vm_beats 2 || tell failed vm
}

# Tells how long each phase of the resumption took, and the longest time for which the guest
# stood still, which is that of the kexec.
vm_went_on() {
	local name value

	vm_beats 2 || tell failed vm
	dmesg | sed -n 's/.*vmm: \(save .*\) in all.*/\1/p' | xargs -n 2 >/tmp/vm-phases
	while read -r name value; do
		tell "vm-$name" "$value"
	done </tmp/vm-phases
	tell vm-gap "$(vm_console | awk '$13 > most { most = $13 } END { printf "%.0f", most }')"
	tap vm check "$(vm_file console)" "$(vm_file memory)" 1 >/tmp/vm-check
	! grep -q "^not ok" /tmp/tap || tell failed vm-check
}

# The host provides the command line, which keeps kernel messages few, because they
# take time. Live update has to be on in both kernels.
next_words() {
	local live=

	case $kho_bench in
	luo,* | vm,*) live=liveupdate=on ;;
	esac
	echo "$(cat /kho/bench-cmdline) $live kho_test=$kho_test kho_stage=2"
}

leave() {
	case $kho_bench in
	vm,*) kill -HUP "$vm_pid"; sleep 60 ;;
	*) stamp kexec ;;
	esac
	bail_out "kexec did not happen"
}
