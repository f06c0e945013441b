# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/source.sh - sourced by the scripts that make a kernel tree from a source
#
# A source is a tree, a tarball or a Debian package with a tarball in it. This file
# owns how one becomes a plain kernel tree of our own, whose .overlay/source says
# what it was made from.

# Suites of Debian that may have a kernel which the suites of this machine lack.
readonly newer_suites='trixie-backports sid'

# fetch_newer PACKAGE: does what apt-get download does, but from the newer suites. It
# takes them from the Debian mirror that this machine uses, and leaves the state of
# this machine's apt as it is.
fetch_newer() {
	local dir mirror suite
	dir=$build/apt
	# shellcheck disable=SC2016 # apt replaces $(REPO_URI), the shell must not
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' 'Created-By: Packages' |
		awk 'NR == 1')
	[[ -n $mirror ]] || { echo "E: apt has no Debian mirror on this machine"; return 1; }
	mkdir -p "$dir"
	for suite in $newer_suites; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
	done >"$dir/sources.list"
	apt_apart "$dir" -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=- update &&
		apt_apart "$dir" -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=- \
			download "$1"
}

# fetch_package PACKAGE[=VERSION] DIR: prints the path of the tarball in a Debian
# package of sources. If it is not in DIR, apt fetches the package.
fetch_package() {
	local dir=$2 tarball=usr/src/${1%%=*}.tar.xz
	if [[ ! -f $dir/$tarball ]]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		run_logged "fetching ${1/=/ }" "$logs/fetch.log" download_to "$dir" "$1" >&2 ||
			die_log "apt cannot fetch ${1/=/ }" "$logs/fetch.log"
		dpkg-deb -x "$dir"/*.deb "$dir"
		rm "$dir"/*.deb
		[[ -f $dir/$tarball ]] || die "the package $1 has no $tarball"
	fi
	echo "$dir/$tarball"
}

download_to() {
	cd "$1" || return
	apt-get -q download "$2" || fetch_newer "$2"
}

# source_id SOURCE: prints what tells one source from another: the path, the size and
# the date. For a tree these are the size and the date of its Makefile, followed by
# the commit that is checked out if it is a git work tree.
source_id() {
	local of=$1 commit=''
	if [[ -d $1 ]]; then
		of=$1/Makefile
		[[ -f $of ]] || die "$1 is not a Linux tree: it has no Makefile"
		[[ ! -e $1/.git ]] || commit=$(git -C "$1" rev-parse HEAD 2>/dev/null) || true
	fi
	printf '%s | %s %s' "$1" "$(stat -Lc '%s %Y' "$of")" "$commit"
}

# copy_tree FROM TO
copy_tree() {
	find "$1" -mindepth 1 -maxdepth 1 ! -name .git \
		-exec cp -a --reflink=auto -t "$2" {} + || return
	# The kernel's make refuses an output directory outside of a tree in which a
	# kernel was built, and all of our kernels have one.
	if [[ -e $2/.config || -d $2/include/config ]]; then
		make -C "$2" mrproper
	fi
}

# plain_tree SOURCE ID DIR: makes DIR the tree of SOURCE, whose source_id is ID.
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
		die "$source is not a Linux tree"
	mkdir "$top/.overlay"
	# The second line differs each time: files keep the dates that they have in
	# the source, so make would take objects made from another copy for up to date.
	printf '%s\n%s\n' "$id" "$(date +%s.%N)" >"$top/.overlay/source"
	mv "$top" "$dir"
	rm -rf "$part"
}
