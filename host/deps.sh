#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/deps.sh - install what this machine lacks, on Debian 12 or 13
#
#   host/deps.sh [PACKAGE...]
#
# Owns the list of packages. Does nothing, and at once, when all are there.
# PACKAGE... are wanted as well, for what only few people run.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# gcc only recommends libc6-dev, which host programs need.
packages=(
	linux-source-6.12 xz-utils
	gcc libc6-dev make flex bison bc perl python3 git libelf-dev libssl-dev
	qemu-system-x86 busybox-static cpio device-tree-compiler liburcu-dev
	"$@"
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
