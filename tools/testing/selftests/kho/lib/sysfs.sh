# SPDX-License-Identifier: GPL-2.0-only
#
# lib/sysfs.sh - what KHO shows of itself in /sys/kernel/kho/
#
# shellcheck shell=dash

readonly KHO_SYS=/sys/kernel/kho

# shows FILE VALUE: the file is there and has this content.
shows() {
	local is

	is=$(cat "$KHO_SYS/$1") || return
	[ "$is" = "$2" ] || { echo "$1 is '$is', should be '$2'"; return 1; }
}
