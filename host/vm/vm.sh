#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/vm.sh - boot one virtual machine and write down what it says
#
#   host/vm/vm.sh --name NAME --kernel IMAGE [--initrd FILE] [--append WORDS]
#              [--machine x86|arm64] [--firmware efi]
#              [--mem 512M] [--cpus 1] [--numa 1|2|4|none] [--dimm 512M] [--limit SECONDS]
#              [--icount] [--ram FILE] [--qemu WORDS]
#
# Owns the qemu command line and the serial log build/vm/NAME.log, and nothing
# else: what runs in the guest and what the log means is the caller's business.
#
# Each log line starts with the host's time since qemu was started, so that
# "how long was nobody at home" can be read off any log. The last line is
# always "vm: ...": how the machine ended. Exit status: 0 when qemu ended by
# itself, 124 at the time limit.
#
# --machine is a PC, or qemu's "virt" with an arm64 CPU. This one is described by a
# device tree; with --firmware efi by ACPI tables, and UEFI starts the kernel.
#
# --numa says how memory and CPUs are spread: "none" leaves NUMA out of the
# firmware tables, 1 and 2 split evenly, 4 gives the fourth node CPUs but no
# memory (and needs four CPUs or more for each node to get one).
#
# --dimm is a module of memory that firmware has in no memory map: the kernel finds it
# when it is up, and adds it.
#
# --icount makes guest time count guest instructions, so that figures do not
# depend on how busy the host is; the machine then has one CPU, and draws the
# same random numbers each time.
#
# --qemu has more words for qemu, with blanks between them.
#
# --ram makes FILE the machine's memory, from its first address on: what is in it is
# there when the machine starts, but for what firmware and boot loader write
# over, and it stays when the machine ends. It has the size that --mem says, of
# at most 2 GiB, and is made when it does not exist. Without --numa.
#
# VM_LIMIT_FACTOR in the environment multiplies time limits, for slow hosts.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

name='' kernel='' initrd='' append='' ram='' qemu='' machine=x86 firmware=''
mem=512M cpus=1 numa=none dimm='' limit=60 icount=no

readonly efi=/usr/share/qemu-efi-aarch64/QEMU_EFI.fd

parse() {
	while [ $# -gt 0 ]; do
		case $1 in
		--icount) icount=yes; shift; continue ;;
		--name | --kernel | --initrd | --append | --machine | --firmware) ;;
		--mem | --cpus | --numa | --dimm | --limit | --ram | --qemu) ;;
		*) die "unknown option '$1'" ;;
		esac
		[ $# -ge 2 ] || die "$1 wants a value"
		printf -v "${1#--}" %s "$2"
		shift 2
	done
	[ -n "$name" ] || die "--name is missing"
	[ -f "$kernel" ] || die "no kernel '$kernel'"
	[ -z "$initrd" ] || [ -f "$initrd" ] || die "no initrd '$initrd'"
	mebibytes "$mem" >/dev/null
	case $machine,$firmware in
	x86, | arm64, | arm64,efi) ;;
	*) die "no machine '$machine' with firmware '$firmware'" ;;
	esac
	[ -z "$ram" ] || [ "$numa" = none ] || die "--ram and --numa do not go together"
	[ -z "$ram" ] || [ "$(mebibytes "$mem")" -le 2048 ] || die "--ram wants at most 2G"
}

# One node of $2 MiB (0: none) with the CPUs $3, as words for qemu.
numa_node() {
	local id=$1 size=$2 node_cpus=$3

	if [ "$size" -gt 0 ]; then
		echo "-object memory-backend-ram,id=ram$id,size=${size}M"
		echo "-numa node,nodeid=$id,cpus=$node_cpus,memdev=ram$id"
	else
		echo "-numa node,nodeid=$id,cpus=$node_cpus"
	fi
}

numa_words() {
	local size last=$((cpus - 1))
	size=$(mebibytes "$mem")

	case $numa in
	none) ;;
	1) numa_node 0 "$size" "0-$last" ;;
	2)
		[ "$cpus" -ge 2 ] || die "two nodes want two CPUs"
		numa_node 0 $((size / 2)) "0-$((cpus / 2 - 1))"
		numa_node 1 $((size - size / 2)) "$((cpus / 2))-$last"
		;;
	4)
		[ "$cpus" -ge 4 ] || die "four nodes want four CPUs"
		numa_node 0 $((size / 4)) 0
		numa_node 1 $((size / 2 - size / 4)) 1
		numa_node 2 $((size - size / 2)) 2
		numa_node 3 0 "3-$last"
		;;
	*) die "no NUMA layout '$numa'" ;;
	esac
}

# Without "fast" string instructions the guest copies by the word and not, as TCG
# does these, by the byte: four times as fast.
machine_words_x86() {
	words=(qemu-system-x86_64 -M q35 -cpu "max,-erms,-fsrm")
}

# Pointers are signed by qemu's own cipher; the architecture's takes half of the
# time that there is.
machine_words_arm64() {
	words=(qemu-system-aarch64 -M virt -cpu "max,pauth-impdef=on")
	[ -z "$firmware" ] || words+=(-bios "$efi")
}

# TCG is always named: with KVM at hand but not usable (nested, or no rights)
# qemu would hang or fail instead of falling back. What it translated it forgets when
# 32 MiB are full: each write to a page with translated code in it is slow, and after
# a kexec what was code is anybody's stack. With all the room that qemu takes a test
# of 5 s was seen to take more than a minute. With NUMA each CPU is a socket,
# since no cache can be shared between nodes.
qemu_words() {
	"machine_words_$machine"
	words+=(-accel "tcg,tb-size=32" -m "$mem${dimm:+,slots=1,maxmem=32G}" -smp "$cpus,sockets=$cpus"
		-nodefaults -no-user-config -no-reboot -display none
		-serial stdio -kernel "$kernel" -append "$append")
	[ -z "$initrd" ] || words+=(-initrd "$initrd")
	[ -z "$ram" ] || words+=(-object "memory-backend-file,id=ram,size=$mem,mem-path=$ram,share=on"
		-machine memory-backend=ram)
	[ $icount = no ] || words+=(-icount "shift=0,sleep=off,align=off" -seed 1)

	# No word of these holds a blank.
	local more
	more=$(numa_words)
	# shellcheck disable=SC2206
	words+=($more $qemu)
	[ -z "$dimm" ] || words+=(-object "memory-backend-ram,id=dimm,size=$dimm" -device "pc-dimm,memdev=dimm")
}

# Put the time since the start, in seconds, in front of each line.
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
	[ -z "$firmware" ] || [ -f "$efi" ] || die "$efi not found (make deps)"
	mkdir -p "$build/vm"
	run | stamp >"$build/vm/$name.log"
}

main "$@"
