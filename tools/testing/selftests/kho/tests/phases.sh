# SPDX-License-Identifier: GPL-2.0-only
#
# Folios of small, large and gigantic orders, each taken back in a phase of boot
# of its own: with nothing but memblock, before the slab allocator, in an
# early_initcall, in threads beside deferred initialisation, late, and on
# demand. In memory whose struct pages are initialised early and in such where
# they are deferred. Some are kept, some freed at once, some split.
#
# The second kernel takes 600 MiB before it has a slab allocator, more than is
# initialised by then, so that zones have to grow over what is preserved.
#
# shellcheck shell=dash

about="small, large and gigantic folios taken back in each phase of boot"
kernels="main next"
words="test_kho_count"
mem=8G
cpus=4
numa=2
limit=240
# Where threads try to take the same folio, all but one get none.
expect="KHO: nothing to restore"
stages=2
case $PAGE_SIZE in
4096) plan=25 ;;
16384) plan=24 ;;
65536) plan=23 ;;
esac

readonly PHASES="memblock page_alloc early threads late manual"
# 2, 4 and 8 MiB are the large ones; of 4 KiB pages the last one is gigantic. And
# 1 GiB, which is so on all machines. arm64 joins entries of its page tables: 16 of
# 4 KiB and of 2 MiB, 128 of 16 KiB and 32 of 32 MiB, 32 of 64 KiB; that is orders 4
# and 13, 7 and 16, and 5.
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
	# First, while there is so much in one piece.
	check "a folio of order $huge can be kept" keep_giant
	for phase in $PHASES; do
		check "folios for $phase can be kept" add_phase "$phase"
	done
	remember boot_took "$(boot_took)"
	remember per_phase "$((($(folio_stat out) - 1) / 6))"
	note_down
	handover "$(last_kernel)" "$words" test_kho_grow=$GROW
}

stage_2() {
	local phase

	check "scratch is free for movable pages" scratch_free
	# Where page blocks are of 32 or 512 MiB there are few, with all kinds in them.
	[ "$PAGE_SIZE" != 4096 ] || check "so is most other memory" mostly_movable
	check "each struct page was initialised once" pages_once
	for phase in $PHASES; do
		[ "$phase" != manual ] || continue
		check "all that were for $phase came back" back_in "$phase"
	done
	# With pages of 64 KiB that is over before there are threads.
	[ "$PAGE_SIZE" = 65536 ] ||
		check "threads took some while others were being initialised" beside_deferred_init
	check "what several threads wanted, one got" one_winner
	check "folios are as new ones" folios_fine
	check "all memory can be used while others wait" fill
	check "these come back" manual_back
	check "they are as new ones" folios_fine
	check "all can be dropped, many in pieces" drop_split
	check "no memory got lost" near MemTotal "$(mem_total)" "$(recall total)" "$margin"
	check "all memory can be used" fill
	finish
}

# Somebody may have had the odd page in each piece of memory that is large enough.
keep_giant() {
	local try

	for try in 1 2 3 4 5; do
		folios add "$huge 1 phase=early" && return
		note "no memory for a folio of order $huge, try $try"
		echo 3 >/proc/sys/vm/drop_caches
		echo 1 >/proc/sys/vm/compact_memory
	done
	return 1
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

# Of each order for each fate, and small ones all over the place.
add_fates() {
	local order="$1" phase="$2" low="${3:+ $3}" count=20 fate

	[ "$order" -lt "$LARGE" ] || count=2
	for fate in keep free split; do
		folios add "$order $count phase=$phase then=$fate$low" || return
	done
	[ "$order" -ge "$LARGE" ] || folios add "$order 100 phase=$phase scattered$low"
}

# What a kernel takes of memory while it boots, in KiB, but for scratch at cold boot.
boot_took() {
	local reserved
	reserved=$(dmesg | sed -n 's/.*Memory: .* \([0-9]*\)K reserved.*/\1/p')
	echo $((reserved - $(meminfo CmaTotal)))
}

# But for what the kernel took of it while it booted, as much as the one before.
# What went to the page allocator before its page blocks had their type does not
# count as free.
scratch_free() {
	local free total want
	free=$(meminfo CmaFree) total=$(meminfo CmaTotal)
	want=$((total * 19 / 20 - $(recall boot_took)))

	[ "$want" -gt 0 ] || { echo "the kernel before took all of $total KiB"; return 1; }
	[ "$free" -ge "$want" ] || { echo "$free of $total KiB, should be $want"; return 1; }
}

# Each page block has its type, however early it was set up: less those that the
# memory has which was taken before there was a slab allocator.
mostly_movable() {
	awk -v mib="$GROW" -v kib="$PAGE_KIB" '
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
		{ echo "deferred init was over"; return 1; }
}

# Two to four threads, one winner each, and a warning for each of the others.
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
