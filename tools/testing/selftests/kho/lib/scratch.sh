# SPDX-License-Identifier: GPL-2.0-only
#
# lib/scratch.sh - the scratch regions, incoming and outgoing
#
# Owns their addresses and sizes as debugfs shows them, and what is inside them.
#
# shellcheck shell=dash

# regions in|out: the scratch regions, one a line: ADDRESS SIZE, hexadecimal
regions() {
	paste -d ' ' "$KHO/$1/scratch_phys" "$KHO/$1/scratch_len"
}

# sizes in|out: the sizes of the regions in MiB, on one line
sizes() {
	local mib='' len

	while read -r len; do
		mib="$mib $((len >> 20))"
	done <"$KHO/$1/scratch_len"
	echo "${mib# }"
}

# in_blocks MIB...: the sizes that regions get when kho_scratch= asks for these sizes
in_blocks() {
	local mib sizes=''

	for mib; do
		sizes="$sizes $(((mib + BLOCK_MIB - 1) / BLOCK_MIB * BLOCK_MIB))"
	done
	echo "${sizes# }"
}

# scratch_mib in|out: the size of all regions together
scratch_mib() {
	local total=0 mib

	for mib in $(sizes "$1"); do
		total=$((total + mib))
	done
	echo $total
}

# scratch_below MIB in|out: all regions together are smaller than MIB.
scratch_below() {
	local mib
	mib=$(scratch_mib "$2")

	note "scratch: $mib MiB"
	[ "$mib" -lt "$1" ] || { echo "$mib MiB of scratch, should be below $1"; return 1; }
}

# in_scratch FIRST LAST: both addresses are in the same region. The first region
# does not count: it is the one for low memory.
in_scratch() {
	local start size

	regions in | sed 1d >/tmp/regions
	while read -r start size; do
		[ $(($1)) -ge $((start)) ] && [ $(($2)) -lt $((start + size)) ] && return
	done </tmp/regions
	echo "$1 to $2 is in none of:"
	cat /tmp/regions
	return 1
}
