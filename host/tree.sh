#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree.sh - make build/linux: a kernel tree with our patches and files
#
#   host/tree.sh [--check]
#
#   LINUX=PATH   an unpacked tree or a tarball to start from; without it,
#                Debian's linux-source-6.12
#   FORCE=1      throw away edits in build/linux that no patch has yet
#
# Owns build/linux: unpacking, the links to whole files, and when the patches
# are applied anew. Does nothing when all is as it should be. Whatever goes
# wrong leaves build/linux as it was.
#
# --check only fails when there are edits that would be lost.

# Functions of overlay.sh have optional arguments.
# shellcheck disable=SC2119

set -euo pipefail
start=$PWD
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=host/overlay.sh
. "$root/host/overlay.sh"
cd "$root"

debian=/usr/src/linux-source-6.12.tar.xz

# Where the tree comes from, as an absolute path.
find_source() {
	local path=${LINUX:-$debian}
	[[ $path == /* ]] || path=$start/$path
	[[ -e $path ]] || die "no Linux source at $path"
	realpath "$path"
}

# What tells one source from another: the path, and size and date, of a
# directory those of its Makefile, and the commit if there is one.
source_id() {
	local of=$1 commit=''
	if [[ -d $1 ]]; then
		of=$1/Makefile
		[[ -f $of ]] || die "$1 is no Linux tree: it has no Makefile"
		[[ ! -e $1/.git ]] || commit=$(git -C "$1" rev-parse HEAD 2>/dev/null) || true
	fi
	printf '%s | %s %s' "$1" "$(stat -Lc '%s %Y' "$of")" "$commit"
}

# ------------------------------------------------------------------------ unpacking

copy_tree() {
	find "$1" -mindepth 1 -maxdepth 1 ! -name .git \
		-exec cp -a --reflink=auto -t "$2" {} + || return
	# Kernels are built elsewhere, which the kernel's make refuses for a
	# tree that one was built in.
	if [[ -e $2/.config || -d $2/include/config ]]; then
		make -C "$2" mrproper
	fi
}

# unpack SOURCE ID: build/linux.next becomes a plain kernel tree. It stays
# there until patches fit it, so that trying again is quick.
unpack() {
	local source=$1 id=$2 next=$build/linux.next part=$build/linux.part top
	[[ $(head -1 "$next/.overlay/source" 2>/dev/null) != "$id" ]] || return 0

	rm -rf "$next" "$part"
	mkdir "$part"
	if [[ -d $source ]]; then
		run_logged "copying $source" "$logs/unpack.log" copy_tree "$source" "$part" ||
			die_log "$source cannot be copied" "$logs/unpack.log"
		top=$part
	else
		run_logged "unpacking ${source##*/}" "$logs/unpack.log" \
			tar -xf "$source" -C "$part" ||
			die_log "$source cannot be unpacked" "$logs/unpack.log"
		top=$(dirname "$(find "$part" -mindepth 2 -maxdepth 3 -name Kbuild | sort | head -1)")
	fi
	[[ -f $top/Makefile && -f $top/Kconfig && -d $top/kernel && $(linux_version "$top") != .* ]] ||
		die "$source is no Linux tree"
	mkdir "$top/.overlay"
	# The second line is new with each unpacking: files come with their old
	# dates, so objects made from another copy must not be trusted.
	printf '%s\n%s\n' "$id" "$(date +%s.%N)" >"$top/.overlay/source"
	mv "$top" "$next"
	rm -rf "$part"
}

# ---------------------------------------------------------------------- whole files

# What the link at PATH in the tree says.
link_to() {
	local up=${1//[^\/]/}
	printf '../../%s%s' "${up//\//../}" "$1"
}

# check_whole TREE: a whole file must not hide one of the kernel's.
check_whole() {
	local t=$1 file
	while IFS= read -r file; do
		if [[ -L $t/$file && $(readlink "$t/$file") == "$(link_to "$file")" ]]; then
			continue
		elif [[ ! -e $t/$file ]]; then
			continue
		elif grep -qxF "$file" "$t/.overlay/whole-files" 2>/dev/null; then
			die "build/linux/$file is a file, and was a link to $file: keep the better one as $file, and remove build/linux/$file"
		elif [[ $t/$file -nt $t/.overlay/source && ! -e $t/.overlay/pristine/$file ]]; then
			die "build/linux/$file is in the way of the link to $file: remove it"
		fi
		die "$file exists in Linux $(linux_version "$t"): make it a patch"
	done <"$build/whole-files"
}

# link_whole TREE: links to all whole files, and none to what is gone.
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

# die_edits FILES
die_edits() {
	[[ -n $1 ]] || return 0
	die "edited in build/linux, and in no patch yet: $(paste -sd ' ' <<<"$1")
       keep the edits with 'make refresh', or throw them away with FORCE=1"
}

# ---------------------------------------------------------------------------- main

# A tree from another source, or the first.
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
		say "build/linux was from another source; now it is from $source"
		rm -rf "$build/linux.old"
	fi
	summary
}

# The tree is there; what changed in the repository since?
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
	[[ $version == 6.12.* ]] || warn "this is Linux $version; the patches fit, but are made for 6.12.y"
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
