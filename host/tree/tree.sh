#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/tree.sh - make build/linux: a kernel tree with our patches and files
#
#   host/tree/tree.sh [--check]
#
#   LINUX=PATH   an unpacked tree or a tarball to start from; without it, the
#                tarball of Debian's linux-source-6.12
#   FORCE=1      throws away edits in build/linux that no patch has yet
#
# Owns build/linux: it unpacks the source, makes the links to whole files, and
# applies the patches again when they have changed. It does nothing when build/linux
# is up to date. When anything fails, build/linux stays as it was.
#
# --check changes nothing. It fails when build/linux has edits that no patch has yet.

# Functions of overlay.sh have optional arguments.
# shellcheck disable=SC2119

set -euo pipefail
start=$PWD
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"
# shellcheck source=host/tree/source.sh
. "$root/host/tree/source.sh"
cd "$root"

debian=/usr/src/linux-source-6.12.tar.xz

# Prints the absolute path of the source.
find_source() {
	local path=${LINUX:-$debian}
	[[ $path == /* ]] || path=$start/$path
	[[ -e $path ]] || die "there is no Linux source at $path"
	realpath "$path"
}

# ------------------------------------------------------------------------ unpacking

# unpack SOURCE ID: makes build/linux.next a plain kernel tree. It stays there until
# the patches fit it, so that another attempt does not unpack it again.
unpack() {
	local next=$build/linux.next
	[[ $(head -1 "$next/.overlay/source" 2>/dev/null) == "$2" ]] ||
		plain_tree "$1" "$2" "$next"
}

# ---------------------------------------------------------------------- whole files

# link_to FILE: prints what the link at FILE in build/linux contains
link_to() {
	local up=${1//[^\/]/}
	printf '../../%s%s' "${up//\//../}" "$1"
}

# check_whole TREE: exits with an error when a whole file would replace a file that
# the tree has.
check_whole() {
	local t=$1 file
	while IFS= read -r file; do
		if [[ -L $t/$file && $(readlink "$t/$file") == "$(link_to "$file")" ]]; then
			continue
		elif [[ ! -e $t/$file ]]; then
			continue
		elif grep -qxF "$file" "$t/.overlay/whole-files" 2>/dev/null; then
			die "build/linux/$file was a link to $file, and is a file now: keep the better one of the two as $file, and remove build/linux/$file"
		elif [[ $t/$file -nt $t/.overlay/source && ! -e $t/.overlay/pristine/$file ]]; then
			die "build/linux/$file is where the link to $file belongs: remove it"
		fi
		die "Linux $(linux_version "$t") has a $file, so it cannot be a whole file: make a patch of the change"
	done <"$build/whole-files"
}

# link_whole TREE: makes links to all whole files, and removes links to files that no
# longer are whole files.
link_whole() {
	local t=$1 file
	while IFS= read -r file; do
		[[ -L $t/$file ]] || continue
		rm "$t/$file"
		(cd "$t" && rmdir -p --ignore-fail-on-non-empty "$(dirname "$file")")
	done < <(comm -13 "$build/whole-files" <(cat "$t/.overlay/whole-files" 2>/dev/null))
	while IFS= read -r file; do
		[[ ! -L $t/$file ]] || continue
		mkdir -p "$t/$(dirname "$file")"
		ln -s "$(link_to "$file")" "$t/$file"
	done <"$build/whole-files"
	cp "$build/whole-files" "$t/.overlay/whole-files"
}

# --------------------------------------------------------------------------- edits

# die_edits FILES: exits with an error that names the files, unless there are none
die_edits() {
	[[ -n $1 ]] || return 0
	die "these files were edited in build/linux, and no patch has the edits yet: $(paste -sd ' ' <<<"$1")
       keep the edits with 'make refresh', or throw them away with FORCE=1"
}

# ---------------------------------------------------------------------------- main

# new_tree SOURCE ID: makes build/linux when there is none, or one of another source.
new_tree() {
	local source=$1 id=$2 edits
	rm -rf "$build/linux.old"
	if [[ -d $tree && -z ${FORCE:-} ]]; then
		edits=$(edited; edited_unpatched)
		die_edits "$edits"
	fi
	unpack "$source" "$id"
	check_whole "$build/linux.next"
	make_series "$build/linux.next" "$series.new"
	put_series "$build/linux.next" "$series.new"
	link_whole "$build/linux.next"

	[[ ! -d $tree ]] || mv "$tree" "$build/linux.old"
	mv "$build/linux.next" "$tree"
	adopt_series
	if [[ -d $build/linux.old ]]; then
		say "build/linux was made from another source; now it is made from $source"
		rm -rf "$build/linux.old"
	fi
	summary
}

# Brings build/linux, which is from the right source, up to date with the repository.
same_tree() {
	local edits sum changed=''
	check_whole "$tree"
	sum=$(patches_sum) || exit 1
	if [[ ! -d $series/.git || -d $series.old || ! -f $tree/.overlay/patches ]] ||
		[[ $sum != "$(<"$tree/.overlay/patches")" ]]; then
		make_series "$tree" "$series.new"
		changed=yes
	fi
	if [[ -z ${FORCE:-} ]]; then
		edits=$(edited ${changed:+"$series.new"})
		die_edits "$edits"
	fi
	cmp -s "$build/whole-files" "$tree/.overlay/whole-files" || changed+=' links'
	if [[ $changed == yes* ]]; then
		adopt_series
	elif [[ -n ${FORCE:-} ]]; then
		put_series "$tree" "$series"
	fi
	link_whole "$tree"
	[[ -z $changed ]] || summary
}

summary() {
	local version faults
	version=$(linux_version "$tree")
	say "build/linux: Linux $version, patches: $(series_patches | wc -l), whole files: $(wc -l <"$build/whole-files")"
	[[ $version == 6.12.* ]] || warn "this is Linux $version; the patches apply, but are made for 6.12.y"
	faults=$(series_faults | wc -l)
	((faults == 0)) || warn "patches/series and the files disagree in $faults places: make series-check"
}

main() {
	local source id
	if [[ ${1:-} == --check ]]; then
		die_edits "$(edited; edited_unpatched)"
		exit
	fi
	lock
	source=$(find_source) || exit 1
	id=$(source_id "$source") || exit 1
	whole_files >"$build/whole-files"
	if [[ $(head -1 "$tree/.overlay/source" 2>/dev/null) == "$id" ]]; then
		same_tree
	else
		new_tree "$source" "$id"
	fi
}

main "$@"
