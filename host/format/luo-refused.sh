# SPDX-License-Identifier: GPL-2.0-only
#
# luo-refused.sh - the guest's part of host/tests/liveupdate-format-refused.sh
#
# shellcheck shell=dash

# shellcheck source=/dev/null
. /kho/facts

stages=1
plan=9

stage_1() {
	check "a handover came in" came_from "$fact_release" "$fact_kexecs"
	start_agent heir
	check "no session came in" nothing_came_in heir good
	check "not the next time either" refused ENOENT ask heir retrieve x good
	check "one line says why" said_once
	check "all of it waits" same unclaimed "$(kho_stat in unclaimed_folios)" "$fact_unclaimed"
	check "a session can be created" all heir "create s good
		memfd m
		write m 3 0 2
		preserve s 1 m"
	check "a file that was kept is right" files_right
	check "nine tenths of the memory can be used" usable 90
	check "the kernel is content" has_not_said 'BUG:|WARNING:|Bad page'
	finish
}

# The kernel says the reason, and nothing else.
said_once() {
	has_said "$fact_refused" || return
	same lines "$(dmesg | grep -c 'LUO: ')" 1
}

files_right() {
	local file=${fact_files# }

	same letter "letter:$(client_stat letter bytes):$(sha256sum "$CLIENT/files/letter" |
		cut -d ' ' -f 1)" "$file"
}
