# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/overlay.sh - sourced by the scripts that work with whole files and patches
#
# Owns the meaning of patches/series, the list of whole files, and build/series: a
# git repository with one commit for each patch. build/series has just the files
# that the patches touch, so it takes two seconds to make it. Its files are always
# those that were last copied to build/linux: one that differs there was edited.
#
# The folder .overlay/ of a kernel tree says what state the tree is in:
#   source       says what it was unpacked or copied from, and when
#   pristine/    has the original of each file that a patch touches
#   whole-files  lists the links to whole files in the repository
#   patches      is a checksum of the patches that are applied

patches=$root/patches
series=$build/series

# The folders that whole files are in. All else in the repository is not for the
# kernel tree.
whole_dirs=(kernel mm fs lib include arch drivers tools Documentation)

author='KHO for 6.12 developers'
email='kho-6.12@developers.invalid'

# sgit DIR ARGUMENT...: runs git in DIR without the user's configuration, so that the
# same patches make the same commits on each machine.
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

# For each patch in patches/series, prints a line "patch", followed by a line
# "patch<TAB>file" for each whole file that comes with it. An entry "directory/" means
# all whole files below that directory, and an entry with an asterisk all that begin and
# end as it says, without those that an entry before names. A patch may be followed by the
# word tests-only; no patch without this word may come after it.
series_lines() {
	[[ -f $patches/series ]] || return 0
	awk -v OFS='\t' '
		# Prints the whole files that begin and end like this. Returns how many.
		function several(begin, end, i, found, rest) {
			for (i = 1; i <= n; i++) {
				rest = substr(whole[i], length(begin) + 1)
				if (whole[i] in taken || index(whole[i], begin) != 1 ||
				    length(rest) < length(end) ||
				    substr(rest, length(rest) - length(end) + 1) != end)
					continue
				print patch, whole[i]
				taken[whole[i]]
				found++
			}
			return found
		}

		FNR == NR { whole[++n] = $0; next }
		/^[ \t]*(#|$)/ { next }
		/^\t[^ \t]+\/[ \t]*$/ && patch && several($1, "") { next }
		/^\t[^ \t*]+\*[^ \t*]*[ \t]*$/ && patch {
			split($1, part, "*")
			if (several(part[1], part[2]))
				next
		}
		/^\t[^ \t]+[ \t]*$/ && patch { print patch, $1; taken[$1]; next }
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

# Prints all patches in order. Exits with an error when one does not exist.
series_patches() {
	local lines name
	lines=$(series_lines) || exit 1
	while IFS= read -r name; do
		[[ -f $patches/$name ]] || die "patches/series names $name, which does not exist"
		printf '%s\n' "$name"
	done < <(awk -F '\t' 'NF == 1' <<<"$lines")
}

# Prints the patches that are applied for tests only, in order. They are the last ones
# that series_patches prints.
tests_only_patches() {
	[[ ! -f $patches/series ]] || awk '/^[^# \t]/ && $2 == "tests-only" { print $1 }' "$patches/series"
}

# Prints a line for each disagreement between patches/series and the files.
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

# Prints a checksum of everything that the patched files of build/linux depend on.
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

# Prints the whole files, sorted: those that git has or would add, or, if the
# repository was unpacked from a tarball and is no git work tree, all that exist.
whole_files() {
	local file
	(
		cd "$root" || exit 1
		if [[ $(git rev-parse --show-prefix 2>/dev/null || echo no) == '' ]]; then
			git ls-files -co --exclude-standard -- "${whole_dirs[@]}"
		else
			find "${whole_dirs[@]}" \( -type f -o -type l \) 2>/dev/null || true
		fi | sort -u | while IFS= read -r file; do
			# The index of git may have files that were removed.
			[[ ! -e $file ]] || printf '%s\n' "$file"
		done
	)
}

# ---------------------------------------------------------------- a kernel tree

# linux_version TREE: prints its version, such as 6.12.117
linux_version() {
	awk -F ' *= *' '
		/^VERSION/ { v = $2 } /^PATCHLEVEL/ { p = $2 } /^SUBLEVEL/ { s = $2 }
		NR > 10 { exit }
		END { print v "." p "." s }' "$1/Makefile"
}

# from_source SOURCE FILE: prints the file as the source has it. Tarballs differ in how
# they name their members.
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

# keep_pristine TREE FILE...: copies the original of each file to .overlay/pristine/.
# If a file was changed after the tree was unpacked, the original is taken from the
# source once more.
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

# series_files REPO: prints the files of build/series or a repository like it. There
# MAINTAINERS is not in git.
series_files() {
	[[ -d $1/.git ]] || return 0
	sgit "$1" ls-files
	[[ ! -e $1/MAINTAINERS ]] || echo MAINTAINERS
}

# pristine_files TREE: prints the files whose originals the tree keeps
pristine_files() {
	[[ -d $1/.overlay/pristine ]] || return 0
	find "$1/.overlay/pristine" -type f ! -name '*.part' -printf '%P\n'
}

# edited [NEW]: prints the patched files in build/linux that were edited after
# put_series copied them there. With NEW, the repository of a series that is about to
# be copied there, files that are the same in NEW are left out: they are not lost.
# build/series.old exists only after put_series was interrupted.
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

# known_content FILE [NEW]: is FILE in build/linux what put_series copied there, or
# what it is about to copy there from NEW?
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

# Prints the sources in build/linux that were changed after it was unpacked and that
# no patch touches. The names of files that builds leave in the tree do not match.
edited_unpatched() {
	[[ -d $tree/.overlay ]] || return 0
	(
		cd "$tree" || exit 1
		find . \( -name .overlay -o -path ./usr/include \) -prune -o -type f -newer .overlay/source \
			\( -name '*.[chS]' -o -name 'Kconfig*' -o -name '*akefile*' -o -name '*.rst' -o -name '*.lds*' \) \
			-printf '%P\n'
	) | grep -vxF -f <(pristine_files "$tree"; echo) || true
}

# put_series TREE REPO [FILE...]: copies the files of REPO, a repository such as
# build/series, to the tree, and the originals of files that REPO does not have. It
# does not touch FILE.... A file that is right already keeps its date, so that make
# does not compile it again.
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

# adopt_series [FILE...]: makes build/series.new the new build/series, and copies its
# files to build/linux, except FILE....
adopt_series() {
	rm -rf "$series.old"
	[[ ! -d $series ]] || mv "$series" "$series.old"
	mv "$series.new" "$series"
	put_series "$tree" "$series" "$@"
	rm -rf "$series.old"
	patches_sum >"$tree/.overlay/patches"
}

# ---------------------------------------------------------- from patches to series

# patch_files REPO PATCH: prints the files that it touches. A patch may only change
# files that Linux has; a new file is a whole file of the repository.
patch_files() {
	local repo=$1 name=$2 odd
	grep -q '^diff --git ' "$patches/$name" || return 0
	odd=$(sgit "$repo" apply --summary "$patches/$name" 2>/dev/null |
		grep -v '^ mode change' | head -1) || true
	[[ -z $odd ]] ||
		die "patches/$name:$odd: a patch may only change files; put a new file into the repository as a whole file"
	sgit "$repo" apply --numstat "$patches/$name" 2>"$logs/series.log" | cut -f 3 ||
		die "patches/$name is damaged: $(head -1 "$logs/series.log")"
}

# die_misfit REPO TREE PATCH: exits with an error that says which files of the tree the
# patch does not apply to.
die_misfit() {
	local repo=$1 t=$2 name=$3 version files reason=''
	version=$(linux_version "$t")
	files=$(sgit "$repo" apply --check "$patches/$name" 2>&1 |
		sed -n 's/^error: \([^ ]*\): \(patch does not apply\|does not exist.*\|No such file.*\)$/\1/p' |
		sort -u | paste -sd , | sed 's/,/, /g') || true
	[[ -n $files ]] || files=$(sed -n 's/^\(error\|fatal\): //p' "$logs/series.log" | head -1)
	[[ $version == 6.12.* ]] || reason='; the patches are for Linux 6.12.y'
	die "patches/$name does not fit Linux $version: $files$reason (the output of git am is in $(shown "$logs/series.log"))"
}

# make_series TREE REPO [FILE...]: makes REPO a git repository. Its first commit,
# tagged "base", has the originals of all files that the patches touch, and of
# FILE...; each patch is one commit on top of it.
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

# merge_maintainers TREE REPO: makes REPO/MAINTAINERS from the tree's and our entries.
# Each of ours is put after the last entry that sorts before it, since some entries
# of the kernel's file come much too early, but none comes too late.
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
