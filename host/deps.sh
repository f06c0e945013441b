#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/deps.sh - install what this machine lacks, on Debian 12 or 13
#
#   host/deps.sh [--machine MACHINE] [PACKAGE...]
#
# Owns the list of packages. Does nothing, and at once, when all are there.
# PACKAGE... are wanted as well, for what only few people run; and with --machine
# what kernels for MACHINE are built and run with, where it is not the host's.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What runs kernels for a machine, and, on another, what compiles them.
machine_packages() {
	case $1 in
	x86) echo qemu-system-x86 ;;
	arm64)
		echo qemu-system-arm qemu-efi-aarch64
		# The other is for the kernel's headers for programs.
		[[ $(host_machine) == arm64 ]] || echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross
		;;
	*) die "no machine '$1'" ;;
	esac
}

machine=$(host_machine)
if [[ ${1-} == --machine ]]; then
	machine=$2
	shift 2
fi

# gcc only recommends libc6-dev, which host programs need.
# shellcheck disable=SC2207 # words
packages=(
	linux-source-6.12 xz-utils
	gcc libc6-dev make flex bison bc perl python3 git libelf-dev libssl-dev
	busybox-static cpio device-tree-compiler liburcu-dev
	$(machine_packages "$machine") "$@"
)
log=$logs/deps.log

# The packages that are not installed.
missing() {
	# It fails when it knows nothing of one of them.
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

# Does apt know where to get all of PACKAGE...
known() {
	[[ $(apt-cache policy "$@" 2>/dev/null | grep -c '^  Candidate: [^(]') == "$#" ]]
}

update() {
	run_logged "updating apt's lists" "$log" apt update || true
}

install() {
	run_logged "installing $# packages" "$log" apt --no-install-recommends install "$@"
}

main() {
	local lack updated=''
	mapfile -t lack < <(missing)
	((${#lack[@]})) || return 0
	command -v apt-get >/dev/null ||
		die "this is not Debian 12 or 13; it lacks what is there in these packages: ${lack[*]}"
	if ((EUID != 0)) && ! { command -v sudo >/dev/null && sudo -v; }; then
		die "only root can install what is missing: apt-get install ${lack[*]}"
	fi
	lock
	if ! known "${lack[@]}"; then
		update
		updated=yes
		known "${lack[@]}" || die_log "apt does not find all of ${lack[*]}" "$log"
	fi
	install "${lack[@]}" && return
	# Lists that are too old name files that no mirror has any more.
	[[ $updated ]] || { update && install "${lack[@]}"; } ||
		die_log "apt cannot install ${lack[*]}" "$log"
}

main
