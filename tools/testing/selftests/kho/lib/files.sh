# SPDX-License-Identifier: GPL-2.0-only
#
# lib/files.sh - files that the test client keeps over a kexec
#
# Owns how files are created, filled with a pattern, compared with it and
# dropped, and a set of small files with every second one dropped.
#
# shellcheck shell=dash

readonly CLIENT=/sys/kernel/debug/test_kho

# seed NAME: a number made from a name, so that each file has its own content.
seed() {
	echo "0x$(echo "$1" | md5sum | cut -c 1-15)"
}

# bytes SIZE: SIZE is 300M, 64K or a plain number.
bytes() {
	case $1 in
	*M) echo $((${1%M} << 20)) ;;
	*K) echo $((${1%K} << 10)) ;;
	*) echo "$1" ;;
	esac
}

# keep NAME SIZE [ORDER]: creates a kept file of SIZE bytes, in folios of ORDER
# or of all orders in turn.
keep() {
	local name="$1" size
	size=$(bytes "$2")

	remember "size.$name" "$size"
	echo "$name${3:+ $3}" >"$CLIENT/create" || return
	pattern write "$(seed "$name")" "$size" >"$CLIENT/files/$name"
}

# intact NAME...: the files hold what keep() wrote.
intact() {
	local name

	for name; do
		[ -f "$CLIENT/files/$name" ] || { echo "no file $name"; return 1; }
		pattern check "$(seed "$name")" "$(recall "size.$name")" \
			<"$CLIENT/files/$name" || { echo "in $name"; return 1; }
	done
}

# forget NAME...: drops the files, which frees their memory.
forget() {
	local name

	for name; do
		echo "$name" >"$CLIENT/remove" || return
		! [ -e "$CLIENT/files/$name" ] || { echo "$name stays"; return 1; }
	done
}

# kept: the names of all kept files, sorted, on one line; "none" without files.
kept() {
	local names

	names=$(cd "$CLIENT/files" && echo *) && [ "$names" != '*' ] || names=none
	echo "$names"
}

# client_stat NAME KEY: the VALUE of the word KEY=VALUE in the line of that file
client_stat() {
	grep "^$1 " "$CLIENT/stats" | tr ' ' '\n' | sed -n "s/^$2=//p"
}

# in_order NAME ORDER COUNT: the file consists of COUNT folios of ORDER.
in_order() {
	same "orders of $1" "$(client_stat "$1" orders)" "o$2:$3"
}

# The client compared each restored folio, head and tails, with a new one, and
# found no difference.
folios_sound() {
	local checked bad
	checked=$(sed -n 's/.*checked=\([0-9]*\).*/\1/p' "$CLIENT/stats")
	bad=$(sed -n 's/.*bad=\([0-9]*\).*/\1/p' "$CLIENT/stats")

	same "number of bad folios" "$bad" 0 || return
	[ "${checked:-0}" -gt 0 ] || { echo "no folio was checked"; return 1; }
}

# has_each_order NAME: the file has folios of each order from 0 to 10.
has_each_order() {
	local order orders
	orders=$(client_stat "$1" orders)

	for order in 0 1 2 3 4 5 6 7 8 9 10; do
		case ,$orders in
		*,o$order:*) ;;
		*) echo "no folio of order $order in $orders"; return 1 ;;
		esac
	done
}

# The small files consist of single pages. keep_small() creates them all,
# forget_odd() drops every second one, and small_intact() checks the others.
readonly SMALL_FILES=24

keep_small() {
	local i

	for i in $(seq $SMALL_FILES); do
		keep "small-$i" 256K 0 || return
	done
}

forget_odd() {
	local i

	for i in $(seq 1 2 $SMALL_FILES); do
		forget "small-$i" || return
	done
}

small_intact() {
	local i

	for i in $(seq 2 2 $SMALL_FILES); do
		intact "small-$i" || return
	done
	same "number of small files" "$(kept | tr ' ' '\n' | grep -c small)" \
		$((SMALL_FILES / 2))
}
