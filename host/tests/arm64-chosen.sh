# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An arm64 machine starts with a device tree whose /chosen has properties of KHO that
# are invalid. The kernel says what is wrong with them, and then boots without a
# handover, or stops with kho=strict.

about="invalid properties of KHO in /chosen are refused (arm64)"
kernels=arm64-small
expect="KHO: .*refused"

host_test() {
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"

	echo "1..6"
	# In this device tree an address has two cells, and so has a size.
	refuses "half an address" "linux,kho-fdt and linux,kho-scratch have 8 and 16 bytes, not 16 each" \
		"0 48000000" "0 49000000 0 30"
	refuses "one without the other" "linux,kho-fdt and linux,kho-scratch have 16 and 0 bytes, not 16 each" \
		"0 48000000 0 1000" ""
	refuses "pages of another size" "root FDT at .*, 65536 bytes, is not one page in this kernel" \
		"0 48000000 0 10000" "0 49000000 0 30"
	refuses "nothing where they point to" "root FDT at 0x0*50000000, 4096 bytes, is damaged" \
		"0 50000000 0 1000" "0 51000000 0 30"
	# The machine puts the initrd 128 MiB after the start of memory.
	refuses "the initrd where they point to" "root FDT at 0x0*48000000, 4096 bytes, is in use" \
		"0 48000000 0 1000" "0 51000000 0 30"
	# The kernel stops before the normal console works.
	words="kho=strict earlycon=pl011,0x9000000" limit=10 boot_tree "0 48000000" ""
	result "kho=strict stops" stopped \
		"linux,kho-fdt and linux,kho-scratch have 8 and 0 bytes, not 16 each"
	rm -f "$vms/$name.facts"
}

# refuses WHAT WHY KHO-FDT KHO-SCRATCH: boots with these properties; the kernel must say
# WHY it refuses them
refuses() {
	printf "fact_refused='%s'\n" "$2" >"$vms/$name.facts"
	boot_tree "$3" "$4"
	guest_result | sed "s/the guest .*/$1/"
}

# stopped WHY: is that the reason of a panic, and did the kernel do nothing after it?
stopped() {
	local log=$vms/$name.vm.log

	grep -q "Kernel panic - not syncing: KHO: handover refused: $1" "$log" &&
		! grep -qE "Memory: |Run /init" "$log"
}
