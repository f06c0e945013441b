#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/build/kernel.sh - configure and build one kernel
#
#   host/build/kernel.sh NAME [make arguments]
#
#   JOBS=N       compile so many files at a time; without it, one a CPU
#
# Owns build/kernel/NAME, from build/linux as it is. NAME is a line of
# host/build/config/kernels, whose first fragment says what machine it is for. The result
# is build/kernel/NAME/arch/x86/boot/bzImage or arch/arm64/boot/Image in there.
#
# With make arguments (W=1 mm/mm_init.o) it makes what these say, and fails when
# there are warnings in our lines.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"
cd "$root"

# The same sources make the same binary, whoever builds it and when.
export KBUILD_BUILD_TIMESTAMP='Sun Nov 17 00:00:00 UTC 2024'
export KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=kho
export KBUILD_BUILD_HOST=build

# A full build compiles about so many objects; remembered once it was seen.
estimate=1050

kernel_make() {
	# shellcheck disable=SC2046 # words
	make -C "$tree" O="$out" $(kernel_make_words "$machine") -j"${JOBS:-$(nproc)}" "$@"
}

# Sets suffix, seed and fragments from the table, and what follows from them.
read_table() {
	local line
	line=$(grep -E "^$1[[:space:]]" host/build/config/kernels) ||
		die "no kernel '$1' in host/build/config/kernels; there are: $(awk '/^[a-z]/ { printf "%s ", $1 }' host/build/config/kernels)"
	read -r _ suffix seed fragments <<<"$line"
	machine=$(machine_of "$1")
	image=$(image_in "$machine")
	if [[ $1 == peer ]]; then
		"$root/host/peer/peer.sh"
		tree=$build/peer/linux
	fi
}

# An output directory for these sources, perhaps with the seed's objects. One
# for another tree is of no use: files come with old dates, so make would
# take its objects for new.
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

# move_tools FROM: the build of objtool remembers where its output is. With the
# wrong place it is built once more, and then all objects, which depend on it. Not
# each machine has an objtool.
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

# What is asked for, a later fragment winning.
wanted() {
	local name
	for name in $fragments; do
		[[ -f host/build/config/$name.config ]] || die "no host/build/config/$name.config"
		cat "host/build/config/$name.config"
	done
	printf 'CONFIG_LOCALVERSION="%s"\n' "$suffix"
}

# The Kconfig files that we patch or bring.
our_kconfigs() {
	{ pristine_files "$tree"; cat "$tree/.overlay/whole-files"; } |
		sed -nE "s|^(.*/)?(Kconfig[^/]*)$|$tree/&|p"
}

# configure: .config from tinyconfig and the fragments, when they or a Kconfig
# of ours changed.
configure() {
	local sum
	wanted >"$out/.wanted"
	# shellcheck disable=SC2046 # no blanks in these names
	sum=$(cat "$out/.wanted" /dev/null $(our_kconfigs) | sha256sum)
	if [[ $(cat "$out/.configured" 2>/dev/null) != "$sum" ]]; then
		run_logged "configuring $name" "$logs/config-$name.log" make_config ||
			die_log "$name cannot be configured" "$logs/config-$name.log"
	fi
	check_config
	echo "$sum" >"$out/.configured"
}

make_config() {
	kernel_make tinyconfig &&
		"$tree/scripts/kconfig/merge_config.sh" -m -O "$out" "$out/.config" "$out/.wanted" &&
		kernel_make olddefconfig
}

# Kconfig drops silently what does not exist or lacks a dependency. We do not, but
# a peer may do without what our options are about, if it can be measured.
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
		die "$name: Kconfig does not accept $missing"
	warn "$name has no $missing"
}

# Our lines: "file" for a whole one, "file:line" for what a patch adds.
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

# show_warnings LOG: how many there are, and those in lines of ours. Says with
# its status whether there are such.
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
	[[ -n $name ]] || die "usage: host/build/kernel.sh NAME"
	shift
	read_table "$name"
	[[ -f $tree/.overlay/patches ]] || die "there is no $(shown "$tree") yet"
	[[ $machine == "$(host_machine)" ]] || "$root/host/deps.sh" --machine "$machine"
	lock
	out=$build/kernel/$name
	local log=$logs/kernel-$name${1:+-check}.log counted=$build/kernel/$name.count first='' count=0
	prepare
	configure
	# How much a later build has to do, nobody knows.
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
