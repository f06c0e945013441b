#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/tree/series.sh - write the patches and whole files as one series of mails
#
#   host/tree/series.sh check
#           fails unless every whole file is in exactly one patch
#
#   host/tree/series.sh mail [FOLDER]
#           writes FOLDER/NNNN-*.patch, which git am applies to a tree of Linux, and
#           FOLDER/cover-letter. Patches that patches/series marks with tests-only go
#           to FOLDER-tests/ instead; git am applies them after the others. FOLDER is
#           build/mail if it is not given.
#
# Owns build/mail and build/mail-tests.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=host/tree/overlay.sh
. "$root/host/tree/overlay.sh"
cd "$root"

folder=${2:-$build/mail}
work=$folder.work

check() {
	local faults
	faults=$(series_faults) || exit 1
	[[ -z $faults ]] || die "$faults"
}

# add_whole PATCH COMMIT: makes the commit once more, together with the whole files of
# the patch.
add_whole() {
	local file
	sgit "$work" cherry-pick --allow-empty --keep-redundant-commits "$2" >>"$logs/mail.log" 2>&1
	while IFS= read -r file; do
		mkdir -p "$work/$(dirname "$file")"
		if [[ $file == MAINTAINERS ]]; then
			cp "$series/MAINTAINERS" "$work/MAINTAINERS"
		else
			cp "$root/$file" "$work/$file"
		fi
		sgit "$work" add -f "$file"
	done < <(awk -F '\t' -v patch="$1" '$1 == patch && NF == 2 { print $2 }' <<<"$lines")
	grow
	sgit "$work" commit -q --amend --no-edit --allow-empty
}

# ------------------------------------------------- Makefiles and Kconfig files of ours

# Our Makefiles and Kconfig files grow with the series: each mail has their lines for the
# sources that it brings, so that the kernel builds after it. In the repository they are
# whole, since nothing there says which line belongs to which patch; the lines themselves
# do, with the names of the objects and options.

# Prints our Makefiles of the kernel's build that the mails so far have brought. Those of
# tools are not among them.
grown_makefiles() {
	sgit "$work" ls-files -- 'kernel/*/Makefile' 'lib/*/Makefile' | only_whole
}

grown_kconfigs() {
	sgit "$work" ls-files -- 'kernel/*/Kconfig' | only_whole
}

only_whole() {
	grep -xF -f <(cut -sf 2 <<<"$lines") || true
}

# Writes what our Makefiles and Kconfig files have so far, in that order, since an option
# comes with the Makefile that names it. A mail that touches no source leaves them as they
# are.
grow() {
	local file
	! sgit "$work" diff --quiet HEAD~ -- kernel lib mm || return 0
	while IFS= read -r file; do
		makefile_so_far "$file" >"$work/$file"
		sgit "$work" add -f "$file"
	done < <(grown_makefiles)
	while IFS= read -r file; do
		kconfig_so_far "$file" >"$work/$file"
		sgit "$work" add -f "$file"
	done < <(grown_kconfigs)
}

# Fails unless our Makefiles and Kconfig files have become those of the repository.
check_grown() {
	local file
	while IFS= read -r file; do
		cmp "$work/$file" "$root/$file" || die "the series does not end with $file as it is in the repository"
	done < <(grown_makefiles; grown_kconfigs)
}

