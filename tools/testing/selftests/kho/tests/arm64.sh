# SPDX-License-Identifier: GPL-2.0-only
#
# The short form of all tests on arm64, which runs by default on any host: one kernel
# hands over to itself, twice, on a machine that has a node without memory. Each kernel
# removes the incoming handover from its device tree, and is in scratch. arm64-efi runs
# the same with UEFI and ACPI.
#
# shellcheck shell=dash

# shellcheck source=tools/testing/selftests/kho/lib/orders.sh
. "$kho_tests/../lib/orders.sh"

about="arm64 by device tree: KUnit, all orders, two handovers, four nodes"
# Uses the page size that the caller asked for, when the caller asked for arm64.
case ${family-} in
arm64*) ;;
*) family=arm64-small ;;
esac
machines=arm64
# A KUnit test checks images for which there is no room.
expect="KHO: no room in scratch( and memory that holds nothing preserved)? for the next kernel"
kernels="main"
words="kunit.enable=1 kunit.filter_glob=kho_*"
mem=1G
numa=4
cpus=4
limit=240
stages=3
plan=$((15 + 3 * $(count_orders)))

stage_1() {
	check "the machine has the description that this scenario is about" described
	check "the KUnit suites pass" suites_pass
	keep_all_orders
	check "a large file can be kept" keep large 64M
	note_down
	handover main
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the kernel is in scratch" in_scratch "$(text_address)" "$(text_end)"
	check "the handover is gone from the device tree" taken
	check_machine
	all_orders_intact
	check "the large file is intact" intact large
	check "each restored folio is like a new one" folios_sound
	check "the large file can be dropped" forget large
	handover main
}

stage_3() {
	check "no memory is lost" arrived 2
	check "the kernel is in scratch" in_scratch "$(text_address)" "$(text_end)"
	check "the handover is gone from the device tree" taken
	check_machine
	all_orders_intact
	check "each restored folio is like a new one" folios_sound
	check "files of all orders can be dropped" forget_all_orders
	check "nine tenths of the memory can be used" usable 90
	finish
}

# Kexec makes the next kernel's device tree from this flat tree: /chosen is in it,
# and the incoming handover is not.
taken() {
	flat_properties >/tmp/properties
	grep -qx bootargs /tmp/properties || { echo "no bootargs"; return 1; }
	! grep kho /tmp/properties
}

# The names of all properties in the flat tree in memory. What the kernel made from
# that tree at boot does not count.
flat_properties() {
	od -A n -v -t u1 /sys/firmware/fdt | awk '
		function word(at) {
			return ((b[at] * 256 + b[at + 1]) * 256 + b[at + 2]) * 256 + b[at + 3]
		}
		{ for (i = 1; i <= NF; i++) b[n++] = $i }
		END {
			for (at = word(8); at < n; ) {
				token = word(at)
				at += 4
				if (token == 1) {		# a node and its name
					while (b[at])
						at++
					at += 4 - at % 4
				} else if (token == 3) {	# length, name, value
					name = ""
					for (c = word(12) + word(at + 4); b[c]; c++)
						name = name sprintf("%c", b[c])
					print name
					at += 8 + int((word(at) + 3) / 4) * 4
				} else if (token == 9)
					break
			}
		}'
}

# For scenarios that build on this one: what else they check on their machine.
check_machine() {
	:
}

described() {
	[ -s /sys/firmware/fdt ] && [ ! -e /sys/firmware/acpi ]
}
