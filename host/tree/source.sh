# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/source.sh - sourced by those who make a kernel tree from what others deliver
#
# Owns the ways from a tree, a tarball or a Debian package to a plain tree of our
# own, which says in .overlay/source what it is from.

# Suites of Debian with newer kernels than those that somebody has sources of.
readonly newer_suites='trixie-backports sid'

# fetch_newer PACKAGE: as apt-get download, but from these, and from the mirror that
# this machine has anyhow. What its own apt knows stays as it is.
fetch_newer() {
	local dir mirror suite
	dir=$build/apt
	# shellcheck disable=SC2016 # apt replaces it
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' 'Created-By: Packages' |
		awk 'NR == 1')
	[[ -n $mirror ]] || { echo "E: this machine has no sources of Debian"; return 1; }
	mkdir -p "$dir"
	for suite in $newer_suites; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
	done >"$dir/sources.list"
	apt_apart "$dir" -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=- update &&
		apt_apart "$dir" -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=- \
			download "$1"
}

# fetch_package PACKAGE[=VERSION] DIR: the tarball of sources in a Debian package,
# as a path, which apt puts there if it is not
fetch_package() {
	local dir=$2 tarball=usr/src/${1%%=*}.tar.xz
	if [[ ! -f $dir/$tarball ]]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		run_logged "fetching ${1/=/ }" "$logs/fetch.log" download_to "$dir" "$1" >&2 ||
			die_log "apt cannot get ${1/=/ }" "$logs/fetch.log"
		dpkg-deb -x "$dir"/*.deb "$dir"
		rm "$dir"/*.deb
		[[ -f $dir/$tarball ]] || die "$1 has no $tarball"
	fi
	echo "$dir/$tarball"
}

download_to() {
	cd "$1" || return
	apt-get -q download "$2" || fetch_newer "$2"
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

copy_tree() {
	find "$1" -mindepth 1 -maxdepth 1 ! -name .git \
		-exec cp -a --reflink=auto -t "$2" {} + || return
	# Kernels are built elsewhere, which the kernel's make refuses for a
	# tree that one was built in.
	if [[ -e $2/.config || -d $2/include/config ]]; then
		make -C "$2" mrproper
	fi
}

# plain_tree SOURCE ID DIR: DIR becomes the tree of SOURCE, of which ID is the
# source_id.
plain_tree() {
	local source=$1 id=$2 dir=$3 part=$3.part top

	rm -rf "$dir" "$part"
	mkdir -p "$part"
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
	mv "$top" "$dir"
	rm -rf "$part"
}
