# SPDX-License-Identifier: GPL-2.0-only
#
# Each kernel has another page size than the one before, so the incoming handover was
# written with a page size that it cannot use: it refuses the whole handover in one line
# and boots without it.
#
# shellcheck shell=dash

about="handovers between kernels with pages of 4, 64 and 16 KiB are refused"
kernels="main 64k 16k"
machines=arm64
pages=4k
mem=5G
limit=180
stages=4
plan=21
expect="KHO: handover refused: root FDT at .*, [0-9]+ bytes, is not one page in this kernel"

stage_1() {
	keep_and_go 64k
}

stage_2() {
	refused_and_anew 65536
	keep_and_go 16k
}

stage_3() {
	refused_and_anew 16384
	keep_and_go main
}

stage_4() {
	refused_and_anew 4096
	finish
}

keep_and_go() {
	check "a file can be kept" keep letter 10M
	remember page "$PAGE_SIZE"
	handover "$1" kho_scratch=64M,256M,64M
}

refused_and_anew() {
	check "this kernel has another page size" same "page size" "$PAGE_SIZE" "$1"
	check "the log says that the handover is refused, and why" has_said \
		"KHO: handover refused: root FDT .* $(recall page) bytes, is not one page .*; booting"
	check "the log says so in one line" same lines "$(dmesg | grep -c 'KHO: .*refused')" 1
	check "there is no incoming handover" no_handover
	check "KHO is on" kho_enabled
	check "nine tenths of the memory can be used" usable 90
}
