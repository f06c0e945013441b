#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/vm-demo.sh - demonstrate that a virtual machine outlives its host's kernel
#
# Owns the demonstration. An emulated machine is the host. KVM of its kernel runs a guest
# with two vCPUs, which say at each beat what they have counted, the checksum of their memory,
# and their clock. kexec starts another kernel in the host, under which the same guest goes
# on. The last lines say how long it stood still, and where that time went.
# The exit status is 0 only when the guest noticed nothing but this pause, and nothing else
# was wrong.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly ours=$root/tools/testing/selftests/kho
readonly log=$build/vm/vm-demo.log
# tools/testing/selftests/kho/lib/vm.sh says why the last two are needed.
readonly words='liveupdate=on tsc=reliable kvm.tsc_tolerance_ppm=50000'

boot() {
	"$root/host/vm/initramfs.sh" --base x86
	"$root/host/vm/initramfs.sh" "$build/vm/vm-demo.cpio" x86 main next \
		--add "$ours/vm_demo.sh" kho/tests/vm_demo.sh --program vm
	"$root/host/vm/vm.sh" --name vm-demo --initrd "$build/vm/vm-demo.cpio" \
		--kernel "$(image_of main)" --mem 512M --cpus 2 --one-thread --limit 120 \
		--append "$(sed "/^#/d" "$ours/cmdline") kho_test=vm_demo kho_stage=1 $words" || true
	rm -f "$build/vm/vm-demo.cpio"
}

# told STAGE NAME: prints VALUE of the line "vm-demo: STAGE NAME VALUE"
told() {
	sed -n "s/.*vm-demo: $1 $2 //p" "$log"
}

# beats STAGE: prints the beats of the first vCPU under the kernel of that stage. Times are
# those of the guest's kvmclock, in seconds.
beats() {
	awk -v stage="$1" '
		BEGIN { now = 1 }
		/Starting new kernel/ { now++ }
		now == stage && /vm-guest: cpu 0 beat/ {
			sub(/.*vm-guest: /, "")
			printf "    beat %2d   memory %16s   clock %7.3f s\n", $4, $6, $10 / 1e9
		}' "$log"
}

# khz: prints how fast the guest counts
khz() {
	awk '/vm-guest: cpu 0/ {
		sub(/.*vm-guest: /, "")
		if (tsc && $10 > clock)
			print ($8 - tsc) / ($10 - clock) * 1e6
		tsc = $8; clock = $10
	}' "$log" | sort -n | awk '{ all[NR] = $1 } END { printf "%.0f", all[int((NR + 1) / 2)] }'
}

# moment NAME: prints how many cycles vm says that it took
moment() {
	sed -n "s/.*vmm: save .*/&/; s/.*[ :]$1 \([0-9]*\).*/\1/p" <(grep 'vmm: save' "$log")
}

# Prints the longest gap that a vCPU saw at its first two beats under the second kernel: the
# first beat may be from the kernel before.
gap() {
	awk '
		/Starting new kernel/ { now++ }
		now && /vm-guest: cpu/ {
			sub(/.*vm-guest: /, "")
			if (seen[$2]++ < 2 && $12 > gap)
				gap = $12
		}
		END { printf "%.0f", gap }' "$log"
}

# seconds CYCLES
seconds() {
	awk -v a="$1" -v khz="$khz" 'BEGIN { printf "%.3f", a / khz / 1000 }'
}

# phase TITLE CYCLES
phase() {
	printf '    %7s   %s\n' "$(seconds "$2")" "$1"
}

# Prints how many seconds passed from the last line of the old kernel to the first line of the
# new one, by the log, whose times are those of the guest's clock as well. The new kernel's
# clock begins at its first line. So the time of that line is the log's time of a later line,
# less the new kernel's time in that later line.
jump() {
	awk '
		/Starting new kernel/ { left = $1 }
		left && !begun && match($0, /\[ *[0-9.]+\] Run \/bin\/vm/) {
			begun = $1 - substr($0, RSTART + 1) - left
			printf "%.6f", begun
		}' "$log"
}

# Prints how long the new kernel took until it started its first program.
boot_time() {
	sed -n 's/.*\[ *\([0-9.]*\)\] Run \/bin\/vm.*/\1/p' "$log" | head -n 1
}

story() {
	local khz away jump boot
	khz=$(khz)
	away=$(moment away)
	jump=$(awk -v s="$(jump)" -v khz="$khz" 'BEGIN { printf "%.0f", s * khz * 1000 }')
	boot=$(awk -v s="$(boot_time)" -v khz="$khz" 'BEGIN { printf "%.0f", s * khz * 1000 }')

	say ""
	say "The host runs Linux $(told 1 release). Its guest counts its beats, and says at each what the"
	say "checksum of its memory and its clock are:"
	say ""
	beats 1 | tail -n 6
	say ""
	say "Now the kernel of the host is replaced by Linux $(told 2 release). Nothing was started again in"
	say "the guest. It goes on with its next instruction:"
	say ""
	beats 2 | head -n 6
	say ""
	say "Both vCPUs have counted each beat once. The checksums were computed once more outside of the"
	say "guest, and are right. No register, no interrupt and no byte of memory was lost."
	say ""
	say "The guest stood still for $(seconds "$(gap)") s of its clock, in a host that is emulated. In seconds:"
	say ""
	phase "the vCPUs' state is saved" "$(moment save)"
	phase "the old kernel freezes the memory and stops its devices" $((away - jump - boot))
	phase "from the last line of the old kernel to the first of the new one" "$jump"
	phase "the new kernel boots" "$boot"
	phase "the guest's memory is taken back" "$(moment retrieve)"
	phase "a virtual machine is made around it" "$(moment create)"
	phase "the vCPUs get their state" "$(moment restore)"
}

main() {
	local verdict
	[[ $(asked_family) == '' ]] || die "this demonstration is for x86"
	"$root/host/build/kernel.sh" main
	"$root/host/build/kernel.sh" next

	say "An emulated machine boots, as the host of a virtual machine. Its kernel is changed by kexec."
	mkdir -p "$build/vm"
	boot
	verdict=$(awk -v stages=2 -f "$ours/judge.awk" "$log")
	if [[ $(head -n 1 <<<"$verdict") != '12 0 0' ]]; then
		sed 1d <<<"$verdict" >&2
		die "the virtual machine did not go on as it should (see $(shown "$log"))"
	fi
	story
}

main "$@"
