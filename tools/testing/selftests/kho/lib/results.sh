# SPDX-License-Identifier: GPL-2.0-only
#
# lib/results.sh - the results of a scenario
#
# Owns check(), which makes one KTAP result of one command, and the
# comparisons that such commands are made of. A command that fails prints the
# reason.
#
# shellcheck shell=dash

# The kernel's KTAP helpers are next to lib.sh in a guest, and next to this
# directory in a kernel tree and in installed selftests.
for helpers in "$kho_lib" "$kho_lib/../kselftest"; do
	[ -f "$helpers/ktap_helpers.sh" ] || continue
	# shellcheck source=/dev/null
	. "$helpers/ktap_helpers.sh"
	break
done

# check DESCRIPTION COMMAND [ARG...]: one result. When the command fails, what
# it printed is the reason.
check() {
	local what="$1" why
	shift

	if why=$("$@" 2>&1); then
		ktap_test_pass "- $what"
	else
		ktap_test_fail "- $what"
		note "$*" "$why"
	fi
}

# note TEXT...: each line of each argument becomes a comment in the log.
note() {
	printf '%s\n' "$@" | while IFS= read -r line; do
		echo "# $line"
	done
}

# same WHAT IS SHOULD: the two strings are equal. An empty SHOULD fails, so that
# a figure which could not be read equals nothing.
same() {
	[ -n "$3" ] || { echo "$1: nothing to compare '$2' with"; return 1; }
	[ "$2" = "$3" ] || { echo "$1 is '$2', should be '$3'"; return 1; }
}

# near WHAT IS SHOULD MARGIN: the two numbers differ by MARGIN at most.
near() {
	[ $(($2 - $3)) -le "$4" ] && [ $(($3 - $2)) -le "$4" ] && return
	echo "$1 is $2, should be $3, give or take $4"
	return 1
}

# sorted WORDS: the words in alphabetical order, on one line.
sorted() {
	echo "$1" | tr ' ' '\n' | sort | xargs
}
