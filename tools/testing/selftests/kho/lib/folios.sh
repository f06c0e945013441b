# SPDX-License-Identifier: GPL-2.0-only
#
# lib/folios.sh - folios of the phases client
#
# Owns the commands and figures of the client that restores folios in each phase
# of boot, and what it counts of struct pages while they are initialised.
#
# shellcheck shell=dash

readonly FOLIOS=/sys/kernel/debug/test_kho_folios

# folios COMMAND [ARGUMENT]
folios() {
	echo "${2-now}" >"$FOLIOS/$1"
}

# keep_giant ORDER PHASE: preserves a folio, to be restored in PHASE. Tries several times,
# since each piece of memory that is large enough may have a page in use.
keep_giant() {
	local try

	for try in 1 2 3 4 5; do
		folios add "$1 1 phase=$2" && return
		note "no memory for a folio of order $1, try $try"
		echo 3 >/proc/sys/vm/drop_caches
		echo 1 >/proc/sys/vm/compact_memory
	done
	return 1
}

# folio_stat NAME
folio_stat() {
	sed -n "s/^$1 //p" "$FOLIOS/stats"
}

folio_stat_is() {
	same "$1" "$(folio_stat "$1")" "$2"
}

# The client checked folios, and found nothing wrong.
folios_fine() {
	folio_stat_is bad 0 || return
	[ "$(folio_stat checked)" -gt 0 ] || { echo "no folio was checked"; return 1; }
}

# The kernel initialised each struct page exactly once.
pages_once() {
	folio_stat_is pages_never 0 && folio_stat_is pages_more 0 || return
	[ "$(folio_stat pages_once)" -gt 0 ] || { echo "none was counted"; return 1; }
}

# The client can allocate nearly all free memory, each page once. The rest is for
# allocations that must not wait, and for what a debug kernel stores about each
# page.
fill() {
	local free filled

	free=$(meminfo MemFree)
	folios fill && folio_stat_is bad 0 || return
	free=$((free - $(held_back))) filled=$(($(folio_stat filled) * PAGE_KIB))
	[ $filled -ge $((free * 9 / 10)) ] && return
	echo "only $filled of $free KiB could be allocated"
	return 1
}

# warned NAME: the log has as many warnings as restores failed, which the figure
# NAME counts.
warned() {
	same "number of warnings" \
		"$(dmesg | grep -c 'KHO: nothing to restore')" "$(folio_stat "$1")"
}
