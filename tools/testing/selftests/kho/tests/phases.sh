# SPDX-License-Identifier: GPL-2.0-only
#
# Folios of small, large and gigantic orders, which the client restores in different
# phases of boot: while there is only memblock, before the slab allocator, in an
# early_initcall, in threads during deferred initialisation, late, and on demand. Some
# of the memory has its struct pages initialised early, some deferred. The client keeps
# some of the folios, frees some at once and splits some.
#
# The second kernel takes 600 MiB before it has a slab allocator. That is more memory
# than has struct pages by then, so zones have to grow over preserved folios.
#
# shellcheck shell=dash

about="small, large and gigantic folios restored in each phase of boot"
kernels="main next"
words="test_kho_count"
mem=8G
cpus=4
numa=2
limit=240
# When several threads try to restore the same folio, all but one of them fail.
expect="KHO: nothing to restore"
stages=2
case $PAGE_SIZE in
4096) plan=25 ;;
16384) plan=24 ;;
65536) plan=23 ;;
esac

readonly PHASES="memblock page_alloc early threads late manual"
# The large folios have 2, 4 and 8 MiB; with pages of 4 KiB, 8 MiB are gigantic. A
# huge folio has 1 GiB, which is gigantic everywhere. arm64 joins page table entries:
# 16 of 4 KiB and of 2 MiB (orders 4 and 13), 128 of 16 KiB and 32 of 32 MiB (7 and
# 16), or 32 of 64 KiB (5).
case $PAGE_SIZE in
4096) LARGE=9 huge=18 joined="4 13" ;;
16384) LARGE=7 huge=16 joined="" ;;
65536) LARGE=5 huge=14 joined="" mem=4G ;;
esac
readonly ORDERS="0 1 $LARGE $((LARGE + 1)) $((LARGE + 2))"
GROW=600
margin=512

stage_1() {
	local phase

	check "each struct page was initialised once" pages_once
	# This comes first, while memory still has a piece of this size.
	check "a folio of order $huge can be kept" keep_giant "$huge" early
	for phase in $PHASES; do
		check "folios for $phase can be kept" add_phase "$phase"
	done
	remember per_phase "$((($(folio_stat out) - 1) / 6))"
	note_down
	handover "$(last_kernel)" "$words" test_kho_grow=$GROW
}

stage_2() {
	local phase

	check "scratch is free for movable pages" scratch_free
	# Page blocks of 32 or 512 MiB are few, and contain pages of all types.
	[ "$PAGE_SIZE" != 4096 ] ||
		check "most other memory is for movable pages, too" mostly_movable
	check "each struct page was initialised once" pages_once
	for phase in $PHASES; do
		[ "$phase" != manual ] || continue
		check "all folios for $phase were restored" back_in "$phase"
	done
	# With pages of 64 KiB deferred initialisation is over before there are threads.
	[ "$PAGE_SIZE" = 65536 ] ||
		check "threads restored folios during deferred initialisation" beside_deferred_init
	check "exactly one of several threads gets a folio" one_winner
	check "the restored folios are like new ones" folios_fine
	check "all memory can be used while folios are unclaimed" fill
	check "the unclaimed folios can be restored" manual_back
	check "the restored folios are like new ones" folios_fine
	check "all folios can be dropped, many of them split" drop_split
	check "no memory is lost" near MemTotal "$(mem_total)" "$(recall total)" "$margin"
	check "all memory can be used" fill
	finish
}

add_phase() {
	local order

	for order in $ORDERS; do
		add_fates "$order" "$1" low || return
		add_fates "$order" "$1" || return
	done
	for order in $joined; do
		folios add "$order 1 phase=$1" || return
	done
}

# add_fates ORDER PHASE [low]: folios of that order for each fate, and scattered ones
# if the order is small.
add_fates() {
	local order="$1" phase="$2" low="${3:+ $3}" count=20 fate

	[ "$order" -lt "$LARGE" ] || count=2
	for fate in keep free split; do
		folios add "$order $count phase=$phase then=$fate$low" || return
	done
	[ "$order" -ge "$LARGE" ] || folios add "$order 100 phase=$phase scattered$low"
}

# At least a quarter of scratch is free: it has room for two images of a kernel, of which
# this kernel took one. CmaFree would not count memory that reached the page allocator
# before its page blocks had their type.
scratch_free() {
	local free total
	free=$(meminfo CmaFree) total=$(meminfo CmaTotal)

	[ "$free" -ge $((total / 4)) ] || { echo "$free of $total KiB"; return 1; }
}

# Each page block has the right type, however early it was initialised. The page blocks
# of the memory that was taken before there was a slab allocator do not count, nor those
# of reserved memory, such as KASAN's: nothing sets the type of these page blocks.
mostly_movable() {
	local ram taken

	ram=$(dmesg | sed -n 's/.* Memory: [0-9]*K\/\([0-9]*\)K available.*/\1/p')
	taken=$((GROW + (ram - $(meminfo MemTotal)) / 1024))
	awk -v mib="$taken" -v kib="$PAGE_KIB" '
		/^Pages per block/ { taken = int(mib * 1024 / kib / $NF + 0.999) }
		/^Number of blocks/ { on = 1; next }
		on { unmovable += $5; all += $5 + $6 }
		END {
			print unmovable " of " all " page blocks are for unmovable pages"
			exit unmovable - taken > all / 20
		}' /proc/pagetypeinfo
}

back_in() {
	local more=0

	[ "$1" != early ] || more=1
	folio_stat_is "restored_$1" "$(($(recall per_phase) + more))"
}

manual_back() {
	folios restore && back_in manual
}

beside_deferred_init() {
	[ "$(folio_stat pages_at_threads)" -lt "$(folio_stat pages_initialised)" ] ||
		{ echo "deferred initialisation was over"; return 1; }
}

# Two to four threads compete for each folio. One gets it, and the kernel warns of
# each of the others.
one_winner() {
	[ "$(folio_stat contested_taken)" -gt 5 ] || { echo "nothing was contested"; return 1; }
	[ "$(folio_stat contested_lost)" -ge "$(folio_stat contested_taken)" ] ||
		{ echo "too few lost"; return 1; }
	warned contested_lost
}

drop_split() {
	folios drop && folio_stat_is bad 0 || return
	[ "$(folio_stat split)" -gt 100 ] || { echo "none was split"; return 1; }
}
