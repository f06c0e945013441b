# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/overlay.sh - sourced by the scripts that deal with our files and patches
#
# Owns the meaning of patches/series, the list of whole files, and
# build/series: a small git repository with one commit a patch. It holds just
# the files that the patches touch, so it is made in no time, and it always is
# what was last put into build/linux: a file that differs there was edited.
#
# The state of a kernel tree lies in its .overlay/:
#   source       what it was unpacked or copied from, and when
#   pristine/    files as they came, of those that we patch
#   whole-files  the links into the repository
#   patches      checksum of the patches that are applied

patches=$root/patches
series=$build/series

# Where a whole file may stand; everything else in the repository is about
# the repository.
whole_dirs=(kernel mm fs lib include arch drivers tools Documentation)

author='KHO for 6.12 developers'
email='kho-6.12@developers.invalid'

# git without the habits of the user: the series must come out the same
# everywhere.
sgit() {
	local dir=$1
	shift
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
	GIT_COMMITTER_NAME=$author GIT_COMMITTER_EMAIL=$email \
	GIT_AUTHOR_NAME=$author GIT_AUTHOR_EMAIL=$email \
		git -C "$dir" -c commit.gpgsign=false -c core.autocrlf=false \
		-c core.hooksPath=/dev/null -c gc.auto=0 -c advice.detachedHead=false "$@"
}

# ---------------------------------------------------------------- patches/series

