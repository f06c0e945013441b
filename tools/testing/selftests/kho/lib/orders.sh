# SPDX-License-Identifier: GPL-2.0-only
#
# lib/orders.sh - one kept file for each order of the page allocator
#
# Owns which orders there are, and the files: each consists of three folios of
# its order. Scenarios source this in their heads, where they need ORDERS to
# count their results; so it may be read without lib.sh.
#
# shellcheck shell=dash disable=SC2034

# With larger pages the page allocator also has larger orders, up to 512 MiB.
# Three folios of each of those need a machine with more memory.
ORDERS="0 1 2 3 4 5 6 7 8 9 10"
case $PAGE_SIZE in
16384) ORDERS="$ORDERS 11" ;;
65536) ORDERS="$ORDERS 11 12 13" mem=5G ;;
esac

# How many orders there are.
count_orders() {
	# shellcheck disable=SC2086 # words
	printf '%s\n' $ORDERS | wc -l
}

# Keeps the file of the largest order first, while memory has such blocks.
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
