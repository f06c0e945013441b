#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/build/kernel.sh - configure and build one kernel
#
#   host/build/kernel.sh NAME [ARGUMENT...]
#
#   JOBS=N       compiles N files at a time; without it, as many as there are CPUs
#
# Owns build/kernel/NAME, which it builds from the current build/linux. NAME is a
# kernel in host/build/config/kernels, whose first fragment is its machine. The boot
# image is arch/x86/boot/bzImage or arch/arm64/boot/Image in build/kernel/NAME.
#
# With arguments for the kernel's make (W=1 mm/mm_init.o) it runs make with these
# instead, and fails when the compiler warns about a line of ours.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"
cd "$root"

# The same sources make the same binary, on each machine and at any time.
export KBUILD_BUILD_TIMESTAMP='Sun Nov 17 00:00:00 UTC 2024'
export KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=kho
export KBUILD_BUILD_HOST=build

# About how many objects a full build compiles. build/kernel/NAME.count has the number
# of the first build of this kernel.
estimate=1050

# Only clang has KMSAN.
wants_clang() {
	[[ " $fragments " == *" kmsan "* ]]
}

kernel_make() {
	local compiler=()
	! wants_clang || compiler=(CC=clang)
	# shellcheck disable=SC2046 # words
	make -C "$tree" O="$out" $(kernel_make_words "$machine") "${compiler[@]}" -j"${JOBS:-$(nproc)}" "$@"
}

# read_table NAME: sets suffix, seed and fragments from host/build/config/kernels, and
# machine and image, which follow from them. For the kernel "peer" it also sets tree.
read_table() {
	local line
	line=$(grep -E "^$1[[:space:]]" host/build/config/kernels) ||
		die "there is no kernel '$1' in host/build/config/kernels; it has $(awk '/^[a-z]/ { printf "%s ", $1 }' host/build/config/kernels)"
	read -r _ suffix seed fragments <<<"$line"
	machine=$(machine_of "$1")
	image=$(image_in "$machine")
	if [[ $1 == peer ]]; then
		"$root/host/peer/peer.sh"
		tree=$build/peer/linux
	fi
}

# Makes the output directory, with a copy of the seed's objects if the seed is built.
# An output directory of another tree is removed: files keep the dates that they have
# in their source, so make would take its objects for up to date.
prepare() {
	local from=$build/kernel/$seed
	rm -rf "$out.part"
	cmp -s "$out/.source" "$tree/.overlay/source" || rm -rf "$out"
	[[ ! -d $out ]] || return 0
	if [[ $seed != - && -f $from/$image ]] && cmp -s "$from/.source" "$tree/.overlay/source"; then
		cp -a --reflink=auto "$from" "$out.part"
		rm -f "$out.part/$image" "$out.part/.configured"
		move_tools "$from"
	else
		mkdir -p "$out.part"
		cp "$tree/.overlay/source" "$out.part/.source"
	fi
	mv "$out.part" "$out"
}

# move_tools FROM: replaces FROM, the seed's output directory, by the new one in the
# files that the build of objtool keeps. Otherwise make would build objtool again, and
# all objects, which depend on it. Not every machine has objtool.
move_tools() {
	local file
	[[ -d $out.part/tools ]] || return 0
	grep -rlF "$1/" --include='.*.cmd' --include='.*.d' "$out.part/tools" |
		while IFS= read -r file; do
			sed "s|$1/|$out/|g" "$file" >"$file.new"
			touch -r "$file" "$file.new"
			mv "$file.new" "$file"
		done
}

# Prints all fragments. Of two values of an option, the later one wins.
wanted() {
	local name
	for name in $fragments; do
		[[ -f host/build/config/$name.config ]] || die "there is no host/build/config/$name.config"
		cat "host/build/config/$name.config"
	done
	printf 'CONFIG_LOCALVERSION="%s"\n' "$suffix"
}

# Prints the Kconfig files that are patched or are whole files.
our_kconfigs() {
	{ pristine_files "$tree"; cat "$tree/.overlay/whole-files"; } |
		sed -nE "s|^(.*/)?(Kconfig[^/]*)$|$tree/&|p"
}

# Makes .config from tinyconfig and the fragments, if these or one of our Kconfig files
# have changed.
configure() {
	local sum
	wanted >"$out/.wanted"
	# shellcheck disable=SC2046 # no blanks in these names
	sum=$(cat "$out/.wanted" /dev/null $(our_kconfigs) | sha256sum)
	if [[ $(cat "$out/.configured" 2>/dev/null) != "$sum" ]]; then
		rm -f "$out/.configured"
		run_logged "configuring $name" "$logs/config-$name.log" make_config ||
			die_log "$name cannot be configured" "$logs/config-$name.log"
	fi
	check_config
	echo "$sum" >"$out/.configured"
}