# Prints "patch", or "patch<TAB>file" for a whole file, for each line of it. A
# directory/ stands for all whole files below it. A patch may be followed by the
# word tests-only; no patch without the word may come after it.
series_lines() {
	[[ -f $patches/series ]] || return 0
	awk -v OFS='\t' '
		FNR == NR { whole[++n] = $0; next }
		/^[ \t]*(#|$)/ { next }
		/^\t[^ \t]+\/[ \t]*$/ && patch {
			for (i = found = 0; ++i <= n;)
				if (index(whole[i], $1) == 1)
					print patch, whole[found = i]
			if (found)
				next
		}
		/^\t[^ \t]+[ \t]*$/ && patch { print patch, $1; next }
		/^[^ \t\/]+\.patch([ \t]+tests-only)?[ \t]*$/ && !seen[$1]++ {
			if (NF == 1 && only) {
				printf "error: patches/series:%d: %s must come before %s, which is tests-only\n", FNR, $1, only >"/dev/stderr"
				exit 1
			}
			only = NF == 2 ? $1 : ""
			print patch = $1
			next
		}
		{
			printf "error: patches/series:%d: neither the name of a new patch, perhaps with tests-only after it, nor a tab and a file that comes with a patch: %s\n", FNR, $0 >"/dev/stderr"
			exit 1
		}' <(echo; whole_files) "$patches/series"
}

# The patches in order. A patch that is named and missing is an error.
series_patches() {
	local lines name
	lines=$(series_lines) || exit 1
	while IFS= read -r name; do
		[[ -f $patches/$name ]] || die "patches/series names $name, which does not exist"
		printf '%s\n' "$name"
	done < <(awk -F '\t' 'NF == 1' <<<"$lines")
}

# The patches that are applied for tests only, in order. They are the last ones of
# series_patches.
tests_only_patches() {
	[[ ! -f $patches/series ]] || awk '/^[^# \t]/ && $2 == "tests-only" { print $1 }' "$patches/series"
}

# What is wrong between patches/series and the files, a line each.
series_faults() {
	local lines file
	lines=$(series_lines) || exit 1

	while IFS= read -r file; do
		printf '%s is in no patch of patches/series\n' "$file"
	done < <(comm -23 <(whole_files) <(cut -sf 2 <<<"$lines" | sort -u))
	while IFS= read -r file; do
		printf '%s is in more than one patch of patches/series\n' "$file"
	done < <(cut -sf 2 <<<"$lines" | sort | uniq -d)
	while IFS= read -r file; do
		[[ $file == MAINTAINERS && -f $root/MAINTAINERS ]] ||
			printf '%s is in patches/series, but does not exist\n' "$file"
	done < <(comm -13 <(whole_files) <(cut -sf 2 <<<"$lines" | sort -u))
	while IFS= read -r file; do
		printf 'patches/%s is not in patches/series\n' "$file"
	done < <(comm -13 <(cut -f 1 <<<"$lines" | sort -u) \
		<(find "$patches" -name '*.patch' -printf '%f\n' | sort))
}

# Changes with every change that matters to what build/linux should be.
patches_sum() {
	local names
	names=$(series_patches) || exit 1
	(
		cd "$patches" || exit 1
		cat /dev/null "$root/MAINTAINERS" 2>/dev/null || true
		# shellcheck disable=SC2086 # words
		sha256sum /dev/null $names
	) | sha256sum
}

# ------------------------------------------------------------------- whole files

# Our whole files, sorted: what git would have in a commit, or, in an unpacked
# release, all that is there.
whole_files() {
	local file
	(
		cd "$root" || exit 1
		if [[ $(git rev-parse --show-prefix 2>/dev/null || echo no) == '' ]]; then
			git ls-files -co --exclude-standard -- "${whole_dirs[@]}"
		else
			find "${whole_dirs[@]}" \( -type f -o -type l \) 2>/dev/null || true
		fi | sort -u | while IFS= read -r file; do
			# Removed, and not yet from the index.
			[[ ! -e $file ]] || printf '%s\n' "$file"
		done
	)
}

# ---------------------------------------------------------------- a kernel tree

# linux_version TREE: 6.12.117
linux_version() {
	awk -F ' *= *' '
		/^VERSION/ { v = $2 } /^PATCHLEVEL/ { p = $2 } /^SUBLEVEL/ { s = $2 }
		NR > 10 { exit }
		END { print v "." p "." s }' "$1/Makefile"
}

# from_source SOURCE FILE: the file as it was delivered, to stdout. Tarballs
# differ in how they name their members.
from_source() {
	local member
	if [[ -d $1 ]]; then
		cat "$1/$2"
		return
	fi
	for member in "*/$2" "./*/$2" "./$2"; do
		! tar -xOf "$1" --wildcards --no-wildcards-match-slash --occurrence=1 \
			"$member" 2>/dev/null || return 0
	done
	return 1
}

# keep_pristine TREE FILE...: puts aside what the tree had before us. A file
# that was changed since the tree was unpacked is fetched from where it came.
keep_pristine() {
	local t=$1 file to source
	shift
	for file; do
		to=$t/.overlay/pristine/$file
		[[ ! -e $to ]] || continue
		mkdir -p "$(dirname "$to")"
		if [[ $t/$file -nt $t/.overlay/source ]]; then
			source=$(head -1 "$t/.overlay/source")
			source=${source%% | *}
			from_source "$source" "$file" >"$to.part" ||
				die "$file is not in $source"
		else
			cp "$t/$file" "$to.part"
		fi
		mv "$to.part" "$to"
	done
}

# The files of a series repository; MAINTAINERS is beside them, not in git.
series_files() {
	[[ -d $1/.git ]] || return 0
	sgit "$1" ls-files
	[[ ! -e $1/MAINTAINERS ]] || echo MAINTAINERS
}

pristine_files() {
	[[ -d $1/.overlay/pristine ]] || return 0
	find "$1/.overlay/pristine" -type f ! -name '*.part' -printf '%P\n'
}

# edited [NEW]: the files in build/linux that somebody edited since we put them
# there. What NEW, a series about to be put there, has as well is not lost.
# series.old is there only when we were interrupted while putting.
edited() {
	local file dir
	{
		pristine_files "$tree"
		for dir in "$series" "$series.old" "$@"; do
			series_files "$dir"
		done
	} | sort -u | while IFS= read -r file; do
		[[ ! -e $tree/$file ]] || known_content "$file" "$@" || printf '%s\n' "$file"
	done
}

# known_content FILE [NEW]: is it one that we put there, or are about to?
known_content() {
	local file=$1 dirs=("$series" "$series.old") dir
	shift
	dirs+=("$@")
	if [[ ! -e $series/$file || -d $series.old ]]; then
		dirs+=("$tree/.overlay/pristine")
	fi
	for dir in "${dirs[@]}"; do
		! cmp -s "$dir/$file" "$tree/$file" || return 0
	done
	return 1
}

# Sources in build/linux that are younger than the tree and no patch touches.
# What builds leave in the tree has other names.
edited_unpatched() {
	[[ -d $tree/.overlay ]] || return 0
	(
		cd "$tree" || exit 1
		find . \( -name .overlay -o -path ./usr/include \) -prune -o -type f -newer .overlay/source \
			\( -name '*.[chS]' -o -name 'Kconfig*' -o -name '*akefile*' -o -name '*.rst' -o -name '*.lds*' \) \
			-printf '%P\n'
	) | grep -vxF -f <(pristine_files "$tree"; echo) || true
}

# put_series TREE REPO [FILE...]: the tree gets the files of REPO, and back
# what REPO no longer patches, but for FILE.... What is right already keeps its
# date, for make's sake.
put_series() {
	local t=$1 repo=$2 file from
	shift 2
	{ series_files "$repo"; pristine_files "$t"; } | sort -u |
		{ grep -vxF -f <(printf '%s\n' "$@") || true; } | while IFS= read -r file; do
			from=$repo/$file
			[[ -e $from ]] || from=$t/.overlay/pristine/$file
			cmp -s "$from" "$t/$file" || cp "$from" "$t/$file"
		done
}

# adopt_series [FILE...]: build/series.new takes the place of build/series, here
# and, but for FILE..., in build/linux.
adopt_series() {
	rm -rf "$series.old"
	[[ ! -d $series ]] || mv "$series" "$series.old"
	mv "$series.new" "$series"
	put_series "$tree" "$series" "$@"
	rm -rf "$series.old"
	patches_sum >"$tree/.overlay/patches"
}

# ---------------------------------------------------------- from patches to series

# patch_files REPO PATCH: the files it touches. Patches only change files that
# Linux has; what is new stands whole in the repository.
patch_files() {
	local repo=$1 name=$2 odd
	grep -q '^diff --git ' "$patches/$name" || return 0
	odd=$(sgit "$repo" apply --summary "$patches/$name" 2>/dev/null |
		grep -v '^ mode change' | head -1) || true
	[[ -z $odd ]] ||
		die "patches/$name:$odd: patches only change files; a new one stands whole in the repository"
	sgit "$repo" apply --numstat "$patches/$name" 2>"$logs/series.log" | cut -f 3 ||
		die "patches/$name is damaged: $(head -1 "$logs/series.log")"
}

# A patch that does not fit: one error.
die_misfit() {
	local repo=$1 t=$2 name=$3 version files reason=''
	version=$(linux_version "$t")
	files=$(sgit "$repo" apply --check "$patches/$name" 2>&1 |
		sed -n 's/^error: \([^ ]*\): \(patch does not apply\|does not exist.*\|No such file.*\)$/\1/p' |
		sort -u | paste -sd , | sed 's/,/, /g') || true
	[[ -n $files ]] || files=$(sed -n 's/^\(error\|fatal\): //p' "$logs/series.log" | head -1)
	[[ $version == 6.12.* ]] || reason='; the patches are for Linux 6.12.y'
	die "patches/$name does not fit Linux $version: $files$reason (git am's words: $(shown "$logs/series.log"))"
}

# make_series TREE REPO [FILE...]: REPO becomes a git repository with the
# pristine content of all patched files, and of FILE..., tagged "base", and
# one commit a patch on top.
make_series() {
	local t=$1 repo=$2 names name file files
	local -A touched=()
	shift 2
	names=$(series_patches) || exit 1
	rm -rf "$repo"
	git init -q --template= "$repo"

	files=$*
	for name in $names; do
		files+=" $(patch_files "$repo" "$name")" || exit 1
		for file in $files; do
			[[ $file != MAINTAINERS ]] ||
				die "patches/$name: our entry for MAINTAINERS is the file of that name in the repository"
			[[ -f $t/$file && ! -L $t/$file ]] ||
				die "patches/$name does not fit Linux $(linux_version "$t"), which has no $file"
			touched[$file]=1
		done
		files=
	done
	for file in $files; do
		touched[$file]=1
	done

	keep_pristine "$t" "${!touched[@]}"
	for file in "${!touched[@]}"; do
		mkdir -p "$repo/$(dirname "$file")"
		cp "$t/.overlay/pristine/$file" "$repo/$file"
	done
	sgit "$repo" add -f -A .
	GIT_COMMITTER_DATE='@0 +0000' sgit "$repo" commit -q --allow-empty \
		--date '@0 +0000' -m "Linux $(linux_version "$t"), the files that are patched"
	sgit "$repo" tag base
	for name in $names; do
		sgit "$repo" am -q --empty=keep --committer-date-is-author-date \
			"$patches/$name" >"$logs/series.log" 2>&1 || die_misfit "$repo" "$t" "$name"
	done
	merge_maintainers "$t" "$repo"
}

# Our entries among the kernel's, each after the last one that sorts before
# it. (Some of the kernel's stand too early by far, none too late.)
merge_maintainers() {
	local t=$1 repo=$2
	[[ -f $root/MAINTAINERS && -f $t/MAINTAINERS ]] || return 0
	keep_pristine "$t" MAINTAINERS
	mkdir -p "$repo/.git/info"
	echo /MAINTAINERS >"$repo/.git/info/exclude"
	awk '
		FNR == NR {
			if (/^$/) { inside = 0; next }
			if (!inside) { title[++ours] = toupper($0); inside = 1 }
			text[ours] = text[ours] $0 "\n"
			next
		}
		{ line[FNR] = $0 }
		list && line[FNR - 1] == "" && /^[A-Z0-9]/ { start[++theirs] = FNR }
		/^Maintainers List/ { list = 1 }
		END {
			for (i = 1; i <= ours; i++) {
				for (k = theirs; k > 1; k--)
					if (toupper(line[start[k]]) < title[i] && line[start[k]] != "THE REST")
						break
				before[start[k + 1]] = before[start[k + 1]] text[i] "\n"
			}
			for (n = 1; n <= FNR; n++)
				print before[n] line[n]
		}' "$root/MAINTAINERS" "$t/.overlay/pristine/MAINTAINERS" >"$repo/MAINTAINERS"
}
