#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/refresh.sh - take edits of patched files in build/linux into patches/
#
#   PATCH=NAME   puts all edits into this patch; without it, each edit goes into the
#                last patch that touches the file
#   FILES=LIST   takes only these files, which may be ones that no patch touches yet
#
# Owns how edits of kernel files become changes of patches. Each edit becomes a fixup
# commit in a copy of build/series, and git rebase --autosquash puts it into the commit
# of its patch. Patches that are the same afterwards are not written. When anything
# fails, nothing has changed.
#
# The commit message of a patch is edited in the patch itself.

# Functions of overlay.sh have optional arguments.
# shellcheck disable=SC2119

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"
cd "$root"

new=$series.new

# Prints the files whose edits are taken, as paths in the kernel tree.
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

# take_edit FILE: puts build/linux/FILE into the work tree of the new series. It merges
# the edit if the patches changed the file since build/linux was made.
take_edit() {
	local file=$1 base=$series/$1
	[[ -e $base ]] || base=$tree/.overlay/pristine/$file
	if cmp -s "$base" "$new/$file"; then
		cp "$tree/$file" "$new/$file"
	else
		git merge-file -q "$new/$file" "$base" "$tree/$file" ||
			die "the edits of build/linux/$file conflict with changes of patches/ since the last 'make tree'"
	fi
}

# Prints the commits of the new series, in the order of the patches.
commits() {
	sgit "$new" rev-list --reverse base..HEAD
}

# target FILE: prints the commit that an edit of FILE goes into
target() {
	local n
	if [[ -n $patch ]]; then
		n=$(series_patches | grep -nxF "$patch" | cut -d : -f 1)
		commits | sed -n "${n}p"
	else
		sgit "$new" log -1 --format=%H base.. -- "$1"
	fi
}

# make_fixups FILE...: makes one fixup commit for each patch that the edits of these
# files go into
make_fixups() {
	local file to
	local -A files_for=()
	for file; do
		to=$(target "$file")
		[[ -n $to ]] || die "no patch touches $file: name one with PATCH="
		files_for[$to]+=" $file"
		take_edit "$file"
	done
	for to in "${!files_for[@]}"; do
		# shellcheck disable=SC2086 # words
		sgit "$new" diff --quiet HEAD -- ${files_for[$to]} ||
			sgit "$new" commit -q -m "fixup! $to" -- ${files_for[$to]}
	done
}

# Puts each fixup commit into the commit of its patch.
squash() {
	local clash
	GIT_SEQUENCE_EDITOR=: GIT_EDITOR=: sgit "$new" rebase -q -i --autosquash \
		--keep-empty --empty=keep base >"$logs/refresh.log" 2>&1 && return
	clash=$(sgit "$new" diff --name-only --diff-filter=U | paste -sd ' ')
	sgit "$new" rebase --abort
	die "the edit does not go into ${patch:-its patch}, because patches after it change the same lines of $clash; nothing was changed (the output of git is in $(shown "$logs/refresh.log"))"
}

# mail COMMIT: prints it as a patch of patches/
mail() {
	sgit "$new" format-patch -1 --stdout --always --zero-commit --no-signature \
		-N --no-stat --abbrev=12 "$1"
}

# write_patches COMMIT...: the commits are those of the patches before the edits.
# Writes each patch whose commit is different now.
write_patches() {
	local names now n written=0
	mapfile -t names < <(series_patches)
	mapfile -t now < <(commits)
	((${#names[@]} == $# && ${#now[@]} == $#)) ||
		die "$(shown "$new") does not have one commit for each patch; nothing was changed"
	for n in "${!names[@]}"; do
		if [[ $(mail "$1") != "$(mail "${now[n]}")" ]]; then
			mail "${now[n]}" >"$patches/${names[n]}.part"
			mv "$patches/${names[n]}.part" "$patches/${names[n]}"
			say "patches/${names[n]}"
			written=1
		fi
		shift
	done
	((written)) || say "the patches have all of these edits already"
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
	[[ -z $others ]] || warn "these files were edited and are left as they are: $(paste -sd ' ' <<<"$others")"
	if [[ -z $files ]]; then
		say "nothing to refresh: no patched file was edited"
		return
	fi
	# Edits that are not taken stay in build/linux. That works only if the patches that
	# their files were made from are still the same.
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
