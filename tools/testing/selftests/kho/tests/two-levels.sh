# SPDX-License-Identifier: GPL-2.0-only
#
# Page tables of two levels, and a folio of the size of the largest huge page: arm64
# joins 32 entries of the upper level to one. With pages of 16 KiB that is 1 GiB, more
# than an entry of any level maps. So the largest folio that a kernel hands over and
# accepts cannot be one that the page tables have an entry for. The kernel is built for
# this scenario only: the tests of arm64 run it, and those of x86 only if it is named.
#
# shellcheck shell=dash

about="arm64 with page tables of two levels: a folio as large as the largest huge page"
# The family that the caller asked for decides when it runs, see host/vm/test.sh.
case ${family-} in
arm64*) ;;
*) family=arm64 when=asked ;;
esac
machines=arm64
pages=4k
kernels="16k-36bit"
order=16
mem=5G
limit=180
stages=2
plan=7

stage_1() {
	check "there are page tables of two levels" \
		same levels "$(setting CONFIG_PGTABLE_LEVELS)" 2
	check "the largest huge page has 1 GiB" \
		same "size of the largest huge page" "$(largest_hugetlb)" 1048576
	check "a folio of this size can be preserved" keep_giant "$order" manual
	check "the figures have it" same folios "$(kho_stat out "preserved_order_$order")" 1
	note_down
	handover "$(last_kernel)"
}

stage_2() {
	check "no memory is lost" arrived 1
	check "the folio can be restored" giant_restored
	check "it can be dropped" drop_giant
	finish
}

setting() {
	zcat /proc/config.gz | sed -n "s/^$1=//p"
}

largest_hugetlb() {
	local size largest=0

	for size in /sys/kernel/mm/hugepages/hugepages-*kB; do
		size=${size##*-}
		size=${size%kB}
		[ "$size" -le "$largest" ] || largest=$size
	done
	echo "$largest"
}

giant_restored() {
	same folios "$(kho_stat in "unclaimed_order_$order")" 1 || return
	folios restore && folio_stat_is restored_manual 1 && folios_fine
}

drop_giant() {
	folios drop && folio_stat_is bad 0
}
