#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host/vm/test.sh - run scenarios in virtual machines and say what came out
#
#   host/vm/test.sh [NAME...]    these, or those in the environment's TESTS, or all
#   host/vm/test.sh NAME:VARIABLE=VALUE...    with settings that the scenario has
#   host/vm/test.sh --list       what there is
#
# ARCH=arm64 in the environment runs them on arm64, and with PAGES=16k or 64k with
# such pages. What a scenario calls "next" is "arm64-next" then, and so on; one is
# skipped, and said to be, when there is no kernel for it or it says at its head
# that it is about other machines.
#
# All does not include a scenario that has when=asked at its head.
#
# Owns the run: which kernels are needed, as many machines at a time as there
# are CPUs and memory for, one line a scenario, the count at the end. A scenario
# is a file in tools/testing/selftests/kho/tests/; what is in its log is for judge.awk to
# read. A test in host/tests/ is a program of the host instead, with the same
# kind of head: its function host_test prints TAP. The last line is "N passed,
# N failed", counted in single results, and the exit status is 0 only when
# nothing failed and something passed.
#
# Left in build/vm for each: NAME.log, the serial console with the host's clock
# or what the program said, and NAME.result, the verdict.

set -euo pipefail
# shellcheck source=host/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

readonly ours=$root/tools/testing/selftests/kho
readonly vms=$build/vm

# ------------------------------------------------------------------- scenarios

all_names() {
	(cd "$ours/tests" && printf '%s\n' *.sh; cd "$root/host/tests" && printf '%s\n' *.sh) |
		sed 's/\.sh$//'
}

# file_of NAME: where it is, if it is.
file_of() {
	local dir name=${1%%:*}
	for dir in "$ours/tests" "$root/host/tests"; do
		[[ ! -f $dir/$name.sh ]] || { echo "$dir/$name.sh"; return; }
	done
	return 1
}

# What a scenario says at its head, with the defaults for what it does not
# say. For use in a subshell: it also defines the stages, which mean nothing
# on a host.
read_head() {
	about='' kernels='main next' stages=2 expect='' when=always
	mem=512M cpus=1 numa=none dimm='' limit=60 words='' qemu=''
	machines='x86 arm64' pages='4k 16k 64k' family=$asked_family firmware=''
	# As in a guest. A head that names another family wants 4 KiB.
	# shellcheck disable=SC2034
	PAGE_SIZE=$((1024 * $(its_pages | tr -d k)))
	# For scenarios that start out from another one.
	# shellcheck disable=SC2034
	kho_tests=$ours/tests
	local setting settings
	IFS=: read -ra settings <<<"$1"
	for setting in "${settings[@]:1}"; do
		printf -v "${setting%%=*}" %s "${setting#*=}"
	done
	[[ $(file_of "$1") != "$root/host/"* ]] || machines=x86
	# shellcheck source=/dev/null
	. "$(file_of "$1")"
}

# The kernels of build/kernel that a scenario's are.
its_kernels() {
	local part
	for part in $kernels; do
		in_family "$family" "$part"
	done
}

its_pages() {
	pages_of "$family"
}

family_machine() {
	machine_of "$(in_family "$family" main)"
}

# Why a scenario cannot run as the machine is, or nothing.
unfit() {
	local kernel
	[[ " $machines " == *" $machine "* ]] || { echo "for $machines only"; return; }
	[[ " $pages " == *" $(its_pages) "* ]] || { echo "for pages of $pages only"; return; }
	for kernel in $(its_kernels); do
		(machine_of "$kernel") >/dev/null 2>&1 || { echo "no kernel $kernel"; return; }
	done
}

# Heads say what pages of 4 KiB want.
guest_mem() {
	local regions=3
	case $numa in
	[24]) regions=$((2 + numa)) ;;
	esac
	echo "$(with_scratch "$(mebibytes "$mem")" $regions "$family")M"
}

list() {
	local name
	for name in $(all_names); do
		(read_head "$name" && printf '%-16s %s\n' "$name" "$about")
	done
}

# Those that run when nobody says which.
default_names() {
	local name
	for name in $(all_names); do
		(read_head "$name"; [[ $when != always ]] || echo "$name")
	done
}

