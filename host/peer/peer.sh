#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/peer/peer.sh - make the tree of a kernel that has a KHO of its own, the peer
#
#   PEER=WHAT    its source: a tree, a tarball, or a Debian package with a tarball,
#                which may be of a newer Debian than this machine; without it
#                linux-source-7.3, whose handover format is the same as ours
#
# The peer is measured for comparison. Our kernel hands over to the peer, and the peer to
# our kernel. Owns build/peer: the tree of the source, to which copies of some of our
# test clients are added. These clients use only functions that any KHO has; host/peer
# has what else they need to compile there. host/build/kernel.sh builds the kernel
# "peer" of host/build/config/kernels from it.

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

# Prints the path of the source.
find_source() {
	local path
	for path in "$PEER" "$start/$PEER"; do
		[[ $path != /* || ! -e $path ]] || { realpath "$path"; return; }
	done
	[[ $PEER == linux-source-* ]] || die "PEER=$PEER is invalid: there is no such tree or tarball, and it is not a package linux-source-..."
	fetch_package "$PEER" "$build/peer/$PEER"
}

# Adds the test clients, unless the tree already has them, as one with our KHO does.
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
	# host/build/kernel.sh reads these. The peer has no patches and no whole files of ours.
	mkdir -p "$peer/.overlay/pristine"
	: >"$peer/.overlay/whole-files"
	: >"$peer/.overlay/patches"
}

main
