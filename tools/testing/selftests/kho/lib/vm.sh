# SPDX-License-Identifier: GPL-2.0-only
#
# lib/vm.sh - a virtual machine that outlives its host's kernel
#
# Owns what scenarios do with ../liveupdate/vm.c. A scenario with programs="vm" in its head
# starts a guest with start_vm in its first stage, ends a stage with handover_vm, and finds
# the guest running in the next one, where vm was the first program.
#
# shellcheck shell=dash disable=SC2034,SC2154

# start_vm WORD...: starts a guest.
start_vm() {
	vm start "$@" >/dev/kmsg 2>&1 &
	vm_pid=$!
}

# vm_file memory|state|console: prints the path of a file of vm.
vm_file() {
	case $1 in
	memory) echo "/proc/$vm_pid/fd/100" ;;
	state) echo "/proc/$vm_pid/fd/101" ;;
	console) echo "/proc/$vm_pid/fd/102" ;;
	esac
}

# Prints what the guest has said, without the numbers at the front of the file.
vm_console() {
	tr -d '\0' 2>/dev/null <"$(vm_file console)" | grep -ao 'vm-guest:.*'
}

# vm_has_beat CPU BEAT: this vCPU has come to this beat.
vm_has_beat() {
	vm_console | grep -q "^vm-guest: cpu $1 beat $2 "
}

# vm_beat CPU: prints the last beat of this vCPU.
vm_beat() {
	vm_console | sed -n "s/^vm-guest: cpu $1 beat \([0-9]*\) .*/\1/p" | tail -n 1
}

# All files are in a session, so that the next kexec keeps them.
vm_is_ready() {
	dmesg | grep -q 'vmm: ready for the next kernel'
}

# Prints what the kernel knows of the guest's process. If it is a zombie, the last number is
# its exit code. If it is gone and this shell started it, the shell knows its status.
vm_process() {
	if [ -e "/proc/$vm_pid/stat" ]; then
		cat "/proc/$vm_pid/stat"
	else
		wait "$vm_pid"
		echo "the process of the guest has ended, with status $?"
	fi
} 2>&1

# vm_beats COUNT: waits until each vCPU has had COUNT more beats.
vm_beats() {
	local cpu=0 last beats=''

	while [ $cpu -lt "$vm_cpus" ]; do
		last=$(vm_beat $cpu)
		beats="$beats $((${last:-0} + $1))"
		cpu=$((cpu + 1))
	done
	cpu=0
	for last in $beats; do
		later 300 vm_has_beat $cpu "$last" || { vm_process; return 1; }
		cpu=$((cpu + 1))
	done
	later 100 vm_is_ready || { vm_process; return 1; }
}

# check_vm BEATS: eight results about what the guest has said under all kernels.
check_vm() {
	tap vm check "$(vm_file console)" "$(vm_file memory)" "$1"
}

# Words for the command line of a host's kernel. The TSC of the machine is reliable,
# although its CPU does not say so. KVM gives a guest a clock that is as good as the TSC
# only if the TSC is reliable. On an emulated machine, Linux measures the TSC twice, with
# different results, of which KVM uses the first one. Both can be far off when the machine
# is busy.
readonly VM_WORDS="$LUO_ON tsc=reliable kvm.tsc_tolerance_ppm=50000 rdinit=/bin/vm"

# Prints the TSC frequency that the first kernel measured, in kHz, from the head of the
# console. Later kernels get it on the command line, so that the guest's clock does not
# change its speed.
tsc_khz() {
	dd bs=8 skip=3 count=1 <"$(vm_file console)" 2>/dev/null | od -A n -t u8 | xargs
}

# handover_vm KERNEL WORD...: as handover(), with the guest.
handover_vm() {
	local why

	rm -f /tmp/initrd
	why=$(load_kernel load "$@" "$VM_WORDS" "tsc_early_khz=$(tsc_khz)" 2>&1) ||
		bail_out "cannot load kernel $1: $why"
	look_at_scratch
	marker "leave"
	kill -HUP "$vm_pid" || bail_out "$(vm_process)"
	sleep 20
	bail_out "kexec did not happen"
}
