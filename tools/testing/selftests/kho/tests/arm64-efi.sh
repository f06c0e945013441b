# SPDX-License-Identifier: GPL-2.0-only
#
# The story of arm64 on a machine that UEFI starts and ACPI describes. The kernel
# has memblock rebuilt from UEFI's memory map; its device tree is /chosen alone.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/tests/arm64.sh
. "$kho_tests/arm64.sh"

about="arm64 by UEFI and ACPI: the same"
firmware=efi

described() {
	[ -s /sys/firmware/fdt ] && [ -d /sys/firmware/efi ] && [ -d /sys/firmware/acpi ]
}
