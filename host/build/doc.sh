#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/build/doc.sh - build the pages about KHO and live update, as HTML, into build/doc
#
# Owns build/doc. Needs build/linux. Fails when Sphinx or kernel-doc print a warning
# about a file of ours.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly out=$build/doc
readonly doc_log=$logs/doc.log

# Sphinx is given whole folders, of which include_patterns leaves only our pages.
build_html() {
	local status=0
	make -C "$tree" O="$out" SPHINXDIRS="core-api userspace-api admin-guide/mm" \
		SPHINXOPTS="-j$(nproc) -D include_patterns=index.rst,kho/**,kho.rst,liveupdate*.rst" \
		htmldocs || status=$?
	# These pages are generated, beside the sources: edited_unpatched() would take them
	# for edits.
	rm -f "$tree"/Documentation/networking/netlink_spec/*.rst
	return "$status"
}

# Prints the warnings about files that have one of our words in their path.
complaints() {
	grep -E '^[^ ]*(kho|kexec_handover|liveupdate|memfd_luo|hugetlb_luo)[^ ]*:([0-9]+:)? .*(WARNING|ERROR|warning|error)' "$doc_log" |
		sed "s|$tree/||g" | sort -u
}

main() {
	local said page
	[[ -f $tree/.overlay/patches ]] || die "there is no build/linux yet: make tree"
	lock
	mkdir -p "$out"
	# Sphinx does not read pages that did not change, and then does not warn about them.
	rm -rf "$out/Documentation"
	run_logged "building the documentation" "$doc_log" build_html ||
		die_log "the documentation does not build" "$doc_log"
	said=$(complaints) || true
	[[ -z $said ]] || die "$said"
	for page in core-api/kho/{index,api,format,cost} admin-guide/mm/kho {core,userspace}-api/liveupdate core-api/liveupdate-hugetlb admin-guide/mm/liveupdate{,-vm}; do
		page=$out/Documentation/output/$page.html
		[[ -s $page ]] || die "there is no $(shown "$page")"
		say "$(shown "$page")"
	done
}

main "$@"
