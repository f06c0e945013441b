#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/peer/peer.sh - a kernel that has a KHO of its own: to measure beside ours, and to
# hand over to and from
#
#   PEER=WHAT    its sources: a tree, a tarball, or a Debian package with one, also
#                of a newer Debian than this; without it linux-source-7.3, whose
#                format is ours
#
# Owns build/peer: the tree as it came, and in it copies of those of our test
# clients that use nothing but what any KHO offers, with what they need there,
# which is in host/peer. The kernel is "peer" of host/build/config/kernels.

set -euo pipefail
start=$PWD
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"
# shellcheck source=host/tree/source.sh
. "$root/host/tree/source.sh"
cd "$root"

readonly peer=$build/peer/linux
readonly client=lib/test_kexec_handover
PEER=${PEER:-linux-source-7.3}

find_source() {
	local path
	for path in "$PEER" "$start/$PEER"; do
		[[ $path != /* || ! -e $path ]] || { realpath "$path"; return; }
	done
	[[ $PEER == linux-source-* ]] || die "PEER=$PEER: no such tree or tarball, and no package linux-source-..."
	fetch_package "$PEER" "$build/peer/$PEER"
}

# A KHO that is ours has them.
add_clients() {
	local file
	mkdir -p "$peer/$client"
	for file in "$client"/{api.c,bench.c,check.h,files.c,table.c,table.h} host/peer/{Makefile,check.c,peer.h}; do
		cmp -s "$file" "$peer/$client/${file##*/}" || cp "$file" "$peer/$client"
	done
	grep -q test_kexec_handover "$peer/lib/Makefile" ||
		echo "obj-\$(CONFIG_TEST_KEXEC_HANDOVER_BENCH) += test_kexec_handover/" >>"$peer/lib/Makefile"
	grep -q TEST_KEXEC_HANDOVER_BENCH "$peer/lib/Kconfig.debug" ||
		awk '/^config / { on = $2 == "TEST_KEXEC_HANDOVER_BENCH" } on' "$tree/lib/Kconfig.debug" \
			>>"$peer/lib/Kconfig.debug"
}

main() {
	local source id
	[[ -f $tree/.overlay/patches ]] || die "there is no build/linux yet: make tree"
	lock
	source=$(find_source) || exit 1
	id=$(source_id "$source") || exit 1
	if [[ $(head -1 "$peer/.overlay/source" 2>/dev/null) != "$id" ]]; then
		plain_tree "$source" "$id" "$peer"
	fi
	[[ -f $peer/include/linux/kexec_handover.h ]] || die "$PEER, Linux $(linux_version "$peer"), has no KHO"
	add_clients
	# It has neither patches of ours nor whole files.
	mkdir -p "$peer/.overlay/pristine"
	: >"$peer/.overlay/whole-files"
	: >"$peer/.overlay/patches"
}

main
