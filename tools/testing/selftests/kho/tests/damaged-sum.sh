# SPDX-License-Identifier: GPL-2.0-only
#
# The scenario damaged, with the root FDT among what is overwritten, and with a
# checksum: the next kernel notices any damage. The exception is damage to the root
# FDT after which there seems to be no checksum: the kernel may not notice that.
#
# shellcheck shell=dash

kho_damage=all
# shellcheck source=tools/testing/selftests/kho/tests/damaged.sh
. "$kho_tests/damaged.sh"

about="damage to the map and the root FDT, $kho_rounds times, seed $kho_seed"
words="kho_seed=$kho_seed kho_rounds=$kho_rounds"

said_once() {
	if [ -d "$KHO/in" ]; then
		! grep -q checksum "$KHO/in/fdt" ||
			{ echo "the kernel accepted the damaged handover"; return 1; }
	else
		same lines "$(dmesg | grep -c 'KHO: handover refused: .*; booting as from cold')" 1
	fi
}