# makefile_so_far FILE: prints our Makefile without objects whose source is not there yet,
# without lines that are left with no object, and without conditions that are left with no
# line.
makefile_so_far() {
	local dir=${1%/*}
	awk -v sources=" $(cd "$work/$dir" && printf '%s ' *.c)" '
		BEGIN { depth = 0 }
		# Adds a line to what the condition contains that we are in.
		function add(line) { text[depth] = text[depth] line "\n" }
		function flush_blank() { if (blank && text[depth] != "") add(""); blank = 0 }
		/^if/ {
			flush_blank()
			depth++
			text[depth] = ""; head[depth] = $0; used[depth] = 0
			next
		}
		/^endif/ {
			depth--
			if (used[depth + 1]) {
				add(head[depth + 1] "\n" text[depth + 1] $0)
				used[depth] = 1
			}
			next
		}
		/^obj-/ {
			line = $1 " " $2
			found = 0
			for (i = 3; i <= NF; i++) {
				source = $i
				sub(/\.o$/, ".c", source)
				if ($i ~ /\/$/ || index(sources, " " source " ")) {
					line = line " " $i
					found = 1
				}
			}
			if (found) {
				flush_blank()
				add(line)
				used[depth] = 1
			}
			next
		}
		/^$/ { blank = 1; next }
		{ flush_blank(); add($0) }
		END { printf "%s", text[0] }' "$root/$1"
}

# kconfig_so_far FILE: prints our Kconfig file without options that nothing uses yet.
kconfig_so_far() {
	awk -v unused=" $(unused_options "$1" | xargs) " '
		/^[a-z#]/ { skip = 0 }
		/^config / && index(unused, " " $2 " ") { skip = 1 }
		!skip && (!/^$/ || last != "") { print; last = $0 }' "$root/$1"
}

# Prints the options that Makefiles name once the whole series is applied.
options_of_makefiles() {
	grep -rhoE --include=Makefile 'CONFIG_[A-Z0-9_]+' "$series" "$root"/{kernel,lib} | sort -u
}

# unused_options FILE: prints the options of our Kconfig file that come with a later mail.
# An option that a Makefile names comes with that Makefile, even if a header uses it
# earlier. Any other option comes with the first source that uses it.
unused_options() {
	local options
	options=$(awk '/^config / { print "CONFIG_" $2 }' "$root/$1")
	awk '
		FILENAME == ARGV[1] { in_makefile[$0]; next }
		FILENAME == ARGV[2] { makefile[$0]; next }
		FILENAME == ARGV[3] { used[$0]; next }
		$0 in in_makefile ? !($0 in makefile) : !($0 in used) { sub(/^CONFIG_/, ""); print }' \
		<(printf '%s\n' "$made_options") \
		<(sgit "$work" grep -how -F "$options" -- '*Makefile') \
		<(sgit "$work" grep -how -F "$options" -- '*.[ch]') - <<<"$options"
}

# Prints the figures of Documentation/core-api/kho/figures.inc, a line for each. Those
# that compare with another kernel have one value more.
figures() {
	sed -n '/^Measured/{p;g;p}' Documentation/core-api/kho/figures.inc | fold -s -w 72 | sed 's/ *$//'
	awk '
		function show() {
			if (figure)
				printf "  %-58s%s\n", figure, values
			figure = values = ""
		}
		/^   \* - / { show(); figure = substr($0, 8) }
		/^     - / { values = values sprintf(" %11s", substr($0, 8)) }
		/^$/ { show() }
		/^Beside / { printf "\n%s\n\n", $0 }
		/^Of / { exit }
		' Documentation/core-api/kho/figures.inc
}

# Prints the cover letter: the subject, the text of patches/cover-letter, the list of
# patches and the files they change. Its name does not end in .patch, since git am
# fails for a mail without a patch.
# sizes: for each mail, how many lines it adds and removes, and its subject
sizes() {
	local commit
	sgit "$work" rev-list --reverse start..mailed | while IFS= read -r commit; do
		printf '%s %s\n' "$(sgit "$work" show --format= --numstat "$commit" |
			awk '{ more += $1; less += $2 } END { printf "%6s %5s", "+" more + 0, "-" less + 0 }')" \
			"$(sgit "$work" show -s --format=%s "$commit")"
	done
}

cover_letter() {
	local total
	total=$(find "$folder" -name '*.patch' | wc -l)
	printf 'From: "%s" <%s>\nSubject: [PATCH 00/%02d] %s\n\n' "$author" "$email" "$total" \
		"$(head -1 "$patches/cover-letter")"
	tail -n +3 "$patches/cover-letter" | while IFS= read -r line; do
		if [[ $line == @FIGURES@ ]]; then
			figures
		elif [[ $line == @SERIES@ ]]; then
			sizes
		else
			printf '%s\n' "$line"
		fi
	done
	echo
	sgit "$work" shortlog start..mailed
	sgit "$work" diff --stat start..mailed
}

# write_mails FOLDER RANGE [OPTION...]: writes each commit of RANGE as a mail, with
# these options for git format-patch
write_mails() {
	local to=$1 range=$2
	shift 2
	sgit "$work" format-patch -q -n -o "$to" --always --zero-commit \
		--no-signature --abbrev=12 "$@" "$range"
}

mail() {
	local lines names commits n mailed tests made_options
	[[ -d $series/.git ]] || die "there is no build/linux yet: make tree"
	[[ $(patches_sum) == "$(cat "$tree/.overlay/patches")" ]] ||
		die "patches/ has changed since build/linux was made: make tree"
	lines=$(series_lines) || exit 1
	mapfile -t names < <(series_patches)
	mapfile -t commits < <(sgit "$series" rev-list --reverse base..HEAD)
	made_options=$(options_of_makefiles)
	tests=$(tests_only_patches | wc -l)
	mailed=$((${#names[@]} - tests))
	: >"$logs/mail.log"
	rm -rf "$work" "$folder" "$folder-tests"
	git clone -q --no-hardlinks "$series" "$work"
	rm -f "$work/.git/info/exclude"
	sgit "$work" checkout -q base
	if grep -qxF MAINTAINERS < <(series_lines | cut -sf 2); then
		cp "$tree/.overlay/pristine/MAINTAINERS" "$work"
		sgit "$work" add -f MAINTAINERS
		sgit "$work" commit -q --amend --no-edit --allow-empty
	fi
	sgit "$work" tag start
	sgit "$work" tag mailed
	for n in "${!names[@]}"; do
		add_whole "${names[n]}" "${commits[n]}"
		((n + 1 != mailed)) || sgit "$work" tag -f mailed >/dev/null
	done
	check_grown
	write_mails "$folder" start..mailed
	cover_letter >"$folder/cover-letter"
	((!tests)) || write_mails "$folder-tests" mailed..HEAD --subject-prefix='PATCH tests-only'
	rm -rf "$work"
	((!tests)) || say "$(shown "$folder-tests"): $tests mails, for tests only"
	say "$(shown "$folder"): $(find "$folder" -name '*.patch' | wc -l) mails and cover-letter"
}

case ${1:-} in
check) check ;;
mail)
	check
	lock
	mail
	;;
*) die "usage: host/tree/series.sh check|mail [FOLDER]" ;;
esac
