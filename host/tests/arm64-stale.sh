# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel with KHO starts a program that knows nothing of KHO and that starts a kernel
# with KHO. /chosen in its device tree still names the handover, and memory looks as
# the first kernel left it, although it may have been used in between. The kernel has
# to refuse the handover.

about="a handover that was for another kernel is refused (arm64)"
kernels=arm64-small
expect="KHO: .*refused"

host_test() {
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"
	local tree=$vms/$name.passed fdt scratch

	echo "1..3"
	format_machine=arm64
	make_stop
	rm -f "$vms/$name.ram"
	boot_guest left "$(image_of arm64-small)" "$vms/$name.stop" boot/stop
	guest_result
	passed_on >"$tree"
	fdt=$(fdtget -t x "$tree" /chosen linux,kho-fdt)
	scratch=$(fdtget -t x "$tree" /chosen linux,kho-scratch)
	result "there is a handover in the device tree" test -n "$fdt" -a -n "$scratch"

	echo "fact_refused='this kernel at 0x0*40[0-9a-f]*, [0-9]* bytes, is not in scratch'" >"$vms/$name.facts"
	boot_tree "$fdt" "$scratch" --ram "$vms/$name.ram"
	guest_result | sed "s/the guest .*/it is refused/"
	rm -f "$vms/$name".{ram,stop,facts} "$tree"
}

# Prints the device tree that the kexec left in memory. Memory starts at 1 GiB.
passed_on() {
	local at
	at=$(sed -n 's/.*kho-stop: device tree \(0x[0-9a-f]*\).*/\1/p' "$vms/$name.vm.log")
	[[ -n $at ]] || return
	dd if="$vms/$name.ram" bs=4096 skip=$(((at - 0x40000000) / 4096)) count=512 status=none
}
