#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/lint.sh - what can be said about our files and patches without running
#
#   host/lint.sh           checkpatch, kernel-doc, shellcheck
#   host/lint.sh sparse    sparse for our and the patched objects, W=1 for ours
#
# Owns nothing; needs build/linux. Fails when there is anything to say.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=host/overlay.sh
. "$root/host/overlay.sh"
cd "$root"

failed=''

# checked TITLE COMMAND...: says nothing of what is well.
checked() {
	local title=$1 out
	shift
	out=$("$@" 2>&1) && [[ -z $out ]] && return
	say "--- $title"
	say "${out//"$root/"/}"
	failed=yes
}

# It leaves a cache where it is in a git work tree of ours.
checkpatch() {
	local status=0
	(cd "$tree" && scripts/checkpatch.pl --strict --terse --no-summary "$@") || status=$?
	rm -f "$tree"/.checkpatch-camelcase.git.* "$root"/.checkpatch-camelcase.git.*
	return "$status"
}

kernel_doc() {
	(cd "$tree" && scripts/kernel-doc -none -Wall -Werror "$@")
}

lint() {
	local name code events others scripts
	for name in $(series_patches); do
		checked "checkpatch $name" checkpatch "$patches/$name"
	done
	mapfile -t code < <(whole_files | grep '\.[ch]$')
	if ((${#code[@]})); then
		mapfile -t events < <(printf '%s\n' "${code[@]}" | grep '^include/trace/events/')
		mapfile -t others < <(printf '%s\n' "${code[@]}" | grep -v '^include/trace/events/')
		checked "checkpatch, code" checkpatch -f "${others[@]}"
		# What stands in the brackets of TRACE_EVENT() is laid out like blocks.
		checked "checkpatch, tracepoints" \
			checkpatch --ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT -f "${events[@]}"
		checked "kernel-doc" kernel_doc "${code[@]}"
	fi
	mapfile -t others < <(whole_files | grep -v '\.[ch]$')
	# mount -t proc proc /proc is no repetition.
	((${#others[@]} == 0)) ||
		checked "checkpatch, other files" checkpatch --ignore REPEATED_WORD -f "${others[@]}"

	mapfile -t scripts < <(printf '%s\n' host/*.sh host/*/*.sh; whole_files | grep '\.sh$')
	if command -v shellcheck >/dev/null; then
		checked "shellcheck" shellcheck -x "${scripts[@]}"
	else
		say "shellcheck is not installed: host/*.sh skipped"
	fi
	checked "mutations" host/mutate.sh --check
	say "checked: $(series_patches | wc -l) patches, $((${#code[@]} + ${#others[@]})) whole files, ${#scripts[@]} shell scripts"
}

# Turns sources into what kernel "main" makes of them.
objects() {
	local file
	while IFS= read -r file; do
		if [[ $file != *.c || $file == tools/* ]]; then
			continue
		elif [[ -f $build/kernel/main/${file%.c}.o && $file != arch/*/boot/* ]]; then
			printf '%s\n' "${file%.c}.o"
		else
			warn "not part of kernel 'main', or not compiled like the rest of it, so not checked: $file"
		fi
	done
}

sparse() {
	local ours patched
	host/build.sh main
	mapfile -t ours < <(whole_files | objects)
	mapfile -t patched < <(sgit "$series" ls-files | objects)
	((${#ours[@]} + ${#patched[@]})) || return 0
	host/build.sh main C=2 "${ours[@]}" "${patched[@]}" || failed=yes
	((${#ours[@]} == 0)) || host/build.sh main W=1 "${ours[@]}" || failed=yes
	# Compiled once more without W=1, or the next build has to.
	host/build.sh main
	say "checked: ${#ours[@]} objects of ours, ${#patched[@]} patched ones"
}

case ${1:-} in
'') lint ;;
sparse) sparse ;;
*) die "usage: host/lint.sh [sparse]" ;;
esac
[[ -z $failed ]]
