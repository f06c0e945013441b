# SPDX-License-Identifier: GPL-2.0-only
#
# As many files as CPUs. All CPUs keep and drop their files at the same time.
#
# shellcheck shell=dash

about="four CPUs keep, read and drop files at the same time"
kernels="main next"
cpus=4
stages=2
plan=9

readonly FILES="a b c d"

stage_1() {
	check "the CPUs are there" same "CPUs" "$(nproc)" "$cpus"
	check "files can be kept" each keep_own
	check "files can be dropped and kept again" each keep_anew
	note_down
	handover next
}

stage_2() {
	check "no memory is lost" arrived 1
	check "each restored folio is like a new one" folios_sound
	check "the files are intact" each intact_own

	local before
	before=$(mem_free)
	check "the files can be dropped" each forget_own
	check "their memory is free again" came_back "$before" "$(bytes 32M)"
	check "nine tenths of the memory can be used" usable 90
	finish
}

# each COMMAND: runs COMMAND for each file, all at the same time.
each() {
	local file pids='' pid status=0

	for file in $FILES; do
		"$1" "$file" &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || status=1
	done
	return $status
}

keep_own() {
	keep "$1-single" 4M 0 && keep "$1-mixed" 4M
}

keep_anew() {
	forget "$1-single" && keep "$1-single" 4M 0
}

intact_own() {
	intact "$1-single" "$1-mixed"
}

forget_own() {
	forget "$1-single" "$1-mixed"
}
