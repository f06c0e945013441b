#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/checks/mutate.sh - break the code on purpose; do the tests notice?
#
#   host/checks/mutate.sh [NAME...]   tries these mutations, or all
#   host/checks/mutate.sh --check     only checks that all of them apply to the code
#
# Owns host/checks/mutations/. Each file there is a patch that breaks a promise of KHO.
# Its first line says what is wrong in the kernel with the patch, and the next one which
# tests have to fail then. The patch is applied to the work tree, the kernels are built,
# the tests run, and the patch is always taken back. Whether the tests pass without it
# is not checked here: make test does that.
#
# The last line is "N noticed, N unnoticed". build/mutations/NAME.log has the output of
# the tests.

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

# fits FILE: does the mutation apply, and does it name tests?
fits() {
	grep -q '^TESTS=.' "$1" && git apply --check "$1" 2>/dev/null
}

check() {
	local file failed=0

	for file in "$mutations"/*.patch; do
		fits "$file" || { say "$file does not apply any more, or names no tests"; failed=1; }
	done
	return "$failed"
}

# failures LOG: prints what failed, in a few words
failures() {
	awk '
		/^not ok / { test = $3 }
		/^  (kernel: |missing: |not ok|stage |the last|[0-9]+ results)/ && test && n++ < 2 {
			sub(/^ +/, "")
			what = what "; " test ": " substr($0, 1, 90)
		}
		END { print substr(what, 3) }' "$1"
}

# mutate NAME: do the tests notice this mutation? It is an error if they did not run.
mutate() {
	local file=$mutations/$1.patch log=$out/$1.log tests

	tests=$(sed -n 's/^TESTS=//p' "$file")
	fits "$file" || die "$file does not apply any more, or names no tests"
	applied=$file
	git apply "$file"
	# shellcheck disable=SC2086 # words
	host/vm/test.sh $tests >"$log" 2>&1 || true
	take_back

	grep -q '^[0-9]* passed, [0-9]* failed' "$log" || die_log "$1: the tests did not run" "$log"
	# A fuzzer that does not compile fails as well.
	! grep -q 'the fuzzer does not compile' "$log" || die_log "$1: it does not compile" "$log"
	grep -q '^not ok ' "$log"
}

main() {
	local name what all noticed=0 unnoticed=0

	[[ ${1-} != --check ]] || { check; return; }
	mapfile -t all < <(basename -s .patch "$mutations"/*.patch)
	(($#)) || set -- "${all[@]}"
	for name; do
		[[ -f $mutations/$name.patch ]] || die "there is no mutation '$name' in $mutations/"
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
