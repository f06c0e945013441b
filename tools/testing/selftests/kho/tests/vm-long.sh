# SPDX-License-Identifier: GPL-2.0-only
#
# A virtual machine under many kernels, one after the other. Before the first kexec the host
# also refuses one, and loses a virtual machine.
#
# host/vm/test.sh vm-long takes some minutes. Settings, with their defaults:
#
#   vm-long:vm_handovers=20:vm_cpus=4:vm_words=mib=64,beat=500
#
# vm_words are words for vm, see ../liveupdate/vm.c: with step=7 the guest uses every seventh
# page only; with huge its memory has huge pages, and with hugetlb it has those of hugetlb.
#
# shellcheck shell=dash disable=SC2034

vm_handovers=${vm_handovers:-20}
vm_cpus=${vm_cpus:-4}
vm_words=${vm_words:-mib=64,beat=500}
about="a virtual machine with $vm_cpus vCPUs ($vm_words) under $((vm_handovers + 1)) kernels"
kernels="main next"
machines=x86
when=asked
vm_settings="vm_handovers=$vm_handovers vm_cpus=$vm_cpus vm_words=$vm_words"
# This many pages are 64 MiB. All kernels need the same hugepages=.
case $vm_words in
*hugetlb*) vm_settings="$vm_settings hugepages=32" ;;
esac
words="liveupdate=on tsc=reliable kvm.tsc_tolerance_ppm=50000 $vm_settings"
programs=vm
threads=one
stages=$((vm_handovers + 1))
cpus=2
limit=$((100 + 30 * vm_handovers))
plan=$((36 + 10 * vm_handovers))

expect="LUO: .*(cannot freeze|cannot be frozen)"

readonly CLIENT_DIR=/sys/kernel/debug/test_liveupdate
readonly SHMEM_HUGE=/sys/kernel/mm/transparent_hugepage/shmem_enabled

stage_1() {
	case $vm_words in
	*huge*) echo always >$SHMEM_HUGE ;;
	esac
	start_guest
	check "a guest runs, and can be handed over" vm_beats 2
	check_vm 2

	# The kexec is refused, because no kernel is loaded.
	kill -HUP "$vm_pid"
	check "a kexec is refused" later 100 has_said "vmm: the kexec was refused .Invalid argument"
	check "the guest goes on in the old kernel" vm_beats 2
	start_agent other
	check "there is a file that cannot be frozen" all other "create t other
		open-file y $CLIENT_DIR/new
		preserve t 1 y"
	check "a kernel can be loaded" load_kernel load next $LUO_ON
	echo "freeze 1 5" >$CLIENT_DIR/fail
	kill -HUP "$vm_pid"
	check "a kexec is refused in freeze" \
		later 100 has_said "vmm: the kexec was refused .Input/output error"
	check "the guest goes on after that" vm_beats 2
	ask other quit
	check_vm 4
	kill -USR1 "$vm_pid"
	check "the guest is stopped" later 100 has_said "vmm: the guest is stopped"
	check "it stays so" stands_still
	kill -USR2 "$vm_pid"
	check "it goes on" vm_beats 2

	kill -KILL "$vm_pid"
	check "a guest that is killed has no session any more" later 100 no_session
	start_guest
	check "another guest can be started" vm_beats 2
	check_vm 2
	handover_vm next "$vm_settings"
}

later_stage() {
	check "the guest runs under kernel $kho_stage" vm_beats 3
	check "nothing waits any more" nothing_waits
	check_vm 2
	[ "$kho_stage" -lt "$stages" ] || finish
	handover_vm "$([ $((kho_stage % 2)) -eq 1 ] && echo next || echo main)" "$vm_settings"
}

start_guest() {
	# shellcheck disable=SC2046 # words
	start_vm "cpus=$vm_cpus" $(echo "$vm_words" | tr , ' ')
}

stands_still() {
	local before
	before=$(vm_console | wc -l)
	sleep 2
	same "lines of the guest" "$(vm_console | wc -l)" "$before"
}

no_session() {
	grep -q '^sessions:[[:blank:]]*0$' /sys/kernel/debug/liveupdate/outgoing
}
