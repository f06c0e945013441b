#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/initramfs.sh - make the root file system of test guests
#
#   host/vm/initramfs.sh --base MACHINE             build/initramfs-MACHINE.cpio.gz
#   host/vm/initramfs.sh OUT MACHINE [PART=]KERNEL... [--add FILE NAME]
#
# Owns what is in a guest: Debian's static busybox, the kernel's own KTAP
# helpers, our scenarios and our two small programs. The second form adds
# the named kernels of build/kernel, as /boot/PART (or /boot/KERNEL), and with
# --add the host's FILE as /NAME, and makes the archive OUT that one machine boots
# with.
#
# For a MACHINE that the host is not, busybox comes from the Debian that the host
# has apt sources for, fetched and checked by apt with a state of its own below
# build/: the host's own apt learns of no other architecture.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly ours=$root/tools/testing/selftests/kho

base_of() {
	echo "$build/initramfs-$1.cpio.gz"
}

# Everything below the folder $1, root's whoever made it.
pack() {
	(cd "$1" && find . -mindepth 1 | sort |
		cpio --quiet -o -H newc -R 0:0 --reproducible)
}

# A static one: the guest has no libraries.
static_busybox() {
	local it
	if [[ $machine != "$(host_machine)" ]]; then
		foreign_busybox
		return
	fi
	it=$(command -v busybox) || die "busybox not found (package busybox-static)"
	! ldd "$it" >/dev/null 2>&1 || die "$it is not static (package busybox-static)"
	echo "$it"
}

foreign_busybox() {
	local dir=$build/$machine it=$build/$machine/root/bin/busybox
	if [[ ! -x $it ]]; then
		run_logged "fetching busybox for $machine" "$logs/busybox-$machine.log" fetch_busybox "$dir" >&2 ||
			die_log "apt cannot fetch busybox-static for $machine" "$logs/busybox-$machine.log"
	fi
	echo "$it"
}

fetch_busybox() {
	local dir=$1 options
	rm -rf "$dir"
	options=(-o APT::Architecture="$machine" -o APT::Architectures="$machine")
	# Other sources than Debian may have nothing for it.
	apt_apart "$dir" "${options[@]}" update || true
	(cd "$dir" && apt_apart "$dir" "${options[@]}" download busybox-static) &&
		dpkg-deb -x "$dir"/busybox-static_*.deb "$dir/root" &&
		rm -r "$dir/state" "$dir/cache"
}

make_base() {
	local dir base
	local ktap=$tree/tools/testing/selftests/kselftest/ktap_helpers.sh
	[[ -f $ktap ]] || die "no kernel tree in $(shown "$tree") (make tree)"

	base=$(base_of "$machine")
	dir=$(mktemp -d)
	mkdir -p "$dir"/{bin,boot,dev,kho,proc,state,sys,tmp}
	cp "$(static_busybox)" "$dir/bin/busybox"
	# shellcheck disable=SC2046 # words
	make -s -C "$ours" OUT="$dir/bin" TREE="$tree" $(kernel_make_words "$machine") guest-programs
	cp "$ours/init" "$dir/init"
	cp -r "$ours/lib.sh" "$ours/cmdline" "$ours/tests" "$ktap" "$dir/kho"
	pack "$dir" | gzip -n >"$base.$$"
	mv "$base.$$" "$base"
	rm -r "$dir"
}

# Not compressed: kernels are, and unpacking costs the guest's time.
append() {
	local out=$1 dir image base
	shift 2
	base=$(base_of "$machine")

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
			image=$(image_of "${1#*=}")
			[ -f "$image" ] || die "kernel '${1#*=}' is not built"
			cp "$image" "$dir/boot/${1%%=*}"
			shift
			;;
		esac
	done
	mkdir -p "$(dirname "$out")"
	# Behind a compressed archive the kernel wants the next one aligned.
	{ pack "$dir"; cat "$base"; } >"$out"
	rm -r "$dir"
}

[ $# -ge 2 ] || die "usage: host/vm/initramfs.sh --base MACHINE | OUT MACHINE KERNEL..."
machine=$2
case $1 in
--base) make_base ;;
*) append "$@" ;;
esac
