# SPDX-License-Identifier: GPL-2.0-only
#
# refused.sh - the guest's part of host/tests/format-refused.sh
#
# shellcheck shell=dash

# shellcheck source=/dev/null
. /kho/facts

stages=1
plan=5

stage_1() {
	check "one line says why" said_once
	check "nothing came in" nothing_of_use
	check "KHO is on" kho_enabled
	check "a file can be kept" keep letter 1M
	check "nine tenths of the memory can be used" usable 90
	finish
}

# Only a blob may be ignored while the rest of the handover is accepted.
nothing_of_use() {
	if [ -n "${fact_accepted-}" ]; then
		came_from "$fact_release" "$fact_kexecs" || return
	else
		no_handover || return
	fi
	same files "$(kept)" none
}

# The kernel says the reason, and says it once.
said_once() {
	has_said "KHO: .*$fact_refused" || return
	same "lines" "$(dmesg | grep -cE 'KHO: .*(refused|ignored)')" 1
}
