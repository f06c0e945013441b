# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Properties of /chosen that no kernel wrote, in the device tree that an arm64
# machine starts with: the kernel says what is wrong with them, and boots as from
# cold, or stops if it is told to.

about="invalid properties of /chosen on arm64 are refused"
kernels=arm64
expect="KHO: .*refused"

host_test() {
	# shellcheck source=host/format/host.sh
	. "$root/host/format/host.sh"

	echo "1..6"
	# Its root has two cells for an address, and two for a size.
	refuses "half an address" "linux,kho-fdt and linux,kho-scratch have 8 and 16 bytes, not 16 each" \
		"0 48000000" "0 49000000 0 30"
	refuses "one without the other" "linux,kho-fdt and linux,kho-scratch have 16 and 0 bytes, not 16 each" \
		"0 48000000 0 1000" ""
	refuses "pages of another size" "root FDT at .*, 65536 bytes, is not one page in this kernel" \
		"0 48000000 0 10000" "0 49000000 0 30"
	refuses "nothing where they point to" "root FDT at 0x0*50000000, 4096 bytes, is damaged" \
		"0 50000000 0 1000" "0 51000000 0 30"
	# 128 MiB from the start of memory, where the machine puts it.
	refuses "the initrd where they point to" "root FDT at 0x0*48000000, 4096 bytes, is in use" \
		"0 48000000 0 1000" "0 51000000 0 30"
	# There is no other console yet.
	words="kho=strict earlycon=pl011,0x9000000" limit=10 boot_tree "0 48000000" ""
	result "kho=strict stops" stopped \
		"linux,kho-fdt and linux,kho-scratch have 8 and 0 bytes, not 16 each"
	rm -f "$vms/$name.facts"
}

# refuses WHAT WHY KHO-FDT KHO-SCRATCH
refuses() {
	printf "fact_refused='%s'\n" "$2" >"$vms/$name.facts"
	boot_tree "$3" "$4"
	guest_result | sed "s/the guest .*/$1/"
}

# stopped WHY: it said so, as the last thing that it did
stopped() {
	local log=$vms/$name.vm.log

	grep -q "Kernel panic - not syncing: KHO: handover refused: $1" "$log" &&
		! grep -qE "Memory: |Run /init" "$log"
}
