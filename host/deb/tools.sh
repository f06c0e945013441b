#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/deb/tools.sh - make the Debian package kho-tools
#
# Owns build/deb/tools: the commands kho and luo-run with their manual pages, the completion
# of kho, and the unit of luo-run's keeper. It needs no kernel tree, and is made in some
# seconds, for the machine on which it is made.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$root"

readonly out=$build/deb/tools
readonly version=6.12-1~kho1
arch=$(dpkg --print-architecture)
readonly arch

control() {
	cat <<END
Package: kho-tools
Version: $version
Architecture: $arch
Maintainer: KHO for 6.12 developers <kho-6.12@developers.invalid>
Section: admin
Priority: optional
Depends: python3, libc6 (>= 2.34)
Recommends: kexec-tools
Suggests: zstd, lz4
Installed-Size: $(du -sk "$out/files/usr" | cut -f 1)
Description: see a handover of Kexec HandOver, and keep the memory of services
 Kexec HandOver (KHO) lets memory outlive a kexec. The command kho shows what
 the kernel says of it, checks whether a kexec will arrive before it is too
 late, draws a map of physical memory, decodes and verifies a handover in a
 file, and prints the log of the previous kernel. The command luo-run runs a
 service whose memory outlives the kernel: it is a store for file descriptors
 as that of systemd, which keeps memfds over a kexec.
END
}

copyright() {
	cat <<'END'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2026 KHO for 6.12 developers
License: GPL-2
 On Debian systems the text of this license is in /usr/share/common-licenses/GPL-2.
END
}

main() {
	local doc=$out/files/usr/share/doc/kho-tools
	rm -rf "$out"
	mkdir -p "$out/files/DEBIAN"
	make -s -C tools/kho install DESTDIR="$out/files"
	mkdir "$out/obj"
	make -s -C tools/luo-run install DESTDIR="$out/files" OUT="$out/obj" LDFLAGS=-s
	gzip -9n "$out"/files/usr/share/man/man8/*.8
	mkdir -p "$doc"
	copyright >"$doc/copyright"
	control >"$out/files/DEBIAN/control"
	# The umask of this shell must not decide who may read the installed files.
	chmod -R u=rwX,go=rX "$out/files"
	dpkg-deb --root-owner-group -b "$out/files" "$out/kho-tools_${version}_$arch.deb" >/dev/null
	rm -rf "$out/files" "$out/obj"
	say "$(shown "$out")/kho-tools_${version}_$arch.deb"
}

main
