#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/deps.sh - install what this machine lacks, on Debian 12 or 13
#
#   host/deps.sh [--machine MACHINE] [PACKAGE...]
#
# Owns the list of packages that the scripts need. Does nothing when all of them are
# installed. It installs PACKAGE... as well: what only some commands need. With
# --machine it also installs what builds and runs kernels for MACHINE, x86 or arm64,
# instead of those for the host's machine.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# machine_packages MACHINE: prints the packages that run its kernels and, if the host
# is another machine, that compile them
machine_packages() {
	case $1 in
	x86) echo qemu-system-x86 ovmf ;;
	arm64)
		echo qemu-system-arm qemu-efi-aarch64
		# libc6-dev-arm64-cross brings the kernel's headers for user space.
		[[ $(host_machine) == arm64 ]] || echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross
		;;
	*) die "there is no machine '$1'" ;;
	esac
}

machine=$(host_machine)
if [[ ${1-} == --machine ]]; then
	machine=$2
	shift 2
fi

# Programs for the host need libc6-dev, which the package gcc only recommends.
# shellcheck disable=SC2207 # words
packages=(
	linux-source-6.12 xz-utils zstd lz4
	gcc libc6-dev make flex bison bc perl python3 git libelf-dev libssl-dev
	busybox-static cpio device-tree-compiler liburcu-dev
	$(machine_packages "$machine") "$@"
)
log=$logs/deps.log

# Prints the packages that are not installed.
missing() {
	# dpkg-query fails when it does not know one of the packages.
	{ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true; } |
		awk '$1 == "installed" { print $2 }' | sort |
		comm -13 - <(printf '%s\n' "${packages[@]}" | sort -u)
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo "$@"
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=300 "$@"
}

# known PACKAGE...: does apt know where to get all of them?
known() {
	[[ $(apt-cache policy "$@" 2>/dev/null | grep -c '^  Candidate: [^(]') == "$#" ]]
}

update() {
	run_logged "updating apt's lists" "$log" apt update || true
}

# An interrupted dpkg leaves a journal, and apt installs nothing until that is worked
# off: an image of a machine made while packages were being installed is like that.
finish_interrupted() {
	[[ $(ls -A /var/lib/dpkg/updates) ]] || return 0
	run_logged "finishing what dpkg was interrupted in" "$log" \
		as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a ||
		die_log "dpkg cannot finish what it was interrupted in" "$log"
}

install() {
	run_logged "installing $# packages" "$log" apt --no-install-recommends install "$@"
}

main() {
	local lack updated=''
	mapfile -t lack < <(missing)
	((${#lack[@]})) || return 0
	command -v apt-get >/dev/null ||
		die "this is not Debian, so install what Debian has in these packages: ${lack[*]}"
	if ((EUID != 0)) && ! { command -v sudo >/dev/null && sudo -v; }; then
		die "only root can install what is missing: apt-get install ${lack[*]}"
	fi
	lock
	finish_interrupted
	if ! known "${lack[@]}"; then
		update
		updated=yes
		known "${lack[@]}" || die_log "apt does not find all of ${lack[*]}" "$log"
	fi
	install "${lack[@]}" && return
	# apt's lists may be so old that they name files which no mirror has any more.
	[[ $updated ]] || { update && install "${lack[@]}"; } ||
		die_log "apt cannot install ${lack[*]}" "$log"
}

main
