#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/vm.sh - boot one virtual machine and log its serial console
#
#   host/vm/vm.sh --name NAME --kernel IMAGE [--initrd FILE] [--append WORDS]
#                 [--machine x86|arm64] [--firmware efi]
#                 [--mem 512M] [--cpus 1] [--numa 1|2|4|none] [--dimm 512M]
#                 [--limit SECONDS] [--icount] [--one-thread] [--ram FILE] [--qemu WORDS]
#
# Owns the qemu command line and the serial log build/vm/NAME.log. The caller decides
# what runs in the guest, and what the log means.
#
# Each line of the log starts with the host's time since qemu was started, so that each
# log shows how long no kernel or user space ran. The last line starts with "vm:" and
# says how the machine ended. The exit status is 0 when qemu ended by itself, and 124
# when it was stopped at the time limit.
#
# --machine x86 is a PC; arm64 is the machine "virt" of qemu. A device tree describes
# the latter to the kernel. With --firmware efi ACPI tables do, and UEFI starts the
# kernel. UEFI starts a PC's kernel, too, instead of a BIOS.
#
# --numa says how memory and CPUs are distributed over NUMA nodes. With "none" the
# firmware does not mention NUMA. 1 and 2 nodes share all evenly. With 4 the fourth
# node has CPUs but no memory; each node needs a CPU.
#
# --dimm adds a module of memory that is in no memory map of the firmware. The kernel
# finds it when it is up, and adds it.
#
# --icount makes the guest's time count its instructions, so that figures do not depend
# on how busy the host is. The machine must have one CPU, and its random numbers are
# the same each time.
#
# --one-thread lets qemu run all CPUs of the machine in turn, in one thread. A machine whose
# kernel runs guests of KVM needs that: with a thread for each CPU, such a guest got a page
# fault that neither its page tables nor those of KVM explain, and crashed, in about one of
# 70 starts (qemu 7.2). With one thread that was not seen in 400.
#
# --qemu has more words for qemu, separated by blanks.
#
# --ram makes FILE the machine's memory, from its first address on. The content of FILE
# is in memory when the machine starts, except where firmware and boot loader write,
# and FILE has the content of memory when the machine has ended. FILE is made if it
# does not exist. Its size is that of --mem, at most 2 GiB. --ram cannot be combined
# with --numa.
#
# VM_LIMIT_FACTOR in the environment multiplies time limits, for slow hosts.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

name='' kernel='' initrd='' append='' ram='' qemu='' machine=x86 firmware=''
mem=512M cpus=1 numa=none dimm='' limit=60 icount=no threads=

declare -rA efi=([x86]=/usr/share/ovmf/OVMF.fd [arm64]=/usr/share/qemu-efi-aarch64/QEMU_EFI.fd)

parse() {
	while [ $# -gt 0 ]; do
		case $1 in
		--icount) icount=yes; shift; continue ;;
		--one-thread) threads=,thread=single; shift; continue ;;
		--name | --kernel | --initrd | --append | --machine | --firmware) ;;
		--mem | --cpus | --numa | --dimm | --limit | --ram | --qemu) ;;
		*) die "unknown option '$1'" ;;
		esac
		[ $# -ge 2 ] || die "$1 needs a value"
		printf -v "${1#--}" %s "$2"
		shift 2
	done
	[ -n "$name" ] || die "--name is missing"
	# If this machine does not start, the log of an earlier one must not be judged.
	rm -f "$build/vm/$name.log"
	[ -f "$kernel" ] || die "there is no kernel image '$kernel'"
	[ -z "$initrd" ] || [ -f "$initrd" ] || die "there is no initrd '$initrd'"
	mebibytes "$mem" >/dev/null
	case $machine,$firmware in
	x86, | x86,efi | arm64, | arm64,efi) ;;
	*) die "there is no machine '$machine' with firmware '$firmware'" ;;
	esac
	[ -z "$ram" ] || [ "$numa" = none ] || die "--ram cannot be combined with --numa"
	[ -z "$ram" ] || [ "$(mebibytes "$mem")" -le 2048 ] || die "--ram needs a --mem of at most 2G"
}