# Takes the tinyconfig that another kernel of this machine began with, if the sources and
# Kconfig files are the same: to make one takes longer than the rest of the configuration.
tiny_config() {
	local made=$build/kernel/$machine.tiny sum
	# shellcheck disable=SC2046 # no blanks in these names
	sum="# $(cat "$tree/.overlay/source" /dev/null $(our_kconfigs) | sha256sum)"
	if [[ $(head -1 "$made" 2>/dev/null) != "$sum" ]]; then
		kernel_make tinyconfig || return
		# A full disk must not leave a truncated file.
		echo "$sum" >"$made.part" && cat "$out/.config" >>"$made.part" &&
			mv "$made.part" "$made" || return
	fi
	cp "$made" "$out/.config"
}

make_config() {
	tiny_config &&
		"$tree/scripts/kconfig/merge_config.sh" -m -O "$out" "$out/.config" "$out/.wanted" &&
		kernel_make olddefconfig
}

# Kconfig silently drops an option that does not exist or lacks a dependency. Here that
# is an error. Only the kernel "peer" may lack options, as long as it has KHO and the
# test client that measures.
check_config() {
	local missing
	missing=$(awk '
		FNR == NR && /^CONFIG_/ { split($0, o, "="); want[o[1]] = $0 }
		FNR == NR && /^# CONFIG_.* is not set/ { want[$2] = "" }
		FNR == NR { next }
		/^CONFIG_/ { split($0, o, "="); have[o[1]] = $0 }
		END { for (name in want) if (want[name] != have[name]) print want[name] ? want[name] : name "=n" }
		' "$out/.wanted" "$out/.config" | sort | paste -sd ' ')
	[[ -n $missing ]] || return 0
	[[ $name == peer && $missing != *KEXEC_HANDOVER=y* && $missing != *_BENCH=y* ]] ||
		die "Kconfig does not accept these options of the kernel $name: $missing"
	warn "the kernel $name does not have these options: $missing"
}

# Prints which lines are ours: "file" for a whole file, "file:line" for a line that a
# patch adds.
our_lines() {
	cat "$tree/.overlay/whole-files"
	sgit "$series" diff -U0 base HEAD | awk '
		/^\+\+\+ / { file = substr($2, 3) }
		/^@@ / {
			split($3, at, ",")
			for (i = 0; i < (at[2] == "" ? 1 : at[2]); i++)
				print file ":" substr(at[1], 2) + i
		}'
}

# show_warnings LOG: says how many compiler warnings there are, and shows those about
# lines of ours. Its exit status is 1 if there are any of the latter.
show_warnings() {
	local total ours
	total=$(grep -cE ': (warning|error): ' "$1") || return 0
	ours=$(sed "s|$tree/||g" "$1" | awk '
		FNR == NR { our[$0] = 1; next }
		/: (warning|error): / { split($1, at, ":"); if (our[at[1]] || our[at[1] ":" at[2]]) print }
		' <(our_lines) -)
	say "$name: $total compiler warnings${ours:+, in our lines:}${ours:+$'\n'$ours}"
	[[ -z $ours ]]
}

main() {
	name=${1:-}
	[[ -n $name ]] || die "usage: host/build/kernel.sh NAME [ARGUMENT...]"
	shift
	read_table "$name"
	[[ -f $tree/.overlay/patches ]] || die "there is no $(shown "$tree") yet: make tree"
	[[ $machine == "$(host_machine)" ]] || "$root/host/deps.sh" --machine "$machine"
	! wants_clang || "$root/host/deps.sh" clang
	lock
	out=$build/kernel/$name
	local log=$logs/kernel-$name${1:+-check}.log counted=$build/kernel/$name.count first='' count=0
	prepare
	configure
	# How many objects a later build has to compile is unknown.
	if [[ ! -f $out/$image && -z ${1:-} ]]; then
		first=yes
		[[ $seed != - ]] || count=$estimate
		count=$(cat "$counted" 2>/dev/null || echo "$count")
	fi
	run_logged "building $name${1:+: $1}" "$log" --count "$count" kernel_make "${@:-${image##*/}}" ||
		die_log "kernel $name does not build" "$log"
	show_warnings "$log" || [[ -z ${1:-} ]] || exit 1
	[[ -z $first ]] || grep -cE '^  (CC|AS|HOSTCC) ' "$log" >"$counted" || true
}

main "$@"
