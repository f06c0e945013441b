#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/compat.sh - does the series fit other Linux 6.12.y, and work there?
#
#   host/compat.sh [VERSION|PATH...]   of Debian's linux-source-6.12; a tree or a
#                                      tarball; without any, the newest and the
#                                      oldest that apt knows
#
# Owns build/compat: the sources, fetched by apt. What is done with them is in
# host/steps.sh: git am on a plain tree, a kernel, and a handover between two of
# it. The report is TAP, one a version.

set -euo pipefail
start=$PWD
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=host/source.sh
. "$root/host/source.sh"
cd "$root"

readonly compat=$build/compat
readonly package=linux-source-6.12

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
		PLAIN=$source host/steps.sh all || status=1
	done
	return "$status"
}

main "$@"