# The scenarios that take longest first, so that no CPU is idle at the end.
longest_first() {
	local name
	for name; do
		(read_head "$name" && printf '%d %s\n' "$limit" "$name")
	done | sort -k 1,1nr -s | cut -d ' ' -f 2
}

# Each kernel once; "main" of a family first, because others start out from its
# objects.
kernels_of() {
	local name machine
	for name; do
		(
			read_head "$name"
			machine=$(family_machine)
			[[ -n $(unfit) ]] || its_kernels
		)
	done | awk 'NF && !seen[$0]++ { print ($0 ~ /^(main|arm64(-[0-9]+k)?)$/ ? 0 : 1), $0 }' |
		sort | cut -d ' ' -f 2
}

machines_of() {
	local kernel
	for kernel in $(kernels_of "$@"); do
		machine_of "$kernel"
	done | sort -u
}

# --------------------------------------------------------------------- machines

# First line of the result: seconds and description; then judge.awk's.
run_one() {
	local name=$1 start=$SECONDS machine part boot=() why
	local log=$vms/$name.log

	read_head "$name"
	rm -f "$log"
	machine=$(family_machine)
	why=$(unfit)
	if [[ -n $why ]]; then
		printf '0 %s (%s)\n0 0 1\n' "$about" "$why" >"$vms/$name.result"
		return
	fi
	if [[ $(file_of "$name") == "$root/host/"* ]]; then
		run_host_test "$name"
		return
	fi
	for part in $kernels; do
		boot+=("$part=$(in_family "$family" "$part")")
	done
	"$root/host/vm/initramfs.sh" "$vms/$name.cpio" "$machine" "${boot[@]}" || true
	"$root/host/vm/vm.sh" --name "$name" --machine "$machine" --firmware "$firmware" \
		--initrd "$vms/$name.cpio" --kernel "$(image_of "${boot[0]#*=}")" \
		--mem "$(guest_mem)" --cpus "$cpus" --numa "$numa" --dimm "$dimm" --limit "$limit" --qemu "$qemu" \
		--append "$(sed "/^#/d" "$ours/cmdline") kho_test=${name%%:*} kho_stage=1 $words" || true
	rm -f "$vms/$name.cpio"
	[[ -f $log ]] || echo "   0.000000 vm: was not started" >"$log"
	{
		echo "$((SECONDS - start)) $about"
		awk -v stages="$stages" -v expect="$expect" -f "$ours/judge.awk" "$log"
	} >"$vms/$name.result"
}

# result WHAT COMMAND...: for host_test, a line of TAP, and after a failure what
# the command has to say about it
result() {
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok - $what"
	else
		echo "not ok - $what"
		{ grep -m 20 -iE 'error|warning|check: |==>' <<<"$out" || tail -n 20 <<<"$out"; } | sed 's/^/# /'
	fi
}

# The log is TAP. What is planned and missing failed, as in judge.awk.
run_host_test() {
	local start=$SECONDS status=0

	(host_test) >"$log" 2>&1 || status=$?
	{
		echo "$((SECONDS - start)) $about"
		awk -v status="$status" '
			/^1\.\.[0-9]+$/ { plan = substr($0, 4) + 0 }
			/^ok / { if (/# SKIP/) s++; else p++; why = 0 }
			/^not ok / { f++; reason = reason "\n" $0; why = 3 }
			/^# / && why-- > 0 { reason = reason "\n  " $0 }
			END {
				if (!plan)
					reason = reason "\nno plan"
				if (plan > p + f + s) {
					reason = reason "\n" p + f + s " results, " plan " planned"
					f += plan - p - f - s
				}
				if ((status || !plan || plan < p + f + s) && !f) {
					reason = reason "\nstatus " status ", " plan " planned"
					f++
				}
				print p + 0, f + 0, s + 0 reason
			}' "$log"
	} >"$vms/$name.result"
}

# Not a scenario, but what all of them rely on.
test_judge() {
	local out=$vms/judge.log total

	sh "$ours/judge_test.sh" >"$out" || true
	total=$(sed -n 's/^1\.\.//p' "$out")
	{
		echo "0 the rules by which logs are judged"
		echo "$(grep -c '^ok' "$out") $((total - $(grep -c '^ok' "$out"))) 0"
		grep -A 1 '^not ok' "$out" || true
	} >"$vms/judge.result"
	report judge
}

# Reports one result, and adds it to the totals.
report() {
	local name=$1 seconds about p f s
	local result=$vms/$name.result

	{ read -r seconds about && read -r p f s; } <"$result" ||
		die "no verdict on $name (see $(shown "$vms")/$name.log)"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	took+=("$seconds $name")

	if ((f)); then
		say "not ok $name - $about ($(duration "$seconds"))"
		sed '1,2d; s/^/  /' "$result" | head -n 30
		say "  --- the end of $(shown "$vms")/$name.log:"
		tail -n 15 "$vms/$name.log" | sed 's/^/  /'
	elif ((s && !p)); then
		say "ok $name - $about # SKIP"
	else
		say "ok $name - $about ($(duration "$seconds")$( ((!s)) || echo ", $s skipped"))"
	fi
}

# MiB of the host that a test may come to use: a guest touches all that it has. Of
# those that do not run it is less, which does no harm.
mib_of() (
	read_head "$1"
	echo $(($(mebibytes "$(guest_mem)") + $(mebibytes "${dimm:-0M}")))
)

# Some MiB of this are others'.
host_mib() {
	awk '$1 == "MemTotal:" { print int($2 / 1024) - 1024 }' /proc/meminfo
}

# The next one to end, of those in "running", whose memory is in "used".
await_one() {
	local pid
	wait -n -p pid || true
	report "${running[$pid]}"
	used=$((used - mib[$pid]))
	unset "running[$pid]" "mib[$pid]"
}

# As many at a time as there are CPUs, and as there is memory for; reports them as
# they end.
run_all() {
	local name jobs all used=0 more
	local -A running=() mib=()
	jobs=$(nproc)
	all=$(host_mib)

	for name; do
		more=$(mib_of "$name")
		while ((${#running[@]} >= jobs || (${#running[@]} && used + more > all))); do
			await_one
		done
		rm -f "$vms/$name.result"
		run_one "$name" &
		running[$!]=$name mib[$!]=$more used=$((used + more))
	done
	while ((${#running[@]})); do
		await_one
	done
}

# ---------------------------------------------------------------------- the run

# What took long: builds that this run made, and the slowest scenarios.
times() {
	say ''
	if [[ -f $logs/times ]]; then
		tail -n "+$((times_before + 1))" "$logs/times" |
			awk -F '\t' '{ printf "%4d s  %s\n", $2, $1 }'
	fi
	printf '%s\n' "${took[@]}" | sort -nr | head -5 |
		awk '{ printf "%4d s  test %s\n", $1, $2 }'
	printf '%4d s  all tests\n' $((SECONDS - tests_start))
	say ''
}

main() {
	local name kernel machine order

	asked_family=$(asked_family)
	[[ ${1-} != --list ]] || { list; return; }
	# One that cannot be read would be left out without a word below.
	for name in $(all_names); do
		(read_head "$name") || die "the head of test '$name' cannot be read"
	done
	if ((!$#)); then
		read -ra order <<<"${TESTS:-$(default_names | xargs)}"
		set -- "${order[@]}"
	fi
	for name; do
		file_of "$name" >/dev/null || die "no test '$name' (host/vm/test.sh --list)"
	done

	times_before=0
	[[ ! -f $logs/times ]] || times_before=$(wc -l <"$logs/times")
	for kernel in $(kernels_of "$@"); do
		"$root/host/build/kernel.sh" "$kernel"
	done
	mkdir -p "$vms"
	for machine in $(machines_of "$@"); do
		"$root/host/vm/initramfs.sh" --base "$machine"
	done

	tests_start=$SECONDS passed=0 failed=0 skipped=0 took=()
	mapfile -t order < <(longest_first "$@")
	test_judge
	run_all "${order[@]}"
	times

	((!skipped)) || say "$skipped skipped"
	say "$passed passed, $failed failed"
	((passed && !failed))
}

main "$@"
