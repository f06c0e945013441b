# SPDX-License-Identifier: GPL-2.0-only
#
# Something overwrites the map while the system still runs: a node's address points
# nowhere, is not aligned, or leads back to the root, or the root is full of ones. The
# walk that computes the checksum comes at the point of no return. It must not follow
# such an address; the next kernel has to find and report what is wrong.
#
# shellcheck shell=dash

about="a map that is damaged before the kexec does not stop it"
kernels="main"
limit=120
expect="KHO: (handover refused|the map is damaged)"
stages=5
plan=12

stage_1() {
	damage_and_go 0
}

later_stage() {
	check "the handover is refused" refused_once
	check "there is no incoming handover" no_handover
	[ "$kho_stage" -lt "$stages" ] || finish
	damage_and_go $((kho_stage - 1))
}

damage_and_go() {
	check "a file can be kept" keep letter 3M
	load_next main
	echo "$1 now" >/sys/kernel/debug/test_kho_damage || bail_out "nothing can be damaged"
	leave
}

refused_once() {
	has_said 'KHO: handover refused: node of the map .*; booting as from cold' || return
	same lines "$(dmesg | grep -c 'KHO: handover refused')" 1
}
