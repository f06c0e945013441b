# SPDX-License-Identifier: GPL-2.0-only
#
# A PC that boots by UEFI. Its memory map names memory of boot services, which is free
# after a kexec and does not count for scratch, and memory of run-time services, which each
# kernel maps for itself. Each kernel has a random address in scratch and finds the
# firmware's tables. In the end a panic starts a crash kernel.
#
# host/vm/test.sh x86-efi:efi_mem=8G:efi_handovers=5 is a longer chain on a larger machine.
#
# shellcheck shell=dash

efi_handovers=${efi_handovers:-2}
about="UEFI on x86: $efi_handovers handovers and a crash"
kernels="main next"
machines=x86
firmware=efi
words="crashkernel=128M efi_handovers=$efi_handovers"
expect="Kernel panic - not syncing: Attempted to kill init|Call Trace"
mem=${efi_mem:-1G}
limit=$((120 + 20 * efi_handovers))
stages=$((efi_handovers + 2))
plan=$((8 + 9 * efi_handovers))

stage_1() {
	check "UEFI has started this kernel" has_said "efi: EFI v"
	check "KHO is on" kho_enabled
	check "scratch is as small as without UEFI" scratch_below 53 out
	check "a file can be kept" keep letter 20M
	note_down
	handover next "$words"
}

later_stage() {
	local n=$kho_stage

	[ "$n" -lt "$stages" ] || crashed
	check "kexec $((n - 1)) was a handover" came_from "$(recall release)" $((n - 1))
	check "the kernel is in scratch" in_scratch "$(text_address)" "$(text_end)"
	check "there are EFI's tables" has_said "efi: .*ACPI 2.0=0x"
	check "run-time services are mapped" test -d /sys/firmware/efi/runtime-map/0
	check "the file is intact" intact letter
	check "each restored folio is like a new one" folios_sound
	check "no memory is lost" same_total
	check "scratch is as it was" same_scratch
	check "memory for a crash kernel is reserved" crash_memory

	note_down
	[ "$n" -lt $((stages - 1)) ] || crash_into "$(next_in_turn)"
	handover "$(next_in_turn)" "$words"
}

crashed() {
	check "this is the crash kernel" test -e /proc/vmcore
	check "KHO is off" kho_disabled
	check "it knows EFI's tables" has_said "efi: .*ACPI 2.0=0x"
	check "it has only the reserved memory" test "$(meminfo MemTotal)" -lt 131072
	finish
}

next_in_turn() {
	[ $((kho_stage % 2)) -eq 1 ] && echo next || echo main
}

same_scratch() {
	[ -f "$STATE/scratch" ] || regions in >"$STATE/scratch"
	same scratch "$(regions in)" "$(recall scratch)"
}
