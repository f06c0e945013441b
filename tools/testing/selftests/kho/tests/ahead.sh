# SPDX-License-Identifier: GPL-2.0-only
#
# The next kernel is unpacked when it is loaded, in each format, and lies where it will be
# used; nothing is copied at the kexec. Where this is impossible, the kexec works as without
# KHO, and the log says why. A corrupt kernel is refused.
#
# shellcheck shell=dash

about="kernels loaded ahead of the kexec: each format, two at a time, corrupt, as without KHO"
kernels="main main.xz main.zstd main.lz4 main.corrupt"
machines=x86
words="kho_scratch=16M,112M,16M"
mem=1G
cpus=2
stages=7
plan=44
limit=180
expect="KHO: (the kernel file is corrupt|a page of the kexec image is bad)"

stage_1() {
	check "a file can be kept" keep letter 20M
	check "a corrupt kernel is refused" refused main.corrupt
	check "that is said" has_said "KHO: the kernel file is corrupt .*: not loaded"
	load_ahead main
	check "the log says how much scratch it takes" loaded "in place, [1-9][0-9]* KiB of scratch"
	check "kernels can be loaded and unloaded in turn" load_many
	check "the last one is in place" loaded in place
	load_ahead main.xz
	handover main.xz
}

stage_2() {
	arrives 1
	load_ahead main.zstd
	handover main.zstd
}

stage_3() {
	arrives 2
	load_ahead main.lz4
	handover main.lz4
}

stage_4() {
	arrives 3
	load_ahead main.lz4 nokaslr
	handover main.lz4 nokaslr
}

stage_5() {
	arrives 4
	check "the kernel is where it was linked to" \
		same address "$(kernel_address)" ffffffff81000000
	check "loading ahead can be switched off" switch_off
	check "a kernel can still be loaded" load_kernel load main
	check "the log says that it will be copied" \
		loaded "copied at the kexec: kho_load_ahead is off"
	check "the log says that it is packed" unpacked "unpack itself: kho_load_ahead is off"
	handover main
}

stage_6() {
	arrives 5
	check "a kernel can be loaded before one of its pages is bad" load_kernel load main
	check "that one is in place" loaded in place
	check "one of its pages can be bad" break_image
	check "the kexec is refused" no_kexec
	check "that is said" has_said "KHO: a page of the kexec image is bad, at .*: load it again"
	check "it can be loaded again, elsewhere" load_kernel load main
	check "it is as good as unloaded when it is not needed" kexec_load unload

	check "a kernel with mem= can be loaded" load_kernel load main mem=8G
	check "it is in place" loaded in place
	check "it is left packed" unpacked "unpack itself: mem= or memmap= may exclude memory"
	handover main mem=8G
}

stage_7() {
	arrives 6
	check "the file is intact" intact letter
	check "the kernels had several virtual addresses" several_addresses
	finish
}

arrives() {
	kernel_address >>$STATE/addresses
	check "there is incoming handover $1" came_in "$1"
}

# load_ahead KERNEL [WORD...]
load_ahead() {
	check "$1 can be loaded" load_kernel load "$@"
	check "it is in place" loaded in place
	check "its kernel is unpacked" unpacked "is unpacked"
}

# All these images together are larger than scratch, so each image has to give its memory
# back. A second image lies beside the first one until it replaces that, or, if there is no
# room, it is copied at the kexec.
load_many() {
	for _ in 1 2 3 4; do
		load_kernel load main || return
		load_kernel load main || return
		kexec_load unload || return
	done
	load_kernel load main
}

# Reports a page of the image as bad. The image is the longest run of pages in scratch for
# which /proc/kpageflags shows no flag: they are neither free nor reserved, and belong to no
# program.
break_image() {
	local start size page

	page=$(regions in | while read -r start size; do
		dd if=/proc/kpageflags bs=8 2>/dev/null \
			skip=$((start / PAGE_SIZE)) count=$((size / PAGE_SIZE)) |
			od -A n -v -w8 -t u8 |
			awk -v first=$((start / PAGE_SIZE)) '
				{ run = $1 == 0 ? run + 1 : 0 }
				run > most { most = run; middle = first + NR - 1 - int(run / 2) }
				END { print most + 0, middle + 0 }'
	done | sort -n | tail -n 1)
	[ "${page% *}" -gt 1000 ] || { echo "no run of pages is long enough: $page"; return 1; }
	printf '0x%x' $((${page#* } * PAGE_SIZE)) \
		>/sys/devices/system/memory/hard_offline_page 2>/dev/null
	dmesg | grep "Memory failure"
	[ "$(bad_pages)" -gt 0 ]
}

bad_pages() {
	awk '$1 == "HardwareCorrupted:" { print $2 }' /proc/meminfo
}

no_kexec() {
	! kexec_load exec 2>/tmp/said || return
	grep -q "error 5$" /tmp/said || { cat /tmp/said; return 1; }
}

# refused KERNEL: the kernel cannot be loaded (ENOEXEC)
refused() {
	load_kernel load "$1" >/tmp/said 2>&1 && { echo "$1 was loaded"; return 1; }
	grep -q "error 8$" /tmp/said || { cat /tmp/said; return 1; }
}

# loaded WORDS, unpacked WORDS: the log has these words about the last image.
loaded() {
	last_line "KHO: the kexec image" "$*"
}

unpacked() {
	last_line "KHO: its kernel" "$*"
}

last_line() {
	dmesg | grep "$1" | tail -n 1 >/tmp/line
	grep -q "$2" /tmp/line || { cat /tmp/line; return 1; }
}

kernel_address() {
	awk '$3 == "_text" { print $1 }' /proc/kallsyms
}

several_addresses() {
	[ "$(sort -u $STATE/addresses | wc -l)" -ge 3 ] || { cat $STATE/addresses; return 1; }
}

switch_off() {
	echo 0 >/sys/module/kernel/parameters/kho_load_ahead
}
