# SPDX-License-Identifier: GPL-2.0-only
#
# Folios of each order on its own, three of each: tails, compound heads and
# the page table of orders are different code for 0, 1 and the rest.
#
# shellcheck shell=dash

about="folios of each order from 0 to 10, then all memory can be used"
kernels="main next"
stages=2

# With larger pages the page allocator has larger orders, too, up to 512 MiB: a
# machine that has three of each wants more memory.
ORDERS="0 1 2 3 4 5 6 7 8 9 10"
case ${PAGE_SIZE-} in
16384) ORDERS="$ORDERS 11" ;;
65536) ORDERS="$ORDERS 11 12 13" ;;
esac
case ${family-} in
*-64k) mem=5G ;;
esac
# shellcheck disable=SC2086 # words
plan=$((6 + 2 * $(printf '%s\n' $ORDERS | wc -l)))

stage_1() {
	keep_all_orders
	note_down
	handover "$(last_kernel)"
}

stage_2() {
	check "no memory got lost" arrived 1
	all_orders_intact
	check "each folio is a proper one" folios_sound
	check "all files can be dropped" forget_all_orders
	check "nothing is left" same files "$(kept)" none
	check "nine tenths of the memory can be used" usable 90
	check "and the kernel is still content" has_not_said 'BUG:|WARNING:|Bad page'
	finish
}

# The largest first, while there are such blocks.
keep_all_orders() {
	local order

	# shellcheck disable=SC2086 # words
	for order in $(printf '%s\n' $ORDERS | sort -rn); do
		check "a file of order $order can be kept" \
			keep "order-$order" $((3 * PAGE_SIZE << order)) "$order"
	done
}

all_orders_intact() {
	local order

	for order in $ORDERS; do
		check "the file of order $order is intact" intact_in_order "$order"
	done
}

intact_in_order() {
	intact "order-$1" && in_order "order-$1" "$1" 3
}

forget_all_orders() {
	local order

	for order in $ORDERS; do
		forget "order-$order" || return
	done
}
