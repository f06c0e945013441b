# SPDX-License-Identifier: GPL-2.0-only
#
# vm_demo.sh - the guest's part of host/vm/vm-demo.sh: a host that has a virtual machine
#
# The host reads the lines "vm-demo: STAGE NAME VALUE", and the output of the virtual
# machine.
#
# shellcheck shell=dash disable=SC2034,SC2154

about="a virtual machine outlives its host's kernel"
kernels="main next"
words="liveupdate=on tsc=reliable kvm.tsc_tolerance_ppm=50000"
stages=2
plan=12

vm_cpus=2

stage_1() {
	tell release "$(uname -r)"
	start_vm cpus=$vm_cpus mib=32 fill beat=6000
	check "a guest runs" vm_beats 4
	handover_vm next
}

stage_2() {
	tell release "$(uname -r)"
	check "the guest runs under the next kernel" vm_beats 5
	check "there is an incoming handover" handed_over
	check_vm 4
	check "nothing waits any more" nothing_waits
	finish
}

handed_over() {
	same "count of kexecs" "$(kexec_count)" 1
}

tell() {
	echo "vm-demo: $kho_stage $*"
}
