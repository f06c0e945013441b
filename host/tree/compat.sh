#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/compat.sh - does the series apply to other Linux 6.12.y, and work there?
#
#   host/tree/compat.sh [VERSION|PATH...]
#
#   VERSION   a version of Debian's package linux-source-6.12
#   PATH      an unpacked tree or a tarball
#
# Without arguments it tries the newest and the oldest version that apt knows.
#
# Owns build/compat: the sources that apt fetches. For each version it runs
# host/tree/steps.sh all, which applies the series to a tree of Linux with git am,
# builds a kernel, and hands over from one boot of it to the next. There is one TAP
# report for each version.

set -euo pipefail
start=$PWD
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/source.sh
. "$root/host/tree/source.sh"
cd "$root"

readonly compat=$build/compat
readonly package=linux-source-6.12

# Prints the newest and the oldest version that apt knows.
versions() {
	apt-cache madison "$package" | awk '$1 == p { print $3 }' p="$package" | sort -Vru |
		awk 'NR == 1; { last = $0 } END { if (NR > 1) print last }'
}

main() {
	local version source status=0
	(($#)) || { mapfile -t versions < <(versions); set -- "${versions[@]}"; }
	(($#)) || die "apt knows no $package"
	for version; do
		source=$version
		[[ $source == /* ]] || source=$start/$source
		if [[ -e $source ]]; then
			say "# $version"
		else
			say "# $package $version"
			source=$(fetch_package "$package=$version" "$compat/$version") || exit 1
		fi
		PLAIN=$source host/tree/steps.sh all || status=1
	done
	return "$status"
}

main "$@"
