# SPDX-License-Identifier: GPL-2.0-only
#
# As damaged, with the root FDT among what is written over, and a checksum: the
# next kernel notices whatever it is. Only if the damage is such that there is no
# checksum any more, as far as one can see, it may be that it does not.
#
# shellcheck shell=dash

kho_damage=all
# shellcheck source=tools/testing/selftests/kho/tests/damaged.sh
. "$kho_tests/damaged.sh"

about="damage to the map and the root FDT, $kho_rounds times, seed $kho_seed"
words="kho_seed=$kho_seed kho_rounds=$kho_rounds"

said_once() {
	if [ -d "$KHO/in" ]; then
		! grep -q checksum "$KHO/in/fdt" || { echo "it was taken over"; return 1; }
	else
		same lines "$(dmesg | grep -c 'KHO: handover refused: .*, booting as from cold')" 1
	fi
}
