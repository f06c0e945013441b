#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/initramfs.sh - make the root file system of test guests
#
#   host/vm/initramfs.sh --base MACHINE             build/initramfs-MACHINE.cpio.gz
#   host/vm/initramfs.sh OUT MACHINE [PART=]KERNEL... [--add FILE NAME] [--program NAME]
#
# Owns what is in a guest. The first form makes the base archive for all guests of a
# machine: Debian's static busybox, the kernel's own KTAP helpers, our scenarios and our
# small programs. The second form makes the archive OUT, with which one virtual
# machine boots. It adds the named kernels of build/kernel to the base archive, as
# /boot/PART (or /boot/KERNEL), with --add the host's FILE as /NAME, and with --program the
# program that NAME.mk in tools/testing/selftests/liveupdate builds as /bin/NAME. A PART
# such as main.xz is the kernel packed in that format, see repack.py.
#
# If MACHINE is not the host's, apt fetches busybox from the Debian mirror that the host
# uses, with a state of its own below build/, so that the host's apt does not learn of
# another architecture.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly ours=$root/tools/testing/selftests/kho
readonly liveupdate=$root/tools/testing/selftests/liveupdate

# base_of MACHINE: prints the path of its base archive
base_of() {
	echo "$build/initramfs-$1.cpio.gz"
}

# pack FOLDER: prints a cpio archive of everything below it, owned by root.
pack() {
	(cd "$1" && find . -mindepth 1 | sort |
		cpio --quiet -o -H newc -R 0:0 --reproducible)
}

# Prints the path of a static busybox, since the guest has no libraries.
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
	# update fails if the host also uses a mirror that has nothing for this architecture.
	apt_apart "$dir" "${options[@]}" update || true
	(cd "$dir" && apt_apart "$dir" "${options[@]}" download busybox-static) &&
		dpkg-deb -x "$dir"/busybox-static_*.deb "$dir/root" &&
		rm -r "$dir/state" "$dir/cache"
}

make_base() {
	local dir base words part
	local ktap=$tree/tools/testing/selftests/kselftest/ktap_helpers.sh
	[[ -f $ktap ]] || die "no kernel tree in $(shown "$tree") (make tree)"

	base=$(base_of "$machine")
	dir=$(mktemp -d)
	mkdir -p "$dir"/{bin,boot,dev,kho,proc,state,sys,tmp}
	cp "$(static_busybox)" "$dir/bin/busybox"
	mapfile -t words < <(kernel_make_words "$machine")
	for part in "$ours" "$liveupdate"; do
		make -s -C "$part" OUT="$dir/bin" TREE="$tree" "${words[@]}" guest-programs
	done
	cp "$ours/init" "$dir/init"
	cp -r "$ours/lib.sh" "$ours/lib" "$ours/cmdline" "$ours/tests" "$ktap" "$dir/kho"
	pack "$dir" | gzip -n >"$base.$$"
	mv "$base.$$" "$base"
	rm -r "$dir"
}

# copy_kernel IMAGE OUT: copies IMAGE, packed in the format that the name of OUT ends with
copy_kernel() {
	case ${2##*/} in
	*.*) python3 -B "$root/host/vm/repack.py" "$1" "${2##*.}" "$2" ;;
	*) cp "$1" "$2" ;;
	esac
}

# add_program NAME DIR: builds it apart from other runs, and puts it into DIR/bin
add_program() {
	local dir words
	dir=$(mktemp -d)
	mapfile -t words < <(kernel_make_words "$machine")
	make -s -C "$liveupdate" -f "$1.mk" OUT="$dir" TREE="$tree" "${words[@]}" "$dir/$1"
	mkdir -p "$2/bin"
	cp "$dir/$1" "$2/bin"
	rm -r "$dir"
}

# append OUT MACHINE WORD...: makes OUT, see the top of this file. What it adds is not
# compressed: boot images are compressed already, and unpacking costs the guest time.
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
		--program)
			add_program "$2" "$dir"
			shift 2
			;;
		*)
			image=$(image_of "${1#*=}")
			[ -f "$image" ] || die "kernel '${1#*=}' is not built"
			copy_kernel "$image" "$dir/boot/${1%%=*}"
			shift
			;;
		esac
	done
	mkdir -p "$(dirname "$out")"
	# The compressed archive comes last: the kernel expects an archive that follows a
	# compressed one to be aligned.
	{ pack "$dir"; cat "$base"; } >"$out"
	rm -r "$dir"
}

[ $# -ge 2 ] || die "usage: host/vm/initramfs.sh --base MACHINE | OUT MACHINE KERNEL..."
machine=$2
case $1 in
--base) make_base ;;
*) append "$@" ;;
esac
