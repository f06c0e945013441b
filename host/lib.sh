# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/lib.sh - sourced by the other host scripts
#
# Owns what they share: where things are, how messages look, the lock on
# build/, and long commands with their output in a log, progress on the
# terminal and the time they took in build/log/times.

# For a sourced file shellcheck cannot see who uses a variable.
# shellcheck disable=SC2034

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
tree=$build/linux
logs=$build/log

# Variables given to our make are not meant for the kernel's: NAME and C, for
# one, mean something else there.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
unset KBUILD_OUTPUT KCONFIG_CONFIG KCONFIG_ALLCONFIG KBUILD_EXTMOD
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX
export LC_ALL=C

mkdir -p "$logs"

say() {
	printf '%s\n' "$*"
}

warn() {
	printf 'warning: %s\n' "$*" >&2
}

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# One script at a time changes what is in build/.
lock() {
	exec 9>"$build/lock"
	flock -n 9 && return
	say "waiting for another make in $build"
	flock 9
}

# A path to show: relative to the repository when it lies there.
shown() {
	printf '%s' "${1#"$root"/}"
}

duration() {
	if (($1 < 60)); then
		printf '%d s' "$1"
	else
		printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
	fi
}

# progress TITLE SECONDS LOG COUNT: one line on how far a command is.
progress() {
	local objects
	printf '%s: ' "$1"
	if [[ -n $4 ]]; then
		objects=$(grep -cE '^  (CC|AS|HOSTCC) ' "$3") || true
		printf '%d' "$objects"
		((objects >= $4)) || printf ' of about %d' "$4"
		printf ' objects, '
	fi
	duration "$2"
}

# Shows progress until killed: one line that changes on a terminal, elsewhere
# a line now and then. Nothing for what is over at once.
ticker() {
	local start=$SECONDS s

	while sleep 1 9>&- >/dev/null && kill -0 $$ 2>/dev/null; do
		s=$((SECONDS - start))
		if [[ -t 1 ]]; then
			printf '\r\033[K%s' "$(progress "$1" $s "$2" "$3")"
		elif ((s % 20 == 0)); then
			progress "$1" $s "$2" "$3"
			echo
		fi
	done
}

# run_logged TITLE LOG [--count N] COMMAND...: runs COMMAND with its output in
# LOG. With --count its progress is in objects compiled, of about N (0: of
# nobody knows how many). Says how long it took, unless that was no time.
run_logged() {
	local title=$1 log=$2 count='' start=$SECONDS status=0 pid took
	shift 2
	if [[ $1 == --count ]]; then
		count=$2
		shift 2
	fi

	: >"$log"
	ticker "$title" "$log" "$count" &
	pid=$!
	"$@" >"$log" 2>&1 </dev/null || status=$?
	kill "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	[[ ! -t 1 ]] || printf '\r\033[K'

	took=$((SECONDS - start))
	printf '%s\t%d\n' "$title" "$took" >>"$logs/times"
	if ((status == 0 && took > 1)); then
		progress "$title" "$took" "$log" "${count:+0}"
		echo
	fi
	return "$status"
}

# die_log MESSAGE LOG: the error, what the log says about it, where the log is.
die_log() {
	{
		printf 'error: %s\n' "$1"
		grep -E '(^|: )(fatal )?error: |: Error: |undefined reference|^E: ' "$2" | head -10 || true
		printf -- '--- the end of %s:\n' "$2"
		tail -15 "$2"
	} | sed "s|$root/||g" >&2
	exit 1
}

# copy_tools TO TOOL...: the kernel's tools/testing/TOOL, which make links and
# objects where they are built, with links to all of the tree that they include
# by relative paths
copy_tools() {
	local file to=$1
	shift

	mkdir -p "$to/tools/testing"
	for file; do
		cp -RL "$tree/tools/testing/$file" "$to/tools/testing"
	done
	for file in arch include kernel lib mm scripts tools/arch tools/include tools/lib tools/testing/selftests; do
		ln -s "$tree/$file" "$to/$file"
	done
}
