#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/refresh.sh - take edits in build/linux back into patches/
#
#   PATCH=NAME   put them into this patch; without it, each into the last patch
#                that touches the file
#   FILES=LIST   only these files, which may be ones that no patch touches yet
#
# Owns the way from edited kernel files to patches. An edit becomes a fixup
# commit in build/series, which git squashes into its patch. Patches that come
# out as they were are not written. When something does not work out, nothing
# has changed.
#
# The text of a patch is edited in the patch itself.

# Functions of overlay.sh have optional arguments.
# shellcheck disable=SC2119

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"
cd "$root"

new=$series.new

# The files to take, as paths in the kernel tree.
files_to_take() {
	local file
	if [[ -z ${FILES:-} ]]; then
		edited
		return
	fi
	for file in $FILES; do
		file=${file#"$root/"}
		file=${file#build/linux/}
		[[ ! -L $tree/$file ]] || die "$file is a whole file: it needs no refresh"
		[[ -f $tree/$file ]] || die "there is no build/linux/$file"
		printf '%s\n' "$file"
	done
}

# take_edit FILE: puts build/linux/FILE into the work tree of the new series.
# When the patches changed since build/linux was made, that is a merge.
take_edit() {
	local file=$1 base=$series/$1
	[[ -e $base ]] || base=$tree/.overlay/pristine/$file
	if cmp -s "$base" "$new/$file"; then
		cp "$tree/$file" "$new/$file"
	else
		git merge-file -q "$new/$file" "$base" "$tree/$file" ||
			die "the edits of build/linux/$file conflict with changes that patches/ saw since 'make tree'"
	fi
}

# The commits of the new series, in the order of the patches.
commits() {
	sgit "$new" rev-list --reverse base..HEAD
}

# target FILE: the commit that an edit of FILE belongs to.
target() {
	local n
	if [[ -n $patch ]]; then
		n=$(series_patches | grep -nxF "$patch" | cut -d : -f 1)
		commits | sed -n "${n}p"
	else
		sgit "$new" log -1 --format=%H base.. -- "$1"
	fi
}

# Makes the fixup commits: one for each patch that gets something.
make_fixups() {
	local file to
	local -A files_for=()
	for file; do
		to=$(target "$file")
		[[ -n $to ]] || die "$file is in no patch: name one with PATCH="
		files_for[$to]+=" $file"
		take_edit "$file"
	done
	for to in "${!files_for[@]}"; do
		# shellcheck disable=SC2086 # words
		sgit "$new" diff --quiet HEAD -- ${files_for[$to]} ||
			sgit "$new" commit -q -m "fixup! $to" -- ${files_for[$to]}
	done
}

squash() {
	local clash
	GIT_SEQUENCE_EDITOR=: GIT_EDITOR=: sgit "$new" rebase -q -i --autosquash \
		--keep-empty --empty=keep base >"$logs/refresh.log" 2>&1 && return
	clash=$(sgit "$new" diff --name-only --diff-filter=U | paste -sd ' ')
	sgit "$new" rebase --abort
	die "the edit does not go into ${patch:-its patch}, because patches after it change the same lines of $clash; nothing was changed (git's words: $(shown "$logs/refresh.log"))"
}

mail() {
	sgit "$new" format-patch -1 --stdout --always --zero-commit --no-signature \
		-N --no-stat --abbrev=12 "$1"
}

# write_patches COMMIT...: the patches that are not what these commits, one a
# patch, make of them.
write_patches() {
	local names now n written=0
	mapfile -t names < <(series_patches)
	mapfile -t now < <(commits)
	((${#names[@]} == $# && ${#now[@]} == $#)) ||
		die "$(shown "$new") has not one commit a patch; nothing was changed"
	for n in "${!names[@]}"; do
		if [[ $(mail "$1") != "$(mail "${now[n]}")" ]]; then
			mail "${now[n]}" >"$patches/${names[n]}.part"
			mv "$patches/${names[n]}.part" "$patches/${names[n]}"
			say "patches/${names[n]}"
			written=1
		fi
		shift
	done
	((written)) || say "the patches have all of it already"
}

main() {
	local files before patched others
	lock
	[[ -d $tree/.overlay && -d $series/.git ]] || die "there is no build/linux yet: make tree"
	patch=${PATCH:-}
	patch=${patch#patches/}
	patch=${patch:+${patch%.patch}.patch}
	[[ -z $patch ]] || series_patches | grep -xF "$patch" >/dev/null ||
		die "PATCH=$patch is not in patches/series"
	files=$(files_to_take) || exit 1
	[[ $'\n'$files != *$'\n'MAINTAINERS* ]] ||
		die "edit MAINTAINERS in the repository, and throw away build/linux/MAINTAINERS with 'make tree FORCE=1'"
	patched=$(comm -13 <(sort <<<"$files") <(edited))
	others=$(comm -13 <(sort <<<"$files") <(edited_unpatched | sort))
	others=$(grep . <<<"$patched"$'\n'"$others") || true
	[[ -z $others ]] || warn "edited and left as they are: $(paste -sd ' ' <<<"$others")"
	if [[ -z $files ]]; then
		say "nothing to refresh: no patched file was edited"
		return
	fi
	# They cannot be left as they are when what is below them changes.
	[[ -z $patched || $(patches_sum) == "$(<"$tree/.overlay/patches")" ]] ||
		die "patches/ changed since 'make tree': first 'make refresh' without FILES"

	# shellcheck disable=SC2086 # words
	make_series "$tree" "$new" $files
	before=$(commits)
	# shellcheck disable=SC2086 # words
	make_fixups $files
	squash
	# shellcheck disable=SC2086 # words
	write_patches $before
	# shellcheck disable=SC2086 # words
	adopt_series $others
}

main "$@"
