# SPDX-License-Identifier: GPL-2.0-only
#
# A machine without free memory hands over: its scratch is full of user space memory,
# and its page allocator has small pieces only. Then it hands over again with an initrd
# of 100 MiB.
#
# shellcheck shell=dash

about="handovers with memory full and in pieces, and with a 100 MiB initrd"
kernels="main"
words="kho_scratch=64M,256M,64M"
mem=1536M
limit=300
stages=3
plan=13

stage_1() {
	local left=100

	check "a file can be kept" keep letter 20M
	# Small folios are everywhere by now, except in scratch.
	# Where pages are larger, stacks and page tables need more memory, and zones keep
	# more of it free. With pages of 16 KiB, zones keep as much free as is left outside
	# of scratch, and the copy of the next kernel cannot be in scratch.
	case $PAGE_SIZE in
	16384) left=228 ;;
	65536) left=484 ;;
	esac
	check "memory can be filled" fill_up $left
	check "scratch is full of it" scratch_is_full
	check "a file can be kept in what is left" keep late 4M 0
	note_down
	handover main "$words"
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the files are intact" intact letter late
	check "a large initrd can be made" make_large
	# Kexec reads the initrd and copies it, both outside of scratch, so this leaves room
	# for two initrds.
	check "memory can be filled" fill_up 700
	note_down
	handover main "$words"
}

stage_3() {
	check "no memory is lost" arrived 2
	check "the files are intact" intact letter late
	check "the initrd is unchanged" large_is_right
	rm /large
	check "the files can be dropped" forget letter late
	check "nine tenths of the memory can be used" usable 90
	finish
}

# fill_up MIB: fills memory until about MIB are left. The last 12 MiB are files of one
# page, of which every eighth is dropped again.
fill_up() {
	local dir=/tmp/full n=0 page

	page=$(head -c $((PAGE_SIZE - 1)) /dev/zero | tr '\0' x)
	mkdir -p $dir
	mount -t tmpfs -o size=100%,nr_inodes=0 tmpfs $dir
	while [ "$(meminfo MemAvailable)" -gt $(($1 * 1024 + 24576)) ]; do
		n=$((n + 1))
		dd if=/dev/zero of=$dir/large-$n bs=1M count=8 2>/dev/null || return
	done
	n=0
	while [ $(((n += 1) * PAGE_SIZE)) -le $((12 << 20)) ]; do
		echo "$page" >$dir/small-$n || return
		[ $((n % 8)) -ne 0 ] || rm $dir/small-$n
	done
	note "$(meminfo MemFree) KiB are free, $(meminfo CmaFree) of them in scratch"
}

# Less than a quarter of scratch is free, which may be on the CPUs' own lists. With
# larger pages it may be half, because there the last free memory is in scratch.
scratch_is_full() {
	local free part=4
	[ "$PAGE_SIZE" -eq 4096 ] || part=2
	free=$(meminfo CmaFree)
	[ "$free" -lt $(($(meminfo CmaTotal) / part)) ] || { echo "$free KiB are free"; return 1; }
}

make_large() {
	pattern write 0x1234 "$(bytes 100M)" >/large
}

large_is_right() {
	pattern check 0x1234 "$(bytes 100M)" </large
}