# numa_node NODE MIB CPUS: prints the words for qemu that make a node. MIB is 0 for a
# node without memory.
numa_node() {
	local id=$1 size=$2 node_cpus=$3

	if [ "$size" -gt 0 ]; then
		echo "-object memory-backend-ram,id=ram$id,size=${size}M"
		echo "-numa node,nodeid=$id,cpus=$node_cpus,memdev=ram$id"
	else
		echo "-numa node,nodeid=$id,cpus=$node_cpus"
	fi
}

# Prints the words for qemu that make all nodes.
numa_words() {
	local size last=$((cpus - 1))
	size=$(mebibytes "$mem")

	case $numa in
	none) ;;
	1) numa_node 0 "$size" "0-$last" ;;
	2)
		[ "$cpus" -ge 2 ] || die "two nodes need two CPUs"
		numa_node 0 $((size / 2)) "0-$((cpus / 2 - 1))"
		numa_node 1 $((size - size / 2)) "$((cpus / 2))-$last"
		;;
	4)
		[ "$cpus" -ge 4 ] || die "four nodes need four CPUs"
		numa_node 0 $((size / 4)) 0
		numa_node 1 $((size / 2 - size / 4)) 1
		numa_node 2 $((size - size / 2)) 2
		numa_node 3 0 "3-$last"
		;;
	*) die "there is no NUMA layout '$numa'" ;;
	esac
}

# TCG emulates "fast" string instructions byte by byte. On a CPU without them the guest
# copies by the word, which is four times as fast.
machine_words_x86() {
	words=(qemu-system-x86_64 -M q35 -cpu "max,-erms,-fsrm")
}

# Pointers are signed with a cipher of qemu's own, because the one of the architecture
# takes half of the time of the guest.
machine_words_arm64() {
	words=(qemu-system-aarch64 -M virt -cpu "max,pauth-impdef=on")
}

# The accelerator is always TCG: where KVM exists but is not usable (nested, or without
# permission), qemu would hang or fail instead of using TCG. tb-size makes TCG forget
# translated code when it has 32 MiB of it: each write to a page with translated code
# is slow, and after a kexec the next kernel writes to pages that had code of the old
# one. With the default size a test of 5 s was seen to take more than a minute. Each CPU
# is a socket, since NUMA nodes cannot share a cache.
qemu_words() {
	"machine_words_$machine"
	[ -z "$firmware" ] || words+=(-bios "${efi[$machine]}")
	words+=(-accel "tcg,tb-size=32$threads" -m "$mem${dimm:+,slots=1,maxmem=32G}" -smp "$cpus,sockets=$cpus"
		-nodefaults -no-user-config -no-reboot -display none
		-serial stdio -kernel "$kernel" -append "$append")
	[ -z "$initrd" ] || words+=(-initrd "$initrd")
	[ -z "$ram" ] || words+=(-object "memory-backend-file,id=ram,size=$mem,mem-path=$ram,share=on"
		-machine memory-backend=ram)
	[ $icount = no ] || words+=(-icount "shift=0,sleep=off,align=off" -seed 1)

	# None of these words contains a blank.
	local more
	more=$(numa_words)
	# shellcheck disable=SC2206
	words+=($more $qemu)
	[ -z "$dimm" ] || words+=(-object "memory-backend-ram,id=dimm,size=$dimm" -device "pc-dimm,memdev=dimm")
}

# Puts the time since the start, in seconds, in front of each line.
stamp() {
	local line t0=${EPOCHREALTIME/./} t

	while IFS= read -r line || [ -n "$line" ]; do
		t=$((${EPOCHREALTIME/./} - t0))
		printf '%4d.%06d %s\n' $((t / 1000000)) $((t % 1000000)) "${line%$'\r'}"
	done
}

run() {
	local status=0

	timeout --foreground -k 5 "$limit" "${words[@]}" </dev/null 2>&1 || status=$?
	case $status in
	0) echo "vm: ended by itself" ;;
	124 | 137) echo "vm: stopped at the time limit of $limit s" ;;
	*) echo "vm: qemu failed with status $status" ;;
	esac
	return "$status"
}

main() {
	parse "$@"
	limit=$((limit * ${VM_LIMIT_FACTOR:-1}))
	qemu_words
	command -v "${words[0]}" >/dev/null || die "${words[0]} not found (make deps)"
	[ -z "$firmware" ] || [ -f "${efi[$machine]}" ] || die "${efi[$machine]} not found (make deps)"
	mkdir -p "$build/vm"
	run | stamp >"$build/vm/$name.log"
}

main "$@"
