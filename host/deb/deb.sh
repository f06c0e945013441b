#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/deb/deb.sh - build Debian packages of a kernel with KHO
#
#   host/deb/deb.sh [FLAVOUR]
#   host/deb/deb.sh start [FLAVOUR]   builds only until the first object of the kernel
#
# FLAVOUR is one of Debian's, cloud-amd64 or amd64, with Debian's own configuration and
# KHO on; or "small", with just what a virtual machine and our tests need. Without
# FLAVOUR it is cloud-amd64.
#
# Owns build/deb/FLAVOUR: the objects, and the packages that the kernel's own
# bindeb-pkg makes.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"
cd "$root"

readonly configs=/usr/src/linux-config-6.12

kernel_make() {
	make -C "$tree" O="$out/obj" ARCH=x86_64 -j"$(nproc)" "$@"
}

# Prints the options on top of the configuration that origin() makes.
fragments() {
	local name
	if [[ $flavour == small ]]; then
		for name in x86 base kho liveupdate deferred disk deb; do
			cat "host/build/config/$name.config"
		done
	else
		cat host/build/config/deb.config
		# Debian's configuration names certificates that are not in the source.
		echo 'CONFIG_SYSTEM_TRUSTED_KEYS=""'
	fi
	printf 'CONFIG_LOCALVERSION="-kho-%s"\n' "$flavour"
}

# Removes objects and packages of another tree: files keep the dates that they have in their
# source, so make would take its objects for up to date.
drop_others() {
	! cmp -s "$out/.source" "$tree/.overlay/source" || return 0
	rm -rf "$out"
	mkdir -p "$out"
	cp "$tree/.overlay/source" "$out/.source"
}

# Makes the configuration that the options are added to.
origin() {
	local config=$configs/config.amd64_none_$flavour.xz
	if [[ $flavour == small ]]; then
		kernel_make -s tinyconfig
	else
		xz -dc "$config" >"$out/obj/.config"
	fi
}

configure() {
	mkdir -p "$out/obj"
	origin
	fragments >"$out/wanted"
	"$tree/scripts/kconfig/merge_config.sh" -m -O "$out/obj" "$out/obj/.config" "$out/wanted"
	kernel_make olddefconfig
	grep -qx CONFIG_KEXEC_HANDOVER=y "$out/obj/.config"
}

package() {
	kernel_make bindeb-pkg DPKG_FLAGS=-d KDEB_PKGVERSION="$(linux_version "$tree")-1~kho1"
}

# Builds everything up to the first object of the kernel itself.
start() {
	kernel_make prepare modules_prepare init/main.o
}

main() {
	local step=package log
	if [[ ${1-} == start ]]; then
		step=start
		shift
	fi
	flavour=${1:-cloud-amd64}
	out=$build/deb/$flavour log=$logs/deb-$flavour.log
	[[ -f $tree/.overlay/patches ]] || die "there is no build/linux yet: make tree"
	lock
	[[ $flavour == small || -f $configs/config.amd64_none_$flavour.xz ]] ||
		die "Debian has no configuration for '$flavour'; it has $(cd "$configs" && echo config.amd64_none_*.xz)"
	drop_others
	run_logged "configuring $flavour" "$log" configure || die_log "$flavour cannot be configured" "$log"
	run_logged "building packages of $flavour" "$log" --count 0 "$step" ||
		die_log "packages of $flavour cannot be built" "$log"
	[[ $step == start ]] || say "$(shown "$out"): $(cd "$out" && echo *.deb)"
}

main "$@"
