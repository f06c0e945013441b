# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel with KMSAN says that KHO does not work with it, and why, and runs as if it had
# no KHO: it takes no handover from the kernel before it and makes none. A kexec out of it
# is not tried, since no KMSAN kernel survives one: x86's machine_kexec() calls instrumented
# code after it has cleared the base of GS. This test runs when it is named, since its kernel
# takes a quarter of an hour to build.
#
# shellcheck shell=dash

about="into a kernel with KMSAN, where KHO is off"
kernels="main kmsan"
when=asked
stages=2
plan=7
# Two thirds of the memory are KMSAN's, and half a GiB because of PCI.
mem=6G
limit=400
expect="KHO: kho=on has no effect: KHO does not work with KMSAN"

stage_1() {
	check "a file can be kept" keep letter 40M
	handover kmsan
}

stage_2() {
	check "the log says that kho=on has no effect" has_said "$expect"
	check "KHO is off" kho_disabled
	check "sysfs says why" same off_reason "$(cat /sys/kernel/kho/off_reason)" \
		"it does not work with KMSAN"
	check "nothing can be preserved" eval "! keep another 1M"
	check "half of the memory can be used" usable 50
	check "KMSAN reports nothing" has_not_said KMSAN:
	finish
}
