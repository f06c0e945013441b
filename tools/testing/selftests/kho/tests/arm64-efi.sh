# SPDX-License-Identifier: GPL-2.0-only
#
# The story of arm64 on a machine that UEFI starts and ACPI describes. The kernel
# has memblock rebuilt from UEFI's memory map; its device tree is /chosen alone. And as
# on servers, interrupts of PCI are in tables that cannot be moved once they are in
# use: UEFI tells each kernel where the first one put them.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/arm64.sh
. "$kho_tests/arm64.sh"

about="arm64 by UEFI and ACPI: the same"
firmware=efi
qemu="-machine gic-version=3"
plan=$((plan + 2))

check_machine() {
	check "interrupts are still in the first kernel's tables" has_said \
		"GICv3: Using preallocated redistributor tables"
}

described() {
	[ -s /sys/firmware/fdt ] && [ -d /sys/firmware/efi ] && [ -d /sys/firmware/acpi ]
}
