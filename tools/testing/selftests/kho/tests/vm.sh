# SPDX-License-Identifier: GPL-2.0-only
#
# A virtual machine goes on while its host's kernel is replaced, twice. ../liveupdate/vm.c
# runs it, and ../liveupdate/vm_guest.c is what runs in it.
#
# shellcheck shell=dash disable=SC2034

about="a virtual machine outlives its host's kernel"
kernels="main next"
machines=x86
words="liveupdate=on tsc=reliable kvm.tsc_tolerance_ppm=50000"
programs=vm
threads=one
stages=3
cpus=2
limit=120
plan=24

vm_cpus=2

stage_1() {
	start_vm cpus=$vm_cpus mib=64 beat=2000
	check "a guest runs, and can be handed over" vm_beats 4
	check "nothing came in" no_handover
	handover_vm next
}

stage_2() {
	check "the guest runs under the next kernel" vm_beats 4
	check "there is an incoming handover" came_from "$(uname -r | sed 's/-kho-b/-kho-a/')" 1
	check "nothing waits any more" nothing_waits
	check_vm 3
	handover_vm main
}

stage_3() {
	check "the guest runs under the third kernel" vm_beats 4
	check "nothing waits any more" nothing_waits
	check_vm 3
	kill "$vm_pid"
	check "the end of the guest is the end of its session" \
		later 50 test ! -e "/proc/$vm_pid/exe"
	finish
}
