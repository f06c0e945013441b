#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/checks/mutate.sh - do the tests notice when the code is broken?
#
#   host/checks/mutate.sh [NAME...]   these mutations, or all
#   host/checks/mutate.sh --check     do they fit what the code is now?
#
# Owns host/checks/mutations/: each file breaks one line of what KHO promises, says
# which in its first line, and names the tests that have to fail then. It is
# applied to the work tree, kernels are built and the tests run; whatever
# happens, it is taken back. Whether they pass without it is for host/vm/test.sh.
#
# The last line is "N noticed, N unnoticed"; what the tests said is in
# build/mutations/NAME.log.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$root"

readonly mutations=host/checks/mutations
readonly out=$build/mutations
applied=''

take_back() {
	[[ -z $applied ]] || git apply -R "$applied"
	applied=''
}
trap take_back EXIT

# fits FILE: also says which tests there are to run.
fits() {
	grep -q '^TESTS=.' "$1" && git apply --check "$1" 2>/dev/null
}

check() {
	local file failed=0

	for file in "$mutations"/*.patch; do
		fits "$file" || { say "$file does not fit any more"; failed=1; }
	done
	return "$failed"
}

# What failed, in a few words.
failures() {
	awk '
		/^not ok / { test = $3 }
		/^  (kernel: |missing: |not ok|stage |the last|[0-9]+ results)/ && test && n++ < 2 {
			sub(/^ +/, "")
			what = what "; " test ": " substr($0, 1, 90)
		}
		END { print substr(what, 3) }' "$1"
}

# mutate NAME: is it noticed? A test that could not be run notices nothing.
mutate() {
	local file=$mutations/$1.patch log=$out/$1.log tests

	tests=$(sed -n 's/^TESTS=//p' "$file")
	fits "$file" || die "$file does not fit any more"
	applied=$file
	git apply "$file"
	# shellcheck disable=SC2086 # words
	host/vm/test.sh $tests >"$log" 2>&1 || true
	take_back

	grep -q '^[0-9]* passed, [0-9]* failed' "$log" || die_log "$1: the tests did not run" "$log"
	grep -q '^not ok ' "$log"
}

main() {
	local name what all noticed=0 unnoticed=0

	[[ ${1-} != --check ]] || { check; return; }
	mapfile -t all < <(basename -s .patch "$mutations"/*.patch)
	(($#)) || set -- "${all[@]}"
	for name; do
		[[ -f $mutations/$name.patch ]] || die "no mutation '$name' in $mutations/"
	done
	mkdir -p "$out"
	for name; do
		what=$(head -n 1 "$mutations/$name.patch")
		if mutate "$name"; then
			noticed=$((noticed + 1))
			say "noticed    $name - $what"
			say "           $(failures "$out/$name.log")"
		else
			unnoticed=$((unnoticed + 1))
			say "UNNOTICED  $name - $what"
		fi
	done
	say "$noticed noticed, $unnoticed unnoticed"
	((!unnoticed))
}

main "$@"
