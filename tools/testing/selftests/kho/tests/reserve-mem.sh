# SPDX-License-Identifier: GPL-2.0-only
#
# reserve_mem= regions stay in place, with their content, over three kernels. One of
# them is used by ramoops, which shows what the previous kernel logged. Then kernels ask
# for one region with another size, with another alignment, and not at all. The other
# regions are not affected.
#
# shellcheck shell=dash

about="reserve_mem= regions that survive, and some that must not"
kernels="main next"
oops="reserve_mem=1M:4096:oops ramoops.mem_name=oops"
oops="$oops ramoops.pmsg_size=65536 ramoops.console_size=65536"
more="reserve_mem=4M::more test_kho_regions=data,more"
words="reserve_mem=32M:2M:data $oops $more"
expect="KHO: reserve_mem=data wants"
stages=6
plan=74
limit=180

REGIONS=/sys/kernel/debug/test_kho_regions

stage_1() {
	check "nothing is revived at cold boot" has_not_said "KHO: .*revived"
	# The default size counts the kernel and its initrd, twice.
	check "scratch is not larger because of the regions" \
		scratch_below $((88 + 3 * BLOCK_MIB)) out
	check "the regions can be written" eval "fill_region data && fill_region more"
	check "a file can be kept" keep letter 10M
	check "the user log of ramoops can be written" log_line
	remember total "$(mem_total)"
	on_to next "$words"
}

stage_2() {
	all_revived 1
	on_to main "$words"
}

stage_3() {
	all_revived 2
	on_to next "reserve_mem=64M:2M:data $oops $more"
}

stage_4() {
	data_is_fresh "wants 0x0*4000000 bytes"
	check "the larger region takes 32 MiB more" more_total -32
	on_to main "reserve_mem=64M:$(other_alignment):data $oops $more"
}

stage_5() {
	data_is_fresh "aligned to 0x0*$(printf %x "$(recall align)")"
	check "the fresh region has the new alignment" \
		same remainder $(($(address data) % $(recall align))) 0
	on_to next "$oops $more"
}

stage_6() {
	check "the region that the kernel does not ask for is freed" \
		has_said "KHO: reserve_mem region data,.* freed"
	check "that region no longer exists" has_said "test_kho: no region data"
	check "its memory is available" more_total 32
	others_revived
	check "there is no warning" has_not_said "KHO: .*(lost|damaged|fresh|no memory)"
	finish
}

on_to() {
	local kernel="$1"
	shift

	remember release "$(uname -r)"
	remember data "$(address data)"
	remember more "$(address more)"
	remember line "$(uname -r) in stage $kho_stage"
	handover "$kernel" "$@"
}

all_revived() {
	check "there is an incoming handover" came_from "$(recall release)" "$1"
	# This uses nearly all memory of the page allocator, so a region that was part of it
	# would be overwritten.
	check "nine tenths of the memory can be used" usable 90
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" 512
	region_revived data
	others_revived
}

others_revived() {
	region_revived more
	check "ramoops is revived" has_said "KHO: reserve_mem=oops: .* revived"
	check "ramoops shows what was logged before" logged_before
	check "ramoops shows the previous kernel's console" kernel_said
	check "ramoops takes more" log_line
	check "the file is intact" intact letter
	check "no folio is unclaimed" same unclaimed "$(kho_stat in unclaimed_folios)" 0
}

data_is_fresh() {
	check "the log says once why the region is not revived" warned_once "$1"
	check "the region is not revived" has_not_said "KHO: reserve_mem=data: .* revived"
	others_revived
	check "the fresh region can be written" fill_region data
}

warned_once() {
	same lines "$(dmesg | grep -cE "KHO: reserve_mem=data (wants.* )?$1")" 1
}

region_revived() {
	check "region $1 is revived" has_said "KHO: reserve_mem=$1: .* revived"
	check "region $1 is where it was" same address "$(address "$1")" "$(recall "$1")"
	check "the content of region $1 is intact" region_intact "$1"
}

address() {
	dmesg | sed -n "s/.*test_kho: region $1 is at //p"
}

# fill_region NAME: fills the region with its pattern. wc(1) determines the size by reading,
# because stat(2) of a debugfs blob does not have it.
fill_region() {
	local size
	size=$(wc -c <"$REGIONS/$1")
	remember "size.$1" "$size"
	pattern write "$(seed "$1")" "$size" |
		dd of="$REGIONS/$1" bs=64K conv=notrunc 2>/dev/null && region_intact "$1"
}

region_intact() {
	pattern check "$(seed "$1")" "$(recall "size.$1")" <"$REGIONS/$1"
}

log_line() {
	mkdir -p /sys/fs/pstore
	mount | grep -q 'on /sys/fs/pstore ' || mount -t pstore none /sys/fs/pstore
	echo "$(uname -r) in stage $kho_stage" >/dev/pmsg0
}

logged_before() {
	mount -t pstore none /sys/fs/pstore &&
		grep -q "^$(recall line)\$" /sys/fs/pstore/pmsg-ramoops-0
}

kernel_said() {
	local log=/sys/fs/pstore/console-ramoops-0

	grep -q "Linux version $(recall release) " $log &&
		grep -q "kexec_core: Starting new kernel" $log
}

# more_total MIB: MemTotal is MIB larger than at first, give or take the incoming map,
# which stays until everything in it is restored.
more_total() {
	near MemTotal "$(mem_total)" $(($(recall total) + $1 * 1024)) $((128 * PAGE_KIB))
}

# Prints an alignment that the region of this kernel does not have.
other_alignment() {
	local align=$((4 << 20)) address
	address=$(address data)

	while [ $((address % align)) -eq 0 ]; do
		align=$((align << 1))
	done
	remember align $align
	echo $align
}
