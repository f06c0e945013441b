#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/demo.sh - demonstrate that the memory of a program survives a kexec
#
#   host/vm/demo.sh [FILE]       FILE may be in the environment instead
#
# Owns the demonstration. In a virtual machine a program copies FILE (by default vmlinux
# of its kernel) into a memfd and puts that into a session of live update. kexec starts
# another kernel, where another program takes the memfd out of the session. The last lines
# say which kernels these were, what was kept, its checksums before and after, how many
# pages it had, and how long no user space ran.
# The exit status is 0 only when the checksums are equal and nothing else was wrong.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly ours=$root/tools/testing/selftests/kho
readonly log=$build/vm/demo.log

# The guest has up to four copies of the file at a time: in the initramfs, in the root
# file system, in pages that are being copied, and in preserved memory. The initramfs
# has to fit below 2 GiB.
readonly limit_mib=512

# mib_of FILE: prints its size in MiB
mib_of() {
	echo $((($(stat -L -c %s "$1") + 1048575) / 1048576))
}

check_file() {
	local file=$1 free
	[[ -e $file ]] || die "$file does not exist"
	[[ -f $file && -r $file ]] || die "$file is not a regular file, or cannot be read"
	[[ -s $file ]] || die "$file is empty"
	(($(mib_of "$file") <= limit_mib)) ||
		die "$file has $(mib_of "$file") MiB; the demonstration takes files of up to $limit_mib MiB"
	free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
	((free >= $(guest_mib "$file"))) ||
		die "with $file the virtual machine needs $(guest_mib "$file") MiB, and the host has $free MiB left"
}

# guest_mib FILE: prints how many MiB the guest needs
guest_mib() {
	with_scratch $((512 + 4 * $(mib_of "$1"))) 3 "$family"
}

# told STAGE NAME: prints VALUE of the guest's line "kho-demo: stage STAGE NAME VALUE"
told() {
	sed -n "s/.*kho-demo: stage $1 $2 //p" "$log"
}

# time_of WORDS: prints the host's time of the last line in the log that has these words
time_of() {
	awk -v words="$1" 'index($0, words) { t = $1 } END { print t }' "$log"
}

boot() {
	local file=$1 mib
	mib=$(mib_of "$file")

	"$root/host/vm/initramfs.sh" --base "$machine"
	"$root/host/vm/initramfs.sh" "$build/vm/demo.cpio" "$machine" "main=$main" "next=$next" \
		--add "$ours/demo.sh" kho/tests/demo.sh --add "$file" demo
	# The time limit allows for checksums, which take an emulated machine a twentieth
	# of a second or more for each MiB. The size of scratch is given, because the
	# default is in proportion to the memory reserved at boot, to which the initramfs
	# with FILE in it would count.
	"$root/host/vm/vm.sh" --name demo --machine "$machine" --initrd "$build/vm/demo.cpio" \
		--kernel "$(image_of "$main")" \
		--mem "$(guest_mib "$file")M" --limit $((60 + mib)) \
		--append "$(sed "/^#/d" "$ours/cmdline") kho_test=demo kho_stage=1 liveupdate=on kho_scratch=64M,64M,64M" || true
	rm -f "$build/vm/demo.cpio"
}

# Prints what judge.awk says about the log.
judge() {
	awk -v stages=2 -f "$ours/judge.awk" "$log"
}

# story FILE: prints what happened
story() {
	local file=$1 before after blackout
	before=$(told 1 sum) after=$(told 2 sum)
	blackout=$(awk -v a="$(time_of 'Starting new kernel')" \
		-v b="$(time_of 'kho-test: stage 2')" 'BEGIN { printf "%.2f", b - a }')

	say ""
	say "from       Linux $(told 1 release)"
	say "to         Linux $(told 2 release)"
	say "kept       $(told 2 bytes) bytes in a memfd: $(basename "$file")"
	say "before     $before"
	say "after      $after"
	say "           SHA-256, the same before, after and on the host"
	say "pages      $(told 2 pages)"
	say "blackout   $blackout s from the old kernel's last line to user space in the new one, emulated"
}

main() {
	local file=${1:-${FILE-}} verdict on_host
	family=$(asked_family)
	main=$(in_family "$family" main) next=$(in_family "$family" next)
	machine=$(machine_of "$main")
	[[ -z $file ]] || check_file "$file"

	"$root/host/build/kernel.sh" "$main"
	"$root/host/build/kernel.sh" "$next"
	if [[ -z $file ]]; then
		file=$build/kernel/$main/vmlinux
		check_file "$file"
	fi

	say "A virtual machine with $(guest_mib "$file") MiB boots. A program there holds $(shown "$file") in a memfd,"
	say "the kernel is changed by kexec, and another program reads the memfd."
	mkdir -p "$build/vm"
	boot "$file"
	verdict=$(judge)
	on_host=$(sha256sum <"$file")

	if [[ $(head -1 <<<"$verdict") != '9 0 0' ]]; then
		sed 1d <<<"$verdict" >&2
		die "the file was not kept (see $(shown "$log"))"
	fi
	[[ ${on_host%% *} == "$(told 2 sum)" ]] ||
		die "the guest kept a file that differs from $file, which may have changed meanwhile"
	story "$file"
}

main "$@"
