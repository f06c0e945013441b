#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/initramfs.sh - make the root file system of test guests
#
#   host/initramfs.sh                            build/initramfs.cpio.gz
#   host/initramfs.sh OUT KERNEL... [--add FILE NAME]
#
# Owns what is in a guest: Debian's static busybox, the kernel's own KTAP
# helpers, our scenarios and our two small programs. The second form adds
# the named kernels of build/kernel, as /boot/KERNEL, and with --add the host's
# FILE as /NAME, and makes the archive OUT that one machine boots with.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly ours=$root/tools/testing/selftests/kho
readonly base=$build/initramfs.cpio.gz

# Everything below the folder $1, root's whoever made it.
pack() {
	(cd "$1" && find . -mindepth 1 | sort |
		cpio --quiet -o -H newc -R 0:0 --reproducible)
}

# A static one: the guest has no libraries.
static_busybox() {
	local it
	it=$(command -v busybox) || die "busybox not found (package busybox-static)"
	! ldd "$it" >/dev/null 2>&1 || die "$it is not static (package busybox-static)"
	echo "$it"
}

make_base() {
	local dir
	local ktap=$tree/tools/testing/selftests/kselftest/ktap_helpers.sh
	[[ -f $ktap ]] || die "no kernel tree in $(shown "$tree") (make tree)"

	dir=$(mktemp -d)
	mkdir -p "$dir"/{bin,boot,dev,kho,proc,state,sys,tmp}
	cp "$(static_busybox)" "$dir/bin/busybox"
	make -s -C "$ours" OUT="$dir/bin" TREE="$tree" guest-programs
	cp "$ours/init" "$dir/init"
	cp -r "$ours/lib.sh" "$ours/cmdline" "$ours/tests" "$ktap" "$dir/kho"
	pack "$dir" | gzip -n >"$base.$$"
	mv "$base.$$" "$base"
	rm -r "$dir"
}

# Not compressed: kernels are, and unpacking costs the guest's time.
append() {
	local out=$1 dir image
	shift

	dir=$(mktemp -d)
	mkdir -p "$dir/boot"
	while [ $# -gt 0 ]; do
		case $1 in
		--add)
			mkdir -p "$(dirname "$dir/$3")"
			cp "$2" "$dir/$3"
			shift 3
			;;
		*)
			image=$build/kernel/$1/arch/x86/boot/bzImage
			[ -f "$image" ] || die "kernel '$1' is not built"
			cp "$image" "$dir/boot/$1"
			shift
			;;
		esac
	done
	mkdir -p "$(dirname "$out")"
	# Behind a compressed archive the kernel wants the next one aligned.
	{ pack "$dir"; cat "$base"; } >"$out"
	rm -r "$dir"
}

case ${1-} in
'') make_base ;;
*) append "$@" ;;
esac
