# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario arm64 on a machine that boots by UEFI and is described by ACPI. The
# kernel rebuilds memblock from UEFI's memory map, and its device tree has nothing but
# /chosen. As on servers, PCI interrupts use tables that cannot be moved once they are
# in use: each kernel learns from UEFI where the first kernel put them. The kernel
# "arm64-small" knows neither UEFI nor ACPI, so without ARCH=arm64 this scenario runs only
# when it is named.
#
# shellcheck shell=dash

case ${family-} in
arm64*) ;;
*) family=arm64 when=asked ;;
esac
# shellcheck source=tools/testing/selftests/kho/tests/arm64.sh
. "$kho_tests/arm64.sh"

about="arm64 by UEFI and ACPI: the same as arm64"
firmware=efi
qemu="-machine gic-version=3"
plan=$((plan + 2))

check_machine() {
	check "interrupts still use the first kernel's tables" has_said \
		"GICv3: Using preallocated redistributor tables"
}

described() {
	[ -s /sys/firmware/fdt ] && [ -d /sys/firmware/efi ] && [ -d /sys/firmware/acpi ]
}
